//! The agent: whether there is one, and whether it is there.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use telephony_config::{AgentKind, CommandLine};
use telephony_providers::twilio::public_url::PublicUrl as Address;
use tokio::net::TcpStream;

use super::catalogue::{AGENT_ECHO, AGENT_MISSING, AGENT_UNREACHABLE};
use super::{Checkup, Subject};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Looks for it; it is asked nothing.
pub async fn check(subject: &Subject) -> Checkup {
    let mut checkup = Checkup::default();
    match &subject.loaded.telephony.agent.kind {
        AgentKind::Echo => checkup.found(AGENT_ECHO.found("")),
        AgentKind::Command(settings) => match &settings.command {
            CommandLine::Program(words) => check_program(words, subject, &mut checkup),
            CommandLine::Shell(_) => checkup.well("a line for the shell"),
        },
        AgentKind::OpenAi(settings) => check_server(&settings.base_url, &mut checkup).await,
        AgentKind::OpenClaw(settings) => check_server(&settings.base_url, &mut checkup).await,
    }
    checkup
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

async fn check_server(base_url: &str, checkup: &mut Checkup) {
    let Some((host, port)) = Address::parse(base_url).and_then(|address| address.server()) else {
        return checkup.found(AGENT_UNREACHABLE.found("agent.baseUrl has no host"));
    };
    let cause = match tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => return checkup.well(format!("{host}:{port} accepts connections")),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no connection within {} s", CONNECT_WITHIN.as_secs()),
    };
    checkup.found(AGENT_UNREACHABLE.found(format!("{host}:{port}: {cause}")));
}
