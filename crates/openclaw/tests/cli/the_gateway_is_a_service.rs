//! The gateway under a service manager, which is played by a socket and by a script here.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use crate::bench::{ALICE, Bench, program};

/// The service manager's end of the socket.
struct Manager {
    socket: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Manager {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Manager { socket, folder }
    }

    fn address(&self) -> String {
        self.folder.path().join("notify").display().to_string()
    }

    /// The next thing it is told, signs of life apart.
    fn is_told(&self) -> String {
        loop {
            let told = self.next();
            if told != "WATCHDOG=1" {
                return told;
            }
        }
    }

    fn next(&self) -> String {
        let mut buffer = [0; 512];
        let length = self.socket.recv(&mut buffer).expect("the service manager is told nothing");
        String::from_utf8(buffer[..length].to_vec()).unwrap().trim_end().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_when_it_is_ready_alive_reloading_and_stopping() {
    let manager = Manager::new();
    let mut bench = Bench::new().await;
    let address = manager.address();
    bench.start_gateway_with(&[("NOTIFY_SOCKET", &address), ("WATCHDOG_USEC", "200000")]).await;
    assert_eq!(manager.is_told(), "READY=1");
    assert_eq!(manager.next(), "WATCHDOG=1");
    bench.signal("-HUP");
    let reloading = manager.is_told();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(manager.is_told(), "READY=1");
    assert_eq!(bench.stop_gateway().await, 0);
    assert_eq!(manager.is_told(), "STOPPING=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once_what_a_first_one_lets_end() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open', agent: { kind: 'command', command: 'sleep 600' },");
    bench.start_gateway().await;
    bench.text(ALICE, "hello").await;
    bench.wait_for(|status| status["inbox"]["answering"] == 1).await;
    bench.signal("-INT");
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !bench.gateway_log().contains("no new work is taken") {
        assert!(std::time::Instant::now() < deadline, "{}", bench.gateway_log());
    }
    bench.signal("-INT");
    assert_eq!(bench.wait_for_end().await, 130);
}

/// A `systemctl` that writes down what it is asked.
fn stand_in(folder: &Path) {
    let script = format!("#!/bin/sh\necho \"$@\" >> '{}/asked'\n", folder.display());
    let file = folder.join("systemctl");
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_installed_started_and_taken_away_again() {
    let bench = Bench::new().await;
    let folder = tempfile::tempdir().unwrap();
    stand_in(folder.path());
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let config_home = folder.path().join("config");
    let asked = || std::fs::read_to_string(folder.path().join("asked")).unwrap_or_default();
    let service = |arguments: &[&str]| {
        let mut command = bench.command();
        command.env("PATH", &path).env("XDG_CONFIG_HOME", &config_home).args(["telephony", "service"]).args(arguments);
        crate::bench::Ran::from(command.output().unwrap())
    };
    let unit = config_home.join("systemd/user/openclaw-telephony.service");

    let dry = service(&["install", "--dry-run"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(dry.stdout.contains("Type=notify\n") && dry.stdout.contains("[Install]"), "{}", dry.stdout);
    assert!(!unit.exists() && asked().is_empty(), "a dry run does nothing");

    let installed = service(&["install"]);
    assert_eq!(installed.code, 0, "{installed:?}");
    let written = std::fs::read_to_string(&unit).unwrap();
    assert!(written.contains("OPENCLAW_STATE_DIR="), "the service finds the same state: {written}");
    assert_eq!(
        asked(),
        "--version\n--user daemon-reload\n--user enable openclaw-telephony.service\n--user restart openclaw-telephony.service\n"
    );
    assert_eq!(service(&["uninstall"]).code, 0);
    assert!(!unit.exists());
    assert!(
        asked().ends_with("--user disable --now openclaw-telephony.service\n--user daemon-reload\n"),
        "{}",
        asked()
    );
}

#[test]
fn without_systemd_it_says_so_and_still_prints_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openclaw.json");
    let text = "{ channels: { telephony: { enabled: true, provider: 'simulator' } } }";
    std::fs::write(&file, text).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = program();
        command.env("HOME", folder.path()).env("PATH", folder.path()).args(["telephony", "service"]).args(arguments);
        crate::bench::Ran::from(command.arg("--config").arg(&file).output().unwrap())
    };
    let refused = run(&["install"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("systemctl") && refused.stderr.contains("--dry-run"), "{}", refused.stderr);
    let printed = run(&["install", "--dry-run", "--system", "--user", "assistant"]);
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(printed.stdout.contains("User=assistant\n"), "{}", printed.stdout);
    let config = format!("--config {}", file.display());
    assert!(printed.stdout.contains(&config), "{}", printed.stdout);
}
