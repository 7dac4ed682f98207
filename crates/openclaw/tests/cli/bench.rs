//! A test environment for the program: a state folder, a configuration, the simulator and, on request, a running
//! gateway.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::OpenptFlags;
use telephony_store::history::{History, MessageReference};
use telephony_store::sqlite::{Mode, SqliteStore};
use tempfile::TempDir;
use twilio_simulator::{Simulator, SimulatorConfig};

pub const ALICE: &str = "+15550005678";
pub const BOB: &str = "+15550005679";

/// The timeout of every wait, generous enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The interval between two checks of a condition.
pub const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The result of a finished program.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Returns the program's command with an empty environment.
pub fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_openclaw"));
    program.env_clear().stdin(Stdio::null());
    program
}

pub fn run(arguments: &[&str]) -> Ran {
    program().env("HOME", "/nonexistent").args(arguments).output().unwrap().into()
}

/// Runs a command whose stdout and stderr are a terminal, and returns everything that it shows.
pub fn at_a_terminal(mut command: Command) -> Ran {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    rustix::pty::grantpt(&master).unwrap();
    rustix::pty::unlockpt(&master).unwrap();
    let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
    let terminal = std::fs::OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    command.stdout(terminal.try_clone().unwrap()).stderr(terminal);
    let mut child = command.spawn().unwrap();
    // Closes our own copies of the terminal, so that reading ends with the program.
    drop(command);
    let mut shown = Vec::new();
    // Reading from a terminal that every program has closed fails on Linux.
    let _ = std::fs::File::from(master).read_to_end(&mut shown);
    let code = child.wait().unwrap().code().unwrap_or(-1);
    Ran { code, stdout: String::from_utf8(shown).unwrap().replace("\r\n", "\n"), stderr: String::new() }
}

/// Returns an HTTP client for tests.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Runs a blocking function without stopping the simulator, which runs on the test's runtime.
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

pub struct Bench {
    pub twilio: Simulator,
    state: TempDir,
    gateway: Option<Child>,
}

impl Bench {
    pub async fn new() -> Self {
        Self::with(SimulatorConfig::default()).await
    }

    /// Creates an environment whose simulator has this configuration.
    pub async fn with(config: SimulatorConfig) -> Self {
        // The token is not part of the account's SID, so that tests can search output for it.
        let auth_token = "f1e2d3c4b5a6978877665544332211ff".to_owned();
        let config = SimulatorConfig { auth_token, step_delay: Duration::ZERO, ..config };
        let bench = Self {
            twilio: Simulator::start(config).await.unwrap(),
            state: tempfile::tempdir().unwrap(),
            gateway: None,
        };
        bench.configure("");
        bench
    }

    /// Writes the configuration, with `more` keys in the channel's block.
    pub fn configure(&self, more: &str) {
        let (sid, token, url) = (self.twilio.account_sid(), self.twilio.auth_token(), self.twilio.base_url());
        let text = format!(
            "{{ channels: {{ telephony: {{\n  enabled: true, provider: 'twilio', fromNumber: '{}',\n  \
             twilio: {{ accountSid: '{sid}', authToken: '{token}', apiBaseUrl: '{url}' }},\n  \
             serve: {{ port: 0 }}, sms: {{ segmentsPerSecond: null, coalesceMs: 0 }},\n  {more}\n}} }} }}\n",
            self.twilio.number()
        );
        std::fs::write(self.configuration(), text).unwrap();
    }

    /// Starts a gateway that takes and places calls, with `more` keys in the channel's block.
    pub async fn calling(more: &str) -> Self {
        let call_second = Duration::from_millis(20);
        let mut bench = Self::with(SimulatorConfig { call_second, ..SimulatorConfig::default() }).await;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        bench.configure(&format!(
            "publicUrl: 'http://127.0.0.1:{port}', voice: {{ enabled: true, inboundGreeting: 'Hi.' }}, {more}"
        ));
        let text = std::fs::read_to_string(bench.configuration()).unwrap();
        std::fs::write(bench.configuration(), text.replace("port: 0", &format!("port: {port}"))).unwrap();
        bench.start_gateway().await;
        let url = format!("http://127.0.0.1:{port}/telephony/webhook");
        bench.twilio.set_voice_url(bench.twilio.number(), &url).unwrap();
        bench
    }

    /// Returns the program's command for this state folder.
    pub fn command(&self) -> Command {
        let mut command = program();
        command.env("HOME", "/nonexistent").env("OPENCLAW_STATE_DIR", self.state.path());
        command
    }

    /// Returns the state folder.
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// Runs the program to completion.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command();
        command.args(arguments);
        off_thread(move || command.output().unwrap()).await.into()
    }

    /// Runs the program and checks that it succeeded.
    pub async fn done(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments).await;
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.stdout
    }

    /// Runs the program, checks that it succeeded and parses the output as JSON.
    pub async fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.done(arguments).await).unwrap()
    }

    /// Starts the gateway and sets its URL in the simulator.
    pub async fn start_gateway(&mut self) {
        self.start_gateway_with(&[]).await;
    }

    /// Starts the gateway with these environment variables.
    pub async fn start_gateway_with(&mut self, variables: &[(&str, &str)]) {
        let mut command = self.command();
        command.envs(variables.iter().copied());
        self.start(command).await;
    }

    /// Starts the gateway with a limit on open files.
    pub async fn start_gateway_with_descriptors(&mut self, most: u32) {
        let command = self.command_with_descriptors(most);
        self.start(command).await;
    }

    /// Returns the program's command with a limit on open files.
    pub fn command_with_descriptors(&self, most: u32) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("ulimit -n {most} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_openclaw")]);
        command.env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        command.env("HOME", "/nonexistent").env("OPENCLAW_STATE_DIR", self.state.path());
        command
    }

    /// Starts the gateway with this command, which may use the program's other name.
    pub async fn start(&mut self, mut command: Command) {
        let log = std::fs::File::create(self.log()).unwrap();
        let gateway = command.arg("gateway").stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.gateway = Some(gateway);
        let alive = self.wait_for_gateway().await;
        let url = format!("http://{}/telephony/webhook", alive["listening"].as_str().unwrap());
        self.twilio.set_sms_url(self.twilio.number(), &url).unwrap();
    }

    async fn wait_for_gateway(&self) -> serde_json::Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.json(&["telephony", "status", "--json"]).await;
            if !status["gateway"].is_null() {
                return status["gateway"].clone();
            }
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            assert!(Instant::now() < deadline, "the gateway does not come up:\n{log}");
        }
    }

    /// Sends the gateway a signal, such as `-HUP`.
    pub fn signal(&self, name: &str) {
        let pid = self.gateway.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Asks the gateway to stop and returns its exit code.
    pub async fn stop_gateway(&mut self) -> i32 {
        self.signal("-TERM");
        self.wait_for_end().await
    }

    /// Waits for the gateway to exit and returns its exit code.
    pub async fn wait_for_end(&mut self) -> i32 {
        let mut gateway = self.gateway.take().unwrap();
        off_thread(move || gateway.wait().unwrap().code().unwrap_or(-1)).await
    }

    /// Sends a text and returns once it is stored, because the gateway acknowledges it earlier.
    pub async fn text(&self, from: &str, body: &str) {
        let delivery = self.twilio.text(from, self.twilio.number(), body).await.unwrap();
        assert_eq!(delivery.status, Some(200), "{}", delivery.body);
        let path = self.state.path().join("telephony/telephony.sqlite");
        let store = off_thread(move || SqliteStore::open(&path, Mode::Reading).unwrap()).await;
        let deadline = Instant::now() + PATIENCE;
        while store.message(MessageReference::Provider(delivery.sid.clone())).await.unwrap().is_none() {
            assert!(Instant::now() < deadline, "{} is not stored:\n{}", delivery.sid, self.gateway_log());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until `phone` has received `count` texts and returns them.
    pub async fn texts(&self, phone: &str, count: usize) -> Vec<String> {
        let sent = |messages: &[twilio_simulator::MessageRecord]| {
            let sent = messages.iter().filter(|message| message.is_outbound() && message.to == phone);
            sent.map(|message| message.body.clone()).collect::<Vec<_>>()
        };
        let waited = self.twilio.wait_for(|messages| sent(messages).len() >= count, PATIENCE).await;
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        sent(&waited.unwrap_or_else(|_| panic!("{phone} was not sent {count} texts:\n{log}")))
    }

    /// Waits until no turns or parts are pending, because a message may reach Twilio before the store records it.
    pub async fn rests(&self) -> serde_json::Value {
        self.wait_for(|status| {
            let (inbox, outbox) = (&status["inbox"], &status["outbox"]);
            let left = [&inbox["waiting"], &inbox["answering"], &inbox["retrying"]];
            let right = [&outbox["queued"], &outbox["sending"], &outbox["unknown"]];
            left.into_iter().chain(right).all(|count| count.as_u64() == Some(0))
        })
        .await
    }

    /// Waits until the gateway's `status` meets a condition and returns it.
    pub async fn wait_for(&self, is_wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.json(&["telephony", "status", "--json"]).await;
            if is_wanted(&status) {
                return status;
            }
            assert!(Instant::now() < deadline, "it stays at {status:#}\n{}", self.gateway_log());
        }
    }

    pub fn configuration(&self) -> PathBuf {
        self.state.path().join("openclaw.json")
    }

    pub fn gateway_log(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap()
    }

    fn log(&self) -> PathBuf {
        self.state.path().join("gateway.log")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(mut gateway) = self.gateway.take() {
            gateway.kill().ok();
            gateway.wait().ok();
        }
    }
}
