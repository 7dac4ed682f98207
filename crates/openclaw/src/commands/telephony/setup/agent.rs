//! The agent, with the settings that each kind needs.

use telephony_config::{AgentKind, Change, CommandLine};

use super::asking::{Asking, Changes, one_of, set};
use super::missing;
use super::secrets::{self, Kind, OPENAI_KEY, OPENCLAW_TOKEN, Secret};
use crate::failure::Failure;

const AGENTS: [(&str, &str); 4] = [
    ("echo", "repeats every message, for tests"),
    ("openclaw", "a running OpenClaw"),
    ("openai", "any server with OpenAI's chat completions API"),
    ("command", "a program of yours"),
];

/// Base URL of OpenAI's API.
const OPENAI: &str = "https://api.openai.com/v1";

impl Asking<'_> {
    /// Returns the agent's settings and secret.
    pub(super) fn agent(&self) -> Result<(Changes, Option<Secret>), Failure> {
        let known = self.existing().map(|telephony| &telephony.agent.kind);
        let setup = self.setup;
        let flags = [&setup.agent_url, &setup.agent_model, &setup.agent_command, &setup.agent_id, &setup.agent_key];
        let has_flag = flags.iter().any(|flag| flag.is_some());
        let kind = match (&setup.agent, known) {
            (Some(kind), _) => one_of("--agent", kind, &AGENTS)?,
            (None, _) if self.asks_everything() => {
                self.pick("Who answers the messages?", &AGENTS, known.map_or("echo", word))?
            }
            (None, Some(known)) if has_flag => word(known).to_owned(),
            (None, None) if has_flag => return Err(missing("--agent", "the agent")),
            (None, _) => return Ok((Vec::new(), None)),
        };
        self.check_flags(&kind)?;
        let (details, secret) = match kind.as_str() {
            "command" => (self.command()?, None),
            "openai" => self.openai()?,
            "openclaw" => self.openclaw()?,
            _ => (Vec::new(), None),
        };
        Ok(([vec![("agent.kind", set(kind))], details].concat(), secret))
    }

    /// Rejects a flag that the chosen agent does not use.
    fn check_flags(&self, kind: &str) -> Result<(), Failure> {
        let setup = self.setup;
        let all: [(&str, &Option<String>, &[&str]); 5] = [
            ("--agent-url", &setup.agent_url, &["openai", "openclaw"]),
            ("--agent-model", &setup.agent_model, &["openai"]),
            ("--agent-key", &setup.agent_key, &["openai", "openclaw"]),
            ("--agent-id", &setup.agent_id, &["openclaw"]),
            ("--agent-command", &setup.agent_command, &["command"]),
        ];
        match all.into_iter().find(|(_, flag, kinds)| flag.is_some() && !kinds.contains(&kind)) {
            Some((name, _, kinds)) => Err(Failure::usage(format!("{name} has no effect with the agent `{kind}`"))
                .hint(format!("it belongs to --agent {}", kinds.join(" or ")))),
            None => Ok(()),
        }
    }

    fn command(&self) -> Result<Changes, Failure> {
        let known = match self.existing().map(|telephony| &telephony.agent.kind) {
            Some(AgentKind::Command(settings)) => Some(&settings.command),
            _ => None,
        };
        let line = match known {
            // A program with separate arguments cannot be edited as one line.
            Some(CommandLine::Program(_)) if self.setup.agent_command.is_none() => return Ok(Vec::new()),
            Some(CommandLine::Shell(line)) => Some(line.as_str()),
            _ => None,
        };
        let command = self.needed(&self.setup.agent_command, "--agent-command", "Command line", line)?;
        Ok(vec![("agent.command", set(command))])
    }

    fn openai(&self) -> Result<(Changes, Option<Secret>), Failure> {
        let known = match self.existing().map(|telephony| &telephony.agent.kind) {
            Some(AgentKind::OpenAi(settings)) => Some(settings),
            _ => None,
        };
        let url = known.map_or(OPENAI, |settings| settings.base_url.as_str());
        let url = self.needed(&self.setup.agent_url, "--agent-url", "API base URL", Some(url))?;
        let model = known.map(|settings| settings.model.as_str());
        let model = self.needed(&self.setup.agent_model, "--agent-model", "Model", model)?;
        let key = self.agent_key(OPENAI_KEY, "API key (not shown; empty if none is needed)")?;
        Ok((vec![("agent.baseUrl", set(url)), ("agent.model", set(model))], key))
    }

    fn openclaw(&self) -> Result<(Changes, Option<Secret>), Failure> {
        let known = match self.existing().map(|telephony| &telephony.agent.kind) {
            Some(AgentKind::OpenClaw(settings)) => settings.agent_id.clone(),
            _ => None,
        };
        let url = self.setup.agent_url.as_ref().map(|url| ("agent.baseUrl", set(url.as_str())));
        let question = "Name of the OpenClaw agent, preferably one with few permissions (empty for the default one)";
        let id = match &self.setup.agent_id {
            None if self.asks_everything() => self.prompt.optional(question, known.as_deref(), |_| Ok(()))?,
            None => known,
            given => given.clone(),
        };
        let id = ("agent.agentId", id.map_or(Change::Remove, set));
        let token = self.agent_key(
            OPENCLAW_TOKEN,
            "Token of the OpenClaw gateway (not shown; empty for the one in OpenClaw's \
                own file)",
        )?;
        Ok((url.into_iter().chain([id]).collect(), token))
    }

    fn agent_key(&self, kind: &'static Kind, question: &str) -> Result<Option<Secret>, Failure> {
        let given = secrets::from_flag(kind, self.setup.agent_key.as_ref())?;
        self.secret(kind, given, question)
    }
}

fn word(kind: &AgentKind) -> &'static str {
    match kind {
        AgentKind::Echo => "echo",
        AgentKind::Command(_) => "command",
        AgentKind::OpenAi(_) => "openai",
        AgentKind::OpenClaw(_) => "openclaw",
    }
}
