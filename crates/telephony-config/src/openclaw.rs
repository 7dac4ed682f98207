//! What the rest of the file, which is OpenClaw's, tells us about a running OpenClaw.

use crate::document::{Node, Value};
use crate::environment::Environment;

/// The port of OpenClaw's gateway when nobody says otherwise.
const GATEWAY_PORT: u16 = 18789;

/// Where OpenClaw takes its password from when the file has none.
pub(crate) const PASSWORD: &str = "OPENCLAW_GATEWAY_PASSWORD";

/// What we need to know of OpenClaw to have it answer.
#[derive(Debug, Clone)]
pub(crate) struct OpenClaw<'a> {
    /// The port of its gateway.
    pub(crate) gateway_port: u16,
    /// What its gateway wants to be shown: the token or the password, as it is written.
    pub(crate) credential: Option<&'a Node>,
    /// Whether that is the password.
    pub(crate) wants_password: bool,
    /// Whether its gateway answers chat completions over HTTP.
    pub(crate) has_chat_completions: bool,
}

impl<'a> OpenClaw<'a> {
    /// Reads the whole file (`root`). What is wrong there is for OpenClaw to say: it counts as not said.
    pub(crate) fn read(root: Option<&'a Node>, environment: &Environment) -> Self {
        let gateway = root.and_then(|root| root.get("gateway"));
        let find = |path: &[&str]| gateway.and_then(|gateway| gateway.find(path));
        let named = environment.get("OPENCLAW_GATEWAY_PORT").and_then(|port| port.trim().parse().ok());
        let written = match find(&["port"]).map(|node| &node.value) {
            Some(Value::Number(port)) if port.fract() == 0.0 && (1.0..=65535.0).contains(port) => Some(*port as u16),
            _ => None,
        };
        let (token, password) = (find(&["auth", "token"]), find(&["auth", "password"]));
        let wants_password = match find(&["auth", "mode"]).map(|node| &node.value) {
            // Behind a trusted proxy, whoever is on the same machine and comes without it shows the password.
            Some(Value::Text(mode)) => matches!(mode.as_str(), "password" | "trusted-proxy"),
            _ => {
                let has_token = token.is_some() || environment.get("OPENCLAW_GATEWAY_TOKEN").is_some();
                !has_token && (password.is_some() || environment.get(PASSWORD).is_some())
            }
        };
        let endpoint = find(&["http", "endpoints", "chatCompletions", "enabled"]);
        Self {
            gateway_port: named.or(written).unwrap_or(GATEWAY_PORT),
            credential: if wants_password { password } else { token },
            wants_password,
            has_chat_completions: endpoint.is_some_and(|node| matches!(node.value, Value::Switch(true))),
        }
    }
}
