//! The flags that describe an agent, and the configuration they stand for.

use std::path::Path;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::{Map, Value, json};
use telephony_config::{Environment, KeyChange, Loaded, PRESETS, Preset, Problems, load_agent, rewrite};

use crate::failure::Failure;

/// The agent that answers in a simulation.
#[derive(Debug, Default, Args)]
pub struct AgentFlags {
    /// Agent that answers [default: echo, or the agent of --config]
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    agent: Option<String>,
    /// Base URL, for `openai` and `openclaw` [default: OpenAI, or OpenClaw on this machine]
    #[arg(long, value_name = "URL", requires = "agent")]
    agent_url: Option<String>,
    /// Model, for `openai`
    #[arg(long, value_name = "MODEL", requires = "agent")]
    agent_model: Option<String>,
    /// Environment variable with the key [default: OPENAI_API_KEY, or OPENCLAW_GATEWAY_TOKEN]
    #[arg(long, value_name = "VARIABLE", requires = "agent")]
    agent_key_variable: Option<String>,
    /// Name of the agent in OpenClaw, for `openclaw` [default: its default agent]
    #[arg(long, value_name = "NAME", requires = "agent")]
    agent_id: Option<String>,
    /// Command line for the shell, for `command`
    #[arg(long, value_name = "COMMAND", requires = "agent")]
    agent_command: Option<String>,
}

/// One flag: its name, its value and its key for each kind that uses it.
struct Flag<'a> {
    name: &'static str,
    value: Option<&'a str>,
    keys: &'static [(&'static str, &'static str)],
}

const KEY_FLAG: &str = "--agent-key-variable";

/// Variable that the generated block reads the key from.
const KEY: &str = "OPENCLAW_SIMULATED_AGENT_KEY";

const KINDS: [&str; 4] = ["echo", "openai", "openclaw", "command"];

/// Path shown in problems when there is no configuration file.
const NO_FILE: &str = "--agent";

impl AgentFlags {
    /// Returns true if an agent was chosen.
    pub fn is_given(&self) -> bool {
        self.agent.is_some()
    }

    /// Reads the agent as if it were configured in the file, or on its own without a file.
    pub fn load(&self, file: Option<&Path>, environment: &Environment) -> Result<Loaded, Failure> {
        let path = file.unwrap_or(Path::new(NO_FILE));
        let text = match file {
            Some(file) => read(file)?,
            None => String::new(),
        };
        let changes = [("agent", KeyChange::Set(self.block()?))];
        let environment = self.with_key(environment)?;
        let text = rewrite(&text, &changes, &environment)
            .map_err(|error| Failure::new(format!("cannot use {}: {error}", path.display())))?;
        load_agent(&environment, Some(path), Some((path, &text))).map_err(|problems| self.explain(problems))
    }

    /// Converts the flags into the `agent` block of a configuration.
    fn block(&self) -> Result<Value, Failure> {
        let kind = self.kind();
        if let Some(preset) = preset(kind) {
            return Err(use_openai(preset));
        }
        let mut block = Map::from_iter([("kind".to_owned(), json!(kind))]);
        for flag in self.all() {
            let Some(value) = flag.value else { continue };
            let key = flag.key(kind).ok_or_else(|| flag.is_useless(kind))?;
            let value = if flag.name == KEY_FLAG { json!(format!("${{{KEY}}}")) } else { json!(value) };
            block.insert(key.to_owned(), value);
        }
        self.require_what_is_needed(kind)?;
        Ok(Value::Object(block))
    }

    /// Returns the environment with the key under the variable that the block names, so that no text contains the key.
    fn with_key(&self, environment: &Environment) -> Result<Environment, Failure> {
        match &self.agent_key_variable {
            Some(variable) => Ok(environment.clone().with(KEY, &value_of(variable, environment)?)),
            None => Ok(environment.clone()),
        }
    }

    fn kind(&self) -> &str {
        self.agent.as_deref().unwrap_or("echo")
    }

    fn all(&self) -> [Flag<'_>; 5] {
        [
            Flag {
                name: "--agent-url",
                value: self.agent_url.as_deref(),
                keys: &[("openai", "baseUrl"), ("openclaw", "baseUrl")],
            },
            Flag { name: "--agent-model", value: self.agent_model.as_deref(), keys: &[("openai", "model")] },
            Flag {
                name: KEY_FLAG,
                value: self.agent_key_variable.as_deref(),
                keys: &[("openai", "apiKey"), ("openclaw", "token")],
            },
            Flag { name: "--agent-id", value: self.agent_id.as_deref(), keys: &[("openclaw", "agentId")] },
            Flag { name: "--agent-command", value: self.agent_command.as_deref(), keys: &[("command", "command")] },
        ]
    }

    fn require_what_is_needed(&self, kind: &str) -> Result<(), Failure> {
        let missing = |flag: &str, example: &str| {
            Err(Failure::usage(format!("--agent {kind} needs {flag}")).hint(format!("for example {flag} {example}")))
        };
        match kind {
            "openai" if self.agent_model.is_none() => missing("--agent-model", "gpt-4.1-mini"),
            "command" if self.agent_command.is_none() => missing("--agent-command", "\"./answer --sms\""),
            _ => Ok(()),
        }
    }

    /// Rewrites problems to name the flags.
    fn explain(&self, problems: Problems) -> Failure {
        let flags = self.all();
        let kind = self.kind();
        let is_about = |path: &str, flag: &Flag<'_>| {
            flag.key(kind).is_some_and(|key| path == format!("channels.telephony.agent.{key}"))
        };
        // Report invalid values before missing ones: a value may only be missing because another is invalid.
        let (given, missing): (Vec<_>, Vec<_>) = flags.iter().partition(|flag| flag.value.is_some());
        let first = given.into_iter().chain(missing).find_map(|flag| {
            let problem = problems.iter().find(|problem| is_about(&problem.path, flag))?;
            Some((flag.name, problem.clone()))
        });
        match first {
            Some((KEY_FLAG, problem)) => no_key(kind, &problem.message),
            Some((name, problem)) => Failure::usage(format!("{name}: {}", problem.message)),
            None => Failure::from_problems(problems),
        }
    }
}

impl Flag<'_> {
    fn key(&self, kind: &str) -> Option<&'static str> {
        self.keys.iter().find(|(of, _)| *of == kind).map(|(_, key)| *key)
    }

    fn is_useless(&self, kind: &str) -> Failure {
        let kinds: Vec<_> = self.keys.iter().map(|(kind, _)| *kind).collect();
        Failure::usage(format!("{} has no effect with --agent {kind}", self.name))
            .hint(format!("it belongs to --agent {}", kinds.join(" or --agent ")))
    }
}

/// Returns the parser of `--agent`. It accepts the names of well-known servers too, so that they get a hint.
fn kinds() -> PossibleValuesParser {
    let servers = PRESETS.iter().map(|preset| preset.name).filter(|name| !KINDS.contains(name));
    let servers = servers.map(|name| PossibleValue::new(name).hide(true));
    KINDS.into_iter().map(PossibleValue::new).chain(servers).collect::<Vec<_>>().into()
}

/// Returns the well-known server with this name, unless it is a kind of agent.
fn preset(name: &str) -> Option<&'static Preset> {
    Preset::called(name).filter(|_| !KINDS.contains(&name))
}

fn use_openai(preset: &Preset) -> Failure {
    let key = preset.key_variable.map(|name| format!(" --agent-key-variable {name}")).unwrap_or_default();
    Failure::usage(format!("`{}` is not a kind of agent", preset.name)).hint(format!(
        "to use {}: --agent openai --agent-url {}{key} --agent-model NAME",
        preset.title, preset.base_url
    ))
}

fn value_of(variable: &str, environment: &Environment) -> Result<String, Failure> {
    let value = environment.get(variable).map(str::to_owned);
    value.ok_or_else(|| {
        Failure::usage(format!("{KEY_FLAG}: the environment variable {variable} is not set"))
            .hint(format!("set it first: export {variable}=\"…\""))
    })
}

fn no_key(kind: &str, message: &str) -> Failure {
    let variable = if kind == "openclaw" { "OPENCLAW_GATEWAY_TOKEN" } else { "OPENAI_API_KEY" };
    Failure::usage(format!("--agent {kind} needs a key: {message}")).hint(format!(
        "set {variable}, or name another variable with --agent-key-variable; a server that needs no key, such as \
         Ollama, needs only --agent-url"
    ))
}

fn read(file: &Path) -> Result<String, Failure> {
    require(file)?;
    std::fs::read_to_string(file).map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))
}

/// Fails if a configuration file does not exist.
pub fn require(file: &Path) -> Result<(), Failure> {
    if file.exists() {
        return Ok(());
    }
    Err(Failure::new(format!("there is no configuration file {} (--config)", file.display()))
        .hint("without --config the `echo` agent answers; `--agent` chooses another one"))
}
