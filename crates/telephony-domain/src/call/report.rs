//! Reports of a provider on a call, and requests for its next document.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Heard;
use crate::id::CallId;
use crate::money::Price;

/// Something that a provider reports about a call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEvent {
    /// The call waits for its next document.
    Request(CallRequest),
    /// The status of the call changed.
    Status(CallStatusReport),
    /// Machine detection has a result.
    AnsweredBy {
        /// The provider's id of the call.
        provider_id: String,
        /// Our id of the call, if the report carries it.
        call: Option<CallId>,
        /// The result.
        answered_by: AnsweredBy,
    },
    /// A report that needs no action: about a recording, a media stream, or an unknown kind.
    Other {
        /// The provider's id of the call.
        provider_id: String,
    },
}

/// A call that waits for a document.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRequest {
    /// The provider's id of the call.
    pub provider_id: String,
    /// The caller's number or address, as the provider wrote it.
    pub from: String,
    /// The number that was called.
    pub to: String,
    /// True if the network vouches for the caller's number.
    pub is_attested: bool,
    /// The input of the other side, where the document before listened.
    pub heard: Option<Heard>,
    /// The result of machine detection, where the provider waited for it.
    pub answered_by: Option<AnsweredBy>,
}

/// A status report of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallStatusReport {
    /// The provider's id of the call.
    pub provider_id: String,
    /// Our id of the call, if the report carries it. A report can arrive before the response with the provider's id.
    pub call: Option<CallId>,
    /// The call's new status.
    pub status: CallStatus,
}

/// A call's state at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallReport {
    /// The newest status, in the provider's terms.
    pub status: CallStatus,
    /// Time from answer to end, once the call is over.
    pub duration: Option<Duration>,
    /// Price, once the provider knows it.
    pub price: Option<Price>,
}

/// The status of a call, in the provider's terms and in the order in which they follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallStatus {
    /// Waiting at the provider until it may dial.
    Queued,
    /// The provider has dialed.
    Initiated,
    /// The phone of the other side rings.
    Ringing,
    /// Answered, and not over yet.
    InProgress,
    /// The other side answered, and the call is over.
    Completed,
    /// The phone was busy.
    Busy,
    /// The provider could not reach the phone.
    Failed,
    /// Over before anyone answered.
    NoAnswer,
    /// Stopped by us before it was answered.
    Canceled,
}

const ALL: [(CallStatus, &str); 9] = [
    (CallStatus::Queued, "queued"),
    (CallStatus::Initiated, "initiated"),
    (CallStatus::Ringing, "ringing"),
    (CallStatus::InProgress, "in-progress"),
    (CallStatus::Completed, "completed"),
    (CallStatus::Busy, "busy"),
    (CallStatus::Failed, "failed"),
    (CallStatus::NoAnswer, "no-answer"),
    (CallStatus::Canceled, "canceled"),
];

/// An unknown status of a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a call status")]
pub struct UnknownCallStatus(pub String);

impl FromStr for CallStatus {
    type Err = UnknownCallStatus;

    fn from_str(word: &str) -> Result<Self, UnknownCallStatus> {
        let found = ALL.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
        found.map(|(status, _)| *status).ok_or_else(|| UnknownCallStatus(word.to_owned()))
    }
}

impl CallStatus {
    /// Returns the provider's term.
    pub fn as_str(self) -> &'static str {
        ALL.iter().find(|(status, _)| *status == self).map_or("", |(_, name)| name)
    }

    /// Returns true if the call is over.
    pub fn is_final(self) -> bool {
        use CallStatus::{Busy, Canceled, Completed, Failed, NoAnswer};
        matches!(self, Completed | Busy | Failed | NoAnswer | Canceled)
    }
}

/// Result of machine detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AnsweredBy {
    /// A person, by the provider's machine detection.
    Human,
    /// An answering machine, whose greeting may still be running.
    MachineStart,
    /// An answering machine whose greeting is over, so that speech is recorded.
    MachineEnd,
    /// A fax machine answers with its tone.
    Fax,
    /// The provider cannot tell.
    Unknown,
}

impl AnsweredBy {
    /// Returns the word for `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            AnsweredBy::Human => "human",
            AnsweredBy::MachineStart | AnsweredBy::MachineEnd => "machine",
            AnsweredBy::Fax => "fax",
            AnsweredBy::Unknown => "unknown",
        }
    }

    /// Parses a provider's term; an unknown one counts as `unknown`.
    pub fn read(word: &str) -> AnsweredBy {
        match word {
            "human" => AnsweredBy::Human,
            "machine_start" => AnsweredBy::MachineStart,
            "machine_end_beep" | "machine_end_silence" | "machine_end_other" => AnsweredBy::MachineEnd,
            "fax" => AnsweredBy::Fax,
            _ => AnsweredBy::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_status_reads_back() {
        for (status, word) in ALL {
            assert_eq!(word.parse(), Ok(status));
            assert_eq!(status.as_str(), word);
        }
        // ConversationRelay writes it in upper case.
        assert_eq!("RINGING".parse(), Ok(CallStatus::Ringing));
        assert!("delivered".parse::<CallStatus>().is_err());
    }

    #[test]
    fn a_call_that_rings_or_goes_on_is_not_over() {
        let open: Vec<&str> = ALL.iter().filter(|(status, _)| !status.is_final()).map(|(_, word)| *word).collect();
        assert_eq!(open, ["queued", "initiated", "ringing", "in-progress"]);
    }
}
