//! Checks that the agent exists and would answer.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use telephony_agents::AgentError;
use telephony_config::{AgentKind, CommandLine, OpenAiAgentConfig, OpenClawAgentConfig, ValueOrigin};

use super::catalog::{
    AGENT_ECHO, AGENT_MISSING, AGENT_NO_MODEL, AGENT_REFUSES, AGENT_UNKNOWN, AGENT_UNLIMITED, AGENT_UNNAMED,
    AGENT_UNREACHABLE, COULD_NOT_CHECK,
};
use super::{Checkup, Subject};
use crate::public_url::server;

/// The most models that a finding names.
const MODELS_SHOWN: usize = 10;

/// Checks the agent's program or server with its credential, without asking it anything.
pub async fn check(subject: &Subject) -> Checkup {
    let mut checkup = Checkup::default();
    match &subject.loaded.telephony.agent.kind {
        AgentKind::Echo if is_chosen(subject) => checkup.found(AGENT_ECHO.found("set by `agent.kind`")),
        AgentKind::Echo => checkup.found(AGENT_ECHO.found("no other agent was chosen")),
        AgentKind::Command(settings) => match &settings.command {
            CommandLine::Program(words) => check_program(words, subject, &mut checkup),
            CommandLine::Shell(_) => checkup.well("a shell command line"),
        },
        AgentKind::OpenAi(settings) => check_openai(subject, settings, &mut checkup).await,
        AgentKind::OpenClaw(settings) => check_openclaw(subject, settings, &mut checkup).await,
    }
    checkup
}

/// Returns true if the operator chose an agent.
fn is_chosen(subject: &Subject) -> bool {
    let shown = subject.loaded.show();
    let kind = shown.iter().find(|shown| shown.path == "channels.telephony.agent.kind");
    kind.is_some_and(|kind| matches!(kind.origin, ValueOrigin::Said(_)))
}

fn check_program(words: &[String], subject: &Subject, checkup: &mut Checkup) {
    let program = words.first().map_or("", String::as_str);
    let is_there = if program.contains('/') {
        is_program(Path::new(program))
    } else {
        let path = subject.loaded.environment.get("PATH").unwrap_or_default();
        std::env::split_paths(path).any(|folder| is_program(&folder.join(program)))
    };
    if is_there { checkup.well(program) } else { checkup.found(AGENT_MISSING.found(program)) }
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

async fn check_openai(subject: &Subject, settings: &OpenAiAgentConfig, checkup: &mut Checkup) {
    let Some(models) = ask_server(subject, &settings.base_url, checkup).await else { return };
    let model = &settings.model;
    // Ollama lists `llama3.2:latest`, and accepts `llama3.2`.
    let is_it = |listed: &String| listed == model || listed.split(':').next() == Some(model);
    if models.as_ref().is_some_and(|models| !models.iter().any(is_it)) {
        checkup.found(
            AGENT_NO_MODEL.found(format!("`{model}`; it lists {}", some_of(models.as_deref().unwrap_or_default()))),
        );
    }
}

/// Names the first models of a list, and counts the rest.
fn some_of(models: &[String]) -> String {
    let (shown, rest) = models.split_at(models.len().min(MODELS_SHOWN));
    match (shown.is_empty(), rest.len()) {
        (true, _) => "no models".to_owned(),
        (false, 0) => shown.join(", "),
        (false, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

async fn check_openclaw(subject: &Subject, settings: &OpenClawAgentConfig, checkup: &mut Checkup) {
    if !is_chosen(subject) {
        checkup.well(
            "openclaw, because the file enables gateway.http.endpoints.chatCompletions and names no other \
            agent",
        );
    }
    let listed = ask_server(subject, &settings.base_url, checkup).await.flatten();
    let agents = listed.map(|models| {
        let names = models.iter().filter_map(|model| model.strip_prefix("openclaw/")).filter(|name| *name != "default");
        names.map(str::to_owned).collect::<Vec<_>>()
    });
    let others = agents.as_ref().map(|agents| format!("it has {}", agents.join(", "))).unwrap_or_default();
    match &settings.agent_id {
        Some(id) if agents.as_ref().is_some_and(|agents| !agents.contains(id)) => {
            checkup.found(AGENT_UNKNOWN.found(format!("`{id}`; {others}")));
        }
        Some(_) => {}
        None if agents.as_ref().is_some_and(|agents| agents.len() > 1) => checkup.found(AGENT_UNNAMED.found(others)),
        None => checkup.found(AGENT_UNLIMITED.found("")),
    }
}

/// Returns the models or agents that the server lists; records a finding if it would not answer.
async fn ask_server(subject: &Subject, base_url: &str, checkup: &mut Checkup) -> Option<Option<Vec<String>>> {
    let agent = telephony_agents::from_config(&subject.loaded.telephony.agent.kind, &subject.loaded.environment);
    match agent.models().await {
        Ok(models) => {
            let server = server(base_url).map_or("the server".to_owned(), |(host, port)| format!("{host}:{port}"));
            checkup.well(server + " accepts requests");
            return Some(models);
        }
        Err(AgentError::Refused(reason)) => checkup.found(AGENT_REFUSES.found(reason)),
        Err(AgentError::Unavailable(reason) | AgentError::Unreachable(reason)) => {
            checkup.found(AGENT_UNREACHABLE.found(reason));
        }
        Err(error @ AgentError::TimedOut(_)) => checkup.found(AGENT_UNREACHABLE.found(error)),
        Err(error @ (AgentError::Busy(_) | AgentError::Odd(_))) => checkup.found(COULD_NOT_CHECK.found(error)),
    }
    None
}
