//! A call's terms, fixed before it begins.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::afterwards::SummaryRecipient;
use super::words::Words;

/// The terms of a call, fixed when it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallPlan {
    /// The calling side and its purpose.
    pub purpose: CallPurpose,
    /// Said first, including a disclosure that calls are recorded.
    pub greeting: Words,
    /// The maximum time from answer to end.
    pub max_duration: Duration,
    /// The maximum time that the agent may think in silence.
    pub filler_after: Duration,
    /// The time after which an answer comes by text instead.
    pub answer_within: Duration,
    /// Said in rotation while the agent thinks; empty for silence.
    pub fillers: Vec<Words>,
    /// The person who gets a summary afterwards.
    #[serde(default)]
    pub summary: Option<SummaryRecipient>,
    /// The text to a caller who hangs up before saying anything.
    #[serde(default)]
    pub missed_call_text: Option<Words>,
}

/// The calling side and its purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallPurpose {
    /// A contact called us.
    Inbound {
        /// The caller must enter the PIN before anything else.
        asks_pin: bool,
        /// The network vouches for the caller's number.
        is_attested: bool,
    },
    /// We say a message and hang up.
    Notify {
        /// Said to a person, or left after a machine's beep.
        message: Words,
        /// The ring time and the machine rule.
        dialing: Dialing,
    },
    /// We call for a conversation.
    Conversation {
        /// Said after the greeting; without it the agent opens, if it has a task.
        message: Option<Words>,
        /// The agent has a task for the call.
        has_task: bool,
        /// The ring time and the machine rule.
        dialing: Dialing,
    },
}

/// Terms of a call that we place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialing {
    /// The maximum ringing time.
    pub ring: Duration,
    /// The rule for answering machines.
    pub machine: MachineRule,
}

/// A rule for answering machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MachineRule {
    /// Leave a message after the beep.
    LeaveMessage,
    /// End the call, and say nothing to the machine.
    HangUp,
    /// Talk as to a person.
    Off,
}

impl CallPurpose {
    /// Returns the terms of dialing; none for an incoming call.
    pub fn dialing(&self) -> Option<Dialing> {
        match self {
            CallPurpose::Inbound { .. } => None,
            CallPurpose::Notify { dialing, .. } | CallPurpose::Conversation { dialing, .. } => Some(*dialing),
        }
    }

    /// Returns true if the agent speaks first, because of its task.
    pub(super) fn agent_opens(&self) -> bool {
        matches!(self, CallPurpose::Conversation { message: None, has_task: true, .. })
    }

    /// Returns the message that we say.
    pub fn message(&self) -> Option<&Words> {
        match self {
            CallPurpose::Inbound { .. } => None,
            CallPurpose::Notify { message, .. } => Some(message),
            CallPurpose::Conversation { message, .. } => message.as_ref(),
        }
    }
}
