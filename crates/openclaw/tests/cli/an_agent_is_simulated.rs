//! `simulate` with an agent from flags, from a configuration, or without one.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::response::IntoResponse;
use tokio::net::TcpListener;

use crate::bench::{Ran, client, program};

const PATIENCE: Duration = Duration::from_secs(60);

fn simulate(more: &[&str]) -> std::process::Command {
    let mut command = program();
    command.env("HOME", "/nonexistent").env("PATH", "/usr/bin:/bin").args(["telephony", "simulate"]).args(more);
    command
}

fn run(more: &[&str]) -> Ran {
    simulate(more).output().unwrap().into()
}

/// A running `simulate --terminal`.
struct Terminal {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Terminal {
    fn open(command: &mut std::process::Command) -> Self {
        command.arg("--terminal").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (send, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { input: child.stdin.take().unwrap(), child, lines }
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn wait_for(&self, wanted: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            seen.push(line);
            if seen.last().is_some_and(|line| line.contains(wanted)) {
                return;
            }
        }
        panic!("`{wanted}` is missing in {seen:#?}");
    }

    /// Texts from a stranger, approves the request and checks the answer.
    fn expect_answer(mut self, introduction: &str, answer: &str) {
        self.wait_for(introduction);
        self.type_line("Hello");
        self.wait_for("Pairing code: ");
        self.type_line("/approve");
        self.wait_for(answer);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn write(folder: &Path, text: &str) -> String {
    let file = folder.join("openclaw.json");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_simulation_without_an_agent_says_that_no_ai_is_connected() {
    let ran = run(&["--terminal"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("No AI is connected: the `echo` agent repeats every message."), "{}", ran.stdout);
}

#[tokio::test]
async fn calls_are_answered_too() {
    let mut child = simulate(&[]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let page = lines.next().unwrap().unwrap();
    let control = format!("{}_simulator", page.strip_prefix("Phone page: ").unwrap());
    let ring = r#"{ "from": "+15550005678", "to": "+15550001234" }"#;
    let request = client().post(format!("{control}/inbound-call")).header(CONTENT_TYPE, "application/json").body(ring);
    let delivery = request.send().await.unwrap().text().await.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    // A stranger hears the pairing code, as the gateway answers with the policy `pairing`.
    assert!(delivery.contains("Please give its owner this pairing code."), "{delivery}");
}

#[test]
fn a_command_line_answers() {
    let mut command = simulate(&["--agent", "command", "--agent-command", "echo A program answers."]);
    Terminal::open(&mut command).expect_answer("The `command` agent answers", "> A program answers.");
}

#[test]
fn the_agent_of_a_configuration_answers_although_the_account_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let agent = "agent: { kind: 'command', command: ['/bin/echo', 'From the file.'] }";
    let file = write(
        folder.path(),
        &format!("{{ channels: {{ telephony: {{ enabled: true, provider: 'twilio', {agent} }} }} }}"),
    );
    let mut command = simulate(&["--config", &file]);
    Terminal::open(&mut command).expect_answer("The `command` agent answers: /bin/echo.", "> From the file.");
}

#[test]
fn a_flag_replaces_the_agent_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(
        folder.path(),
        "{ channels: { telephony: { agent: { kind: 'openai', model: 'm', baseUrl: 'http://127.0.0.1:9' } } } }",
    );
    let mut command = simulate(&["--config", &file, "--agent", "command", "--agent-command", "echo The flag wins."]);
    Terminal::open(&mut command).expect_answer("The `command` agent answers", "> The flag wins.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_answers_with_the_key_of_the_variable_that_was_named() {
    let answer = async |headers: HeaderMap| {
        let key = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let text = if key == "Bearer sk-simulated" { "A model answers." } else { "The key is wrong." };
        let body = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\ndata: [DONE]\n\n");
        ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let flags = ["--agent", "openai", "--agent-url", &url, "--agent-model", "tiny", "--agent-key-variable", "MY_KEY"];
    let mut command = simulate(&flags);
    command.env("MY_KEY", "sk-simulated");
    let introduction = format!("The `openai` agent answers: model tiny at {url}.");
    tokio::task::spawn_blocking(move || {
        Terminal::open(&mut command).expect_answer(&introduction, "> A model answers.")
    })
    .await
    .unwrap();
}

#[test]
fn a_server_that_is_down_is_reported_at_the_start() {
    let flags = ["--terminal", "--agent", "openai", "--agent-url", "http://127.0.0.1:9/v1", "--agent-model", "tiny"];
    let ran = run(&flags);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("warning: the agent does not answer: "), "{}", ran.stderr);
}

#[test]
fn a_used_port_is_named_with_what_to_do() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    for flags in [&["--port", port.as_str()][..], &["--twilio-only", "--port", port.as_str()]] {
        let ran = run(flags);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains(&format!("because: cannot listen on 127.0.0.1:{port}\n")), "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: choose a different port with `--port`"), "{}", ran.stderr);
    }
}

#[test]
fn wrong_flags_are_explained() {
    for (flags, error) in [
        (&["--agent", "openai"][..], "--agent openai needs --agent-model"),
        (&["--agent", "command"], "--agent command needs --agent-command"),
        (&["--agent", "openai", "--agent-model", "m"], "--agent openai needs a key"),
        (&["--agent", "echo", "--agent-model", "m"], "--agent-model has no effect with --agent echo"),
        (&["--agent", "openclaw", "--agent-command", "c"], "--agent-command has no effect with --agent openclaw"),
        (&["--agent", "openai", "--agent-model", "m", "--agent-url", "nonsense"], "--agent-url: "),
        (&["--agent", "openclaw", "--agent-key-variable", "UNSET"], "the environment variable UNSET is not set"),
        (&["--agent", "gpt"], "invalid value 'gpt'"),
        (
            &["--agent", "ollama"],
            "hint: to use Ollama: --agent openai --agent-url http://127.0.0.1:11434/v1 --agent-model NAME",
        ),
        (&["--agent", "gemini", "--agent-model", "m"], " --agent-key-variable GEMINI_API_KEY --agent-model NAME"),
        (&["--agent-model", "m"], "--agent <KIND>"),
        (&["--tour", "--agent", "echo"], "--agent has no effect: --tour uses the `echo` agent"),
        (&["--twilio-only", "--config", "/nonexistent"], "--config has no effect: --twilio-only starts no agent"),
    ] {
        let ran = run(flags);
        assert_eq!(ran.code, 2, "{flags:?}: {ran:?}");
        assert!(ran.stderr.contains(error), "{flags:?}: {}", ran.stderr);
    }
}

#[test]
fn a_configuration_file_that_is_missing_is_an_error() {
    for more in [&[][..], &["--terminal"], &["--agent", "echo"]] {
        let ran = run(&[&["--config", "/nonexistent/openclaw.json"], more].concat());
        assert_eq!(ran.code, 1, "{more:?}: {ran:?}");
        let error = "error: there is no configuration file /nonexistent/openclaw.json (--config)\n";
        assert!(ran.stderr.starts_with(error), "{more:?}: {}", ran.stderr);
    }
}

#[test]
fn no_error_contains_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "{ channels: { telephony: 7 } }");
    let flags = ["--config", &file, "--agent", "openai", "--agent-model", "m", "--agent-key-variable", "MY_KEY"];
    let ran: Ran = simulate(&flags).env("MY_KEY", "sk-simulated").output().unwrap().into();
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(!format!("{ran:?}").contains("sk-simulated"), "{ran:?}");
}
