//! `agent`: the agent that answers.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value as Json, json};

use crate::document::{Node, Value, quote};
use crate::form::lists::ListForm;
use crate::form::numbers::Whole;
use crate::form::secrets::SecretForm;
use crate::form::texts::{TextForm, UrlForm};
use crate::form::{At, ChoiceForm, Form};
use crate::keys::ObjectKeys;
use crate::openclaw::{HostGateway, PASSWORD};
use crate::presets::{PRESETS, Preset};
use crate::problem::Problem;

/// The section `agent`: who answers, and the texts around the answers.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// Kind of agent, with its settings.
    pub kind: AgentKind,
    /// Text that a contact gets once if the agent does not answer for a while.
    pub unavailable_text: String,
}

/// A kind of agent, with its settings.
#[derive(Debug, Clone)]
pub enum AgentKind {
    /// Repeats every message; for trying out the channel.
    Echo,
    /// A program started for each turn.
    Command(CommandAgentConfig),
    /// A server with OpenAI's chat completions API.
    OpenAi(OpenAiAgentConfig),
    /// A running OpenClaw, over HTTP.
    OpenClaw(OpenClawAgentConfig),
}

/// A program started for each turn.
#[derive(Debug, Clone)]
pub struct CommandAgentConfig {
    /// `agent.command`: the program or shell command line that answers.
    pub command: CommandLine,
    /// Time limit of a turn.
    pub timeout: Duration,
}

/// A program with arguments, or a shell command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandLine {
    /// Program and arguments, started directly; never empty.
    Program(Vec<String>),
    /// A command line for the shell.
    Shell(String),
}

/// A server with OpenAI's chat completions API.
#[derive(Debug, Clone)]
pub struct OpenAiAgentConfig {
    /// Base URL, without `/chat/completions` and trailing slash.
    pub base_url: String,
    /// API key, if needed.
    pub api_key: Option<SecretString>,
    /// `agent.model`, sent with every request.
    pub model: String,
    /// `agent.systemPrompt`, the first message of every request.
    pub system_prompt: Option<String>,
    /// Number of earlier turns sent to the model.
    pub history_turns: u32,
    /// Time limit of a turn.
    pub timeout: Duration,
}

/// A running OpenClaw, over HTTP.
#[derive(Debug, Clone)]
pub struct OpenClawAgentConfig {
    /// Base URL of its gateway, without a trailing slash.
    pub base_url: String,
    /// Token or password of its gateway.
    pub token: Option<SecretString>,
    /// Name of the OpenClaw agent; none for the default one.
    pub agent_id: Option<String>,
    /// Name that the agent uses with people, if OpenClaw's configuration has it.
    pub assistant_name: Option<String>,
    /// Time limit of a turn.
    pub timeout: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Echo,
    Command,
    OpenAi,
    OpenClaw,
}

const KINDS: &[(&str, Kind)] =
    &[("echo", Kind::Echo), ("command", Kind::Command), ("openai", Kind::OpenAi), ("openclaw", Kind::OpenClaw)];

/// The kinds that each key applies to; other kinds ignore it.
const USED_BY: &[(&str, &[Kind])] = &[
    ("command", &[Kind::Command]),
    ("baseUrl", &[Kind::OpenAi, Kind::OpenClaw]),
    ("apiKey", &[Kind::OpenAi]),
    ("model", &[Kind::OpenAi]),
    ("systemPrompt", &[Kind::OpenAi]),
    ("historyTurns", &[Kind::OpenAi]),
    ("token", &[Kind::OpenClaw]),
    ("agentId", &[Kind::OpenClaw]),
    ("timeoutSeconds", &[Kind::Command, Kind::OpenAi, Kind::OpenClaw]),
];

/// Base URL of OpenAI's API.
const OPENAI: &str = PRESETS[0].base_url;

impl AgentConfig {
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>, openclaw: &HostGateway<'_>) -> Self {
        let kind = read_kind(keys, openclaw);
        let unavailable = "Text that a contact gets once if the agent has not answered for two minutes.";
        let sorry = "I can't answer right now. I will as soon as I can.".to_owned();
        let unavailable_text = keys.key("unavailableText", unavailable, TextForm).or(sorry);
        Self { kind, unavailable_text }
    }
}

fn read_kind(keys: &mut ObjectKeys<'_, '_>, openclaw: &HostGateway<'_>) -> AgentKind {
    let doc = "`echo` repeats every message; `command` starts a program; `openai` uses any server with OpenAI's chat \
        completions API; `openclaw` uses a running OpenClaw over HTTP.";
    let rule = "`openclaw` if the file enables `gateway.http.endpoints.chatCompletions`, else `echo`";
    let default = if openclaw.has_chat_completions { Kind::OpenClaw } else { Kind::Echo };
    let kind = keys.key("kind", doc, KindOfAgent).or_by_rule(rule, default);
    match kind {
        Kind::Echo if keys.written("kind").is_none() => {
            keys.warning("kind", "no agent is configured: the `echo` agent repeats every message");
        }
        Kind::OpenClaw if keys.written("kind").is_none() => keys.warning(
            "kind",
            "no agent is configured: OpenClaw answers, because gateway.http.endpoints.chatCompletions is enabled",
        ),
        _ => {}
    }
    let base_url = read_base_url(keys, kind, openclaw);
    let command = keys
        .key("command", "For `command`: the program and its arguments, or a shell command line.", CommandForm)
        .optional();
    let api_key = keys.key("apiKey", "For `openai`: the API key.", SecretForm).or_variable("OPENAI_API_KEY").optional();
    let model = keys.key("model", "For `openai`: the model.", TextForm).optional();
    let system_prompt = keys.key("systemPrompt", "For `openai`: the system prompt.", TextForm).optional();
    let history = Whole { from: 0, to: 1000_u32 };
    let history_turns =
        keys.key("historyTurns", "For `openai`: how many earlier turns the model gets.", history).or(20);
    let token = keys.key("token", "For `openclaw`: the token or password of its gateway.", SecretForm);
    let (key, variable) = match openclaw.wants_password {
        true => ("gateway.auth.password", PASSWORD),
        false => ("gateway.auth.token", "OPENCLAW_GATEWAY_TOKEN"),
    };
    let token = token.or_key(key, openclaw.credential.filter(|_| kind == Kind::OpenClaw));
    let token = token.or_variable(variable).optional();
    let agent_id = keys.key("agentId", "For `openclaw`: the name of the agent that answers.", TextForm);
    let agent_id = agent_id.optional_by_rule("its default agent", None);
    let seconds = Whole { from: 1, to: 3600_u32 };
    let seconds = keys.key("timeoutSeconds", "Time limit of a turn, in seconds.", seconds).or(120);
    let timeout = Duration::from_secs(seconds.into());
    warn_of_unused(keys, kind);
    match kind {
        Kind::Echo => AgentKind::Echo,
        Kind::Command => AgentKind::Command(CommandAgentConfig { command: required_command(keys, command), timeout }),
        Kind::OpenAi => {
            let model = required_model(keys, model);
            require_key(keys, &base_url, api_key.is_some());
            AgentKind::OpenAi(OpenAiAgentConfig { base_url, api_key, model, system_prompt, history_turns, timeout })
        }
        Kind::OpenClaw => {
            let assistant_name = openclaw.name_of(agent_id.as_deref(), keys.reading.environment);
            AgentKind::OpenClaw(OpenClawAgentConfig { base_url, token, agent_id, assistant_name, timeout })
        }
    }
}

fn read_base_url(keys: &mut ObjectKeys<'_, '_>, kind: Kind, openclaw: &HostGateway<'_>) -> String {
    let default = match kind {
        Kind::OpenAi => Some(OPENAI.to_owned()),
        Kind::OpenClaw => Some(format!("http://127.0.0.1:{}", openclaw.gateway_port)),
        Kind::Echo | Kind::Command => None,
    };
    let rule = "`https://api.openai.com/v1` for `openai`, `http://127.0.0.1:<gateway.port>` for `openclaw`";
    let url = keys
        .key("baseUrl", "For `openai` and `openclaw`: the base URL of the API.", UrlForm)
        .optional_by_rule(rule, default);
    url.unwrap_or_default().trim_end_matches('/').to_owned()
}

fn required_command(keys: &mut ObjectKeys<'_, '_>, command: Option<CommandLine>) -> CommandLine {
    if command.is_none() && keys.written("command").is_none() {
        keys.problem("command", "missing key, expected the program to start", "for example [\"./answer\", \"--sms\"]");
    }
    command.unwrap_or(CommandLine::Program(vec![]))
}

fn required_model(keys: &mut ObjectKeys<'_, '_>, model: Option<String>) -> String {
    if model.is_none() && keys.written("model").is_none() {
        keys.problem("model", "missing key, expected the name of a model", "for example model: \"gpt-4.1-mini\"");
    }
    model.unwrap_or_default()
}

/// OpenAI itself requires a key; other servers may not.
fn require_key(keys: &mut ObjectKeys<'_, '_>, base_url: &str, has_key: bool) {
    if !has_key && base_url == OPENAI && keys.written("apiKey").is_none() {
        keys.problem("apiKey", "missing key", "set agent.apiKey or the environment variable OPENAI_API_KEY");
    }
}

fn warn_of_unused(keys: &mut ObjectKeys<'_, '_>, kind: Kind) {
    for (name, _) in USED_BY.iter().filter(|(_, kinds)| !kinds.contains(&kind)) {
        if keys.written(name).is_some() {
            let kind = ChoiceForm(KINDS).show(&kind);
            keys.warning(name, format!("it has no effect with agent.kind {kind}"));
        }
    }
}

/// One of the kinds. The name of a well-known server gets a hint to use `openai` with its URL.
struct KindOfAgent;

impl Form for KindOfAgent {
    type Value = Kind;

    fn expected(&self) -> String {
        ChoiceForm(KINDS).expected()
    }

    fn schema(&self) -> Json {
        ChoiceForm(KINDS).schema()
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<Kind> {
        let Value::Text(name) = &node.value else { return ChoiceForm(KINDS).read(node, at) };
        let is_kind = KINDS.iter().any(|(kind, _)| kind == name);
        let Some(preset) = Preset::called(name).filter(|_| !is_kind) else { return ChoiceForm(KINDS).read(node, at) };
        let message = format!("found {}, expected {}", quote(name), self.expected());
        let key = preset.key_variable.map(|name| format!(", apiKey: \"${{{name}}}\"")).unwrap_or_default();
        let hint = format!(
            "to use {}, write agent: {{ kind: \"openai\", baseUrl: \"{}\"{key}, model: \"…\" }}",
            preset.title, preset.base_url
        );
        at.report.problem(Problem::new(&at.path, message).at(&node.place).hint(hint));
        None
    }

    fn show(&self, value: &Kind) -> Json {
        ChoiceForm(KINDS).show(value)
    }
}

/// A program with arguments, or a shell command line.
struct CommandForm;

impl Form for CommandForm {
    type Value = CommandLine;

    fn expected(&self) -> String {
        "a list of program and arguments, or a shell command line".to_owned()
    }

    fn schema(&self) -> Json {
        let mut list = ListForm(TextForm).schema();
        list["minItems"] = json!(1);
        list["items"] = json!({"type": "string"});
        json!({"anyOf": [TextForm.schema(), list]})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<CommandLine> {
        match &node.value {
            Value::Text(_) => TextForm.read(node, at).map(CommandLine::Shell),
            Value::List(nodes) if !nodes.is_empty() => {
                let arguments: Vec<_> = nodes.iter().map(|node| at.text(node, "a text")).collect();
                arguments.into_iter().collect::<Option<_>>().map(CommandLine::Program)
            }
            _ => at.misread(node, &self.expected()),
        }
    }

    fn show(&self, value: &CommandLine) -> Json {
        match value {
            CommandLine::Program(words) => json!(words),
            CommandLine::Shell(line) => json!(line),
        }
    }
}
