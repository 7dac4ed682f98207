//! Calls in lists, one call with its transcript, and a call that is not placed.

use serde::Serialize;
use telephony_domain::call::report::AnsweredBy;
use telephony_domain::call::words::Words;
use telephony_store::calls::{CallDetail, CallEntry, CallState, CallTurn, CallTurnOutcome};
use telephony_store::outgoing_calls::OutgoingDetail;

use super::money::MoneyView;
use super::time::TimeView;

/// A call in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallView {
    /// Our id, which `telephony calls` accepts.
    pub id: i64,
    /// Id at the provider, once it is known.
    pub provider_id: Option<String>,
    /// Number of the other side.
    pub contact: String,
    /// `inbound` or `outbound`.
    pub direction: &'static str,
    /// Our state: `open`, `ending` or `over`.
    pub state: &'static str,
    /// Status at the provider.
    pub status: Option<&'static str>,
    /// Time when it arrived or was requested.
    pub began_at: TimeView,
    /// End, if it has ended.
    pub ended_at: Option<TimeView>,
    /// Number of turns so far.
    pub turns: u32,
    /// True if the contact called and the call did not reach the gateway.
    pub missed: bool,
    /// True if the other side hung up before the last words can have been said.
    pub cut_off: bool,
    /// Seconds from answer to end.
    pub seconds: Option<u64>,
    /// Price, once the provider reported it.
    pub price: Option<MoneyView>,
}

/// A call with its transcript.
#[derive(Serialize)]
pub struct TranscriptView {
    /// The call as in a list.
    #[serde(flatten)]
    pub call: CallView,
    /// The request; none if the contact called us.
    pub outgoing: Option<OutgoingCallView>,
    /// Turns, oldest first.
    pub transcript: Vec<CallTurnView>,
}

/// The request for a call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutgoingCallView {
    /// State of the dialing.
    pub dialing: &'static str,
    /// Message that is said first.
    pub message: Option<String>,
    /// Task for the agent.
    pub task: Option<String>,
    /// The reason why it was not dialed.
    pub failure: Option<String>,
    /// `human`, or the kind of machine that answered.
    pub answered_by: Option<&'static str>,
}

/// A turn of a call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallTurnView {
    /// Kind of input: speech, keys, or an event without words.
    pub kind: &'static str,
    /// The contact's words or keys; may be empty.
    pub words: String,
    /// Time of the input.
    pub said_at: TimeView,
    /// Answer of the agent, in Markdown.
    pub answer: Option<String>,
    /// Outcome of the answer.
    pub outcome: Option<&'static str>,
    /// Time of the answer.
    pub answered_at: Option<TimeView>,
}

/// The answer to the question whether a call may be placed now.
#[derive(Serialize)]
pub struct CallCheckView {
    /// Number that would be called.
    pub to: String,
    /// Our number that would call.
    pub from: String,
    /// The reason why the number may not be called now.
    pub refused: Option<String>,
    /// Advice for the operator if it may not be called.
    pub hint: Option<String>,
}

impl CallView {
    /// Converts a stored call.
    pub fn of(call: &CallEntry) -> Self {
        Self {
            id: call.id.0,
            provider_id: call.provider_id.clone(),
            contact: call.contact.to_string(),
            direction: if call.is_inbound { "inbound" } else { "outbound" },
            state: call.state.as_str(),
            status: call.status.map(|status| status.as_str()),
            began_at: TimeView(call.began),
            ended_at: call.ended.map(TimeView),
            turns: call.turns,
            missed: call.is_missed,
            cut_off: call.is_cut_off,
            seconds: call.spoken.map(|spoken| spoken.as_secs()),
            price: call.price.map(MoneyView::of),
        }
    }
}

impl TranscriptView {
    /// Converts a stored call.
    pub fn of(call: &CallDetail) -> Self {
        Self {
            call: CallView::of(&call.entry),
            outgoing: call.outgoing.as_ref().map(OutgoingCallView::of),
            transcript: call.turns.iter().map(CallTurnView::of).collect(),
        }
    }
}

impl OutgoingCallView {
    fn of(outgoing: &OutgoingDetail) -> Self {
        Self {
            dialing: outgoing.state.as_str(),
            message: outgoing.message.as_ref().map(text),
            task: outgoing.task.as_ref().map(text),
            failure: outgoing.failure.clone(),
            answered_by: outgoing.answered_by.map(AnsweredBy::as_str),
        }
    }
}

impl CallTurnView {
    fn of(turn: &CallTurn) -> Self {
        Self {
            kind: turn.prompt.kind(),
            words: turn.prompt.words().map_or_else(String::new, text),
            said_at: TimeView(turn.said),
            answer: turn.answer.as_ref().map(text),
            outcome: turn.outcome.map(CallTurnOutcome::as_str),
            answered_at: turn.answered.map(TimeView),
        }
    }
}

/// The state of a call that did not reach the gateway, whatever the provider made of it.
pub const MISSED: &str = "missed";

/// Returns the word for the state of a call: the provider's status, or how far the dialing is.
pub fn state(call: &CallDetail) -> &'static str {
    if call.entry.is_missed {
        return MISSED;
    }
    let is_open = call.entry.state == CallState::Open;
    let dialing = call.outgoing.as_ref().filter(|_| is_open).map(|outgoing| outgoing.state.as_str());
    call.entry.status.map(|status| status.as_str()).or(dialing).unwrap_or(call.entry.state.as_str())
}

fn text(words: &Words) -> String {
    words.as_str().to_owned()
}
