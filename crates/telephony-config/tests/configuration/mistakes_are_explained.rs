//! All mistakes in a file are reported at once, each with its position, what was found and what is expected.

use crate::desk::Desk;

#[test]
fn every_problem_of_a_bad_file_has_a_position() {
    let desk = Desk::new().file("openclaw.json", include_str!("../data/everything_wrong.json5"));
    insta::assert_snapshot!(desk.problems());
}

#[test]
fn no_problem_shows_a_secret() {
    let desk = Desk::new().file(
        "openclaw.json",
        r#"{ channels: { telephony: {
            twilio: { authToken: ["s3cret"], previousAuthTokens: "s3cret", sharedKeys: ["s3cret"], apiKeySecret: 123450 },
            publicUrl: "htps://me:s3cret@a.example", store: { url: "postgres://me:s3cret@a.example/db" },
            agent: { apiKey: { source: "file", provider: "none", id: "s3cret", value: "s3cret" } },
        } } }"#,
    );
    let problems = desk.problems();
    assert!(!problems.contains("s3cret") && !problems.contains("12345"), "{problems}");
    assert_eq!(problems.lines().filter(|line| !line.starts_with("  hint")).count(), 8, "{problems}");
}

#[test]
fn invalid_json5_is_a_problem_with_a_position() {
    let desk = Desk::new().file("openclaw.json", "{\n  channels: { telephony: { port: 1 bind: 2 } }\n}");
    assert_eq!(desk.problems(), "~/.openclaw/openclaw.json:2:35: invalid JSON5: expected comma");
    let desk = Desk::new().file("openclaw.json", "[]");
    assert!(
        desk.problems().starts_with("~/.openclaw/openclaw.json:1:1: channels.telephony: the channel is not configured")
    );
}

#[test]
fn a_missing_bracket_is_reported_where_its_pair_opens() {
    let problems = |text: &str| Desk::new().file("openclaw.json", text).problems();
    let block =
        "{\n  channels: {\n    telephony: { // {\n      twilio: { accountSid: \"}\\\"}\", /* } */\n    },\n  },\n}\n";
    let expected = "~/.openclaw/openclaw.json:4:15: invalid JSON5: unterminated object\n  hint: close this bracket";
    assert_eq!(problems(block), expected);
    assert_eq!(
        problems(&block.replace("/* } */", "} }")),
        "~/.openclaw/openclaw.json:6:4: invalid JSON5: text cannot contain more than one JSON value"
    );
    let innermost = problems("{\n  channels: {\n");
    assert!(innermost.starts_with("~/.openclaw/openclaw.json:2:13: invalid JSON5: unterminated object"), "{innermost}");
    let list = problems("{ a: [1, 2");
    assert!(list.starts_with("~/.openclaw/openclaw.json:1:6: invalid JSON5: unterminated array"), "{list}");
}

#[test]
fn a_file_in_another_encoding_is_rejected() {
    let desk = Desk::new().file("openclaw.json", "");
    std::fs::write(desk.path("openclaw.json"), b"\xff\xfe{\0}\0").unwrap();
    let problems = desk.problems();
    assert!(problems.ends_with("openclaw.json: it is not UTF-8 text"), "{problems}");
}

#[test]
fn a_blank_inside_a_secret_is_warned_about() {
    let desk = Desk::with_block("{ twilio: { authToken: '0123 4567' } }");
    let warnings = desk.warnings().join("\n");
    assert!(
        warnings.contains("twilio.authToken: a blank or line break is inside the secret: copy it again"),
        "{warnings}"
    );
}

#[test]
fn a_misspelled_or_misplaced_channel_is_found() {
    let problems = |text: &str| Desk::new().file("openclaw.json", text).problems();
    let expected = "~/.openclaw/openclaw.json:1:15: channels.telphony: there is no such channel\n  hint: did you mean `telephony`?";
    assert_eq!(problems("{ channels: { telphony: {} } }"), expected);
    let expected = "~/.openclaw/openclaw.json:1:3: telephony: the channel is at the top level of the file\n  hint: put it into `channels: { telephony: { … } }`";
    assert_eq!(problems("{ telephony: {} }"), expected);
    let expected = "~/.openclaw/openclaw.json:1:3: chanels: unknown key\n  hint: did you mean `channels`?";
    assert_eq!(problems("{ chanels: { telephony: {} } }"), expected);
    assert!(problems("{ channels: { telegram: {} } }").contains("channels.telephony: the channel is not configured"));
}

#[test]
fn a_server_name_as_agent_kind_is_explained() {
    for (kind, keys) in [
        ("ollama", r#"kind: "openai", baseUrl: "http://127.0.0.1:11434/v1", model:"#),
        ("LM Studio", r#"kind: "openai", baseUrl: "http://127.0.0.1:1234/v1", model:"#),
        ("claude", r#"kind: "openai", baseUrl: "https://api.anthropic.com/v1", apiKey: "${ANTHROPIC_API_KEY}","#),
        (
            "gemini",
            r#"baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai", apiKey: "${GEMINI_API_KEY}","#,
        ),
    ] {
        let problems = Desk::with_block(&format!("{{ agent: {{ kind: '{kind}' }} }}")).problems();
        assert!(problems.contains(keys), "{problems}");
    }
}

#[test]
fn a_variable_that_is_wrong_is_named_by_its_name() {
    let desk = Desk::with_block("{}").variable("TWILIO_ACCOUNT_SID", "AC1");
    assert_eq!(
        desk.problems(),
        "env TWILIO_ACCOUNT_SID: channels.telephony.twilio.accountSid: found \"AC1\" (3 characters), expected AC and 32 \
         letters and digits, 34 characters in total"
    );
}

#[test]
fn risky_settings_are_only_warnings() {
    let desk = Desk::with_block(
        r#"{
        enabled: true, provider: "simulator",
        inboundPolicy: "allowlist",
        publicUrl: "http://a.example",
        skipSignatureVerification: true,
        webhookSecurity: { trustForwardingHeaders: true },
        agent: { kind: "echo", model: "m" },
        operator: { number: "+15550009999" },
    }"#,
    )
    .file(".env", "nonsense\n");
    insta::assert_snapshot!(desk.warnings().join("\n"));
    let loopback = Desk::with_block(r#"{ publicUrl: "https://localhost:3335/hook" }"#).warnings();
    let expected = "publicUrl: this address is this machine itself: Twilio cannot reach it";
    assert!(loopback.iter().any(|warning| warning.ends_with(expected)), "{loopback:?}");
}

#[test]
fn a_mistaken_path_of_the_public_url_is_a_warning_with_the_resulting_url() {
    let warnings = |path: &str| {
        Desk::with_block(&format!("{{ publicUrl: 'https://a.example{path}', serve: {{ path: '/hook/in' }} }}"))
            .warnings()
    };
    for path in
        ["/hook/in/hook/in", "/hook/in/hook/in/", "/x/hook/in//hook/in", "/hook", "/Hook/IN", "/telephony/status"]
    {
        let slip = format!("channels.telephony.publicUrl: Twilio calls https://a.example{path}, which ");
        assert!(warnings(path).iter().any(|warning| warning.contains(&slip)), "{path}: {:?}", warnings(path));
    }
    for path in ["", "/", "/hook/in", "/hook/in/", "/hook/in?k=v", "/bots/7/sms", "/bots/7/hook/in", "/bots/hook"] {
        let warnings = warnings(path);
        assert!(!warnings.iter().any(|warning| warning.contains("publicUrl")), "{path}: {warnings:?}");
    }
}

#[test]
fn an_ignored_login_shell_setting_is_mentioned() {
    let desk =
        Desk::new().file("openclaw.json", "{ env: { shellEnv: { enabled: true } }, channels: { telephony: {} } }");
    assert!(desk.warnings()[0].contains("env.shellEnv: variables of the login shell are not read"));
}

#[test]
fn an_unused_product_address_is_a_mistake() {
    let problems = |product: &str| {
        Desk::with_block(&format!("{{ twilio: {{ apiBaseUrl: {{ {product}: 'http://127.0.0.1:1' }} }} }}")).problems()
    };
    assert_eq!(
        problems("mesaging"),
        "~/.openclaw/openclaw.json:1:52: channels.telephony.twilio.apiBaseUrl.mesaging: unknown key\n  \
         hint: did you mean `messaging`?"
    );
    assert!(problems("studio").ends_with("hint: expected one of api, messaging, monitor"), "{}", problems("studio"));
}

#[test]
fn an_invalid_pin_is_a_problem_that_does_not_show_it() {
    let desk = |pin: &str| {
        Desk::new().file("openclaw.json", &format!("{{ channels: {{ telephony: {{ voice: {{ pin: {pin} }} }} }} }}"))
    };
    for pin in ["'864'", "'8640 1'", "'864x'", "'8640864086408'"] {
        let problems = desk(pin).problems();
        assert!(problems.contains("the PIN is not 4 to 12 digits") && !problems.contains("864"), "{problems}");
    }
    assert!(desk("'0864'").load().telephony.voice.pin.unwrap().is("0864"));
    let from_variable = desk("{ source: 'env', id: 'PIN' }").variable("PIN", "123456").load();
    assert!(from_variable.telephony.voice.pin.unwrap().is("123456"));
    let problems = desk("8640").problems();
    assert!(problems.contains("voice.pin") && !problems.contains("8640"), "{problems}");
}

#[test]
fn openclaw_answers_calls_without_a_proof_and_that_is_a_warning() {
    let warnings = |voice: &str| {
        let text = format!(
            "{{ channels: {{ telephony: {{ agent: {{ kind: 'openclaw', token: 't' }}, voice: {{ {voice} }} }} }} }}"
        );
        let loaded = Desk::new().file("openclaw.json", &text).load();
        loaded.warnings.iter().map(ToString::to_string).collect::<String>()
    };
    assert!(warnings("enabled: true").contains("channels.telephony.voice: callers can fake their number"));
    for voice in ["enabled: true, requireAttestation: true", "enabled: true, pin: '8046'", "enabled: false"] {
        assert!(!warnings(voice).contains("callers can fake their number"), "{voice}");
    }
}
