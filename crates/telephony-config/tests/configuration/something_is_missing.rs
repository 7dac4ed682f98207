//! An enabled channel lacks settings that its provider requires.

use crate::desk::Desk;

#[test]
fn every_missing_key_is_named_with_its_variable() {
    insta::assert_snapshot!(Desk::with_block("{ enabled: true, provider: 'twilio', twilio: {} }").problems());
    insta::assert_snapshot!(Desk::with_block("{ enabled: true }").problems());
}

#[test]
fn a_disabled_channel_loads_and_reports_missing_keys_when_used() {
    let loaded = Desk::with_block("{ provider: 'twilio', fromNumber: '+15550001234' }").load();
    let missing = loaded.check_complete().unwrap_err();
    let paths: Vec<_> = missing.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["channels.telephony.twilio.accountSid", "channels.telephony.twilio.authToken"]);
    assert!(Desk::with_block("{ provider: 'simulator' }").load().check_complete().is_ok());
}

#[test]
fn a_messaging_service_stands_in_for_a_number() {
    let desk = Desk::with_block("{ enabled: true, provider: 'twilio' }")
        .variable("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef")
        .variable("TWILIO_AUTH_TOKEN", "t")
        .variable("TWILIO_MESSAGING_SERVICE_SID", "MG0123456789abcdef0123456789abcdef");
    assert!(desk.load().check_complete().is_ok());
}

#[test]
fn half_an_api_key_is_a_problem_even_when_disabled() {
    let problems = Desk::with_block("{ twilio: { apiKeySecret: 's' } }").problems();
    assert!(problems.contains("twilio.apiKeySid: missing key\n  hint: an API key consists of"), "{problems}");
}
