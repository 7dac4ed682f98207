//! Progress of a part at the provider; reports may be repeated, late and out of order.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A message status. Its words are those of the store and of JSON; each provider's words are translated into them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted; a sender has yet to be chosen.
    Accepted,
    /// Accepted, to be sent later.
    Scheduled,
    /// Waiting in the provider's queue.
    Queued,
    /// Being handed to the carrier.
    Sending,
    /// Accepted by the carrier.
    Sent,
    /// Received by the phone.
    Delivered,
    /// Received by some of the recipients' phones.
    PartiallyDelivered,
    /// Not deliverable by the carrier.
    Undelivered,
    /// Not sendable by the provider.
    Failed,
    /// Stopped before it was sent.
    Canceled,
    /// Read by the recipient.
    Read,
}

const ALL: [(Status, &str); 11] = [
    (Status::Accepted, "accepted"),
    (Status::Scheduled, "scheduled"),
    (Status::Queued, "queued"),
    (Status::Sending, "sending"),
    (Status::Sent, "sent"),
    (Status::Delivered, "delivered"),
    (Status::PartiallyDelivered, "partially_delivered"),
    (Status::Undelivered, "undelivered"),
    (Status::Failed, "failed"),
    (Status::Canceled, "canceled"),
    (Status::Read, "read"),
];

/// A word that is not a status of an outgoing message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a message status")]
pub struct UnknownStatus(pub String);

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(word: &str) -> Result<Self, UnknownStatus> {
        let found = ALL.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
        found.map(|(status, _)| *status).ok_or_else(|| UnknownStatus(word.to_owned()))
    }
}

impl Status {
    /// Returns every status.
    pub fn all() -> [Status; 11] {
        ALL.map(|(status, _)| status)
    }

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        ALL.iter().find(|(status, _)| *status == self).map_or("", |(_, name)| name)
    }

    /// Returns true if only a read receipt can follow.
    pub fn is_final(self) -> bool {
        self.rank() >= Status::Delivered.rank()
    }

    /// Returns true if the message will not reach the phone.
    pub fn is_failure(self) -> bool {
        matches!(self, Status::Undelivered | Status::Failed | Status::Canceled)
    }

    fn rank(self) -> u8 {
        match self {
            Status::Accepted => 1,
            Status::Scheduled => 2,
            Status::Queued => 3,
            Status::Sending => 4,
            Status::Sent => 5,
            Status::Delivered
            | Status::PartiallyDelivered
            | Status::Undelivered
            | Status::Failed
            | Status::Canceled => 6,
            Status::Read => 7,
        }
    }
}

/// The effect of a status report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// It is new: the part has this status now.
    Forward,
    /// It is already known or outdated.
    Stale,
    /// It contradicts an earlier final report, which stands.
    Conflict,
}

/// Decides the effect of a `reported` status on a part last `known` to have another; a part never moves backwards.
pub fn advance(known: Option<Status>, reported: Status) -> Advance {
    let Some(known) = known else { return Advance::Forward };
    if reported.rank() > known.rank() && !(known.is_failure() && reported == Status::Read) {
        Advance::Forward
    } else if known.is_final() && reported.is_final() && known != reported && known != Status::Read {
        Advance::Conflict
    } else {
        Advance::Stale
    }
}

/// The provider's confirmation that it accepted a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Id of the message at the provider.
    pub provider_id: String,
    /// Status of the message.
    pub status: Status,
    /// Segments as counted by the provider, if it says.
    pub segments: Option<u32>,
}

/// A verified status report on one of our messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Id of the message at the provider.
    pub provider_id: String,
    /// Correlation id of the part, if the report came to the callback URL sent with it.
    #[serde(rename = "correlator")]
    pub correlation_id: Option<String>,
    /// Status in our words, translated from the provider's.
    pub status: Status,
    /// Error code of the provider, after a failure.
    pub error_code: Option<u32>,
    /// True if the error means that the contact opted out at the provider.
    pub is_opt_out: bool,
    /// Segments as counted by the provider, if it says.
    pub segments: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_status() -> impl Strategy<Value = Status> {
        (0..ALL.len()).prop_map(|i| ALL[i].0)
    }

    proptest! {
        #[test]
        fn reports_in_any_order_never_move_a_part_backwards(reports in proptest::collection::vec(any_status(), 0..20)) {
            let mut known: Option<Status> = None;
            for report in reports {
                if advance(known, report) == Advance::Forward {
                    prop_assert!(known.is_none_or(|before| report.rank() > before.rank()));
                    known = Some(report);
                }
            }
        }

        #[test]
        fn a_repeated_report_is_stale(status in any_status()) {
            prop_assert_eq!(advance(Some(status), status), Advance::Stale);
        }
    }

    #[test]
    fn contradictory_final_reports_differ_from_late_ones() {
        assert_eq!(advance(Some(Status::Delivered), Status::Undelivered), Advance::Conflict);
        assert_eq!(advance(Some(Status::Delivered), Status::Sent), Advance::Stale);
        assert_eq!(advance(Some(Status::Delivered), Status::Read), Advance::Forward);
        assert_eq!(advance(Some(Status::Failed), Status::Read), Advance::Conflict);
    }

    #[test]
    fn every_word_reads_back() {
        for (status, word) in ALL {
            assert_eq!(word.parse(), Ok(status));
            assert_eq!(status.as_str(), word);
        }
        assert!("received".parse::<Status>().is_err());
    }
}
