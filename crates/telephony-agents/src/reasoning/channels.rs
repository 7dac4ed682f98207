//! Answers in channels, as OpenAI's open models write them (harmony): only the final one is for the contact.

const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
/// Maximum number of messages of an answer that are read.
const MAX_MESSAGES: usize = 100;

const START: &str = "<|start|>";

/// Marks that end a message.
const ENDS: [&str; 5] = ["<|end|>", "<|return|>", "<|call|>", START, CHANNEL];

/// Returns the contact's part of an answer in channels: its final messages, else the text outside channels.
pub(super) fn last_word(answer: &str) -> Option<&str> {
    if let Some(rest) = answer.strip_prefix("analysis").filter(|rest| !rest.starts_with(' ')) {
        return rest.split_once("assistantfinal").map(|(_, last)| last.trim());
    }
    let begin = beginning(answer)?;
    let messages: Vec<(&str, &str)> = Messages(&answer[begin..]).take(MAX_MESSAGES).collect();
    let of = |wanted: &str| messages.iter().rev().find(|(channel, _)| *channel == wanted).map(|(_, text)| *text);
    Some(of("final").or_else(|| of("commentary")).unwrap_or_default())
}

/// Returns the start of the first message: the beginning, or the end of one that the server's prompt began.
fn beginning(answer: &str) -> Option<usize> {
    let start = answer.len() - answer.trim_start().len();
    if answer[start..].starts_with(CHANNEL) || answer[start..].starts_with(START) {
        return Some(start);
    }
    let next = answer.find("<|start|>assistant")?;
    let header = &answer[next..next + answer[next..].find(MESSAGE)?];
    header.contains(CHANNEL).then_some(next)
}

/// The messages of an answer, each with its channel.
struct Messages<'a>(&'a str);

impl<'a> Iterator for Messages<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (_, header) = self.0.split_once(CHANNEL)?;
        let named = header.trim_start();
        let (name, rest) = named.split_at(named.find(|c: char| !c.is_alphanumeric()).unwrap_or(named.len()));
        let (recipient, text) = match (rest.find(MESSAGE), end_of(rest)) {
            (Some(at), end) if at < end || rest[end..].starts_with(CHANNEL) => {
                (&rest[..at], &rest[at + MESSAGE.len()..])
            }
            _ => ("", rest),
        };
        let end = end_of(text);
        self.0 = &text[end..];
        let channel = if recipient.contains("to=") { "tool" } else { known(name) };
        Some((channel, text[..end].trim()))
    }
}

fn known(name: &str) -> &'static str {
    ["final", "commentary"].into_iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or("analysis")
}

fn end_of(text: &str) -> usize {
    ENDS.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len())
}
