//! Default values, and precedence when a value is set twice.

use std::time::Duration;

use secrecy::ExposeSecret;
use telephony_config::AgentKind;
use telephony_domain::pace::Pacing;
use telephony_domain::policy::InboundPolicy;

use crate::desk::{Desk, shown};

#[test]
fn an_empty_block_has_the_defaults_of_the_design() {
    let loaded = Desk::with_block("{}").load();
    let telephony = &loaded.telephony;
    assert!(!telephony.enabled && telephony.provider.is_none() && telephony.public_url.is_none());
    assert_eq!(telephony.policy.inbound, InboundPolicy::Pairing);
    assert_eq!(telephony.sms.coalesce, Duration::from_millis(1500));
    assert_eq!(telephony.sms.pacing, Pacing::ByLineKind);
    assert_eq!(telephony.voice.max_duration, Duration::from_secs(300));
    assert!(matches!(telephony.agent.kind, AgentKind::Echo));
    insta::assert_snapshot!(lines(&loaded));
}

fn lines(loaded: &telephony_config::Loaded) -> String {
    let lines = loaded.show().into_iter().map(|shown| {
        let value = shown.value.map_or("-".to_owned(), |value| value.to_string());
        format!("{} = {value} ({})", shown.path.trim_start_matches("channels.telephony."), shown.origin)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn null_lifts_limits_and_pacing() {
    let desk =
        Desk::with_block("{ limits: { segmentsPerDay: null, segmentsPerReply: 5 }, sms: { segmentsPerSecond: null } }");
    let telephony = desk.load().telephony;
    assert_eq!((telephony.limits.segments_per_day, telephony.limits.segments_per_reply), (None, Some(5)));
    assert_eq!(telephony.limits.stranger_replies_per_day, Some(50));
    assert_eq!(telephony.sms.pacing, Pacing::Unlimited);
}

#[test]
fn the_file_wins_over_the_environment_and_the_process_over_dotenv_over_env_vars() {
    let desk = Desk::new()
        .file(
            "openclaw.json",
            r#"{
                env: { vars: { TWILIO_AUTH_TOKEN: "vars", NGROK_DOMAIN: "vars.example", TWILIO_ACCOUNT_SID: "vars" } },
                channels: { telephony: { twilio: { accountSid: "AC0123456789abcdef0123456789abcdef" } } },
            }"#,
        )
        .file(".env", "TWILIO_AUTH_TOKEN=dotenv\nTWILIO_MESSAGING_SERVICE_SID=MG0123456789abcdef0123456789abcdef\n")
        .variable("TWILIO_AUTH_TOKEN", "process");
    let loaded = desk.load();
    assert_eq!(loaded.telephony.twilio.auth_token.as_ref().unwrap().expose_secret(), "process");
    assert_eq!(loaded.telephony.tunnel.ngrok_domain.as_deref(), Some("vars.example"));
    assert_eq!(shown(&loaded, "twilio.authToken"), ("\"••••••••\"".into(), "env TWILIO_AUTH_TOKEN".into()));
    assert_eq!(
        shown(&loaded, "twilio.accountSid"),
        ("\"AC0123456789abcdef0123456789abcdef\"".into(), "openclaw.json:3:52".into())
    );
    let (value, origin) = shown(&loaded, "twilio.messagingServiceSid");
    assert_eq!(value, "\"MG0123456789abcdef0123456789abcdef\"");
    assert_eq!(desk.tidy(&origin), "env TWILIO_MESSAGING_SERVICE_SID (~/.openclaw/.env:2:1)");
    assert_eq!(loaded.environment.get("NGROK_DOMAIN"), Some("vars.example"));
}

#[test]
fn texts_are_filled_in_from_the_environment() {
    let desk = Desk::with_block(
        r#"{ agent: { unavailableText: "${NAME} is out, $${NAME}" }, publicUrl: "https://${HOST}/" }"#,
    )
    .variable("NAME", "Ada ${HOST}")
    .variable("HOST", "a.example");
    let telephony = desk.load().telephony;
    assert_eq!(telephony.agent.unavailable_text, "Ada ${HOST} is out, ${NAME}");
    assert_eq!(telephony.public_url.unwrap().webhook(), "https://a.example/telephony/webhook");
}

#[test]
fn a_variable_is_taken_as_it_is() {
    let desk = Desk::with_block("{}").variable("TWILIO_AUTH_TOKEN", "$HOME ${HOME}").variable("HOME", "/");
    assert_eq!(desk.load().telephony.twilio.auth_token.unwrap().expose_secret(), "$HOME ${HOME}");
}

#[test]
fn debug_output_shows_no_secret_and_no_whole_number() {
    let desk = Desk::with_block(
        r#"{ fromNumber: "+15550001234", twilio: { authToken: "s3cret", previousAuthTokens: ["s3cret"],
             sharedKeys: { k: "s3cret" } }, agent: { token: "s3cret", apiKey: "s3cret" } }"#,
    )
    .variable("NGROK_AUTHTOKEN", "s3cret");
    let loaded = desk.load();
    let debug = format!("{loaded:?}");
    assert!(!debug.contains("s3cret"), "{debug}");
    assert!(!debug.contains("+15550001234"), "{debug}");
    assert!(!lines(&loaded).contains("s3cret"));
}
