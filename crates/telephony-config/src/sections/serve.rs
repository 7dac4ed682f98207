//! `serve`: the webhook's listener.

use std::net::{IpAddr, Ipv4Addr};

use crate::form::numbers::Whole;
use crate::form::texts::Parsed;
use crate::keys::ObjectKeys;

/// The section `serve`: the listener for webhooks.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// TCP port; 0 lets the system choose.
    pub port: u16,
    /// Address to listen on.
    pub bind: IpAddr,
    /// Path for incoming messages and calls.
    pub path: String,
    /// Path for message and call statuses.
    pub status_path: String,
}

impl ServeConfig {
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>) -> Self {
        let bind = "The address to listen on: `127.0.0.1` behind a proxy or tunnel, `0.0.0.0` for all interfaces.";
        let port = "The port to listen on; 0 lets the system choose.";
        let serve = Self {
            port: keys.key("port", port, Whole { from: 0, to: u16::MAX }).or(3335),
            bind: keys.key("bind", bind, address()).or(Ipv4Addr::LOCALHOST.into()),
            path: keys
                .key("path", "The path for incoming messages and calls.", path())
                .or("/telephony/webhook".to_owned()),
            status_path: keys
                .key("statusPath", "The path for message and call statuses.", path())
                .or("/telephony/status".to_owned()),
        };
        serve.check(keys);
        serve
    }

    /// Checks that the paths are distinct.
    fn check(&self, keys: &mut ObjectKeys<'_, '_>) {
        for (name, path) in [("path", &self.path), ("statusPath", &self.status_path)] {
            if path == HEALTH {
                keys.problem(name, "\"/health\" is reserved for the gateway's health check", "choose another path");
            }
        }
        if self.path == self.status_path {
            let message = format!("found {:?} for both path and statusPath, expected two different paths", self.path);
            let hint = "remove statusPath: statuses are recognized on path as well";
            keys.problem("statusPath", message, hint);
        }
    }
}

/// Path of the health check.
const HEALTH: &str = "/health";

pub(crate) fn address() -> Parsed<IpAddr> {
    Parsed {
        expected: "an IP address such as \"127.0.0.1\" or \"0.0.0.0\"",
        pattern: Some("^([0-9.]+|[0-9A-Fa-f:.]+)$"),
        parse: |text| text.parse().ok(),
    }
}

fn path() -> Parsed<String> {
    Parsed {
        expected: "a path that starts with / and does not end with it",
        pattern: Some(r"^/([^?#\s]*[^/?#\s])$"),
        parse: |text| {
            let has_odd = text.contains(|c: char| matches!(c, '?' | '#') || c.is_whitespace() || c.is_control());
            (text.starts_with('/') && !text.ends_with('/') && !has_odd).then(|| text.to_owned())
        },
    }
}
