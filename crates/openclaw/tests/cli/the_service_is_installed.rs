//! The gateway becomes a systemd service; a script stands in for systemd.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::bench::{Bench, Ran, program};

/// A folder with fake system programs and a record of their calls.
struct System {
    folder: TempDir,
}

impl System {
    fn new() -> System {
        let system = System { folder: tempfile::tempdir().unwrap() };
        system.systemctl("");
        system
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, script: &str) {
        let file = self.path(name);
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Writes a `systemctl` that records its arguments and then runs `more`.
    fn systemctl(&self, more: &str) {
        self.program("systemctl", &format!("echo \"$@\" >> '{}'\n{more}", self.path("asked").display()));
    }

    /// Adds a user with a home folder to the system's list.
    fn user(&self, name: &str) -> PathBuf {
        let home = self.path("home");
        let line = format!("{name}:x:4711:4711::{}:/bin/sh", home.display());
        self.program("getent", &format!("[ \"$2\" = {name} ] && echo '{line}'"));
        home
    }

    fn asked(&self) -> String {
        std::fs::read_to_string(self.path("asked")).unwrap_or_default()
    }

    fn unit(&self) -> PathBuf {
        self.path("config/systemd/user/openclaw-telephony.service")
    }

    /// Runs a service command with these additional variables.
    fn service(&self, mut command: std::process::Command, arguments: &[&str], more: &[(&str, &str)]) -> Ran {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().display());
        command.env("PATH", path).env("XDG_CONFIG_HOME", self.path("config")).envs(more.iter().copied());
        command.args(["telephony", "service"]).args(arguments).output().unwrap().into()
    }
}

/// A configuration that needs no environment variables.
const COMPLETE: &str = "{ channels: { telephony: { enabled: true, provider: 'simulator' } } }";

fn configure(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_installed_started_and_removed() {
    let (bench, system) = (Bench::new().await, System::new());
    let service = |arguments: &[&str]| system.service(bench.command(), arguments, &[]);

    let dry = service(&["install", "--dry-run"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(dry.stdout.contains("Type=notify\n") && dry.stdout.contains("[Install]"), "{}", dry.stdout);
    assert!(!system.unit().exists() && system.asked().is_empty(), "a dry run does nothing");

    let installed = service(&["install"]);
    assert_eq!(installed.code, 0, "{installed:?}");
    assert!(!installed.stderr.contains("warning"), "{}", installed.stderr);
    let written = std::fs::read_to_string(system.unit()).unwrap();
    assert!(written.contains("OPENCLAW_STATE_DIR="), "the service finds the same state: {written}");
    assert_eq!(
        system.asked(),
        "--version\n--user daemon-reload\n--user enable openclaw-telephony.service\n--user restart openclaw-telephony.service\n"
    );
    assert_eq!(service(&["uninstall"]).code, 0);
    assert!(!system.unit().exists());
    let asked = system.asked();
    assert!(asked.ends_with("--user disable --now openclaw-telephony.service\n--user daemon-reload\n"), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_start_undoes_the_installation() {
    let (bench, system) = (Bench::new().await, System::new());
    system.systemctl("case \"$*\" in *restart*) exit 1 ;; esac");
    let service = |arguments: &[&str]| system.service(bench.command(), arguments, &[]);
    let failed = service(&["install"]);
    assert!(failed.code == 1 && failed.stderr.contains("restart"), "{failed:?}");
    assert!(!system.unit().exists());
    let asked = system.asked();
    assert!(asked.ends_with("--user disable --now openclaw-telephony.service\n--user daemon-reload\n"), "{asked}");

    configure(&system.unit(), "# an earlier one\n");
    assert_eq!(service(&["install"]).code, 1);
    assert_eq!(std::fs::read_to_string(system.unit()).unwrap(), "# an earlier one\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_available_as_json() {
    let (bench, system) = (Bench::new().await, System::new());
    let status = || {
        let ran = system.service(bench.command(), &["status", "--json"], &[]);
        (ran.code, serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}")))
    };
    let (code, report) = status();
    assert_eq!((code, &report["installed"], &report["activeState"]), (1, &false.into(), &serde_json::Value::Null));
    assert_eq!(system.service(bench.command(), &["install"], &[]).code, 0);
    let says = |state: &str, pid: u32| {
        let lines = format!(
            "MainPID={pid}\nNRestarts=2\nResult=success\nActiveState={state}\nSubState=running\nUnitFileState=enabled"
        );
        system.systemctl(&format!("case \"$*\" in *show*) echo '{lines}' ;; esac"));
    };
    says("active", 4711);
    let (code, report) = status();
    let values = ["installed", "activeState", "subState", "unitFileState", "pid", "restarts", "result"]
        .map(|key| report[key].clone());
    let expected = serde_json::json!([true, "active", "running", "enabled", 4711, 2, "success"]);
    assert_eq!((code, serde_json::json!(values)), (0, expected));
    says("failed", 0);
    let (code, report) = status();
    assert_eq!((code, &report["activeState"], &report["pid"]), (1, &"failed".into(), &serde_json::Value::Null));
}

#[test]
fn a_system_service_uses_its_users_files() {
    let system = System::new();
    let home = system.user("assistant");
    let file = home.join(".openclaw/openclaw.json");
    configure(&file, COMPLETE);
    let install = |user: &str| {
        let mut command = program();
        command.env("HOME", "/nonexistent");
        system.service(command, &["install", "--dry-run", "--system", "--user", user], &[])
    };
    let printed = install("assistant");
    assert_eq!(printed.code, 0, "{printed:?}");
    let state = format!("ReadWritePaths=-{}/.openclaw/telephony\n", home.display());
    assert!(printed.stdout.contains("User=assistant\n") && printed.stdout.contains(&state), "{}", printed.stdout);
    assert!(!printed.stdout.contains("/nonexistent") && !printed.stdout.contains("Environment="), "{}", printed.stdout);

    assert!(
        printed.stderr.contains("/.openclaw/telephony would be created first, accessible only to assistant"),
        "{printed:?}"
    );

    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let closed = install("assistant").stderr;
    assert!(closed.contains(&format!("warning: assistant cannot read {}\n", file.display())), "{closed}");

    let unknown = install("somebody-else");
    assert!(unknown.code == 1 && unknown.stderr.contains("this machine has no user somebody-else"), "{unknown:?}");
    let injected = install("assistant\nExecStartPre=/bin/sh -c true");
    assert!(injected.code == 2 && injected.stderr.contains("is not a valid user name"), "{injected:?}");
    assert_eq!(injected.stdout, "");
}

#[test]
fn a_state_folder_is_found_from_wherever_the_service_runs() {
    let system = System::new();
    configure(&system.path("here/state/openclaw.json"), COMPLETE);
    let mut command = program();
    command.env("HOME", "/nonexistent").current_dir(system.path("here"));
    let printed = system.service(command, &["install", "--dry-run"], &[("OPENCLAW_STATE_DIR", "state")]);
    assert_eq!(printed.code, 0, "{printed:?}");
    let state = format!("Environment=OPENCLAW_STATE_DIR={}\n", system.path("here/state").display());
    assert!(printed.stdout.contains(&state), "{}", printed.stdout);
}

#[test]
fn variables_set_only_in_the_shell_are_named() {
    let system = System::new();
    let home = system.path("home");
    let block = "enabled: true, provider: 'twilio', fromNumber: '+15550001234', publicUrl: '${URL}'";
    configure(&home.join(".openclaw/openclaw.json"), &format!("{{ channels: {{ telephony: {{ {block} }} }} }}"));
    let sid = "AC0123456789abcdef0123456789abcdef";
    let install = |variables: &[(&str, &str)]| {
        let mut command = program();
        command.env("HOME", &home);
        system.service(command, &["install", "--dry-run"], variables)
    };
    let shell = [("TWILIO_ACCOUNT_SID", sid), ("TWILIO_AUTH_TOKEN", "a-token"), ("URL", "https://phone.example.com")];
    let warned = install(&shell);
    assert_eq!(warned.code, 0, "{warned:?}");
    assert!(warned.stderr.contains("TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN\n"), "{}", warned.stderr);
    assert!(
        warned.stderr.contains(&format!("put them into {}", home.join(".openclaw/.env").display())),
        "{}",
        warned.stderr
    );
    assert!(
        warned.stderr.contains("will not start:\n") && warned.stderr.contains("URL is not set"),
        "{}",
        warned.stderr
    );
    assert!(!warned.stdout.contains("a-token") && !warned.stderr.contains("a-token"), "{warned:?}");
    std::fs::write(home.join(".openclaw/.env"), shell.map(|(name, value)| format!("{name}={value}\n")).concat())
        .unwrap();
    let quiet = install(&[]);
    assert!(quiet.code == 0 && !quiet.stderr.contains("warning"), "{quiet:?}");
    std::fs::remove_file(home.join(".openclaw/.env")).unwrap();
    let useless = install(&[]);
    assert!(useless.code == 1 && useless.stderr.contains("the configuration cannot be used"), "{useless:?}");
}

#[test]
fn without_systemd_the_unit_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openclaw.json");
    configure(&file, COMPLETE);
    let run = |arguments: &[&str]| {
        let mut command = program();
        command.env("HOME", folder.path()).env("PATH", folder.path()).args(["telephony", "service"]).args(arguments);
        Ran::from(command.arg("--config").arg(&file).output().unwrap())
    };
    let refused = run(&["install"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("systemctl") && refused.stderr.contains("--dry-run"), "{}", refused.stderr);
    // Without `getent` too, because every list of users contains root.
    let printed = run(&["install", "--dry-run", "--system", "--user", "root"]);
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(printed.stdout.contains("User=root\n"), "{}", printed.stdout);
    let config = format!("--config {}", file.display());
    assert!(printed.stdout.contains(&config), "{}", printed.stdout);
}
