//! Decoding an urlencoded body agrees with a second, simple decoder, and `Debug` hides the values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use telephony_fuzz::decode_form;
use telephony_providers::twilio::form::FormParameters;

fuzz_target!(|body: &[u8]| {
    let form = FormParameters::parse(body);
    let expected = decode_form(body);
    let pairs: Vec<_> = form.pairs().iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    assert_eq!(pairs, expected);

    for (name, _) in &expected {
        let first = expected.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        assert_eq!(form.get(name), first);
        assert_eq!(form.filled(name), first.filter(|value| !value.is_empty()));
    }
    let names: Vec<_> = expected.iter().map(|(name, _)| name).collect();
    assert_eq!(format!("{form:?}"), format!("{names:?}"));
});
