//! What the rest of the file, which is OpenClaw's, tells us about a running OpenClaw.

use crate::document::{Node, Value};
use crate::environment::Environment;

/// The port of OpenClaw's gateway when nobody says otherwise.
const GATEWAY_PORT: u16 = 18789;

/// What we need to know of OpenClaw to have it answer.
#[derive(Debug, Clone)]
pub(crate) struct OpenClaw<'a> {
    /// The port of its gateway.
    pub(crate) gateway_port: u16,
    /// The token of its gateway, as it is written.
    pub(crate) token: Option<&'a Node>,
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
        let endpoint = find(&["http", "endpoints", "chatCompletions", "enabled"]);
        Self {
            gateway_port: named.or(written).unwrap_or(GATEWAY_PORT),
            token: find(&["auth", "token"]),
            has_chat_completions: endpoint.is_some_and(|node| matches!(node.value, Value::Switch(true))),
        }
    }
}
