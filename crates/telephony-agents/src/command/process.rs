//! Runs a program of the operator's with a text on its stdin, and lets nothing of it live on afterwards.

use std::convert::Infallible;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// How much of the end of stderr is kept (bytes).
const STDERR_TAIL: usize = 2 * 1024;

/// A process that left the group may still hold the pipes open: no longer than this is waited for it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a program did.
pub(super) struct Ran {
    /// The exit status; none if it was killed: its time was over, or it printed without end.
    pub(super) status: Option<ExitStatus>,
    /// The end of what it complained about.
    pub(super) stderr: Vec<u8>,
}

/// It printed more than it may.
pub(super) struct Endless;

/// Runs `command` in a process group of its own, for `time` at most, and hands what it prints to `take`. The whole group is
/// killed as soon as the program ends, its time is over, `take` has enough, or this future is dropped.
pub(super) async fn run(
    command: Command,
    input: &[u8],
    take: impl FnMut(&[u8]) -> Result<(), Endless>,
    time: Duration,
) -> io::Result<Ran> {
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
                Err(Endless) => Ok(None),
                Ok(()) => child.wait().await.map(Some),
            },
        }
    };
    let status = timeout(time, end).await.ok().transpose()?.flatten();
    Ok(Ran { status, stderr: tail })
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

/// A program that does not want to read, or not all of it, need not.
async fn write(stdin: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input).await;
    }
}

/// Reads to the end, so that the program can write to the end, and keeps the last of it.
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

/// The process group of a child; killed when dropped, with everything the child started and left in it.
struct Group(Option<Pid>);

impl Group {
    fn led_by(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // It fails when nobody is left, which is just as well.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_whose_time_is_over_is_heard_up_to_there() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo half; echo no database >&2; sleep 1000"]);
        let ran = run(command, b"", |_| Ok(()), Duration::from_secs(5)).await.unwrap();
        assert!(ran.status.is_none());
        assert_eq!(String::from_utf8_lossy(&ran.stderr), "no database\n");
    }
}
