//! A call as Twilio keeps it: its record, its statuses and its JSON. Leaves what moves it to `calling`.

use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::dates::rfc2822;

/// A call that the simulator placed or received.
#[derive(Clone, PartialEq)]
pub struct CallRecord {
    /// `CA` and 32 hex digits.
    pub sid: String,
    /// Whether a phone called one of our numbers.
    pub is_inbound: bool,
    /// The caller.
    pub from: String,
    /// The called.
    pub to: String,
    /// How far it came.
    pub status: CallStatus,
    /// When it was asked for.
    pub created: OffsetDateTime,
    /// When somebody answered.
    pub answered: Option<OffsetDateTime>,
    /// When it was over.
    pub ended: Option<OffsetDateTime>,
    /// Where its events are reported.
    pub status_callback: Option<String>,
    /// Which events are reported: `initiated`, `ringing`, `answered`, `completed`.
    pub status_events: Vec<String>,
    /// How many events were reported: the next `SequenceNumber`.
    pub(crate) reported: u32,
}

/// How far a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum CallStatus {
    Queued,
    Initiated,
    Ringing,
    InProgress,
    Completed,
    Canceled,
}

impl CallStatus {
    /// The status as Twilio spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
        }
    }

    /// The `StatusCallbackEvent` that reports this status.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::InProgress => "answered",
            Self::Canceled => "completed",
            other => other.as_str(),
        }
    }

    /// Whether the call is over.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled)
    }
}

impl CallRecord {
    /// Whole seconds of talk, once it is over.
    pub(crate) fn duration(&self) -> Option<i64> {
        self.ended.map(|ended| self.answered.map_or(0, |answered| (ended - answered).whole_seconds()))
    }

    /// `inbound` or `outbound-api`.
    pub(crate) fn direction(&self) -> &'static str {
        if self.is_inbound { "inbound" } else { "outbound-api" }
    }

    pub(crate) fn to_json(&self, account: &str) -> Value {
        let uri = format!("/2010-04-01/Accounts/{account}/Calls/{}", self.sid);
        // `initiated` exists in callbacks only; the resource says `queued` until the phone rings.
        let status = if self.status == CallStatus::Initiated { CallStatus::Queued } else { self.status };
        json!({
            "sid": self.sid, "account_sid": account, "api_version": "2010-04-01", "direction": self.direction(),
            "from": self.from, "from_formatted": self.from, "to": self.to, "to_formatted": self.to,
            "status": status, "duration": self.duration().map(|seconds| seconds.to_string()),
            "start_time": self.answered.map(rfc2822), "end_time": self.ended.map(rfc2822),
            "date_created": rfc2822(self.created), "date_updated": rfc2822(self.ended.unwrap_or(self.created)),
            "price": null, "price_unit": "USD", "answered_by": null, "forwarded_from": null, "caller_name": null,
            "parent_call_sid": null, "phone_number_sid": null, "group_sid": null, "trunk_sid": null,
            "queue_time": "0", "uri": format!("{uri}.json"),
            "subresource_uris": {"recordings": format!("{uri}/Recordings.json"), "events": format!("{uri}/Events.json")},
        })
    }
}
