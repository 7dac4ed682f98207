//! Runs a program of the operator with a text on its stdin, and leaves no process of it behind.

use std::convert::Infallible;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// Bytes kept from the end of stderr.
const STDERR_TAIL: usize = 2 * 1024;

/// Longest wait for a process that left the group and may hold the pipes open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The result of a program.
pub(super) struct ProcessResult {
    /// Exit status; none if it was killed: it took too long, or printed endlessly.
    pub(super) status: Option<ExitStatus>,
    /// End of its stderr.
    pub(super) stderr: Vec<u8>,
}

/// It printed more than the limit.
pub(super) struct EndlessOutput;

/// Runs `command` in its own process group for at most `time`, and passes its output to `take`. Kills the whole group
/// as soon as the program ends, its time is up, `take` has enough, or this future is dropped.
pub(super) async fn run(
    command: Command,
    input: &[u8],
    take: impl FnMut(&[u8]) -> Result<(), EndlessOutput>,
    time: Duration,
) -> io::Result<ProcessResult> {
    let mut child = spawn(command)?;
    let group = Group::led_by(&child);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut tail = Vec::new();
    let end = async {
        let talk = async {
            let rest = async {
                tokio::join!(write(stdin, input), read_tail(stderr, &mut tail));
                Ok(())
            };
            tokio::try_join!(read(stdout, take), rest).map(drop)
        };
        tokio::pin!(talk);
        tokio::select! {
            status = child.wait() => {
                drop(group);
                let _ = timeout(LAST_WORDS, &mut talk).await;
                status.map(Some)
            }
            talked = &mut talk => match talked {
                Err(EndlessOutput) => Ok(None),
                Ok(()) => child.wait().await.map(Some),
            },
        }
    };
    let status = timeout(time, end).await.ok().transpose()?.flatten();
    Ok(ProcessResult { status, stderr: tail })
}

fn spawn(mut command: Command) -> io::Result<Child> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Writes the input; a program may read none or only part of it.
async fn write(stdin: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input).await;
    }
}

/// Reads to the end, so that the program can write to the end, and keeps the last bytes.
async fn read_tail(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Ok(()) = read(pipe, |bytes| {
        kept.extend_from_slice(bytes);
        kept.drain(..kept.len().saturating_sub(STDERR_TAIL));
        Ok::<_, Infallible>(())
    })
    .await;
}

/// Reads to the end, unless `take` fails.
async fn read<E>(pipe: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    let mut bytes = vec![0; 8 * 1024];
    while let Ok(count @ 1..) = pipe.read(&mut bytes).await {
        take(&bytes[..count])?;
    }
    Ok(())
}

/// The process group of a child; dropping it kills everything the child left in it.
struct Group(Option<Pid>);

impl Group {
    fn led_by(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // Fails if the group is already gone, which is fine.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_output_before_a_timeout_is_kept() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo half; echo no database >&2; sleep 1000"]);
        let ran = run(command, b"", |_| Ok(()), Duration::from_secs(5)).await.unwrap();
        assert!(ran.status.is_none());
        assert_eq!(String::from_utf8_lossy(&ran.stderr), "no database\n");
    }
}
