//! Settings of outgoing calls: terms, limits, countries, and quiet hours.

use std::time::Duration;

use telephony_domain::call::afterwards::SummaryRecipient;
use telephony_domain::call::plan::{Dialing, MachineRule};
use telephony_domain::dialing::Country;
use telephony_domain::time::Timestamp;

use crate::desk::{Desk, shown};

fn countries(block: &str) -> Option<Vec<String>> {
    let countries = Desk::with_block(block).load().telephony.limits.call_countries;
    countries.map(|countries| countries.iter().map(Country::to_string).collect())
}

#[test]
fn calls_are_limited_by_default() {
    let telephony = Desk::with_block("{}").load().telephony;
    let (voice, limits) = (&telephony.voice, &telephony.limits);
    assert_eq!(voice.dialing, Dialing { ring: Duration::from_secs(30), machine: MachineRule::LeaveMessage });
    assert_eq!((limits.calls_per_hour, limits.call_minutes_per_day), (Some(10), Some(120)));
    assert_eq!(limits.quiet_hours.map(|hours| hours.to_string()).as_deref(), Some("21:00-08:00"));
    assert_eq!((voice.summary, voice.missed_call_text.as_deref()), (None, None));
}

#[test]
fn the_lines_own_country_may_be_called_unless_others_are_listed() {
    for (block, expected) in [
        (r#"{ fromNumber: "+15550001234" }"#, Some(vec!["US"])),
        (r#"{ fromNumber: "+14165550100" }"#, Some(vec!["CA"])),
        (r#"{ fromNumber: "+4915112345678" }"#, Some(vec!["DE"])),
        (r#"{ fromNumber: "72345" }"#, Some(vec![])),
        (r#"{ fromNumber: "+15550001234", limits: { callCountries: ["GB", "DE"] } }"#, Some(vec!["GB", "DE"])),
        (r#"{ fromNumber: "+15550001234", limits: { callCountries: [] } }"#, Some(vec![])),
        (r#"{ fromNumber: "+15550001234", limits: { callCountries: null } }"#, None),
    ] {
        let expected = expected.map(|codes| codes.into_iter().map(str::to_owned).collect());
        assert_eq!(countries(block), expected, "{block}");
    }
    let loaded = Desk::with_block(r#"{ fromNumber: "+15550001234" }"#).load();
    assert_eq!(shown(&loaded, "limits.callCountries"), (r#"["US"]"#.into(), "default".into()));
}

#[test]
fn every_limit_on_calls_can_be_changed_and_lifted() {
    let block = r#"{
        voice: { ringSeconds: 5, machine: "hang-up", summary: "operator", missedCallText: "We missed your call." },
        operator: { number: "+15550001111" },
        limits: { callsPerHour: 3, callMinutesPerDay: 15, quietHours: "22:30-06:00", timeZone: "Europe/Berlin" },
    }"#;
    let telephony = Desk::with_block(block).load().telephony;
    let (voice, limits) = (&telephony.voice, &telephony.limits);
    assert_eq!(voice.dialing, Dialing { ring: Duration::from_secs(5), machine: MachineRule::HangUp });
    assert_eq!(voice.summary, Some(SummaryRecipient::Operator));
    assert_eq!(voice.missed_call_text.as_deref(), Some("We missed your call."));
    assert_eq!((limits.calls_per_hour, limits.call_minutes_per_day), (Some(3), Some(15)));
    // 1970-01-01T21:45Z is 22:45 in Berlin.
    let (hours, evening) = (limits.quiet_hours.unwrap(), Timestamp((21 * 60 + 45) * 60_000));
    assert_eq!(hours.end(evening, &limits.time_zone()), Some(Timestamp(29 * 60 * 60_000)));
    let none = r#"{ limits: { callsPerHour: null, callMinutesPerDay: null, quietHours: null } }"#;
    let limits = Desk::with_block(none).load().telephony.limits;
    assert_eq!((limits.calls_per_hour, limits.call_minutes_per_day, limits.quiet_hours), (None, None, None));
}

#[test]
fn a_summary_without_its_recipient_is_reported_where_it_is_written() {
    let desk = Desk::new().file(
        "openclaw.json",
        "{ channels: { telephony: {\n  fromNumber: \"+15550001234\",\n  voice: { summary: \"operator\" },\n} } }",
    );
    let problems = desk.problems();
    assert!(
        problems.contains("openclaw.json:3:12: channels.telephony.voice.summary: there is no operator"),
        "{problems}"
    );
}

#[test]
fn a_wrong_limit_on_calls_is_a_problem_with_its_place_and_the_expected_form() {
    let desk = Desk::new().file(
        "openclaw.json",
        r#"{ channels: { telephony: {
            fromNumber: "+15550001234",
            voice: { ringSeconds: 4, machine: "voicemail", summary: "both", missedCallText: "  ", fillers: ["Wait.", " "] },
            limits: {
                callsPerHour: 0,
                callMinutesPerDay: -1,
                callCountries: ["UK", "us"],
                quietHours: "21-8",
                timeZone: "Berlin",
            },
        } } }"#,
    );
    insta::assert_snapshot!(desk.problems());
    let more = r#"{ voice: { ringSeconds: 601 }, limits: { callCountries: "US", quietHours: "08:00-08:00" } }"#;
    insta::assert_snapshot!(Desk::with_block(more).problems());
}
