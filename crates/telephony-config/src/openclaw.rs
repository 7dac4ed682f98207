//! Settings of a running OpenClaw, from its sections of the file.

use crate::document::{Node, Value};
use crate::environment::Environment;
use crate::substitute::substitute;

/// Default port of OpenClaw's gateway.
const GATEWAY_PORT: u16 = 18789;

/// Variable of OpenClaw's password if the file has none.
pub(crate) const PASSWORD: &str = "OPENCLAW_GATEWAY_PASSWORD";

/// The settings needed to reach OpenClaw.
#[derive(Debug, Clone)]
pub(crate) struct HostGateway<'a> {
    /// Port of its gateway.
    pub(crate) gateway_port: u16,
    /// Token or password of its gateway, as written.
    pub(crate) credential: Option<&'a Node>,
    /// True if that is the password.
    pub(crate) wants_password: bool,
    /// True if its gateway serves chat completions over HTTP.
    pub(crate) has_chat_completions: bool,
    agents: Option<&'a Node>,
}

const MAIN: &str = "main";

impl<'a> HostGateway<'a> {
    /// Reads the whole file (`root`). Invalid values count as not set, because OpenClaw reports them itself.
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
            // Behind a trusted proxy, local clients without the proxy use the password.
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
            agents: root.and_then(|root| root.get("agents")),
        }
    }

    /// Returns the name that the agent `id`, or the default one, uses with people, if the file has it.
    pub(crate) fn name_of(&self, id: Option<&str>, environment: &Environment) -> Option<String> {
        let agents = self.agents();
        let is_default =
            |agent: &Node| matches!(agent.get("default").map(|node| &node.value), Some(Value::Switch(true)));
        let default = || agents.iter().find(|(_, agent)| is_default(agent)).map(|(id, _)| *id);
        let id = id.or_else(default).unwrap_or(MAIN);
        let (_, agent) = agents.iter().find(|(known, _)| known.eq_ignore_ascii_case(id))?;
        let name = substitute(agent.find(&["identity", "name"])?.text()?, environment).ok()?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }

    /// Returns OpenClaw's agents with their ids: `agents.entries`, or `agents.list` before September 2026.
    fn agents(&self) -> Vec<(&'a str, &'a Node)> {
        let entries = self.agents.and_then(|agents| agents.get("entries")).and_then(Node::members).unwrap_or_default();
        let list = match self.agents.and_then(|agents| agents.get("list")).map(|list| &list.value) {
            Some(Value::List(agents)) => agents.as_slice(),
            _ => &[],
        };
        let entries = entries.iter().map(|member| (member.name.as_str(), &member.node));
        entries.chain(list.iter().filter_map(|agent| Some((agent.get("id")?.text()?, agent)))).collect()
    }
}
