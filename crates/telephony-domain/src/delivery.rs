//! How far a part has come at the provider; reports may come twice, late and in any order.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The provider's word for how far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Taken, a sender is still to be chosen.
    Accepted,
    /// Taken, to be sent later.
    Scheduled,
    /// Waiting at the provider for its turn.
    Queued,
    /// On its way to the carrier.
    Sending,
    /// The carrier has it.
    Sent,
    /// The phone has it.
    Delivered,
    /// Some of the recipients' phones have it.
    PartiallyDelivered,
    /// The carrier could not deliver it.
    Undelivered,
    /// The provider could not send it.
    Failed,
    /// Stopped before it was sent.
    Canceled,
    /// The recipient has read it.
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

/// A word that is not a status of an outbound message.
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
    /// Every status.
    pub fn all() -> [Status; 11] {
        ALL.map(|(status, _)| status)
    }

    /// The provider's word.
    pub fn as_str(self) -> &'static str {
        ALL.iter().find(|(status, _)| *status == self).map_or("", |(_, name)| name)
    }

    /// Whether nothing but a read receipt can follow.
    pub fn is_final(self) -> bool {
        self.rank() >= Status::Delivered.rank()
    }

    /// Whether the message will not reach the phone.
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

/// What a report changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// It is news: the part is now this far.
    Forward,
    /// It was known already, or has been overtaken.
    Stale,
    /// It contradicts an earlier final report; the earlier one stands.
    Conflict,
}

/// Decides what a report of `reported` means for a part last known to be at `known`: never backwards.
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

/// The provider's word that it has a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's id of the message.
    pub provider_id: String,
    /// How far it is.
    pub status: Status,
    /// Segments as the provider counted them, where it has.
    pub segments: Option<u32>,
}

/// A verified report on one of our messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The provider's id of the message.
    pub provider_id: String,
    /// The part's correlation_id, where the report came to the address we gave with that part.
    #[serde(rename = "correlator")]
    pub correlation_id: Option<String>,
    /// How far it has come.
    pub status: Status,
    /// The provider's error code, where it failed.
    pub error_code: Option<u32>,
    /// The error means that the contact opted out at the provider.
    pub is_opt_out: bool,
    /// Segments as the provider counted them, where it says so.
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
    fn contradictory_final_reports_are_told_apart_from_late_ones() {
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
