//! A script stands in for Tailscale's program and, like the daemon, keeps the served routes in a file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use telephony_config::Environment;
use telephony_tunnels::{Cause, Inside, OpenTunnel, Tailscale, Tunnel, TunnelError};

const SCRIPT: &str = include_str!("stand_in/tailscale.py");

const URL: &str = "https://box.tail1234.ts.net";
const MOUNTED: [&str; 2] = [
    "--https=443 --set-path=/telephony/webhook http://127.0.0.1:3335/telephony/webhook",
    "--https=443 --set-path=/telephony/status http://127.0.0.1:3335/telephony/status",
];

struct StandIn(tempfile::TempDir);

impl StandIn {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("tailscale");
        std::fs::write(&program, SCRIPT).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn set(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }

    /// Makes `commands` fail from now on with `status` and the message `text`.
    fn trouble(&self, commands: &str, status: u8, text: &str) {
        self.set("trouble", &format!("{commands}\n{status}\n{text}"));
    }

    fn environment(&self) -> Environment {
        Environment::new([("PATH".to_owned(), self.0.path().display().to_string())], "/")
    }

    fn funnel(&self) -> Tailscale {
        Tailscale::funnel(&self.environment()).checking_every(Duration::from_millis(20))
    }

    /// Returns the commands since the last call that changed something.
    fn changes(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.file("calls")).unwrap_or_default();
        std::fs::remove_file(self.file("calls")).ok();
        let is_change = |call: &&str| call.contains("--set-path");
        calls.lines().filter(is_change).map(str::to_owned).collect()
    }

    fn served(&self) -> String {
        std::fs::read_to_string(self.file("served")).unwrap_or_default()
    }
}

fn inside() -> Inside {
    let paths = ["/telephony/webhook", "/telephony/status"].map(str::to_owned).to_vec();
    Inside::new("0.0.0.0:3335".parse().unwrap(), paths)
}

async fn refused(tailscale: &Tailscale) -> TunnelError {
    match tailscale.open(&inside()).await {
        Ok(open) => panic!("it is open: {}", open.url()),
        Err(error) => error,
    }
}

async fn broken(open: &mut Box<dyn OpenTunnel>) -> TunnelError {
    tokio::time::timeout(Duration::from_secs(60), open.broken()).await.expect("it does not break")
}

fn commands(way: &str, port: u16) -> Vec<String> {
    let port = port.to_string();
    MOUNTED.iter().map(|mounted| format!("{way} --bg --yes {}", mounted.replacen("443", &port, 1))).collect()
}

#[tokio::test]
async fn funnel_serves_our_paths_and_removes_them_at_the_end() {
    let stand_in = StandIn::new();
    let open = stand_in.funnel().open(&inside()).await.unwrap();
    assert_eq!(open.url(), URL);
    assert_eq!(stand_in.changes(), commands("funnel", 443));
    assert!(stand_in.served().contains("AllowFunnel"));
    open.close().await;
    let off = ["/telephony/webhook", "/telephony/status"]
        .map(|path| format!("funnel --yes --https=443 --set-path={path} off"));
    assert_eq!(stand_in.changes(), off);
    assert_eq!(stand_in.served(), "{}");
}

#[tokio::test]
async fn serve_is_for_the_tailnet_only() {
    let stand_in = StandIn::new();
    let serve = Tailscale::serve(&stand_in.environment());
    assert!(!serve.is_public() && stand_in.funnel().is_public());
    let open = serve.open(&inside()).await.unwrap();
    assert_eq!((open.url(), stand_in.changes()), (URL, commands("serve", 443)));
    assert!(!stand_in.served().contains("AllowFunnel"));
}

#[tokio::test]
async fn privately_served_paths_stay_private() {
    let stand_in = StandIn::new();
    let private = r#"{"TCP":{"443":{"HTTPS":true}},"Web":{"box.tail1234.ts.net:443":{"Handlers":{"/":{"Proxy":"http://127.0.0.1:80"}}}}}"#;
    stand_in.set("served", private);
    let open = stand_in.funnel().open(&inside()).await.unwrap();
    assert_eq!(open.url(), format!("{URL}:8443"));
    assert_eq!(stand_in.changes(), commands("funnel", 8443));
    open.close().await;
    let same = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(same(&stand_in.served()), same(private));
}

#[tokio::test]
async fn paths_of_a_killed_gateway_are_reused() {
    let stand_in = StandIn::new();
    drop(stand_in.funnel().open(&inside()).await.unwrap());
    let open = stand_in.funnel().open(&inside()).await.unwrap();
    assert_eq!(open.url(), URL);
    open.close().await;
    assert_eq!(stand_in.served(), "{}");
}

#[tokio::test]
async fn a_reset_of_served_paths_is_repaired() {
    let stand_in = StandIn::new();
    let tailscale = stand_in.funnel();
    let mut open = tailscale.open(&inside()).await.unwrap();
    stand_in.set("served", "{}");
    assert_eq!(broken(&mut open).await.cause, Cause::Broken);
    open.close().await;
    assert_eq!(tailscale.open(&inside()).await.unwrap().url(), URL);
}

#[tokio::test]
async fn the_daemon_goes_away_and_comes_back() {
    let stand_in = StandIn::new();
    let tailscale = stand_in.funnel();
    let mut open = tailscale.open(&inside()).await.unwrap();
    stand_in.trouble("status serve", 1, "failed to connect to local tailscaled; it doesn't appear to be running");
    assert_eq!(broken(&mut open).await.cause, Cause::NotRunning);
    assert_eq!(refused(&tailscale).await.cause, Cause::NotRunning);
    std::fs::remove_file(stand_in.file("trouble")).unwrap();
    assert_eq!(tailscale.open(&inside()).await.unwrap().url(), URL);
}

#[tokio::test]
async fn errors_name_the_reason_and_the_fix() {
    let not_enabled =
        "Funnel is not enabled on your tailnet.\nTo enable, visit:\n\n  https://login.tailscale.com/f/funnel?node=n1";
    let cases = [
        ("funnel", 0, not_enabled, Cause::NotEnabled, "tailscale.com/kb/1223"),
        ("funnel", 1, not_enabled, Cause::NotEnabled, "tailscale.com/kb/1223"),
        ("funnel", 1, "Access denied: serve config denied", Cause::NotAllowed, "--operator"),
        (
            "status",
            1,
            "failed to connect to local tailscaled; it doesn't appear to be running",
            Cause::NotRunning,
            "systemctl",
        ),
        ("funnel", 1, "something new", Cause::Other, "retrying"),
    ];
    for (command, status, said, cause, hint) in cases {
        let stand_in = StandIn::new();
        stand_in.trouble(command, status, said);
        let error = refused(&stand_in.funnel()).await;
        assert_eq!(error.cause, cause, "{error}");
        assert!(error.hint().contains(hint), "{}", error.hint());
        assert!(status == 0 || error.detail.contains(said.lines().last().unwrap().trim()), "{error}");
        assert_eq!(stand_in.served(), "", "{said}");
    }
}

#[tokio::test]
async fn a_missing_login_or_program_and_an_old_version_are_reported() {
    let stand_in = StandIn::new();
    for state in ["NeedsLogin", "Stopped", "NoState"] {
        stand_in.set("state", state);
        assert_eq!(refused(&stand_in.funnel()).await.cause, Cause::NotLoggedIn, "{state}");
    }
    stand_in.set("version", "1.50.0\n");
    assert_eq!(refused(&stand_in.funnel()).await.cause, Cause::TooOld);
    std::fs::remove_file(stand_in.file("tailscale")).unwrap();
    let missing = refused(&stand_in.funnel()).await;
    assert_eq!(missing.cause, Cause::NotInstalled);
    assert!(missing.hint().contains("tailscale up"));
    assert_eq!(stand_in.changes(), [""; 0]);
}
