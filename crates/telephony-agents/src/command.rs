//! The `command` agent: a program of the operator reads a turn as JSON and prints the answer.

mod pictures;
mod printed;
mod process;
mod question;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use telephony_config::{CommandAgentConfig, CommandLine, Environment};

use crate::agent::{Agent, AgentError, AnswerStream, Turn};
use crate::answer_limit::Capacity;
use crate::reasoning::without_reasoning;
use pictures::PictureFolder;
use printed::Printed;
use process::ProcessResult;
use question::question;

/// Earlier turns passed to a program.
const HISTORY_TURNS: u32 = 20;

/// Exit codes for which a retry is pointless: wrong usage, data, permissions or configuration (`sysexits.h`), and the
/// shell's own for a program that cannot be run or found.
const HOPELESS: [i32; 6] = [64, 65, 77, 78, 126, 127];

/// Variable with the turn's id, so that calls which the program places have a key.
const TURN_VARIABLE: &str = "OPENCLAW_TURN";

/// Runs a program for every turn.
pub struct CommandAgent {
    program: Vec<String>,
    variables: Vec<(String, String)>,
    timeout: Duration,
}

#[async_trait]
impl Agent for CommandAgent {
    fn name(&self) -> &'static str {
        "command"
    }

    fn history_turns(&self) -> u32 {
        HISTORY_TURNS
    }

    async fn answer(&self, turn: Turn) -> Result<AnswerStream, AgentError> {
        let input = question(&turn).to_string();
        let folder = PictureFolder::folder().map_err(|error| AgentError::Unavailable(error.to_string()))?;
        let mut command = self.command();
        command.env(pictures::VARIABLE, folder.path()).env(TURN_VARIABLE, turn.id.to_string());
        let mut printed = Printed::new();
        let ran = process::run(command, input.as_bytes(), |bytes| printed.take(bytes), self.timeout)
            .await
            .map_err(|error| self.not_run(&error))?;
        log_stderr(&ran, &turn);
        let left = |error| AgentError::Unavailable(format!("cannot read a file of agent.command: {error}"));
        let text = self.judge(&ran, printed)? + &folder.as_markdown().await.map_err(left)?;
        Ok(stream::once(async move { Ok(text) }).boxed())
    }
}

impl CommandAgent {
    /// Creates an agent that runs `settings` with the variables of `environment` besides those of this process.
    pub fn new(settings: CommandAgentConfig, environment: &Environment) -> Self {
        let program = match settings.command {
            CommandLine::Program(program) => program,
            CommandLine::Shell(line) => ["/bin/sh", "-c", &line].map(str::to_owned).to_vec(),
        };
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { program, variables: environment.variables().map(owned).collect(), timeout: settings.timeout }
    }

    fn command(&self) -> tokio::process::Command {
        let (program, arguments) = self.program.split_first().map_or(("", [].as_slice()), |(p, a)| (p.as_str(), a));
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn not_run(&self, error: &io::Error) -> AgentError {
        let program = self.program.first().map_or("", String::as_str);
        let sentence = format!("cannot run `{program}`: {error}");
        match is_permanent(error) {
            true => AgentError::Refused(format!("{sentence}; check agent.command")),
            false => AgentError::Unavailable(sentence),
        }
    }

    /// Accepts the output so far of a program that prints endlessly, but not of a slow one.
    fn judge_cut(&self, printed: Printed) -> Result<String, AgentError> {
        let is_endless = printed.is_endless();
        let text = text(&printed.into_text());
        match is_endless {
            _ if Capacity::is_enough(&text) && text.contains(is_shown) => Ok(text),
            true => Err(AgentError::Odd("agent.command prints an endless answer".to_owned())),
            false => Err(AgentError::TimedOut(self.timeout.as_secs())),
        }
    }

    /// Judges by the exit code; output only counts after a 0.
    fn judge(&self, ran: &ProcessResult, printed: Printed) -> Result<String, AgentError> {
        let Some(status) = ran.status else { return self.judge_cut(printed) };
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(text(&printed.into_text())),
            (Some(code), _) if HOPELESS.contains(&code) => {
                Err(AgentError::Refused(format!("agent.command ended with exit code {code}")))
            }
            (Some(code), _) => Err(AgentError::Unavailable(format!("agent.command ended with exit code {code}"))),
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                Err(AgentError::Unavailable(format!("agent.command was killed by signal {signal}")))
            }
        }
    }
}

/// Returns true if the program itself is the cause. Other errors may pass: a lack of descriptors or memory, a failing
/// disk.
fn is_permanent(error: &io::Error) -> bool {
    /// The file is not executable code (`ENOEXEC`); the same number on Linux and macOS.
    const NO_PROGRAM: i32 = 8;
    use io::ErrorKind::{
        ArgumentListTooLong, InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
    };
    let permanent =
        [NotFound, PermissionDenied, NotADirectory, IsADirectory, InvalidInput, InvalidFilename, ArgumentListTooLong];
    permanent.contains(&error.kind()) || error.raw_os_error() == Some(NO_PROGRAM)
}

fn is_shown(c: char) -> bool {
    !c.is_control() && !c.is_whitespace()
}

/// Returns the printed answer without reasoning and trailing line ends.
fn text(printed: &str) -> String {
    let answer = without_reasoning(printed);
    Capacity::default().take(answer.trim_end_matches(['\r', '\n']))
}

fn log_stderr(ran: &ProcessResult, turn: &Turn) {
    let stderr = without_words(String::from_utf8_lossy(&ran.stderr).trim(), turn);
    if stderr.is_empty() {
        return;
    }
    if ran.status.is_some_and(|status| status.success()) {
        tracing::debug!(stderr, "agent.command wrote to stderr");
    } else {
        tracing::warn!(stderr, "agent.command failed and wrote to stderr");
    }
}

/// Removes message texts and the contact's number, because programs often print their input.
fn without_words(text: &str, turn: &Turn) -> String {
    let said = turn.said.iter().map(|said| &said.text).chain(turn.history.iter().map(|past| &past.text));
    let lines = said.flat_map(|text| text.lines()).filter(|line| line.chars().count() >= 4);
    let hidden = lines.fold(text.to_owned(), |text, line| text.replace(line, "•••"));
    hidden.replace(turn.contact.as_str(), &turn.contact.masked())
}

#[cfg(test)]
mod tests {
    use telephony_domain::id::TurnId;
    use telephony_domain::time::Timestamp;

    use super::*;
    use crate::agent::{Past, Role, Said};

    #[test]
    fn only_errors_of_the_program_itself_are_permanent() {
        // EINTR, EIO, EAGAIN, ENOMEM, EBUSY, ENFILE, EMFILE, ETXTBSY, ENOSPC, EROFS; ENOBUFS and EDQUOT of Linux.
        for passes in [4, 5, 11, 12, 16, 23, 24, 26, 28, 30, 105, 122] {
            let error = io::Error::from_raw_os_error(passes);
            assert!(!is_permanent(&error), "{error}");
        }
        // ENOENT, E2BIG, ENOEXEC, EACCES, ENOTDIR.
        for stays in [2, 7, 8, 13, 20] {
            let error = io::Error::from_raw_os_error(stays);
            assert!(is_permanent(&error), "{error}");
        }
    }

    #[test]
    fn stderr_does_not_carry_the_conversation_into_the_log() {
        let text = "my code is 1234\nok";
        let said = Said {
            provider_id: "SM1".into(),
            text: text.into(),
            media: Vec::new(),
            also_to: Vec::new(),
            received: Timestamp(0),
        };
        let turn = Turn {
            id: TurnId(1),
            attempt: 1,
            contact: "+15550001111".parse().unwrap(),
            line: None,
            on_call: None,
            said: vec![said],
            history: vec![Past { role: Role::Agent, text: "the plan".into() }],
        };
        let stderr = "ok: KeyError in 'my code is 1234' (the plan) of +15550001111";
        assert_eq!(without_words(stderr, &turn), "ok: KeyError in '•••' (•••) of +1555•••1111");
    }
}
