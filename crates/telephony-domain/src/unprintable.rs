//! Characters that mislead a reader: they reverse the line, move the cursor, or are invisible.

use std::borrow::Cow;
use std::fmt::Write;

/// From here on, scripts and emoji join characters with zero-width characters; Latin, Greek and Cyrillic do not.
const JOINING_SCRIPTS: char = '\u{530}';

/// The black flag that precedes the tag characters of a regional flag.
const BLACK_FLAG: char = '\u{1F3F4}';

/// Escapes misleading characters as `<U+202E>`; line breaks and tabs stay.
pub fn escape(text: &str) -> Cow<'_, str> {
    replace(text, |escaped, c| write!(escaped, "<U+{:04X}>", u32::from(c)))
}

/// Escapes misleading characters of a single-line text, including line breaks and tabs.
pub fn escape_line(text: &str) -> String {
    escape(text).replace('\r', "<U+000D>").replace('\n', "<U+000A>").replace('\t', "<U+0009>")
}

/// Escapes misleading characters of a JSON document as `\u202e`, which does not change its meaning.
pub fn escape_json(document: &str) -> Cow<'_, str> {
    replace(document, |escaped, c| {
        let mut units = [0; 2];
        c.encode_utf16(&mut units).iter().try_for_each(|unit| write!(escaped, "\\u{unit:04x}"))
    })
}

/// Replaces each misleading character with the output of `write_escape`.
fn replace(text: &str, write_escape: impl Fn(&mut String, char) -> std::fmt::Result) -> Cow<'_, str> {
    let is_plain = |byte: u8| matches!(byte, b'\n' | b'\t' | b' '..=b'~');
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let (mut escaped, mut before, mut is_in_flag) = (String::with_capacity(text.len()), None, false);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let after = rest.clone().next();
        is_in_flag = c == BLACK_FLAG || (is_in_flag && is_tag(c));
        if is_misleading(c, before, after, is_in_flag) {
            // Writing to a string cannot fail.
            let _ = write_escape(&mut escaped, c);
        } else {
            escaped.push(c);
        }
        before = Some(c);
    }
    Cow::Owned(escaped)
}

fn is_misleading(c: char, before: Option<char>, after: Option<char>, is_in_flag: bool) -> bool {
    let can_join = |neighbor: Option<char>| neighbor.is_some_and(|c| c >= JOINING_SCRIPTS && !is_always_misleading(c));
    match c {
        '\n' | '\t' => false,
        '\r' => after != Some('\n'),
        '\u{200C}' | '\u{200D}' => !(can_join(before) && can_join(after)),
        '\u{E0100}'..='\u{E01EF}' => !can_join(before),
        c if is_tag(c) => !is_in_flag,
        c => is_always_misleading(c),
    }
}

pub(crate) fn is_always_misleading(c: char) -> bool {
    c.is_control() || is_direction(c) || is_invisible(c)
}

/// Returns true for marks, embeddings, overrides and isolates of the bidirectional algorithm.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Returns true for line separators that terminals do not know, and for characters without visible width or with only
/// blank space.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}' | '\u{200B}'
        | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}')
}

/// Returns true for invisible copies of ASCII characters.
fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Generates all control characters and all direction controls, from Unicode's tables.
    fn misleading() -> impl Iterator<Item = char> {
        let controls = ('\0'..='\u{1F}').chain('\u{7F}'..='\u{9F}').filter(|c| !matches!(c, '\n' | '\t'));
        let directions = ['\u{61C}', '\u{200E}', '\u{200F}', '\u{2028}', '\u{2029}', '\u{200B}', '\u{FEFF}', '\u{AD}'];
        controls.chain(directions).chain('\u{202A}'..='\u{202E}').chain('\u{2060}'..='\u{2069}')
    }

    #[test]
    fn each_misleading_character_is_written_as_its_number() {
        for c in misleading() {
            for text in [format!("a{c}b"), format!("{c}"), format!("ü{c}é"), format!("שלום{c}"), format!("{c}{c}")]
            {
                let escaped = escape(&text);
                assert!(!escaped.contains(c), "{text:?}");
                assert!(escaped.contains(&format!("<U+{:04X}>", u32::from(c))), "{escaped}");
            }
        }
        assert_eq!(escape("\u{202E}moc.live\u{1b}[2J"), "<U+202E>moc.live<U+001B>[2J");
    }

    #[test]
    fn ordinary_texts_stay_as_they_are() {
        for text in [
            "two\nlines\tand a tab",
            "Grüße, ça va? Привет",
            "שלום עולם, مرحبا",
            "नमस्ते क्\u{200D}ष می\u{200C}خواهم",
            "👨\u{200D}👩\u{200D}👧 ❤\u{FE0F}\u{200D}🔥 1\u{FE0F}\u{20E3} 🇩🇪",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
            "辻\u{E0100}",
        ] {
            assert_eq!(escape(text), text);
        }
    }

    #[test]
    fn joiners_and_tags_are_shown_where_they_join_nothing() {
        for (text, shown) in [
            ("pay\u{200D}pal", "pay<U+200D>pal"),
            ("é\u{200C}a", "é<U+200C>a"),
            ("👨\u{200D}", "👨<U+200D>"),
            ("👨\u{200D}\u{200D}👨", "👨\u{200D}\u{200D}👨"),
            ("a\u{E0061}", "a<U+E0061>"),
            ("🏴x\u{E0067}", "🏴x<U+E0067>"),
        ] {
            assert_eq!(escape(text), shown);
        }
    }

    #[test]
    fn a_text_of_one_line_stays_on_it() {
        assert_eq!(escape("a\r\nb\rc"), "a\r\nb<U+000D>c");
        assert_eq!(escape_line("a\r\nb\tc"), "a<U+000D><U+000A>b<U+0009>c");
    }

    proptest! {
        #[test]
        fn an_escaped_text_has_nothing_left_to_escape(text in "(?s)[\u{1}-\u{2100}\u{E0000}-\u{E0200}🏴👨]{0,40}") {
            let escaped = escape(&text).into_owned();
            prop_assert!(!escaped.chars().any(is_always_misleading_here));
        }

        #[test]
        fn an_escaped_document_means_the_same(text in "(?s).{0,40}[\u{202A}-\u{202E}\u{7F}-\u{9F}\u{E0001}]{0,3}") {
            let document = serde_json::to_string(&text).unwrap();
            let escaped = escape_json(&document);
            prop_assert!(!escaped.chars().any(is_always_misleading_here));
            prop_assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }
    }

    fn is_always_misleading_here(c: char) -> bool {
        is_always_misleading(c) && !matches!(c, '\r' | '\n' | '\t')
    }
}
