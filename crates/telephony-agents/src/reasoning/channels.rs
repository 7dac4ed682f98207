//! Answers in channels, as OpenAI's open models write them (harmony): only the final one is for the contact.

const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
/// Maximum number of messages of an answer that are read.
const MAX_MESSAGES: usize = 100;

const START: &str = "<|start|>";

/// Marks that end a message.
const ENDS: [&str; 5] = ["<|end|>", "<|return|>", "<|call|>", START, CHANNEL];

const CHANNELS: [&str; 3] = ["analysis", "commentary", "final"];

/// Returns the contact's part of an answer in channels: its final messages, else the text outside channels.
pub(super) fn last_word(answer: &str) -> Option<&str> {
    if let Some(last) = behind_bare_words(answer) {
        return Some(last);
    }
    let messages: Vec<(&str, &str)> = ChannelMessages::of(answer)?.take(MAX_MESSAGES).collect();
    let of = |wanted: &str| messages.iter().rev().find(|(channel, _)| *channel == wanted).map(|(_, text)| *text);
    Some(of("final").or_else(|| of("commentary")).unwrap_or_default())
}

/// Reads an answer whose server dropped all marks, so that their words stick to the text: `analysisThey ask.`
fn behind_bare_words(answer: &str) -> Option<&str> {
    let rest = answer.strip_prefix("assistant").unwrap_or(answer).strip_prefix("analysis")?;
    match rest.split_once("assistantfinal").filter(|_| !rest.starts_with(' ')) {
        Some((_, last)) => Some(last.trim()),
        None => rest.starts_with(char::is_uppercase).then_some(""),
    }
}

/// The messages of an answer, each with its channel.
struct ChannelMessages<'a> {
    rest: &'a str,
    /// True if `rest` begins with the name of a channel, because the server dropped the mark before it.
    begins_with_name: bool,
}

impl<'a> ChannelMessages<'a> {
    /// Returns the messages from the beginning, or from the end of one that the server's prompt began.
    fn of(answer: &'a str) -> Option<Self> {
        let trimmed = answer.trim_start();
        if trimmed.starts_with(CHANNEL) || trimmed.starts_with(START) {
            return Some(Self { rest: trimmed, begins_with_name: false });
        }
        let names_channel = |name: &&str| trimmed.strip_prefix(*name).is_some_and(|rest| rest.starts_with(MESSAGE));
        if CHANNELS.iter().any(names_channel) {
            return Some(Self { rest: trimmed, begins_with_name: true });
        }
        let next = answer.find("<|start|>assistant")?;
        let header = &answer[next..next + answer[next..].find(MESSAGE)?];
        header.contains(CHANNEL).then_some(Self { rest: &answer[next..], begins_with_name: false })
    }
}

impl<'a> Iterator for ChannelMessages<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let header = match std::mem::take(&mut self.begins_with_name) {
            true => self.rest,
            false => self.rest.split_once(CHANNEL)?.1,
        };
        let named = header.trim_start();
        let (name, rest) = named.split_at(named.find(|c: char| !c.is_alphanumeric()).unwrap_or(named.len()));
        let (recipient, text) = match (rest.find(MESSAGE), end_of(rest)) {
            (Some(at), end) if at < end || rest[end..].starts_with(CHANNEL) => {
                (&rest[..at], &rest[at + MESSAGE.len()..])
            }
            _ => ("", rest),
        };
        let end = end_of(text);
        self.rest = &text[end..];
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
