//! Numbers, short codes and sender IDs as lines; prefixes of numbers.

use telephony_domain::line_address::LineAddress;

use crate::desk::Desk;

/// Texts that are neither a number, nor a short code, nor a sender ID.
const NO_LINES: [&str; 10] =
    ["", "123", "+72345", "sms:+723456", "5550001", "15550001234", "+1XXXXXXXXXX", "Twelveletters", "ACME!", " ACME"];

fn desk(key: &str, value: &str) -> Desk {
    let value = serde_json::Value::from(value);
    Desk::with_block(&format!("{{ provider: 'simulator', {key}: {value} }}"))
}

#[test]
fn short_codes_and_sender_ids_are_lines() {
    for code in ["7234", "72345", "723456"] {
        let desk = desk("fromNumber", code);
        assert_eq!(desk.load().telephony.from_number, Some(LineAddress::ShortCode(code.to_owned())));
        assert!(!desk.warnings().join("\n").contains("fromNumber"), "{code}");
    }
    for name in ["A", "ACME", "My-Bank 1", "AT&T", "Elevenchars", "a_b+c", "1stBank"] {
        let desk = desk("fromNumber", name);
        assert_eq!(desk.load().telephony.from_number, Some(LineAddress::SenderId(name.to_owned())));
        let warnings = desk.warnings().join("\n");
        assert!(warnings.contains("can only send") && warnings.contains("opt out"), "{warnings}");
    }
    for bad in NO_LINES.into_iter().chain(["+ACME"]) {
        let problems = desk("fromNumber", bad).problems();
        assert!(problems.contains("short code") && problems.contains("sender id"), "{bad}: {problems}");
    }
}

#[test]
fn the_prefixes_of_a_phone_are_understood_and_those_of_other_channels_are_not() {
    let number = "+15550005678";
    for prefix in ["", "sms:", "SMS:", "twilio-sms:", "Twilio-SMS:", "rcs:", "RCS:", "tel:"] {
        let block = format!(
            "{{ provider: 'simulator', fromNumber: '+15550001234', allowFrom: ['{prefix}{number}'], \
             operator: {{ number: '{prefix}{number}' }} }}"
        );
        let telephony = Desk::with_block(&block).load().telephony;
        assert!(telephony.policy.allow.contains(&number.parse().unwrap()), "{prefix}");
        assert_eq!(telephony.operator.number, number.parse().ok());
    }
    for short in ["+1", "+72345", "sms:+723456"] {
        for block in [format!("allowFrom: ['{short}']"), format!("operator: {{ number: '{short}' }}")] {
            let problems = Desk::with_block(&format!("{{ provider: 'simulator', {block} }}")).problems();
            assert!(problems.contains("E.164"), "{block}: {problems}");
        }
    }
    for prefix in ["whatsapp:", "messenger:", "sip:"] {
        let block = format!("{{ provider: 'simulator', allowFrom: ['{prefix}{number}'] }}");
        assert!(Desk::with_block(&block).problems().contains("E.164"), "{prefix}");
    }
}

#[test]
fn the_schema_says_the_same_of_lines() {
    let schema = telephony_config::schema();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let accepts = |value: &str| validator.is_valid(&serde_json::json!({ "fromNumber": value }));
    for good in ["+15550001234", "sms:+15550001234", "7234", "72345", "ACME", "My-Bank 1", "A", "Elevenchars"] {
        assert!(accepts(good), "{good}");
    }
    for bad in NO_LINES.into_iter().chain(["ACME "]) {
        assert!(!accepts(bad), "{bad}");
    }
}
