//! One signature covers several divisions of the same text into fields; those that Twilio cannot have sent are
//! rejected.

use proptest::prelude::*;
use serde_json::Value;
use telephony_providers::provider::{Event, Rejection};

use crate::stand_in::ACCOUNT;
use crate::webhooks::verdict;

const SID: &str = "SM0123456789abcdef0123456789abcdef";
const FORGED: &str = "SMffffffffffffffffffffffffffffffff";
const FROM: &str = "+15550005678";
const OPERATOR: &str = "+15550000001";

type Fields = Vec<(String, String)>;

fn judge(fields: &[(String, String)]) -> Result<Event, Rejection> {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    verdict("token", "", &fields)
}

/// Returns a text as Twilio sends it, in the order that is signed.
fn text(body: &str) -> Fields {
    let fields = [
        ("AccountSid", ACCOUNT),
        ("ApiVersion", "2010-04-01"),
        ("Body", body),
        ("From", FROM),
        ("FromCity", "SAN ANTONIO"),
        ("FromCountry", "US"),
        ("FromState", "TX"),
        ("FromZip", "94107"),
        ("MessageSid", SID),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
        ("SmsMessageSid", SID),
        ("SmsSid", SID),
        ("SmsStatus", "received"),
        ("To", "+15550001234"),
        ("ToCity", ""),
    ];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn with(more: &[(&str, &str)]) -> Fields {
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    text("hello").into_iter().chain(more).collect()
}

fn glued(fields: &[(String, String)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}{value}")).collect()
}

fn documented() -> Value {
    serde_json::from_str(include_str!("../data/webhook_params.json")).unwrap()
}

fn names(kind: &str) -> Vec<String> {
    let list = documented()[kind].as_array().unwrap().clone();
    list.iter().map(|field| field["name"].as_str().unwrap().replace("{N}", "0")).collect()
}

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
        assert!(matches!(judged, Ok(Event::Message(_))), "{name}={value}: {judged:?}");
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
                assert!(matches!(judged, Ok(Event::Message(_))), "{numbered}={value}: {judged:?}");
                fields.retain(|(name, _)| name != "Body");
                fields.iter_mut().find(|(name, _)| name == "SmsStatus").unwrap().1 = "delivered".to_owned();
                let judged = judge(&fields);
                assert!(matches!(judged, Ok(Event::MessageStatus(_))), "{numbered}={value}: {judged:?}");
            }
        }
    }
    for (name, value) in [("TranslatedBody", "hello"), ("QuotedBodyText", "hello"), ("SenderProfileName", "Ann")] {
        let judged = judge(&with(&[(name, value), ("ProfileName", "Bob")]));
        assert!(matches!(judged, Ok(Event::Message(_))), "{name}={value}: {judged:?}");
    }
}

#[test]
fn a_documented_field_behind_a_name_that_only_looks_new_is_refused() {
    for field in [
        "MediaUrl0https://api.twilio.com/media",
        "MessageStatusreceived",
        "SmsStatusdelivered",
        "OptOutTypeSTOP",
        "MessagingServiceSidMG0123456789abcdef0123456789abcdef",
    ] {
        let shortest = field.find(|c: char| c.is_ascii_lowercase()).unwrap();
        for cut in shortest..field.len() {
            let (name, value) = field.split_at(cut);
            if names("inbound_message").iter().chain(&names("message_status")).any(|known| known == name) {
                continue;
            }
            let judged = judge(&with(&[(name, value)]));
            assert!(matches!(judged, Err(Rejection::Tampered(_))), "{name}={value}: {judged:?}");
        }
    }
}

#[test]
fn the_text_of_a_message_cannot_be_hidden() {
    let genuine = text("transfer nothing");
    let glue = "Bodytransfer nothing";
    for cut in 0..=glue.len() {
        let (name, value) = glue.split_at(cut);
        let cut: Fields = genuine
            .iter()
            .map(
                |(known, text)| {
                    if known == "Body" { (name.to_owned(), value.to_owned()) } else { (known.clone(), text.clone()) }
                },
            )
            .collect();
        let judged = judge(&cut);
        assert_eq!(judged.is_ok(), name == "Body", "{name}={value}: {judged:?}");
    }
    for holder in ["ApiVersion", "AddOns", "Address"] {
        let mut fields = text("");
        fields.retain(|(name, _)| name != "Body" && name != holder);
        fields.push((holder.to_owned(), format!("2010-04-01{glue}")));
        assert!(matches!(judge(&fields), Err(Rejection::Tampered(_))), "{holder}");
    }
    let mut fields = text("nothing");
    fields.iter_mut().find(|(name, _)| name == "ApiVersion").unwrap().1 = "2010-04-01Bodytransfer ".to_owned();
    assert!(matches!(judge(&fields), Err(Rejection::Tampered(_))), "the beginning of a text is hidden");
}

#[test]
fn a_rejection_names_the_parameter_and_never_its_value() {
    let why = |name: &str, value: &str| judge(&with(&[(name, value)])).unwrap_err().to_string();
    for (name, is_shown) in
        [("Carrier", true), ("carrier", false), ("Carrier pigeon", false), (&"Secret".repeat(9), false)]
    {
        let why = why(name, &format!("secretFrom{OPERATOR}"));
        assert_eq!(why.contains(name), is_shown, "{why}");
        assert!(why.contains("From occurs within") && !why.contains("secret") && !why.contains(OPERATOR), "{why}");
    }
}

#[test]
fn a_value_with_an_embedded_field_is_rejected_at_every_split() {
    for field in [
        format!("From{OPERATOR}"),
        "Fromwhatsapp:+15550000001".to_owned(),
        "From72345".to_owned(),
        "To+15550001234".to_owned(),
        format!("MessageSid{SID}"),
        format!("SmsMessageSid{SID}"),
        format!("SmsSid{SID}"),
        "BodyAPPROVE ABCD2345".to_owned(),
        "OptOutTypeSTOP".to_owned(),
        "NumMedia0".to_owned(),
        "SmsStatusreceived".to_owned(),
        "FromCityPARIS".to_owned(),
    ] {
        for before in ["x", "MessageSid", "Z9", "note"] {
            let glue = format!("{before}{field}rest");
            // At every possible end of a name.
            for cut in 0..=glue.len() {
                let judged = judge(&with(&[glue.split_at(cut)]));
                assert!(matches!(judged, Err(Rejection::Tampered(_))), "{:?}: {judged:?}", glue.split_at(cut));
            }
        }
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
        let Ok(Event::Message(arrival)) = judge(&text(&body)) else { panic!("{body}: {:?}", judge(&text(&body))) };
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

#[test]
fn sids_must_agree_and_fields_must_not_repeat() {
    for name in ["MessageSid", "SmsMessageSid", "SmsSid"] {
        let mut fields = text("hello");
        fields.iter_mut().find(|(known, _)| known == name).unwrap().1 = FORGED.to_owned();
        assert!(matches!(judge(&fields), Err(Rejection::Tampered(_))), "{name}");
    }
    for name in ["From", "To", "MessageSid", "SmsSid", "SmsMessageSid", "Body", "AccountSid", "SmsStatus"] {
        let judged = judge(&with(&[(name, "other")]));
        assert!(matches!(judged, Err(Rejection::Tampered(_))), "{name}: {judged:?}");
    }
    assert!(matches!(judge(&with(&[("OptOutType", "STOP"), ("OptOutType", "START")])), Err(Rejection::Tampered(_))));
}

/// A field swallows the ones behind it: Twilio's verdict on a text, its pictures and its addresses stay what they were.
#[test]
fn no_field_swallows_those_behind_it() {
    let service = "MG0123456789abcdef0123456789abcdef";
    let more = [
        ("Latitude", "1.5"),
        ("Longitude", "2.5"),
        ("Label", "home"),
        ("MediaContentType0", "image/png"),
        ("MediaUrl0", "https://api.twilio.com/media"),
        ("MessagingServiceSid", service),
        ("OptOutType", "STOP"),
        ("OtherRecipients0", "+15550009999"),
        ("ProfileName", "Ann"),
        ("Unknown", "new"),
    ];
    let mut genuine = with(&more);
    genuine.sort();
    let Ok(Event::Message(whole)) = judge(&genuine) else { panic!("{:?}", judge(&genuine)) };
    for first in 0..genuine.len() {
        for behind in first + 1..genuine.len() {
            let mut cut = genuine.clone();
            let swallowed: Fields = cut.drain(first + 1..=behind).collect();
            cut[first].1.push_str(&glued(&swallowed));
            let Ok(event) = judge(&cut) else { continue };
            let Event::Message(arrival) = event else { panic!("{:?}: {event:?}", cut[first]) };
            assert_eq!((&arrival.from, &arrival.to), (&whole.from, &whole.to), "{:?}", cut[first]);
            assert_eq!(
                (&arrival.opt_out_type, &arrival.media),
                (&whole.opt_out_type, &whole.media),
                "{:?}",
                cut[first]
            );
            assert_eq!(arrival.messaging_service, whole.messaging_service, "{:?}", cut[first]);
        }
    }
}

#[test]
fn every_form_of_the_approval_attack_is_rejected() {
    for (sid_field, hiding_name) in [
        ("MessageSid", "MessageSidX"),
        ("MessageSid", "ProfileName"),
        ("MessageSid", "Label"),
        ("MessageSid", "OriginalRepliedMessageSid"),
        ("MessageSid", "Zip"),
        ("MessageSid", "S"),
    ] {
        let body = format!("APPROVE ABCD2345From{OPERATOR}{sid_field}{FORGED}{hiding_name}");
        let genuine = text(&body);
        let rest: String = glued(&genuine).split_once(hiding_name).unwrap().1.to_owned();
        let mut forged: Fields = genuine[..2].to_vec();
        for (name, value) in [("Body", "APPROVE ABCD2345"), ("From", OPERATOR), (sid_field, FORGED)] {
            forged.push((name.to_owned(), value.to_owned()));
        }
        // Everything else is hidden, or everything before our real address.
        let (hidden, to) = rest.split_once("To+").unwrap();
        for end in [
            vec![(hiding_name, rest.as_str())],
            vec![(hiding_name, hidden), ("To", &format!("+{}", to.replace("ToCity", "")))],
        ] {
            let end = end.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            let forged: Fields = forged.iter().cloned().chain(end).collect();
            let judged = judge(&forged);
            assert!(judged.is_err(), "{hiding_name}: {judged:?}");
        }
    }
}

/// Divides the text of `fields` differently: at some of the places where a documented name begins, and at some others.
fn cut_anew(whole: &str, cuts: &[(prop::sample::Index, prop::sample::Index)]) -> Fields {
    let known: Vec<String> = ["inbound_message", "message_status"].iter().flat_map(|kind| names(kind)).collect();
    let mut places: Vec<(usize, usize)> = Vec::new();
    for name in &known {
        places.extend(whole.match_indices(name.as_str()).map(|(place, _)| (place, place + name.len())));
    }
    places.sort_unstable();
    let mut chosen: Vec<(usize, usize)> = vec![(0, "AccountSid".len())];
    for (place, extra) in cuts {
        let (start, end) = places[place.index(places.len())];
        // Occasionally an undocumented name.
        let end = if extra.index(5) == 0 { (start + 1 + extra.index(30)).min(whole.len()) } else { end };
        chosen.push((start, end));
    }
    chosen.sort_unstable();
    chosen.dedup_by_key(|(start, _)| *start);
    // Names in another order would be another text.
    let mut names = String::new();
    chosen.retain(|(start, end)| {
        let is_behind = whole[*start..*end] >= *names;
        if is_behind {
            names = whole[*start..*end].to_owned();
        }
        is_behind
    });
    let ends = chosen.iter().skip(1).map(|(start, _)| *start).chain([whole.len()]).collect::<Vec<_>>();
    let fields = chosen.iter().zip(ends);
    fields
        .map(|((start, name_end), end)| {
            let name_end = (*name_end).min(end);
            (whole[*start..name_end].to_owned(), whole[name_end..end].to_owned())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// In any division, the message keeps its id and its sender, or it is rejected.
    #[test]
    fn no_split_changes_the_id_or_sender_of_a_message(
        cuts in prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 5..24),
        hiding in "(MessageSidX|ProfileName|Label|InteractiveData|FromCity|FromZip|)",
        tail in "(To\\+15550001234|SmsStatusreceived|)",
    ) {
        let body = format!("APPROVE ABCD2345From{OPERATOR}MessageSid{FORGED}{tail}{hiding}");
        let genuine = text(&body);
        let whole = glued(&genuine);
        let cut = cut_anew(&whole, &cuts);
        prop_assert_eq!(glued(&cut), whole.as_str());
        // Other orders are other texts with other signatures.
        prop_assume!(cut.is_sorted());
        if let Ok(Event::Message(arrival)) = judge(&cut) {
            prop_assert_eq!(arrival.provider_id.as_str(), SID, "{:?}", cut);
            prop_assert_eq!(arrival.from.as_str(), FROM, "{:?}", cut);
        }
    }
}
