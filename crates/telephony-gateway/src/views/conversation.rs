//! A conversation with a contact: text messages and what was said on calls, in order of time.

use std::collections::HashMap;

use serde::Serialize;
use telephony_domain::call::Prompt;
use telephony_domain::id::LineId;
use telephony_domain::time::Timestamp;
use telephony_store::calls::{CallDetail, CallTurn, CallTurnOutcome};
use telephony_store::history::MessageEntry;

use super::call::state;
use super::message::MessageView;
use super::time::TimeView;

/// An entry of a conversation. Entries of calls have the field `call`.
#[derive(Serialize)]
#[serde(untagged)]
pub enum ConversationEntryView {
    /// A text message.
    Message(MessageView),
    /// The beginning of a call, or words of one side.
    Call(CallLineView),
}

/// The beginning of a call, or words of one side on it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallLineView {
    /// Number of the call, as in `calls`.
    pub call: i64,
    /// `call` for its beginning; `speech` or `keys` of the contact, and our `message` and `answer`.
    pub kind: &'static str,
    /// `inbound` for the contact's words, `outbound` for ours; of the beginning, the direction of the call.
    pub direction: &'static str,
    /// Name of the line.
    pub line: Option<String>,
    /// The contact.
    pub contact: String,
    /// Time of the beginning, or of the words.
    pub time: TimeView,
    /// State of the call, or outcome of the answer.
    pub state: Option<&'static str>,
    /// The words; empty for the beginning.
    pub text: String,
}

/// Merges messages and calls in order of time; returns the newest `limit` entries since `since`, oldest first.
pub fn merge(
    messages: &[MessageEntry],
    calls: &[CallDetail],
    names: &HashMap<LineId, String>,
    since: Option<Timestamp>,
    limit: u32,
) -> Vec<ConversationEntryView> {
    let messages = messages.iter().map(|message| ConversationEntryView::Message(MessageView::of(message, names)));
    let lines = calls.iter().flat_map(|call| lines_of(call, names)).map(ConversationEntryView::Call);
    let mut entries: Vec<_> = messages.chain(lines).filter(|entry| since.is_none_or(|at| entry.time() >= at)).collect();
    entries.sort_by_key(ConversationEntryView::time);
    let surplus = entries.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    entries.split_off(surplus)
}

impl ConversationEntryView {
    fn time(&self) -> Timestamp {
        match self {
            ConversationEntryView::Message(message) => message.time.0,
            ConversationEntryView::Call(line) => line.time.0,
        }
    }
}

/// Returns the beginning of a call and the words of both sides. An answer by text message is one of the messages.
fn lines_of(call: &CallDetail, names: &HashMap<LineId, String>) -> Vec<CallLineView> {
    let entry = &call.entry;
    let line = |kind, is_inbound, at, state, text: &str| CallLineView {
        call: entry.id.0,
        kind,
        direction: if is_inbound { "inbound" } else { "outbound" },
        line: names.get(&entry.line).cloned(),
        contact: entry.contact.to_string(),
        time: TimeView(at),
        state,
        text: text.to_owned(),
    };
    let mut lines = vec![line("call", entry.is_inbound, entry.began, Some(state(call)), "")];
    if let Some(message) =
        call.outgoing.as_ref().filter(|outgoing| outgoing.has_spoken).and_then(|o| o.message.as_ref())
    {
        lines.push(line("message", false, entry.began, None, message.as_str()));
    }
    for turn in call.turns.iter().filter(|turn| turn.prompt != Prompt::Summarize) {
        if let Some(words) = turn.prompt.words() {
            lines.push(line(turn.prompt.kind(), true, turn.said, None, words.as_str()));
        }
        if let Some((answer, at)) = spoken_answer(turn) {
            lines.push(line("answer", false, at, turn.outcome.map(CallTurnOutcome::as_str), answer));
        }
    }
    lines
}

fn spoken_answer(turn: &CallTurn) -> Option<(&str, Timestamp)> {
    let is_message = turn.outcome == Some(CallTurnOutcome::Texted);
    let answer = turn.answer.as_ref().filter(|_| !is_message)?;
    Some((answer.as_str(), turn.answered?))
}
