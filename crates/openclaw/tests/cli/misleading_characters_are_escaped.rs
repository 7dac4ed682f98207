use crate::bench::{ALICE, BOB, Bench};

/// Characters that reverse the line, move the cursor or are invisible. SMS cannot carry NUL.
fn misleading() -> Vec<char> {
    let controls = ('\u{1}'..='\u{1F}').chain('\u{7F}'..='\u{9F}').filter(|c| !matches!(c, '\n' | '\t'));
    let directions = ('\u{202A}'..='\u{202E}').chain('\u{2066}'..='\u{2069}');
    let others = ['\u{61C}', '\u{200B}', '\u{200D}', '\u{200E}', '\u{200F}', '\u{2028}', '\u{2060}', '\u{FEFF}'];
    controls.chain(directions).chain(others).collect()
}

fn assert_harmless(what: &[&str], output: &str) {
    for c in misleading() {
        assert!(!output.contains(c), "{what:?} shows {c:?}: {output:?}");
    }
}

#[tokio::test]
async fn every_command_escapes_misleading_characters() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open',");
    bench.start_gateway().await;
    let text: String = ['\u{202E}'].into_iter().chain(misleading()).map(|c| format!("x{c}")).collect();
    bench.text(ALICE, &text).await;
    bench.texts(ALICE, 1).await;
    bench.done(&["telephony", "send", BOB, &text, "--wait"]).await;
    for (command, shows_text) in [
        (vec!["telephony", "messages"], true),
        (vec!["telephony", "messages", "in-1"], true),
        (vec!["telephony", "messages", "out-2"], true),
        (vec!["telephony", "conversation", ALICE], true),
        (vec!["telephony", "segments", &text], false),
        (vec!["telephony", "send", ALICE, &text, "--dry-run"], false),
        (vec!["telephony", "status"], false),
        (vec!["telephony", "optouts"], false),
        (vec!["telephony", "costs"], false),
        (vec!["pairing", "list", "telephony"], false),
        (vec!["telephony", "messages", "--status", &text], false),
        (vec!["telephony", "conversation", &text], false),
        (vec!["telephony", "send", &text, "hi"], false),
        (vec!["telephony", &text], false),
        (vec!["pairing", "approve", &text, "x"], false),
        (vec!["telephony", "status", &text], false),
    ] {
        let ran = bench.run(&command).await;
        assert_harmless(&command, &ran.stdout);
        if shows_text {
            assert!(ran.stdout.contains("x<U+202E>x"), "{command:?}: {ran:?}");
        }
        assert_harmless(&command, &ran.stderr);
    }
    for command in [["telephony", "messages", "--json"], ["telephony", "export", ALICE]] {
        let output = bench.done(&command).await;
        assert_harmless(&command, &output);
        assert!(output.contains("\\u202e"), "{output}");
        let document: serde_json::Value = serde_json::from_str(&output).unwrap();
        let messages = document.get("messages").unwrap_or(&document).as_array().unwrap();
        let mut texts = messages.iter().map(|message| &message.get("message").unwrap_or(message)["text"]);
        assert!(texts.any(|shown| shown == text.as_str()), "{output}");
    }
    assert_harmless(&["gateway"], &bench.gateway_log());
}

#[tokio::test]
async fn logs_and_provider_errors_escape_misleading_characters() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open', publicUrl: 'https://phone.example/\u{202E}x',");
    let ran = bench.run(&["telephony", "doctor"]).await;
    assert_harmless(&["doctor"], &ran.stdout);
    assert_harmless(&["doctor"], &ran.stderr);
    bench.configure("inboundPolicy: 'open', fromNumbr: '\u{202E}\u{1b}[31m',");
    for command in
        [vec!["telephony", "config", "check"], vec!["telephony", "config", "show"], vec!["telephony", "status"]]
    {
        let ran = bench.run(&command).await;
        assert_harmless(&command, &ran.stdout);
        assert_harmless(&command, &ran.stderr);
    }
    bench.configure("inboundPolicy: 'open',");
    bench.start_gateway_with(&[("OPENCLAW_LOG", "\u{202E}moc\u{1b}[2J"), ("OPENCLAW_LOG_FORMAT", "text")]).await;
    let log = bench.gateway_log();
    assert!(log.contains("<U+202E>moc"), "{log}");
    assert_harmless(&["gateway"], &log);
}
