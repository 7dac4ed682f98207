//! `serve`: where the webhook listens.

use std::net::{IpAddr, Ipv4Addr};

use crate::form::numbers::Whole;
use crate::form::texts::Parsed;
use crate::keys::Keys;

/// Where the webhook listens.
#[derive(Debug, Clone)]
pub struct Serve {
    /// The TCP port; 0 lets the system choose one.
    pub port: u16,
    /// The address of the machine that is listened on.
    pub bind: IpAddr,
    /// The path of messages and calls that come in.
    pub path: String,
    /// The path of message and call statuses.
    pub status_path: String,
}

impl Serve {
    pub(crate) fn read(keys: &mut Keys<'_, '_>) -> Self {
        let bind = "The address to listen on: `127.0.0.1` behind a proxy or tunnel, `0.0.0.0` for all interfaces.";
        let port = "The port to listen on; 0 lets the system choose.";
        let serve = Self {
            port: keys.key("port", port, Whole { from: 0, to: u16::MAX }).or(3335),
            bind: keys.key("bind", bind, address()).or(Ipv4Addr::LOCALHOST.into()),
            path: keys
                .key("path", "The path of messages and calls that come in.", path())
                .or("/telephony/webhook".to_owned()),
            status_path: keys
                .key("statusPath", "The path of message and call statuses.", path())
                .or("/telephony/status".to_owned()),
        };
        serve.check(keys);
        serve
    }

    /// Every path leads to one thing only.
    fn check(&self, keys: &mut Keys<'_, '_>) {
        for (name, path) in [("path", &self.path), ("statusPath", &self.status_path)] {
            if path == HEALTH {
                keys.problem(name, "found \"/health\", which answers whether the gateway is up", "choose another path");
            }
        }
        if self.path == self.status_path {
            let message = format!("found {:?} for both path and statusPath, expected two different paths", self.path);
            let hint = "leave statusPath out: statuses that come to path are recognised anyway";
            keys.problem("statusPath", message, hint);
        }
    }
}

/// Where the gateway says that it is up.
const HEALTH: &str = "/health";

/// An IP address.
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
