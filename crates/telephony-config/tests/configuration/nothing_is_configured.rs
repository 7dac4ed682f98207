//! The file or the block is missing, or there is one too many.

use crate::desk::Desk;

#[test]
fn a_missing_file_names_the_searched_paths_and_an_example() {
    insta::assert_snapshot!(Desk::new().variable("TWILIO_AUTH_TOKEN", "t").problems());
    let named = Desk::new().variable("OPENCLAW_CONFIG_PATH", "~/nowhere.json").problems();
    assert!(named.starts_with("no configuration file found: looked for ~/nowhere.json (OPENCLAW_CONFIG_PATH) and "));
    let argument = Desk::new().file("telephony/openclaw.json", "{}").argument("nowhere.json").problems();
    assert!(argument.starts_with("no configuration file found: looked for ~/.openclaw/nowhere.json (--config)\n"));
}

#[test]
fn variables_alone_never_make_a_channel() {
    let desk = Desk::new().file("openclaw.json", "{ gateway: { port: 1 } }").variable("TWILIO_AUTH_TOKEN", "t");
    let problems = desk.problems();
    let expected = "~/.openclaw/openclaw.json:1:1: channels.telephony: the channel is not configured\n  hint: ";
    assert!(problems.starts_with(expected), "{problems}");
}

#[test]
fn our_own_file_is_read_if_openclaw_rejects_the_channel() {
    let desk = Desk::new()
        .file(
            "openclaw.json",
            "{ gateway: { port: 4000, http: { endpoints: { chatCompletions: { enabled: true } } } } }",
        )
        .file("telephony/openclaw.json", "{ channels: { telephony: { serve: { port: 1234 } } } }");
    let loaded = desk.load();
    assert_eq!(loaded.telephony.serve.port, 1234);
    assert_eq!(loaded.sources, [desk.path("openclaw.json"), desk.path("telephony/openclaw.json")]);
    assert_eq!(crate::desk::shown(&loaded, "agent.baseUrl").0, "\"http://127.0.0.1:4000\"");
}

#[test]
fn a_block_in_both_files_is_a_problem() {
    let block = "{\n  channels: { telephony: {} } }";
    let desk = Desk::new().file("openclaw.json", block).file("telephony/openclaw.json", block);
    insta::assert_snapshot!(desk.problems());
}

#[test]
fn with_config_our_own_file_is_left_alone() {
    let block = "{ channels: { telephony: {} } }";
    let desk = Desk::new().file("a.json", block).file("telephony/openclaw.json", block).argument("a.json");
    assert_eq!(desk.load().sources, [desk.path("a.json")]);
    assert_eq!(desk.load().state, desk.path("telephony"));
}

#[test]
fn settings_of_others_are_ignored() {
    let desk = Desk::new().file(
        "openclaw.json",
        r#"{ agents: { $include: "missing.json" }, models: 7, x: "${MISSING}", models: 8, gateway: { port: "high" },
             channels: { sms: { a: 1, a: 2 }, telephony: {} } }"#,
    );
    assert_eq!(desk.load().telephony.serve.port, 3335);
}
