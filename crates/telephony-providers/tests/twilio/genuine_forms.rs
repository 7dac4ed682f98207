//! Forms that Twilio sends, or may send one day, are accepted.

use telephony_providers::provider::WebhookEvent;

use crate::forms::{FORGED, FROM, Fields, OPERATOR, SID, documented, judge, names, text, with};
use crate::stand_in::ACCOUNT;

/// Returns an example value from the documentation.
fn example(kind: &str, name: &str) -> String {
    let shown = documented()[kind].as_array().unwrap().iter().find(|field| field["name"] == name).cloned();
    let shown = shown.map_or(String::new(), |field| field["example"].as_str().unwrap().to_owned());
    match name {
        "AccountSid" => ACCOUNT.to_owned(),
        "MessageSid" | "SmsSid" | "SmsMessageSid" => SID.to_owned(),
        "CallSid" => "CA0123456789abcdef0123456789abcdef".to_owned(),
        "ParentCallSid" => "CA1123456789abcdef0123456789abcdef".to_owned(),
        "From" | "Caller" | "ForwardedFrom" => FROM.to_owned(),
        "To" | "Called" => "+15550001234".to_owned(),
        "CallStatus" => "ringing".to_owned(),
        "SmsStatus" if kind == "message_status" => "delivered".to_owned(),
        _ => shown.split('|').next().unwrap().to_owned(),
    }
}

#[test]
fn every_documented_callback_is_accepted() {
    for (kind, base) in [
        ("inbound_message", vec![]),
        ("message_status", vec![]),
        ("voice_request", vec![]),
        ("gather_action_extra", vec!["voice_request"]),
        ("call_status_extra", vec!["voice_request"]),
        ("fallback_extra", vec!["voice_request"]),
        ("fallback_extra", vec!["inbound_message"]),
        ("async_amd_callback", vec![]),
        ("recording_status", vec![]),
        ("stream_status", vec![]),
        ("conversationrelay_action", vec![]),
        ("debugger_event", vec![]),
    ] {
        let mut fields = Fields::new();
        for kind in base.into_iter().chain([kind]) {
            for name in names(kind) {
                if !fields.iter().any(|(known, _)| *known == name) {
                    fields.push((name.clone(), example(kind, &name)));
                }
            }
        }
        let judged = judge(&fields);
        assert!(judged.is_ok(), "{kind}: {judged:?}");
    }
}

#[test]
fn undocumented_parameters_are_accepted() {
    for (name, value) in [
        ("FromCarrier", "Example Mobile"),
        ("TotalPrice", "0.01"),
        ("Token", "To be"),
        ("MessageKind", "sms"),
        ("ToCountryCode", "1"),
        ("x", "From here To there"),
        ("", ""),
    ] {
        let judged = judge(&with(&[(name, value)]));
        assert!(matches!(judged, Ok(WebhookEvent::Message(_))), "{name}={value}: {judged:?}");
    }
}

/// Twilio adds parameters over time, and names them like the existing ones.
#[test]
fn parameters_that_extend_documented_names_are_accepted() {
    let names = [
        "Body",
        "MediaUrl",
        "MediaUrl0",
        "MessageStatus",
        "SmsStatus",
        "CallStatus",
        "OptOutType",
        "NumMedia",
        "ProfileName",
    ];
    let endings = ["Language", "Code", "Expiry", "Expiry0", "ReadAt", "Source", "s", "2"];
    let values = ["", "en", "1", "x", "https://example.com/", "2026-11-30T01:00:00Z", "text From here To there"];
    for name in names {
        for ending in endings {
            let numbered = format!("{name}{ending}");
            for value in
                values.into_iter().filter(|value| !numbered.starts_with("MediaUrl") || !value.starts_with("http"))
            {
                let mut fields = with(&[(&numbered, value)]);
                let judged = judge(&fields);
                assert!(matches!(judged, Ok(WebhookEvent::Message(_))), "{numbered}={value}: {judged:?}");
                fields.retain(|(name, _)| name != "Body");
                fields.iter_mut().find(|(name, _)| name == "SmsStatus").unwrap().1 = "delivered".to_owned();
                let judged = judge(&fields);
                assert!(matches!(judged, Ok(WebhookEvent::MessageStatus(_))), "{numbered}={value}: {judged:?}");
            }
        }
    }
    for (name, value) in [("TranslatedBody", "hello"), ("QuotedBodyText", "hello"), ("SenderProfileName", "Ann")] {
        let judged = judge(&with(&[(name, value), ("ProfileName", "Bob")]));
        assert!(matches!(judged, Ok(WebhookEvent::Message(_))), "{name}={value}: {judged:?}");
    }
}

#[test]
fn texts_that_look_like_fields_are_accepted() {
    let all: Vec<String> = names("inbound_message").iter().map(|name| format!("{name}{OPERATOR}")).collect();
    for body in [
        "From+1555!".to_owned(),
        format!("APPROVE ABCD2345From{OPERATOR}MessageSid{FORGED}MessageSidX"),
        format!("MessageSid{SID}"),
        format!("x From{OPERATOR}"),
        "OptOutTypeSTOP".to_owned(),
        "From".to_owned(),
        all.concat(),
    ] {
        let Ok(WebhookEvent::Message(arrival)) = judge(&text(&body)) else {
            panic!("{body}: {:?}", judge(&text(&body)))
        };
        assert_eq!((arrival.text, arrival.from.as_str(), arrival.provider_id.as_str()), (body, FROM, SID));
    }
    for name in ["ProfileName", "FromCity", "ButtonText", "ErrorMessage"] {
        let judged = judge(
            &text("hello")
                .into_iter()
                .filter(|(known, _)| known != name)
                .chain([(name.to_owned(), "From+1555!".to_owned())])
                .collect::<Vec<_>>(),
        );
        assert!(judged.is_ok(), "{name}: {judged:?}");
    }
}
