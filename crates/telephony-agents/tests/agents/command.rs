//! The `command` agent with programs that answer, fail, hang, print too much and leave processes behind.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process;
use std::time::Duration;

use telephony_agents::{Agent, AgentError, CommandAgent, OnCall, Role, Turn};
use telephony_config::{CommandAgentConfig, CommandLine, Environment};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::turn::{ask, attachment, odd, past, refusal, turn, unavailable, unavailable_picture};

const SOON: Duration = Duration::from_secs(60);

/// Time limit of a program that is to be killed. Its earlier steps must fit into it, even on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(5);

fn agent(command: CommandLine, timeout: Duration) -> CommandAgent {
    let variables = [("COLOUR".to_owned(), "blue".to_owned())];
    CommandAgent::new(CommandAgentConfig { command, timeout }, &Environment::new(variables, "/"))
}

fn program(words: Vec<String>) -> CommandAgent {
    agent(CommandLine::Program(words), SOON)
}

fn shell(line: &str, timeout: Duration) -> CommandAgent {
    agent(CommandLine::Shell(line.to_owned()), timeout)
}

async fn run(line: &str) -> Result<String, AgentError> {
    ask(&shell(line, SOON), turn(&["call my wife"])).await
}

#[tokio::test]
async fn a_program_reads_which_call_a_turn_belongs_to() {
    let time_left = Duration::from_millis(61_500);
    let task = Some("Ask for a table.".to_owned());
    let call = OnCall { is_inbound: false, is_proven: true, can_be_texted: false, time_left, task };
    let question = Turn { on_call: Some(call), ..turn(&["one"]) };
    let answer = ask(&program(vec!["cat".to_owned()]), question).await.unwrap();
    let read: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(read["channel"], "call");
    let expected = serde_json::json!({
        "direction": "outbound", "isProven": true, "canBeTexted": false, "secondsLeft": 61, "task": "Ask for a table.",
    });
    assert_eq!(read["call"], expected);
}

#[tokio::test]
async fn a_program_reads_the_turn_as_one_json_object() {
    let mut question = turn(&["one", "two"]);
    let (file, voice_note) = attachment("audio/amr", b"#!AMR");
    question.said[1].media = vec![voice_note, unavailable_picture()];
    question.said[1].also_to = vec!["+15550002222".to_owned()];
    question.said[0].text = "Liked “done”".to_owned();
    question.history = vec![past(Role::Contact, "hi"), past(Role::Agent, "hello"), past(Role::Operator, "at 7")];
    let answer = ask(&program(vec!["cat".to_owned()]), question).await.unwrap();
    let received = 1_700_000_000_000_u64;
    let expected = serde_json::json!({
        "turn": 17,
        "attempt": 2,
        "contact": "+15550001111",
        "line": "+15550001234",
        "channel": "message",
        "call": null,
        "text": "Liked “done”\ntwo",
        "messages": [
            {
                "id": "SM0",
                "text": "Liked “done”",
                "media": [],
                "reaction": { "deed": "liked", "about": "done" },
                "alsoTo": [],
                "received": received,
            },
            {
                "id": "SM1",
                "text": "two",
                "media": [
                    { "contentType": "audio/amr", "file": file.path(), "size": 5, "unavailable": null },
                    { "contentType": "image/jpeg", "file": null, "size": null, "unavailable": "it is too large" },
                ],
                "reaction": null,
                "alsoTo": ["+15550002222"],
                "received": received,
            },
        ],
        "history": [{ "from": "contact", "text": "hi" }, { "from": "agent", "text": "hello" }, { "from": "operator", "text": "at 7" }],
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&answer).unwrap(), expected);
    assert_eq!(program(Vec::new()).history_turns(), 20);
}

#[tokio::test]
async fn the_output_is_the_answer_without_trailing_line_ends() {
    assert_eq!(run("printf ' two\\nlines é \\r\\n\\n'").await.unwrap(), " two\nlines é ");
    assert_eq!(run("true").await.unwrap(), "");
}

#[tokio::test]
async fn arguments_reach_the_program_unchanged() {
    let words = ["printf", "%s|%s", "a b", "$HOME"].map(str::to_owned).to_vec();
    assert_eq!(ask(&program(words), turn(&["hi"])).await.unwrap(), "a b|$HOME");
}

#[tokio::test]
async fn a_program_gets_the_variables_of_the_configuration_and_the_gateway() {
    assert_eq!(run("printf %s \"$COLOUR ${PATH:+path}\"").await.unwrap(), "blue path");
}

#[tokio::test]
async fn a_program_may_ignore_its_input() {
    let long = "x".repeat(1024 * 1024);
    let closed = shell("exec <&-; echo fine", SOON);
    assert_eq!(ask(&closed, turn(&[&long])).await.unwrap(), "fine");
}

#[tokio::test]
async fn the_exit_code_decides_whether_to_retry() {
    for code in [1, 2, 69, 70, 74, 75, 255] {
        assert!(unavailable(run(&format!("echo half; exit {code}")).await).contains(&format!("code {code}")));
    }
    for code in [64, 65, 77, 78, 126, 127] {
        assert!(refusal(run(&format!("exit {code}")).await).contains(&format!("code {code}")));
    }
    assert!(unavailable(run("echo half; kill -SEGV $$").await).contains("signal 11"));
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("not-a-program");
    std::fs::write(&text, "hello").unwrap();
    for name in ["/no/such/program", text.to_str().unwrap()] {
        let sentence = refusal(ask(&program(vec![name.to_owned()]), turn(&["hi"])).await);
        assert!(sentence.contains(name) && sentence.contains("agent.command"), "{sentence}");
    }
    refusal(run("no-such-program-anywhere").await);
}

#[tokio::test]
async fn long_stderr_is_read_to_its_end_but_not_kept() {
    let answer = run("head -c 300000 /dev/zero | tr '\\0' a; head -c 300000 /dev/zero | tr '\\0' b >&2").await;
    assert_eq!(answer.unwrap(), "a".repeat(64 * 1024));
    assert_eq!(run("head -c 1000000 /dev/zero >&2; echo done").await.unwrap(), "done");
}

#[tokio::test]
async fn a_hanging_program_is_killed_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let (script, life) = script_with_a_child(folder.path());
    let answer = ask(&shell(&script, START_TIMEOUT), turn(&["hi"])).await;
    assert_eq!(answer, Err(AgentError::TimedOut(START_TIMEOUT.as_secs())));
    life.ends().await;
}

#[tokio::test]
async fn a_canceled_program_is_killed_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let (script, mut life) = script_with_a_child(folder.path());
    let asking = tokio::spawn(async move { ask(&shell(&script, SOON), turn(&["hi"])).await });
    timeout(SOON, &mut life.begun).await.unwrap().unwrap();
    asking.abort();
    life.ends().await;
}

#[tokio::test]
async fn background_processes_do_not_delay_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (_, life) = script_with_a_child(folder.path());
    let fifo = folder.path().join("life");
    let script = format!("exec 3>{}; sleep 1000 & echo begun >&3; echo answer", fifo.display());
    assert_eq!(run(&script).await.unwrap(), "answer");
    life.ends().await;

    let answer = run("setsid sleep 1000 & echo $!").await.unwrap();
    assert!(process::Command::new("kill").arg(&answer).status().unwrap().success(), "it ran on in its own session");
}

/// A script with a child that hangs; both hold a pipe open while they live.
fn script_with_a_child(folder: &Path) -> (String, Life) {
    let fifo = folder.join("life");
    assert!(process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let script = format!("exec 3>{}; sleep 1000 & echo begun >&3; wait", fifo.display());
    let (tell_begun, begun) = oneshot::channel();
    let (tell_ended, ended) = oneshot::channel();
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(File::open(fifo).unwrap());
        pipe.read_line(&mut String::new()).unwrap();
        let _ = tell_begun.send(());
        pipe.read_to_end(&mut Vec::new()).unwrap();
        let _ = tell_ended.send(());
    });
    (script, Life { begun, ended })
}

struct Life {
    begun: oneshot::Receiver<()>,
    ended: oneshot::Receiver<()>,
}

impl Life {
    async fn ends(self) {
        timeout(SOON, self.ended).await.expect("something of it still runs").unwrap();
    }
}

#[tokio::test]
async fn files_in_the_output_folder_are_attached() {
    let answer =
        run("printf pdf > \"$OPENCLAW_REPLY_MEDIA/b\"; printf gif > \"$OPENCLAW_REPLY_MEDIA/a\"; printf Look").await;
    assert_eq!(answer.unwrap(), "Look\n![](data:;base64,Z2lm)\n![](data:;base64,cGRm)");
}

#[tokio::test]
async fn a_symlink_in_the_output_folder_is_not_followed() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let line =
        format!("ln -s {} \"$OPENCLAW_REPLY_MEDIA/a\"; printf %s \"$OPENCLAW_REPLY_MEDIA\"", secret.path().display());
    let folder = run(&line).await.unwrap();
    assert!(!folder.contains('!'), "{folder}");
    assert!(!Path::new(&folder).exists());
}

#[tokio::test]
async fn endless_output_is_cut_at_once() {
    let began = timeout(SOON / 2, run("yes na")).await.unwrap().unwrap();
    assert!(began.starts_with("na\nna\n") && began.len() <= 64 * 1024, "{}", began.len());
    let slowly = shell("head -c 9000 /dev/zero | tr '\\0' x; sleep 1000", START_TIMEOUT);
    assert_eq!(ask(&slowly, turn(&["hi"])).await.unwrap().len(), 9000);
    for blank in ["echo '<think>'; yes hm", "yes ''", "cat /dev/zero", r"while :; do printf '\000\n\033 '; done"] {
        assert!(odd(run(blank).await).contains("endless answer"), "{blank}");
    }
}

#[tokio::test]
async fn reasoning_silence_and_control_characters_are_removed() {
    assert_eq!(run("printf 'NO_REPLY\\n'").await.unwrap(), "");
    assert_eq!(run("printf '<thought>hm</thought>Yes\\nNO_REPLY\\n'").await.unwrap(), "Yes");
    assert_eq!(run("printf 'a\\000b\\tc\\033'").await.unwrap(), "ab c");
}
