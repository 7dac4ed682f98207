//! The configuration in `tailscale serve status --json`, and the free ports beside it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Ports that Funnel supports, in the order in which we try them.
const PORTS: [u16; 3] = [443, 8443, 10_000];

/// One of our paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Path outside.
    pub(super) path: String,
    pub(super) target: String,
}

/// Everything that is served.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Served {
    #[serde(rename = "TCP")]
    tcp: BTreeMap<u16, Listener>,
    #[serde(rename = "Web")]
    web: BTreeMap<String, Site>,
    #[serde(rename = "AllowFunnel")]
    allow_funnel: BTreeMap<String, bool>,
    #[serde(rename = "Foreground")]
    foreground: BTreeMap<String, Served>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Listener {
    #[serde(rename = "HTTPS")]
    is_https: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Site {
    #[serde(rename = "Handlers")]
    handlers: BTreeMap<String, Handler>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Handler {
    #[serde(rename = "Proxy")]
    proxy: String,
}

impl Served {
    /// Returns a port of `host` where `mounts` cause no conflict: none of our paths has a different target, and
    /// everything else on it is as public as ours will be, because Funnel applies to a whole port.
    pub(super) fn free_port(&self, host: &str, mounts: &[Mount], is_public: bool) -> Option<u16> {
        PORTS.into_iter().find(|port| self.has_room(host, *port, mounts, is_public))
    }

    /// Returns true if all of `mounts` are served, as public as they should be.
    pub(super) fn has(&self, host: &str, port: u16, mounts: &[Mount], is_public: bool) -> bool {
        self.is_public(host, port) == is_public && mounts.iter().all(|mount| self.has_mount(host, port, mount))
    }

    /// Returns true if `mount` is served.
    pub(super) fn has_mount(&self, host: &str, port: u16, mount: &Mount) -> bool {
        let handler = self.web.get(&site(host, port)).and_then(|site| site.handlers.get(&mount.path));
        handler.is_some_and(|handler| handler.proxy == mount.target)
    }

    fn has_room(&self, host: &str, port: u16, mounts: &[Mount], is_public: bool) -> bool {
        let is_passed_on = self.tcp.get(&port).is_some_and(|listener| !listener.is_https);
        let in_foreground = self.foreground.values().any(|served| served.tcp.contains_key(&port));
        if is_passed_on || in_foreground {
            return false;
        }
        let Some(site) = self.web.get(&site(host, port)) else { return true };
        let is_ours = |path: &str, handler: &Handler| {
            mounts.iter().any(|mount| mount.path == path && mount.target == handler.proxy)
        };
        let mut others = site.handlers.iter().filter(|(path, handler)| !is_ours(path, handler)).peekable();
        let would_change_others = others.peek().is_some() && self.is_public(host, port) != is_public;
        !would_change_others && !others.any(|(path, _)| mounts.iter().any(|mount| mount.path == *path))
    }

    fn is_public(&self, host: &str, port: u16) -> bool {
        self.allow_funnel.get(&site(host, port)).copied().unwrap_or(false)
    }
}

fn site(host: &str, port: u16) -> String {
    format!("{host}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "box.tail1234.ts.net";

    fn served(json: &str) -> Served {
        serde_json::from_str(&json.replace("HOST", HOST)).unwrap()
    }

    fn ours() -> Vec<Mount> {
        let mount = |path: &str| Mount { path: path.to_owned(), target: format!("http://127.0.0.1:3335{path}") };
        vec![mount("/telephony/webhook"), mount("/telephony/status")]
    }

    fn port(json: &str, is_public: bool) -> Option<u16> {
        served(json).free_port(HOST, &ours(), is_public)
    }

    #[test]
    fn nothing_is_served_yet() {
        assert_eq!(port("{}", true), Some(443));
    }

    #[test]
    fn serving_never_changes_private_to_public_or_back() {
        let private =
            r#"{"TCP":{"443":{"HTTPS":true}},"Web":{"HOST:443":{"Handlers":{"/":{"Proxy":"http://127.0.0.1:80"}}}}}"#;
        assert_eq!(port(private, true), Some(8443));
        assert_eq!(port(private, false), Some(443));
        let public = private.replace("\"Web\"", "\"AllowFunnel\":{\"HOST:443\":true},\"Web\"");
        assert_eq!(port(&public, true), Some(443));
        assert_eq!(port(&public, false), Some(8443));
    }

    #[test]
    fn paths_of_a_killed_gateway_are_reused() {
        let left = r#"{"TCP":{"443":{"HTTPS":true}},"Web":{"HOST:443":{"Handlers":{
            "/telephony/webhook":{"Proxy":"http://127.0.0.1:3335/telephony/webhook"}}}},"AllowFunnel":{"HOST:443":true}}"#;
        assert_eq!(port(left, true), Some(443));
        assert_eq!(port(left, false), Some(443));
        assert!(!served(left).has(HOST, 443, &ours(), true));
        assert!(served(left).has_mount(HOST, 443, &ours()[0]));
    }

    #[test]
    fn paths_and_ports_of_others_are_left_alone() {
        let path = r#"{"TCP":{"443":{"HTTPS":true}},"Web":{"HOST:443":{"Handlers":{
            "/telephony/webhook":{"Proxy":"http://127.0.0.1:9/telephony/webhook"}}}}}"#;
        assert_eq!(port(path, false), Some(8443));
        let raw = r#"{"TCP":{"443":{"TCPForward":"127.0.0.1:22"},"8443":{"TCPForward":"127.0.0.1:22"}},
            "Foreground":{"session":{"TCP":{"10000":{"HTTPS":true}}}}}"#;
        assert_eq!(port(raw, true), None);
    }
}
