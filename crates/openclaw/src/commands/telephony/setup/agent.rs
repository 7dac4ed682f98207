//! The agent, with the settings that each kind needs.

mod trial;

use std::time::Duration;

use telephony_agents::{Agent, OpenAiAgent};
use telephony_config::{AgentKind, CommandLine, KeyChange, OpenAiAgentConfig, PRESETS, Preset};

use super::args::missing;
use super::asking::{Asking, Changes, one_of, set};
use super::secrets::{self, ANTHROPIC_KEY, GEMINI_KEY, OPENAI_KEY, OPENCLAW_TOKEN, SecretKind, SetupSecret};
use crate::failure::Failure;
use crate::{assemble, terminal};

/// The kinds of agents, and servers that `openai` asks under names of their own.
const AGENTS: [(&str, &str); 8] = [
    ("echo", "repeats every message, for tests"),
    ("openclaw", "a running OpenClaw"),
    ("openai", "OpenAI, or another server with its chat completions API"),
    ("command", "your own program"),
    ("anthropic", "Claude, by Anthropic's API key"),
    ("gemini", "Google Gemini, by its API key"),
    ("ollama", "a model on this machine, with Ollama"),
    ("lmstudio", "a model on this machine, with LM Studio"),
];

/// The last entry of a list of models.
const ANOTHER_MODEL: &str = "another one, whose name I type";

/// Parts of the names of models that turn text into numbers, or work on speech, pictures or videos.
const OTHER_MODELS: [&str; 14] = [
    "audio",
    "dall-e",
    "embed",
    "image",
    "moderation",
    "realtime",
    "rerank",
    "sora",
    "speech",
    "transcribe",
    "tts",
    "veo-",
    "video",
    "whisper",
];

impl Asking<'_> {
    /// Returns the agent's settings and secret. On a terminal, the agent answers a test question first.
    pub(super) fn agent(&self) -> Result<(Changes, Option<SetupSecret>), Failure> {
        loop {
            let (changes, key) = self.choose_agent()?;
            let is_echo = changes.iter().any(|change| *change == ("agent.kind", set("echo")));
            if changes.is_empty() || is_echo || !self.asks_everything() || self.is_tried(&changes, key.as_ref())? {
                return Ok((changes, key));
            }
        }
    }

    fn choose_agent(&self) -> Result<(Changes, Option<SetupSecret>), Failure> {
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
        let preset = Preset::called(&kind);
        let kind = if preset.is_some() { "openai".to_owned() } else { kind };
        self.check_flags(&kind)?;
        let (details, secret) = match (kind.as_str(), preset) {
            ("command", _) => (self.command()?, None),
            ("openclaw", _) => self.openclaw()?,
            (_, Some(preset)) => self.openai(preset)?,
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

    /// Asks for the URL only where the name of the server does not say it.
    fn openai(&self, preset: &Preset) -> Result<(Changes, Option<SetupSecret>), Failure> {
        let known = match self.existing().map(|telephony| &telephony.agent.kind) {
            Some(AgentKind::OpenAi(settings)) => Some(settings).filter(|known| self::preset(known).name == preset.name),
            _ => None,
        };
        let url = known.map_or(preset.base_url, |settings| settings.base_url.as_str());
        let url = match (&self.setup.agent_url, preset.name) {
            (None, "openai") => self.needed(&None, "--agent-url", "API base URL", Some(url))?,
            (None, _) => url.to_owned(),
            (Some(given), _) => given.clone(),
        };
        let (kind, question) = match preset.name {
            "anthropic" => (ANTHROPIC_KEY, "Anthropic API key (not shown)"),
            "gemini" => (GEMINI_KEY, "Gemini API key (not shown)"),
            _ => (OPENAI_KEY, "API key (not shown; empty if none is needed)"),
        };
        let wants_key = preset.key_variable.is_some() || self.setup.agent_key.is_some();
        let key = if wants_key { self.agent_key(kind, question)? } else { None };
        let model = self.model(&url, key.as_ref(), known.map(|settings| settings.model.as_str()))?;
        Ok((vec![("agent.baseUrl", set(url)), ("agent.model", set(model))], key))
    }

    /// Returns the model: on a terminal, one of those that the server lists.
    fn model(&self, url: &str, key: Option<&SetupSecret>, known: Option<&str>) -> Result<String, Failure> {
        if self.setup.agent_model.is_none() && self.asks_everything() {
            let models: Vec<String> =
                listed_models(url, key)?.into_iter().filter(|model| may_write_text(model)).collect();
            let choices: Vec<String> = models.iter().cloned().chain([ANOTHER_MODEL.to_owned()]).collect();
            let default = models.iter().position(|model| Some(model.as_str()) == known).unwrap_or(0);
            let chosen =
                if models.is_empty() { None } else { self.prompt.choice("Which model?", &choices, default)? };
            if let Some(model) = chosen.and_then(|chosen| models.get(chosen)) {
                return Ok(model.clone());
            }
        }
        self.needed(&self.setup.agent_model, "--agent-model", "Model", known)
    }

    fn openclaw(&self) -> Result<(Changes, Option<SetupSecret>), Failure> {
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
        let id = ("agent.agentId", id.map_or(KeyChange::Remove, set));
        let token = self.agent_key(
            OPENCLAW_TOKEN,
            "Token of the OpenClaw gateway (not shown; empty for the one in OpenClaw's \
                own file)",
        )?;
        Ok((url.into_iter().chain([id]).collect(), token))
    }

    fn agent_key(&self, kind: &'static SecretKind, question: &str) -> Result<Option<SetupSecret>, Failure> {
        let given = secrets::from_flag(kind, self.setup.agent_key.as_ref())?;
        self.secret(kind, given, question)
    }
}

/// Fetches the models that the server lists; none, with the reason on the terminal, if it has no usable list.
fn listed_models(base_url: &str, key: Option<&SetupSecret>) -> Result<Vec<String>, Failure> {
    let server = OpenAiAgent::new(OpenAiAgentConfig {
        base_url: base_url.to_owned(),
        api_key: key.map(|key| key.value.clone()),
        model: String::new(),
        system_prompt: None,
        history_turns: 0,
        timeout: Duration::MAX,
    });
    let listed = assemble::runtime()?.block_on(server.models());
    Ok(match listed {
        Ok(models) => models.unwrap_or_default(),
        Err(error) => {
            terminal::say(format!("Could not fetch the list of models: {error}"));
            Vec::new()
        }
    })
}

/// Returns false if the name says that the model does something other than writing text.
fn may_write_text(model: &str) -> bool {
    let name = model.to_lowercase();
    !OTHER_MODELS.iter().any(|other| name.contains(other))
}

/// Returns the server with these settings; any other is one with OpenAI's API.
fn preset(settings: &OpenAiAgentConfig) -> &'static Preset {
    PRESETS.iter().find(|preset| preset.base_url == settings.base_url).unwrap_or(&PRESETS[0])
}

fn word(kind: &AgentKind) -> &'static str {
    match kind {
        AgentKind::Echo => "echo",
        AgentKind::Command(_) => "command",
        AgentKind::OpenAi(settings) => preset(settings).name,
        AgentKind::OpenClaw(_) => "openclaw",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_that_do_not_write_text_are_not_offered() {
        for model in ["gpt-4.1-mini", "claude-sonnet-4-5", "models/gemini-2.5-flash", "llama3.2:latest", "qwen3-vl:8b"]
        {
            assert!(may_write_text(model), "{model}");
        }
        for model in [
            "text-embedding-3-small",
            "whisper-1",
            "gpt-image-1",
            "gpt-4o-mini-tts",
            "models/Imagen-4.0",
            "omni-moderation-latest",
        ] {
            assert!(!may_write_text(model), "{model}");
        }
    }
}
