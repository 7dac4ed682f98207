//! An agent's answer on a call: words to say, links to text, and a control line.

use super::speech::{self, Speech};

/// An agent's answer, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParsedAnswer<'a> {
    /// The answer as the agent wrote it, without the control line.
    pub(super) written: &'a str,
    /// The words to say, and the omitted links.
    pub(super) speech: Speech,
    /// The control line, if there is a valid one.
    pub(super) control: Option<Control<'a>>,
}

/// A command of the agent about the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Control<'a> {
    /// Say the answer and end the call.
    EndCall,
    /// Text this to the other side.
    Text(&'a str),
    /// Press these keys after the answer.
    Press(String),
}

/// The most keys that one answer may press.
const MAX_KEYS: usize = 32;

impl<'a> ParsedAnswer<'a> {
    /// Reads an answer. Its last line may be a control line (`end call`, `text: …` or `keys: …`), which is never
    /// spoken.
    pub(super) fn read(raw: &'a str, can_be_texted: bool) -> ParsedAnswer<'a> {
        let (written, control) = split(raw);
        ParsedAnswer { written, speech: speech::from_markdown(written, can_be_texted), control }
    }
}

/// Returns an answer as a transcript shows it: without the control line, but with the keys that it pressed. None if
/// nothing is left.
pub fn for_transcript(raw: &str) -> Option<String> {
    let (written, control) = split(raw);
    let pressed = if let Some(Control::Press(keys)) = control { format!("(pressed {keys})") } else { String::new() };
    let text = [written, &pressed].join(" ").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Separates an answer from its control line.
fn split(raw: &str) -> (&str, Option<Control<'_>>) {
    let raw = raw.trim();
    let (before, last) = raw.rsplit_once('\n').unwrap_or(("", raw));
    match control_line(last.trim()) {
        Some(control) => (before.trim_end(), control),
        None => (raw, None),
    }
}

/// Parses a control line; returns `Some(None)` if its keys are invalid.
fn control_line(line: &str) -> Option<Option<Control<'_>>> {
    let line = line.trim_matches('`');
    if line.trim_end_matches('.').eq_ignore_ascii_case("end call") {
        return Some(Some(Control::EndCall));
    }
    let (name, value) = line.split_once(':')?;
    let value = value.trim();
    match name.trim_end().to_ascii_lowercase().as_str() {
        "text" if !value.is_empty() => Some(Some(Control::Text(value))),
        "keys" => Some(keys(value).map(Control::Press)),
        _ => None,
    }
}

fn keys(value: &str) -> Option<String> {
    let keys: String = value.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    let is_key = |key: u8| key.is_ascii_digit() || b"*#w".contains(&key);
    ((1..=MAX_KEYS).contains(&keys.len()) && keys.bytes().all(is_key)).then_some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_line_is_not_spoken() {
        for (raw, spoken, control) in [
            ("Bye!\nend call", "Bye!", Some(Control::EndCall)),
            ("Bye!\n\n End Call. \n", "Bye!", Some(Control::EndCall)),
            ("`end call`", "", Some(Control::EndCall)),
            ("Sure.\ntext: Room 5: first floor", "Sure.", Some(Control::Text("Room 5: first floor"))),
            ("keys: 1w w2#", "", Some(Control::Press("1ww2#".to_owned()))),
            ("Sure.\nkeys: call me", "Sure.", None),
            ("Sure.\nkeys:", "Sure.", None),
        ] {
            let answer = ParsedAnswer::read(raw, true);
            assert_eq!((answer.speech.words.as_str(), answer.control), (spoken, control), "{raw}");
        }
    }

    #[test]
    fn a_transcript_shows_what_was_said_and_pressed() {
        for (raw, shown) in [
            ("Bye!\nend call", Some("Bye!")),
            ("end call", None),
            ("Sure.\ntext: Room 5", Some("Sure.")),
            ("keys: 1w 2", Some("(pressed 1w2)")),
            ("One moment.\nkeys: 1", Some("One moment. (pressed 1)")),
            (" No control line.\n", Some("No control line.")),
        ] {
            assert_eq!(for_transcript(raw).as_deref(), shown, "{raw}");
        }
    }

    #[test]
    fn only_the_last_line_commands() {
        for raw in ["end call\nis what you said.", "Please end call center jobs.", "The text:", "No keys here."] {
            assert_eq!(ParsedAnswer::read(raw, true).control, None, "{raw}");
        }
    }
}
