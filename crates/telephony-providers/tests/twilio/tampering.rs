//! One signature covers several divisions of the same text into fields; those that Twilio cannot have sent are
//! rejected.

use proptest::prelude::*;
use telephony_providers::provider::{Rejection, WebhookEvent};

use crate::forms::{FORGED, FROM, Fields, OPERATOR, SID, glued, judge, names, text, with};

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
    let Ok(WebhookEvent::Message(whole)) = judge(&genuine) else { panic!("{:?}", judge(&genuine)) };
    for first in 0..genuine.len() {
        for behind in first + 1..genuine.len() {
            let mut cut = genuine.clone();
            let swallowed: Fields = cut.drain(first + 1..=behind).collect();
            cut[first].1.push_str(&glued(&swallowed));
            let Ok(event) = judge(&cut) else { continue };
            let WebhookEvent::Message(arrival) = event else { panic!("{:?}: {event:?}", cut[first]) };
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

/// Divides a text differently: at some of the places where a documented name begins, and at some others.
fn divided(whole: &str, cuts: &[(prop::sample::Index, prop::sample::Index)]) -> Fields {
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
        let cut = divided(&whole, &cuts);
        prop_assert_eq!(glued(&cut), whole.as_str());
        // Other orders are other texts with other signatures.
        prop_assume!(cut.is_sorted());
        if let Ok(WebhookEvent::Message(arrival)) = judge(&cut) {
            prop_assert_eq!(arrival.provider_id.as_str(), SID, "{:?}", cut);
            prop_assert_eq!(arrival.from.as_str(), FROM, "{:?}", cut);
        }
    }
}
