//! Converts an agent's Markdown to speech: no marks, emoji or URLs; lists as sentences; phone numbers and codes digit
//! by digit.

mod digits;

use unicode_segmentation::UnicodeSegmentation;

use crate::plain_text;

/// Words to say, and the omitted links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Speech {
    /// Words in the form of spoken sentences.
    pub words: String,
    /// The links in the text, in order.
    pub links: Vec<String>,
}

/// Said instead of a link.
const LINK_IN_A_TEXT: &str = "a link, I will text it to you";
const LINK: &str = "a link";

/// Converts Markdown to speech. A caller who can get texts hears that links follow.
pub fn from_markdown(text: &str, can_be_texted: bool) -> Speech {
    let plain = plain_text::from_markdown(text);
    let mut links = Vec::new();
    let sentences: Vec<String> = plain
        .lines()
        .map(|line| without_links(&without_marker(line), if can_be_texted { LINK_IN_A_TEXT } else { LINK }, &mut links))
        .map(|line| sentence(&digits::spell(&without_pictures(&line))))
        .filter(|sentence| !sentence.is_empty())
        .collect();
    Speech { words: sentences.join(" "), links }
}

/// Removes a line's bullet, and separates a list number with a comma.
fn without_marker(line: &str) -> String {
    let line = line.trim();
    if let Some(item) = ["- ", "* ", "• ", "– "].iter().find_map(|bullet| line.strip_prefix(bullet)) {
        return item.to_owned();
    }
    let (number, item) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    match number.strip_suffix(['.', ')']) {
        Some(digits) if (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{digits}, {item}")
        }
        _ => line.to_owned(),
    }
}

/// Replaces each URL; one in parentheses belongs to the words before it.
fn without_links(line: &str, instead: &str, links: &mut Vec<String>) -> String {
    let words = line.split(' ').map(|word| {
        let (before, rest) = split_at_link(word);
        let Some(rest) = rest else { return word.to_owned() };
        let is_aside = before.ends_with('(');
        let link = rest.trim_end_matches(['.', ',', ';', ':', '!', '?', '"', '\'', ')', '>', ']']);
        // A URL may contain parentheses.
        let link = if link.contains('(') && rest[link.len()..].starts_with(')') { &rest[..=link.len()] } else { link };
        let after = rest[link.len()..].trim_start_matches([')', '>', ']']);
        links.push(link.to_owned());
        let before = before.trim_end_matches(['(', '<', '[']);
        if is_aside { format!("{before},{instead}{after}") } else { format!("{before}{instead}{after}") }
    });
    // A comma attaches to the word before it.
    words.collect::<Vec<_>>().join(" ").replace(" ,", ", ")
}

/// Splits a word at the start of a URL inside it.
fn split_at_link(word: &str) -> (&str, Option<&str>) {
    let lower = word.to_ascii_lowercase();
    let begin = ["https://", "http://", "www."].iter().filter_map(|scheme| lower.find(scheme)).min();
    match begin {
        Some(begin) if word[begin..].len() > "https://".len() => (&word[..begin], Some(&word[begin..])),
        _ => (word, None),
    }
}

/// Removes emoji with their joiners and modifiers.
fn without_pictures(line: &str) -> String {
    let kept = line.graphemes(true).filter_map(|grapheme| match grapheme {
        keycap if keycap.ends_with('\u{20E3}') => keycap.get(..1),
        grapheme if grapheme.chars().any(is_picture) => None,
        grapheme => Some(grapheme),
    });
    kept.collect()
}

fn is_picture(c: char) -> bool {
    matches!(c,
        '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}'
        | '\u{231A}'..='\u{23FF}' | '\u{FE0F}' | '\u{200D}' | '\u{E0020}'..='\u{E007F}')
}

/// Ends a line like a sentence; the cells of a table row are separated by commas. A line without a word is dropped.
fn sentence(line: &str) -> String {
    let line = line.replace(" | ", ", ");
    let words: Vec<&str> = line.split_whitespace().collect();
    let words = words.join(" ");
    if !words.contains(char::is_alphanumeric) {
        return String::new();
    }
    let is_closed =
        words.trim_end_matches(['"', '\'', ')', '\u{201D}', '\u{2019}']).ends_with(['.', '!', '?', ':', '…']);
    let is_closed = is_closed || words.ends_with(['。', '！', '？', '؟', '।']);
    if is_closed { words } else { format!("{}.", words.trim_end_matches([',', ';'])) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(text: &str) -> String {
        from_markdown(text, true).words
    }

    #[test]
    fn markdown_becomes_sentences() {
        assert_eq!(
            spoken("# Plan\n\nToday **you** have:\n\n- a *call* at `ten`\n- lunch;\n\n1. Eat\n2. Sleep!"),
            "Plan. Today you have: a call at ten. lunch. 1, Eat. 2, Sleep!"
        );
        assert_eq!(spoken("| a | b |\n|---|---|\n| 1 | 2 |"), "a, b. 1, 2.");
        assert_eq!(spoken("one\ntwo\n\n---\n\n\"three.\""), "one. two. \"three.\"");
        assert_eq!(spoken(""), "");
    }

    #[test]
    fn pictures_are_not_spoken() {
        assert_eq!(spoken("Done ✅ 👩‍👩‍👧‍👦! 🇩🇪 Great 👍🏽"), "Done ! Great.");
        assert_eq!(spoken("1️⃣ first ❤️"), "1 first.");
        assert_eq!(spoken("🎉\n🎉"), "");
        assert_eq!(spoken("Grüße, 你好。"), "Grüße, 你好。");
    }

    #[test]
    fn links_are_announced_and_kept() {
        let page = from_markdown("See [the page](https://example.com/a?b=1) or <https://example.com/c>.", true);
        assert_eq!(page.links, ["https://example.com/a?b=1", "https://example.com/c"]);
        assert_eq!(page.words, "See the page, a link, I will text it to you or a link, I will text it to you.");
        let bare = from_markdown("It is at www.example.com/x_(y).", false);
        assert_eq!(
            (bare.words.as_str(), &bare.links[..]),
            ("It is at a link.", &["www.example.com/x_(y)".to_owned()][..])
        );
        assert_eq!(from_markdown("https:// is a scheme", true).links, [""; 0]);
    }
}
