use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use twilio_simulator::{DEFAULT_NUMBER, Number, NumberCapabilities, SimulatorConfig};

use crate::bench::{ALICE, Bench, Ran};
use crate::proxy::{Habits, Proxy};

const OTHER: &str = "+15550007777";

/// Starts with no configuration and an account with two numbers.
pub async fn bare() -> Bench {
    let mute = NumberCapabilities { sms: false, mms: false, voice: true };
    let numbers = vec![Number::new(DEFAULT_NUMBER), Number::new(OTHER).capabilities(mute)];
    bare_with(SimulatorConfig { numbers, ..SimulatorConfig::default() }).await
}

/// Starts with no configuration and this account.
pub async fn bare_with(config: SimulatorConfig) -> Bench {
    let bench = Bench::with(config).await;
    std::fs::remove_file(bench.configuration()).unwrap();
    bench
}

pub fn folder(bench: &Bench) -> PathBuf {
    bench.configuration().parent().unwrap().to_owned()
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Runs setup with the account's credentials and these arguments.
pub async fn setup(bench: &Bench, more: &[&str]) -> Ran {
    let (sid, token, url) = (bench.twilio.account_sid(), bench.twilio.auth_token(), bench.twilio.base_url());
    let own = ["telephony", "setup", "--account-sid", sid, "--auth-token", token, "--api-base-url", url];
    let ran = bench.run(&[own.as_slice(), more].concat()).await;
    assert!(!ran.stdout.contains(token) && !ran.stderr.contains(token), "the token is shown: {ran:?}");
    ran
}

/// Replaces everything that differs between runs.
fn tidy(bench: &Bench, text: &str) -> String {
    let text =
        text.replace(&folder(bench).display().to_string(), "[STATE]").replace(bench.twilio.base_url(), "[TWILIO]");
    let words = text.split('(').map(|rest| match rest.strip_prefix("PN") {
        Some(rest) => format!("[PN]){}", rest.split_once(')').map_or("", |(_, rest)| rest)),
        None => rest.to_owned(),
    });
    words.collect::<Vec<_>>().join("(")
}

#[tokio::test]
async fn from_nothing_to_a_number_that_texts() {
    let bench = bare().await;
    let flags = ["--from-number", DEFAULT_NUMBER, "--reach", "https://phone.example.com", "--agent", "echo"];
    let more = ["--operator-number", ALICE, "--test-sms", ALICE, "--yes"];
    let ran = setup(&bench, &[flags.as_slice(), &more].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let (shown, _) = ran.stdout.split_once("Sent: ").unwrap();
    insta::assert_snapshot!("it_shows_all_it_changes", tidy(&bench, shown));
    let dotenv = folder(&bench).join(".env");
    assert_eq!(read(&dotenv), format!("TWILIO_AUTH_TOKEN={}\n", bench.twilio.auth_token()));
    assert!(!read(&bench.configuration()).contains(bench.twilio.auth_token()));
    assert_eq!((mode(&dotenv), mode(&bench.configuration())), (0o600, 0o600));
    bench.done(&["telephony", "config", "check"]).await;
    let shown = bench.json(&["telephony", "webhook", "show", "--json"]).await;
    assert_eq!(
        shown["routes"][0]["settings"][0]["value"],
        "https://phone.example.com/telephony/webhook#rc=3&rp=5xx,ct,rt"
    );
    assert_eq!(bench.texts(ALICE, 1).await, ["Hello from OpenClaw! This number can now send text messages."]);
    let again = setup(&bench, &[flags.as_slice(), &["--operator-number", ALICE, "--yes"]].concat()).await;
    assert!(again.code == 0 && again.stderr.contains("already up to date"), "{again:?}");
    assert_eq!(again.stdout, "");
}

#[tokio::test]
async fn setup_without_a_terminal_needs_all_flags() {
    let bench = bare().await;
    let ran = bench.run(&["telephony", "setup"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("the Account SID is missing") && ran.stderr.contains("--account-sid"), "{ran:?}");
    let ran = setup(&bench, &[]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains(&format!("{DEFAULT_NUMBER} (SMS, MMS, Voice), {OTHER} (Voice)")), "{ran:?}");
    let ran = setup(&bench, &["--from-number", DEFAULT_NUMBER]).await;
    assert!(ran.code == 1 && ran.stderr.contains("--yes"), "{ran:?}");
    assert!(!bench.configuration().exists() && !folder(&bench).join(".env").exists());
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_only_reads_at_twilio() {
    let bench = bare().await;
    let flags = ["--from-number", DEFAULT_NUMBER, "--reach", "https://phone.example.com", "--dry-run"];
    let ran = setup(&bench, &flags).await;
    assert!(ran.code == 0 && ran.stdout.contains("+      \"publicUrl\": \"https://phone.example.com\""), "{ran:?}");
    let webhook = "  + https://phone.example.com/telephony/webhook#rc=3&rp=5xx,ct,rt\n";
    assert!(ran.stdout.contains("  SmsUrl\n  - (not set)\n") && ran.stdout.contains(webhook), "{ran:?}");
    assert!(ran.stderr.contains("was not changed"), "{ran:?}");
    let ran = setup(&bench, &[flags.as_slice(), &["--no-webhook"]].concat()).await;
    assert!(ran.code == 0 && !ran.stdout.contains("SmsUrl"), "{ran:?}");
    assert_eq!(std::fs::read_dir(folder(&bench)).unwrap().count(), 0);
    assert!(bench.twilio.log().iter().all(|entry| entry.method == "GET"));
}

#[tokio::test]
async fn other_settings_and_comments_stay_and_a_copy_is_kept() {
    let bench = Bench::new().await;
    let before = read(&bench.configuration())
        .replace("{ channels:", "// mine\n{ env: { vars: { A: 'b' } }, // kept\n  channels:");
    std::fs::write(bench.configuration(), &before).unwrap();
    let ran = setup(&bench, &["--reach", "ngrok", "--policy", "open", "--secrets", "dotenv", "--yes"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let after = read(&bench.configuration());
    for kept in ["// mine\n", "env: { vars: { A: 'b' } }, // kept\n", "sms: { segmentsPerSecond: null, coalesceMs: 0 }"]
    {
        assert!(after.contains(kept), "{after}");
    }
    assert!(after.contains("syncWebhooks") && after.contains("\"open\"") && !after.contains("authToken"), "{after}");
    assert!(ran.stderr.contains("when it starts"), "{ran:?}");
    let backup = folder(&bench).join("openclaw.json.before-setup");
    assert_eq!((read(&backup), mode(&backup)), (before, 0o600));
}

#[tokio::test]
async fn a_secret_reference_stays_a_reference() {
    let bench = Bench::new().await;
    let text = read(&bench.configuration()).replace(&format!("'{}'", bench.twilio.auth_token()), "'${MY_TOKEN}'");
    std::fs::write(
        bench.configuration(),
        format!("{{ env: {{ vars: {{ MY_TOKEN: '{}' }} }},{}", bench.twilio.auth_token(), &text[1..]),
    )
    .unwrap();
    let ran = bench.run(&["telephony", "setup", "--policy", "open", "--yes"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(read(&bench.configuration()).contains("'${MY_TOKEN}'") && !folder(&bench).join(".env").exists());
}

#[tokio::test]
async fn a_real_openclaw_that_does_not_know_us_keeps_its_file() {
    let bench = bare().await;
    let theirs = "{ gateway: { port: 18789 }, agents: {} }\n";
    std::fs::write(bench.configuration(), theirs).unwrap();
    let ran = setup(&bench, &["--from-number", DEFAULT_NUMBER, "--yes"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(read(&bench.configuration()), theirs);
    assert!(read(&folder(&bench).join("telephony/openclaw.json")).contains(DEFAULT_NUMBER));
    assert_eq!(mode(&folder(&bench).join("telephony")), 0o700);

    let bench = bare().await;
    std::fs::write(bench.configuration(), theirs).unwrap();
    std::fs::create_dir_all(folder(&bench).join("extensions/telephony")).unwrap();
    setup(&bench, &["--from-number", DEFAULT_NUMBER, "--yes"]).await;
    assert!(read(&bench.configuration()).contains(DEFAULT_NUMBER));
}

#[tokio::test]
async fn a_server_known_by_name_needs_no_url_and_keeps_its_own_key() {
    let bench = bare().await;
    let line = ["--from-number", DEFAULT_NUMBER, "--reach", "none", "--yes"];
    let ran = setup(&bench, &[&line[..], &["--agent", "ollama", "--agent-model", "llama3.2"]].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let config = read(&folder(&bench).join("openclaw.json"));
    for part in ["openai", "http://127.0.0.1:11434/v1", "llama3.2"] {
        assert!(config.contains(&format!("\"{part}\"")), "{config}");
    }
    let claude = ["--agent", "anthropic", "--agent-model", "claude", "--agent-key", "sk-ant-1"];
    let ran = setup(&bench, &[&line[..], &claude].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let config = read(&folder(&bench).join("openclaw.json"));
    assert!(config.contains("https://api.anthropic.com/v1") && config.contains("${ANTHROPIC_API_KEY}"), "{config}");
    assert!(!config.contains("sk-ant-1") && read(&folder(&bench).join(".env")).contains("ANTHROPIC_API_KEY=sk-ant-1"));
}

#[tokio::test]
async fn wrong_answers_change_nothing() {
    let bench = bare().await;
    let (sid, url) = (bench.twilio.account_sid(), bench.twilio.base_url());
    let wrong = ["telephony", "setup", "--account-sid", sid, "--auth-token", "wrong", "--api-base-url", url, "--yes"];
    let ran = bench.run(&wrong).await;
    assert!(ran.code == 1 && ran.stderr.contains("rejected these credentials"), "{ran:?}");
    let ran = setup(&bench, &["--from-number", "+15550009999", "--yes"]).await;
    assert!(ran.code == 1 && ran.stderr.contains(&format!("it has {DEFAULT_NUMBER}")), "{ran:?}");
    for (flag, value) in [("--reach", "carrier-pigeon"), ("--policy", "everybody"), ("--agent", "jeeves")] {
        let ran = setup(&bench, &["--from-number", DEFAULT_NUMBER, flag, value, "--yes"]).await;
        assert!(ran.code == 2 && ran.stderr.contains("hint: "), "{flag}: {ran:?}");
    }
    let ran = setup(&bench, &["--from-number", DEFAULT_NUMBER, "--agent", "openai", "--yes"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("--agent-model"), "{ran:?}");
    assert_eq!(std::fs::read_dir(folder(&bench)).unwrap().count(), 0);
}

#[tokio::test]
async fn the_file_has_another_mistake_and_is_left_alone() {
    let bench = Bench::new().await;
    let broken = read(&bench.configuration()).replace("serve:", "sirve:");
    std::fs::write(bench.configuration(), &broken).unwrap();
    // Reported before the question whether to write, which would need a terminal.
    let ran = setup(&bench, &["--from-number", DEFAULT_NUMBER]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("nothing was written") && ran.stderr.contains("did you mean `serve`?"), "{ran:?}");
    assert_eq!(read(&bench.configuration()), broken);
    assert_eq!(std::fs::read_dir(folder(&bench)).unwrap().count(), 1, "nothing is left behind");
    std::fs::write(bench.configuration(), "{ channels: ").unwrap();
    let ran = setup(&bench, &["--from-number", DEFAULT_NUMBER, "--yes"]).await;
    assert!(ran.code == 1 && ran.stderr.contains("invalid JSON5"), "{ran:?}");
}

/// As the guide recommends, the credentials are in the gateway's environment; here they are not in setup's.
#[tokio::test]
async fn an_unmentioned_policy_stays() {
    let bench = bare().await;
    let block = format!(
        "{{channels:{{telephony:{{enabled:true,provider:'twilio',fromNumber:'{DEFAULT_NUMBER}',inboundPolicy:'disabled'}}}}}}"
    );
    std::fs::write(bench.configuration(), block).unwrap();
    let ran = setup(&bench, &["--from-number", DEFAULT_NUMBER, "--no-webhook", "--yes"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let written = read(&bench.configuration());
    assert!(written.contains("inboundPolicy:'disabled'"), "{written}");
}

#[tokio::test]
async fn a_variable_reference_stays_a_reference() {
    let bench = Bench::new().await;
    let text = read(&bench.configuration())
        .replace(&format!("'{DEFAULT_NUMBER}'"), "'${LINE}'")
        .replace(&format!("'{}'", bench.twilio.account_sid()), "'${SID}'")
        .replace("sms: {", "allowFrom: ['${FRIEND}'], sms: {");
    std::fs::write(bench.configuration(), text).unwrap();
    let variables = format!("LINE={DEFAULT_NUMBER}\nSID={}\nFRIEND={ALICE}\n", bench.twilio.account_sid());
    std::fs::write(folder(&bench).join(".env"), variables).unwrap();
    let flags = ["telephony", "setup", "--from-number", DEFAULT_NUMBER, "--allow-from", ALICE, "--policy", "allowlist"];
    let ran = bench.run(&[flags.as_slice(), &["--no-webhook", "--yes"]].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let written = read(&bench.configuration());
    for reference in ["'${LINE}'", "'${SID}'", "['${FRIEND}']"] {
        assert!(written.contains(reference), "{reference} in {written}");
    }
    assert!(written.contains("allowlist"), "{written}");
    let other = bench.run(&["telephony", "setup", "--allow-from", crate::bench::BOB, "--no-webhook", "--yes"]).await;
    assert_eq!(other.code, 0, "{other:?}");
    let written = read(&bench.configuration());
    assert!(
        written.contains(crate::bench::BOB) && !written.contains("FRIEND") && written.contains("'${LINE}'"),
        "{written}"
    );
}

#[tokio::test]
async fn an_unreadable_list_of_services_does_not_mean_missing_services() {
    let (bench, proxy) = (bare().await, Proxy::start().await);
    let service = "MG0123456789abcdef0123456789abcdef";
    proxy.does(Habits {
        target: Some(bench.twilio.address().to_string()),
        request: Box::new(|head| match head.contains("/v1/Services") {
            true => head.replace("authorization: Basic ", "authorization: Basic AAAA"),
            false => head,
        }),
        ..Habits::default()
    });
    let at = format!("http://{}", proxy.address);
    let (sid, token) = (bench.twilio.account_sid(), bench.twilio.auth_token());
    let own = ["telephony", "setup", "--account-sid", sid, "--auth-token", token, "--api-base-url", &at, "--dry-run"];
    let ran = bench.run(&[own.as_slice(), &["--messaging-service", service]].concat()).await;
    assert!(
        ran.code == 1 && ran.stderr.contains(&format!("cannot check whether the account has {service}")),
        "{ran:?}"
    );
    let ran = bench.run(&[own.as_slice(), &["--from-number", DEFAULT_NUMBER, "--no-webhook"]].concat()).await;
    assert!(ran.code == 0 && ran.stderr.contains("Could not fetch its Messaging Services"), "{ran:?}");
    let ran = setup(&bench, &["--messaging-service", service, "--yes"]).await;
    assert!(ran.stderr.contains(&format!("the account does not have {service}")), "{ran:?}");
}
