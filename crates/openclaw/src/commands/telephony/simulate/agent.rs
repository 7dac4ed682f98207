//! The agent of a simulation: `echo`, the one that `--agent` describes, or the one of `--config`.

mod flags;

use std::sync::Arc;
use std::time::Duration;

use telephony_agents::{Agent, AgentError};
use telephony_config::{AgentKind, CommandLine, Environment, Loaded, load_agent};

pub use self::flags::AgentFlags;
use crate::assemble::environment;
use crate::config_arg::ConfigArg;
use crate::failure::Failure;
use crate::terminal;

/// A server that takes longer to list its models is reported as unreachable, in seconds.
const REACH_TIMEOUT: u64 = 3;

/// The agent that answers in a simulation.
pub struct SimulatedAgent {
    pub agent: Arc<dyn Agent>,
    /// Text that a contact gets once if the agent does not answer.
    pub unavailable_text: String,
    /// A sentence that describes the agent.
    pub sentence: String,
}

impl SimulatedAgent {
    /// Selects the agent from the flags and the configuration file.
    ///
    /// # Errors
    /// The file is missing, or the agent's configuration is incomplete.
    pub fn choose(flags: &AgentFlags, config_arg: &ConfigArg) -> Result<SimulatedAgent, Failure> {
        let environment = environment();
        let loaded = match (&config_arg.config, flags.is_given()) {
            (_, true) => flags.load(config_arg.config.as_deref(), &environment)?,
            (Some(file), false) => {
                flags::require(file)?;
                load_agent(&environment, Some(file), None).map_err(Failure::from_problems)?
            }
            (None, false) => return Ok(Self::echo()),
        };
        show_warnings(&loaded);
        Ok(Self::of(&loaded.telephony.agent.kind, &loaded.environment, loaded.telephony.agent.unavailable_text))
    }

    /// Returns the agent that repeats every message.
    pub fn echo() -> SimulatedAgent {
        Self::of(&AgentKind::Echo, &Environment::new([], "/"), String::new())
    }

    fn of(kind: &AgentKind, environment: &Environment, unavailable_text: String) -> SimulatedAgent {
        let agent = telephony_agents::from_config(kind, environment);
        SimulatedAgent { agent, unavailable_text, sentence: sentence(kind) }
    }

    /// Returns true if no AI is connected.
    pub fn is_echo(&self) -> bool {
        self.agent.name() == "echo"
    }

    /// Requests the models of the agent's server. Returns the error if it does not respond.
    pub async fn problem(&self) -> Option<AgentError> {
        let asked = tokio::time::timeout(Duration::from_secs(REACH_TIMEOUT), self.agent.models()).await;
        asked.unwrap_or(Err(AgentError::TimedOut(REACH_TIMEOUT))).err()
    }
}

fn show_warnings(loaded: &Loaded) {
    let of_agent = |path: &str| path.starts_with("channels.telephony.agent.");
    for warning in loaded.warnings.iter().filter(|warning| of_agent(&warning.path)) {
        terminal::say(format!("warning: {warning}"));
    }
}

fn sentence(kind: &AgentKind) -> String {
    match kind {
        AgentKind::Echo => "No AI is connected: the `echo` agent repeats every message.".to_owned(),
        AgentKind::OpenAi(openai) => {
            format!("The `openai` agent answers: model {} at {}.", openai.model, openai.base_url)
        }
        AgentKind::OpenClaw(openclaw) => format!("The `openclaw` agent answers: OpenClaw at {}.", openclaw.base_url),
        AgentKind::Command(command) => match program_of(&command.command) {
            Some(program) => format!("The `command` agent answers: {program}."),
            None => "The `command` agent answers with a command of the shell.".to_owned(),
        },
    }
}

/// Returns the program without its arguments, which may contain a key; none if the shell reads the command.
fn program_of(command: &CommandLine) -> Option<&str> {
    match command {
        CommandLine::Program(words) => words.first().map(String::as_str),
        CommandLine::Shell(_) => None,
    }
}

/// A command that starts a simulation with a different agent.
pub struct Example {
    /// The agent, and what it needs.
    pub fits: &'static str,
    pub command: String,
}

/// Returns one command for each kind of agent.
pub fn examples() -> Vec<Example> {
    let program = terminal::own_name();
    let example = |fits, rest: &str| Example { fits, command: format!("{program} telephony simulate {rest}") };
    vec![
        example("OpenAI, with the key in OPENAI_API_KEY", "--agent openai --agent-model gpt-4.1-mini"),
        example(
            "Ollama, or another server with OpenAI's API",
            "--agent openai --agent-url http://127.0.0.1:11434/v1 --agent-model llama3.2",
        ),
        example("OpenClaw, with the token in OPENCLAW_GATEWAY_TOKEN", "--agent openclaw"),
        example("Your own program", "--agent command --agent-command ./answer"),
        example("The agent of a configuration file", "--config ~/.openclaw/openclaw.json"),
    ]
}
