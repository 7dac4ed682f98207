//! Removing Markdown from an answer never fails, adds no text and keeps what is not Markdown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use telephony_domain::plain_text::from_markdown;

/// Characters that can be part of a mark, or of a URL that is shown once instead of twice.
const MARKS: &str = "*_~`#>|[]()!<&\\-+=:0123456789.\t\r";

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let plain = from_markdown(&text);
    // A link gets one space, a table a bar and two spaces per cell; marks are at least one byte long.
    assert!(plain.len() <= 3 * text.len(), "{} bytes became {}", text.len(), plain.len());

    // Letters come from the text, unless an entity encodes them.
    if !text.contains('&') {
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        assert!(letters(&plain) <= letters(&text), "letters were invented");
    }
    let without_marks: String = text.chars().filter(|&c| !MARKS.contains(c)).collect();
    assert_eq!(from_markdown(&without_marks), without_marks);
});
