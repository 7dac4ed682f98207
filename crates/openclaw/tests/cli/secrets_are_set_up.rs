//! Setup reads secrets from flags, standard input or variables, and stores them where requested.

use std::io::Write;
use std::process::Stdio;

use twilio_simulator::DEFAULT_NUMBER;

use crate::bench::{ALICE, Bench, Ran};
use crate::the_channel_is_set_up::{bare, folder, read, setup};

const MODEL: [&str; 6] = ["--agent", "openai", "--agent-url", "http://127.0.0.1:1/v1", "--agent-model", "tiny"];
const NGROK: [&str; 4] = ["--reach", "ngrok", "--ngrok-domain", "claw.example.com"];
const REST: [&str; 4] = ["--from-number", DEFAULT_NUMBER, "--no-webhook", "--yes"];

/// Runs setup with these variables and with `input` on standard input.
fn setup_with(bench: &Bench, variables: &[(&str, &str)], input: &str, arguments: &[&str]) -> Ran {
    let mut command = bench.command();
    command.envs(variables.iter().copied()).args(["telephony", "setup"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

#[tokio::test]
async fn every_secret_goes_to_the_chosen_place() {
    let bench = bare().await;
    let secrets = ["--ngrok-token", "ng-secret", "--agent-key", "sk-secret"];
    let flags = [&MODEL[..], &NGROK, &secrets, &REST].concat();
    let ran = setup(&bench, &flags).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!format!("{ran:?}").contains("-secret"), "{ran:?}");
    let token = bench.twilio.auth_token();
    let dotenv = format!("TWILIO_AUTH_TOKEN={token}\nNGROK_AUTHTOKEN=ng-secret\nOPENAI_API_KEY=sk-secret\n");
    assert_eq!(read(&folder(&bench).join(".env")), dotenv);
    let written = read(&bench.configuration());
    assert!(
        written.contains("claw.example.com") && written.contains("\"tiny\"") && !written.contains("secret"),
        "{written}"
    );
    let shown = bench.done(&["telephony", "config", "show"]).await;
    assert!(shown.contains("env OPENAI_API_KEY") && shown.contains("env NGROK_AUTHTOKEN"), "{shown}");

    let again = setup(&bench, &flags).await;
    assert!(again.code == 0 && again.stderr.contains("already up to date"), "{again:?}");
    let to_config = setup(&bench, &[flags.as_slice(), &["--secrets", "config"]].concat()).await;
    assert_eq!(to_config.code, 0, "{to_config:?}");
    assert!(!format!("{to_config:?}").contains("-secret"), "{to_config:?}");
    let written = read(&bench.configuration());
    assert!(
        written.contains("\"apiKey\": \"sk-secret\"") && written.contains("\"ngrokAuthToken\": \"ng-secret\""),
        "{written}"
    );
}

#[tokio::test]
async fn the_openclaw_token_of_the_environment_wins_over_its_file() {
    let bench = bare().await;
    std::fs::write(bench.configuration(), "{ gateway: { auth: { token: 'of the file' } } }").unwrap();
    std::fs::create_dir_all(folder(&bench).join("extensions/telephony")).unwrap();
    let flags = ["--agent", "openclaw", "--agent-id", "phone", "--agent-key", "given"];
    let ran = setup(&bench, &[&flags[..], &REST].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let written = read(&bench.configuration());
    assert!(written.contains("${OPENCLAW_GATEWAY_TOKEN}") && written.contains("\"phone\""), "{written}");
    assert!(read(&folder(&bench).join(".env")).contains("OPENCLAW_GATEWAY_TOKEN=given\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_on_standard_input_are_read_line_by_line() {
    let bench = bare().await;
    let (sid, token, url) = (bench.twilio.account_sid(), bench.twilio.auth_token(), bench.twilio.base_url());
    let account = ["--account-sid", sid, "--api-base-url", url];
    let secrets = ["--auth-token", "-", "--ngrok-token", "-", "--agent-key", "-"];
    let all = [&MODEL[..], &NGROK, &account, &secrets, &REST].concat();
    let ran = setup_with(&bench, &[], &format!("{token}\nng-1\nsk-1\n"), &all);
    assert_eq!(ran.code, 0, "{ran:?}");
    let expected = format!("TWILIO_AUTH_TOKEN={token}\nNGROK_AUTHTOKEN=ng-1\nOPENAI_API_KEY=sk-1\n");
    assert_eq!(read(&folder(&bench).join(".env")), expected);
    let short = setup_with(&bench, &[], &format!("{token}\n"), &all);
    assert!(short.code == 2 && short.stderr.contains("no line for --ngrok-token"), "{short:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_around_a_secret_are_removed_and_reported() {
    for (before, after) in
        [(" ", ""), ("", "\t"), ("\u{feff}", "\r\n"), ("\u{a0}", " \u{200b}"), ("\"", "\""), ("' ", " '")]
    {
        let warning = "warning: ignored ";
        let expect_explained = |ran: &Ran, bench: &Bench| {
            assert!(ran.code == 0 && !format!("{ran:?}").contains(bench.twilio.auth_token()), "{ran:?}");
            assert_eq!(ran.stderr.matches(warning).count(), 1, "{before:?} {after:?}: {ran:?}");
            let expected = format!("TWILIO_AUTH_TOKEN={}\n", bench.twilio.auth_token());
            assert_eq!(read(&folder(bench).join(".env")), expected, "{before:?} {after:?}");
        };
        let around = |bench: &Bench| format!("{before}{}{after}", bench.twilio.auth_token());
        let account = |bench: &Bench| {
            ["--account-sid", bench.twilio.account_sid(), "--api-base-url", bench.twilio.base_url()].map(str::to_owned)
        };
        let flags = |bench: &Bench, more: &[&str]| {
            let all = account(bench)
                .into_iter()
                .chain(REST.iter().chain(&NGROK[..2]).chain(more).map(|flag| (*flag).to_owned()));
            all.collect::<Vec<_>>()
        };
        let run = |bench: &Bench, variables: &[(&str, &str)], input: &str, more: &[&str]| {
            let flags = flags(bench, more);
            setup_with(bench, variables, input, &flags.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let bench = bare().await;
        expect_explained(&run(&bench, &[], "", &["--auth-token", &around(&bench)]), &bench);
        let bench = bare().await;
        expect_explained(&run(&bench, &[], &format!("{}\n", around(&bench)), &["--auth-token", "-"]), &bench);
        let bench = bare().await;
        expect_explained(&run(&bench, &[("TWILIO_AUTH_TOKEN", &around(&bench))], "", &["--secrets", "dotenv"]), &bench);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_different_token_in_the_environment_is_pointed_out() {
    let bench = Bench::new().await;
    let token = bench.twilio.auth_token().to_owned();
    let says = |variables: &[(&str, &str)], more: &[&str]| {
        let ran = setup_with(&bench, variables, "", &[&["--no-webhook", "--yes"], more].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stderr
    };
    let other = [("TWILIO_AUTH_TOKEN", "another")];
    assert!(says(&other, &[]).contains("a different value; the Auth Token in the configuration is used"));
    assert!(!says(&[], &[]).contains("different"));
    let given = ["--auth-token", token.as_str()];
    let kept = says(&other, &[&given[..], &["--secrets", "dotenv"]].concat());
    assert!(kept.contains("has a different value, which takes precedence over .env"), "{kept}");
    // The token is now in .env; the same token in this environment is no conflict.
    let same = [("TWILIO_AUTH_TOKEN", token.as_str())];
    assert!(!says(&same, &[]).contains("TWILIO_AUTH_TOKEN"));
    std::fs::write(folder(&bench).join(".env"), "TWILIO_AUTH_TOKEN=another\n").unwrap();
    assert!(says(&same, &[]).contains("a different one is stored, and is used where that variable is not set"));
    std::fs::remove_file(folder(&bench).join(".env")).unwrap();
    assert!(says(&same, &[]).contains("is only in this environment"));
}

#[tokio::test]
async fn a_flag_without_effect_is_an_error() {
    let bench = bare().await;
    for (flags, hint) in [
        (["--agent", "echo", "--agent-key", "k"], "it belongs to --agent openai or openclaw"),
        (["--agent", "openai", "--agent-id", "phone"], "it belongs to --agent openclaw"),
        (["--reach", "https://phone.example.com", "--ngrok-domain", "d"], "require --reach ngrok"),
    ] {
        let ran = setup(&bench, &[&flags[..], &REST].concat()).await;
        assert!(ran.code == 2 && ran.stderr.contains(hint), "{flags:?}: {ran:?}");
    }
    let ran =
        setup(&bench, &[&["--policy", "allowlist", "--allow-from", ALICE][..], &NGROK[..2], &REST].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let changed = bench.run(&["telephony", "setup", "--agent-model", "tiny", "--no-webhook", "--yes"]).await;
    assert!(
        changed.code == 2 && changed.stderr.contains("--agent-model has no effect with the agent `echo`"),
        "{changed:?}"
    );
}
