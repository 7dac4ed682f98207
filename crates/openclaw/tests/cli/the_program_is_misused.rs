use crate::bench::{ALICE, Bench, run};

#[test]
fn a_command_of_openclaw_itself_is_named_and_exits_2() {
    let ran = run(&["agents", "list"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.starts_with("error: `agents` is not a command of the telephony channel\nhint: "),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_mistyped_command_gets_a_suggestion() {
    for (typed, meant) in [
        ("telephny", "openclaw telephony"),
        ("gatway", "openclaw gateway"),
        ("send", "openclaw telephony send"),
        ("simulat", "openclaw telephony simulate"),
    ] {
        let ran = run(&[typed, "anything"]);
        assert!(ran.stderr.ends_with(&format!("\nhint: did you mean `{meant}`?\n")), "{typed}: {ran:?}");
        assert_eq!(ran.code, 2, "{typed}");
    }
}

#[test]
fn a_missing_configuration_names_the_searched_paths() {
    let ran = run(&["telephony", "status"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("/nonexistent/.openclaw/openclaw.json"), "{}", ran.stderr);
}

#[test]
fn every_command_that_lacks_a_configuration_names_the_first_steps() {
    for line in [
        "gateway",
        "telephony send +15550005678 hi",
        "telephony status",
        "telephony messages",
        "telephony conversation +15550005678",
        "telephony export +15550005678",
        "telephony purge +15550005678",
        "telephony optouts",
        "telephony costs",
        "telephony doctor",
        "telephony service install",
        "telephony webhook show",
        "telephony webhook sync",
        "telephony webhook undo",
        "telephony config check",
        "telephony config show",
        "pairing list telephony",
        "pairing approve telephony ABCD2345",
        "pairing reject telephony ABCD2345",
    ] {
        let ran = run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.code, 1, "{line}: {ran:?}");
        let said = ran.stdout + &ran.stderr;
        for step in ["`openclaw telephony setup`", "`openclaw telephony simulate`"] {
            assert!(said.contains(step), "{line}: {said}");
        }
    }
}

#[test]
fn help_says_where_to_start() {
    let help = run(&["--help"]).stdout;
    assert!(help.contains("Start here:\n  openclaw telephony simulate"), "{help}");
    let help = run(&["telephony", "--help"]).stdout;
    for group in ["Start here:\n  simulate", "Daily:\n  status", "Look inside:\n  costs", "Maintain:\n  service"] {
        assert!(help.contains(group), "{help}");
    }
}

#[test]
fn help_of_a_command_with_arguments_has_an_example() {
    for command in [
        "telephony optouts add",
        "telephony optouts remove",
        "telephony setup",
        "telephony webhook sync",
        "telephony service install",
        "pairing list",
    ] {
        let help = run(&command.split(' ').chain(["--help"]).collect::<Vec<_>>()).stdout;
        assert!(help.contains(&format!("Example: openclaw {command} ")), "{help}");
    }
}

#[test]
fn an_invalid_number_or_code_is_a_usage_error() {
    for arguments in [
        ["telephony", "send", "5550005678", "hi"].as_slice(),
        &["pairing", "approve", "telephony", "0000"],
        &["pairing", "approve", "whatsapp", "ABCD2345"],
        &["telephony", "messages", "nonsense"],
        &["telephony", "send", ALICE, " "],
        &["telephony"],
    ] {
        let ran = run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.is_empty() && ran.stdout.is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[tokio::test]
async fn a_bad_configuration_is_reported_with_line_and_column_and_nothing_starts() {
    let bench = Bench::new().await;
    bench.configure("serve2: {},\n  allowFrom: ['5550001'],");
    for arguments in [["gateway"].as_slice(), &["telephony", "config", "check"], &["telephony", "status"]] {
        let ran = bench.run(arguments).await;
        assert_eq!(ran.code, 1, "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains("openclaw.json:5:3: channels.telephony.serve2"), "{}", ran.stderr);
        assert!(ran.stderr.contains("openclaw.json:6:15"), "{}", ran.stderr);
        assert!(ran.stderr.contains("did you mean `serve`?"), "{}", ran.stderr);
        assert!(ran.stderr.contains("\n  5 |   serve2: {},\n    |   ^\n"), "{}", ran.stderr);
        assert!(ran.stderr.contains("\n  6 |   allowFrom: ['5550001'],\n    |               ^"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn the_line_of_a_problem_shows_no_secret() {
    let bench = Bench::new().await;
    let path = bench.configuration();
    let text = std::fs::read_to_string(&path).unwrap();
    let token = bench.twilio.auth_token().to_owned();
    for wrong in [
        text.replace("authToken", "authTokn"),
        text.replace("accountSid: ", "accountSid "),
        text.replace(&token, &format!("{token}' 1")),
    ] {
        std::fs::write(&path, wrong).unwrap();
        let ran = bench.run(&["telephony", "config", "check"]).await;
        assert!(ran.code == 1 && ran.stderr.contains(" |   twilio: {"), "{}", ran.stderr);
        assert!(!ran.stderr.contains(&token), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn a_channel_that_is_not_enabled_does_not_start_but_sends() {
    let bench = Bench::new().await;
    let path = bench.configuration();
    let disabled = std::fs::read_to_string(&path).unwrap().replace("enabled: true", "enabled: false");
    std::fs::write(&path, disabled).unwrap();
    let ran = bench.run(&["gateway"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("not enabled") && ran.stderr.contains("enabled: true"), "{}", ran.stderr);
    bench.done(&["telephony", "send", ALICE, "hi"]).await;
}

#[tokio::test]
async fn a_second_gateway_and_a_port_in_use_are_refused_with_a_reason() {
    let mut bench = Bench::new().await;
    let path = bench.configuration();
    let text = std::fs::read_to_string(&path).unwrap();
    let with_port = |port: u16| std::fs::write(&path, text.replace("port: 0", &format!("port: {port}"))).unwrap();
    with_port(std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    bench.start_gateway().await;
    let second = bench.run(&["gateway"]).await;
    assert_eq!(second.code, 1);
    assert!(second.stderr.contains("another gateway is running"), "not of the port that it has: {}", second.stderr);
    bench.stop_gateway().await;
    let taken = bench.twilio.address().port();
    with_port(taken);
    let ran = bench.run(&["gateway"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains(&format!("cannot listen on 127.0.0.1:{taken}")), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: another program"), "{}", ran.stderr);
}

#[tokio::test]
async fn secrets_never_show() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    let token = bench.twilio.auth_token();
    for arguments in [["telephony", "config", "show", "--json"].as_slice(), &["telephony", "status", "--json"]] {
        let printed = bench.done(arguments).await;
        assert!(!printed.contains(token), "{arguments:?}");
    }
    bench.text(ALICE, "a secret of mine").await;
    bench.texts(ALICE, 1).await;
    let log = bench.gateway_log();
    assert!(!log.contains(token) && !log.contains(ALICE) && !log.contains("secret of mine"), "{log}");
}
