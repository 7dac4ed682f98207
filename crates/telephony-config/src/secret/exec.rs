//! Secrets from a program, by OpenClaw's protocol: a JSON request on its stdin, the answer on its stdout.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::{Value, json};

use super::file::strip_newline;
use super::{ResolvedSecret, SecretError, SecretProvider};
use crate::document::quote;

/// Default of `timeoutMs`.
const TIMEOUT: u64 = 5_000;
/// Default of `maxOutputBytes`.
const MAX_OUTPUT: u64 = 1024 * 1024;
/// Interval between checks that a program has exited after answering.
const POLL: Duration = Duration::from_millis(5);
/// Pause before retrying to start a program.
const AGAIN: Duration = Duration::from_millis(50);

/// Returns the secret `id` from the provider's program.
pub(super) fn run(provider: &SecretProvider<'_>, id: &str) -> Result<ResolvedSecret, SecretError> {
    if !is_id(id) {
        let message = format!("id: found {}, expected only letters, digits and . _ : / # -", quote(id));
        return Err(SecretError::Reference(message));
    }
    if provider.node.get("pluginIntegration").is_some() {
        return Err(
            provider.wrong("pluginIntegration", "programs of OpenClaw plugins are not supported: use `command`")
        );
    }
    let program = provider.required("command")?;
    let wrong = |message: String| SecretError::Exec { command: program.clone(), message };
    let path = provider.environment.expand(&program);
    check_trusted(&path, provider).map_err(wrong)?;
    let timeout = Duration::from_millis(provider.whole("timeoutMs", TIMEOUT)?);
    let max_output = provider.whole("maxOutputBytes", MAX_OUTPUT)?;
    let request = json!({"protocolVersion": 1, "provider": provider.name, "ids": [id]});
    let output = talk(command(&path, provider)?, &request.to_string(), timeout, max_output).map_err(wrong)?;
    let answer = answer(&output, id, provider.switch("jsonOnly", true)?).map_err(wrong)?;
    if answer.is_empty() {
        return Err(wrong("the secret is empty".to_owned()));
    }
    Ok(ResolvedSecret { secret: SecretString::from(answer), source: Some(program.clone()) })
}

/// Returns true if the protocol accepts `id`: `[A-Za-z0-9][A-Za-z0-9._:/#-]{0,255}` without `.` or `..` as a component.
fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.len() <= 256
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:/#-".contains(&b))
        && !id.split('/').any(|step| matches!(step, "." | ".."))
}

/// Prepares the program with only the environment that the provider passes.
fn command(path: &Path, provider: &SecretProvider<'_>) -> Result<Command, SecretError> {
    let mut command = Command::new(path);
    command.args(provider.texts("args")?.unwrap_or_default()).env_clear();
    for name in provider.texts("passEnv")?.unwrap_or_default() {
        if let Some(value) = provider.environment.get(&name) {
            command.env(name, value);
        }
    }
    for member in provider.node.get("env").and_then(|node| node.members()).unwrap_or_default() {
        command.env(&member.name, provider.fill("env", &member.node)?);
    }
    Ok(command)
}

/// Sends `request` to the program and returns its stdout.
fn talk(mut command: Command, request: &str, timeout: Duration, max_output: u64) -> Result<String, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let deadline = Instant::now() + timeout;
    let mut child = start(|| command.spawn(), deadline).map_err(|error| format!("cannot start it: {error}"))?;
    let (sender, receiver) = mpsc::channel();
    if let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) {
        let request = request.to_owned();
        let conversation = thread::Builder::new().spawn(move || {
            // A program may ignore its stdin; only its answer counts.
            drop(stdin.write_all(request.as_bytes()));
            drop(stdin);
            let mut output = Vec::new();
            let read = stdout.take(max_output + 1).read_to_end(&mut output);
            drop(sender.send(read.map(|_| output)));
        });
        // If no thread could be created, the sender is dropped, and the receiver reports it.
        drop(conversation);
    }
    let output = match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(Ok(output)) if output.len() as u64 > max_output => Err(format!("it answered more than {max_output} bytes")),
        Ok(Ok(output)) => String::from_utf8(output).map_err(|_| "its answer is not UTF-8".to_owned()),
        Ok(Err(error)) => Err(format!("cannot read its answer: {error}")),
        Err(RecvTimeoutError::Timeout) => Err(format!("no answer in {} ms", timeout.as_millis())),
        Err(RecvTimeoutError::Disconnected) => Err("no answer".to_owned()),
    };
    let status = end(child, if output.is_ok() { deadline } else { Instant::now() })?;
    match status.filter(|status| !status.success()) {
        Some(status) if output.is_ok() => Err(format!("it failed ({status})")),
        _ => output,
    }
}

/// Starts a program; retries until `deadline` while the system lacks descriptors, memory or processes.
fn start<T>(mut spawn: impl FnMut() -> io::Result<T>, deadline: Instant) -> io::Result<T> {
    loop {
        match spawn() {
            Err(error) if !is_permanent(&error) && Instant::now() + AGAIN < deadline => thread::sleep(AGAIN),
            started => return started,
        }
    }
}

/// Returns true if the program itself is the cause.
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

/// Waits for the program to exit until `deadline`, then kills it and returns no status.
fn end(mut child: Child, deadline: Instant) -> Result<Option<ExitStatus>, String> {
    let failed = |error: std::io::Error| format!("cannot wait for it: {error}");
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(Some(status));
        }
        thread::sleep(POLL);
    }
    drop(child.kill());
    child.wait().map_err(failed)?;
    Ok(None)
}

/// Returns the value of `id` in the program's answer.
fn answer(output: &str, id: &str, json_only: bool) -> Result<String, String> {
    let answer = match serde_json::from_str::<Value>(output) {
        Ok(answer) if json_only || answer.is_object() => answer,
        _ if json_only => return Err("its answer is not JSON".to_owned()),
        _ => return Ok(strip_newline(output).to_owned()),
    };
    if answer["protocolVersion"] != 1 {
        return Err("its answer has no `\"protocolVersion\": 1`".to_owned());
    }
    if let Some(value) = answer["values"][id].as_str() {
        return Ok(value.to_owned());
    }
    match answer["errors"][id]["code"].as_str() {
        Some("NOT_FOUND") => Err(format!("it has no secret {id}")),
        Some("AMBIGUOUS_DUPLICATE_KEY") => Err(format!("it returned {id} more than once")),
        _ => Err(format!("its value of {id} is not a text")),
    }
}

/// Rejects a program that other users could have replaced, as OpenClaw does.
#[cfg(unix)]
fn check_trusted(path: &Path, provider: &SecretProvider<'_>) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    if !path.is_absolute() {
        return Err("expected an absolute path".to_owned());
    }
    let folders = provider.texts("trustedDirs").map_err(|error| error.to_string())?;
    let is_trusted = |folder: &String| path.starts_with(provider.environment.expand(folder));
    if folders.is_some_and(|folders| !folders.iter().any(is_trusted)) {
        return Err("it is in none of trustedDirs".to_owned());
    }
    let metadata = path.symlink_metadata().map_err(|error| format!("cannot find it: {error}"))?;
    if !metadata.is_file() {
        return Err("expected a regular file, not a link: use the path of its target".to_owned());
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(format!("other users can change it: run `chmod go-w {}`", path.display()));
    }
    Ok(())
}

/// Without Unix permissions it is unknown who can change the program.
#[cfg(not(unix))]
fn check_trusted(_path: &Path, _provider: &SecretProvider<'_>) -> Result<(), String> {
    Err("programs for secrets are not supported on this system: use an environment variable".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts the attempts, and whether the last one worked, if the first two fail with `errno`.
    fn attempts(errno: i32, deadline: Instant) -> (u32, bool) {
        let mut attempts = 0;
        let started = start(
            || {
                attempts += 1;
                if attempts > 2 { Ok(()) } else { Err(io::Error::from_raw_os_error(errno)) }
            },
            deadline,
        );
        (attempts, started.is_ok())
    }

    #[test]
    fn program_that_cannot_start_yet_is_tried_again() {
        let in_time = Instant::now() + Duration::from_secs(3600);
        // EIO, EAGAIN, ENOMEM, ENFILE, EMFILE, ETXTBSY.
        for passes in [5, 11, 12, 23, 24, 26] {
            assert_eq!(attempts(passes, in_time), (3, true), "{passes}");
            assert_eq!(attempts(passes, Instant::now()), (1, false), "{passes}");
        }
        // ENOENT, ENOEXEC, EACCES.
        for stays in [2, 8, 13] {
            assert_eq!(attempts(stays, in_time), (1, false), "{stays}");
        }
    }
}
