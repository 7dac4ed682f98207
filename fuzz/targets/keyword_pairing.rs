//! Texts that may be keywords, pairing codes or phone numbers. The input is a line with the provider's classification,
//! then the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use telephony_domain::keyword::{Keyword, classify};
use telephony_domain::number::{PhoneNumber, mask};
use telephony_domain::pairing::PairingCode;
use telephony_domain::sms::segment::count;
use telephony_fuzz::lines;

fuzz_target!(|input: &[u8]| {
    let ([provider_says], text) = lines(input);
    let text = String::from_utf8_lossy(text);
    keyword(&text, &provider_says);
    code(&text);
    number(&text);
    if let Some(random) = input.first_chunk() {
        challenge(PairingCode::from_random(*random));
    }
});

fn keyword(text: &str, provider_says: &str) {
    let alone = classify(text, None, false);
    let opted_out = classify(text, None, true);
    // No text opts in or gets help without asking, and a contact who has opted out can always opt in again.
    assert!(matches!(alone, None | Some(Keyword::OptOut)));
    assert!(alone.is_none() || opted_out == alone);
    assert!(opted_out.is_none() || text.trim().bytes().all(|byte| byte.is_ascii_alphabetic()));
    assert_eq!(classify(&text.to_ascii_lowercase(), None, true), opted_out);
    for is_opted_out in [false, true] {
        let expected = match provider_says.trim().to_ascii_uppercase().as_str() {
            "STOP" => Some(Keyword::OptOut),
            "START" => Some(Keyword::OptIn),
            "HELP" => Some(Keyword::Help),
            _ => classify(text, None, is_opted_out),
        };
        assert_eq!(classify(text, Some(provider_says), is_opted_out), expected);
    }
}

fn code(text: &str) {
    match text.parse::<PairingCode>() {
        Ok(code) => {
            assert_eq!(code.as_str().len(), 8);
            assert!(code.as_str().bytes().all(|c| c.is_ascii_alphanumeric() && !b"0O1I".contains(&c)));
            let typed: String = text.to_ascii_uppercase().split(|c: char| c.is_whitespace() || c == '-').collect();
            assert_eq!(typed, code.as_str());
            challenge(code);
        }
        // The log message is the same for every guess, so that no message text gets into a log.
        Err(error) => assert_eq!(error.to_string(), refusal_of_nothing()),
    }
}

fn refusal_of_nothing() -> String {
    "".parse::<PairingCode>().expect_err("nothing is not a code").to_string()
}

fn challenge(code: PairingCode) {
    let spaced = format!(" {}-{}\n", &code.as_str()[..4].to_lowercase(), &code.as_str()[4..]);
    assert_eq!(spaced.parse::<PairingCode>().as_ref(), Ok(&code));
    assert!(!format!("{code:?}").contains(code.as_str()));
    let longest: PhoneNumber = "+999999999999999".parse().expect("a number");
    assert_eq!(count(&code.challenge_text(&longest, Default::default())).segments, 1);
}

fn number(text: &str) {
    let masked = mask(text);
    // Apart from the channel's name, at most nine characters are shown.
    let is_channel = |name: &str| name.len() <= 16 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    let shown = masked.split_once(':').filter(|(name, _)| is_channel(name)).map_or(&*masked, |(_, shown)| shown);
    assert!(shown.chars().count() <= 12);
    if let Ok(number) = text.parse::<PhoneNumber>() {
        assert_eq!(number.as_str(), text);
        assert!(text.starts_with('+') && (3..=16).contains(&text.len()));
        assert!(text.len() <= 5 || number.masked() != text);
    }
}
