//! A call as Twilio keeps it: its record, its statuses and its JSON. Leaves what moves it to `calling`.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::dates::rfc2822;

/// A call that the simulator placed or received.
#[derive(Clone, PartialEq)]
pub struct CallRecord {
    /// `CA` and 32 hex digits.
    pub sid: String,
    /// A phone called one of our numbers.
    pub is_inbound: bool,
    /// The caller.
    pub from: String,
    /// The called.
    pub to: String,
    /// Its state.
    pub status: CallStatus,
    /// The time of the request.
    pub created: OffsetDateTime,
    /// The time of the answer.
    pub answered: Option<OffsetDateTime>,
    /// The time of the end.
    pub ended: Option<OffsetDateTime>,
    /// The URL for its events.
    pub status_callback: Option<String>,
    /// The events that are reported: `initiated`, `ringing`, `answered`, `completed`.
    pub status_events: Vec<String>,
    /// Result of machine detection, once there is one: `human`, `machine_end_beep`, …
    pub answered_by: Option<String>,
    /// All that was said and pressed, oldest first.
    pub transcript: Vec<Utterance>,
    /// A `<Gather>` waits for speech or keys.
    pub is_listening: bool,
    /// The longest time from the answer to the end.
    pub time_limit: Duration,
    /// Later requests name `answered_by`: it was known before the first document.
    pub(crate) names_answered_by: bool,
    /// The number of events reported so far: the next `SequenceNumber`.
    pub(crate) reported: u32,
}

/// Something that one side of a call said or pressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Utterance {
    /// The side.
    pub by: Side,
    /// Keys were pressed, nothing was said.
    pub is_keys: bool,
    /// The words or keys.
    pub text: String,
}

/// A side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The account's number: what its TwiML says.
    Number,
    /// The phone.
    Phone,
}

/// Twilio's default for `TimeLimit`.
const TIME_LIMIT: Duration = Duration::from_secs(4 * 60 * 60);

/// The state of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum CallStatus {
    Queued,
    Initiated,
    Ringing,
    InProgress,
    Completed,
    Busy,
    NoAnswer,
    Failed,
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
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The `StatusCallbackEvent` that reports this status.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::InProgress => "answered",
            status if status.is_final() => "completed",
            status => status.as_str(),
        }
    }

    /// Returns true if the call is over.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Busy | Self::NoAnswer | Self::Failed | Self::Canceled)
    }
}

impl CallRecord {
    /// A call that begins now, with Twilio's defaults.
    pub(crate) fn new(sid: String, is_inbound: bool, from: String, to: String) -> Self {
        Self {
            sid,
            is_inbound,
            from,
            to,
            status: if is_inbound { CallStatus::Ringing } else { CallStatus::Queued },
            created: OffsetDateTime::now_utc(),
            answered: None,
            ended: None,
            status_callback: None,
            status_events: vec!["completed".to_owned()],
            answered_by: None,
            transcript: Vec::new(),
            is_listening: false,
            time_limit: TIME_LIMIT,
            names_answered_by: false,
            reported: 0,
        }
    }

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
            "price": null, "price_unit": "USD", "answered_by": self.answered_by, "forwarded_from": null, "caller_name": null,
            "parent_call_sid": null, "phone_number_sid": null, "group_sid": null, "trunk_sid": null,
            "queue_time": "0", "uri": format!("{uri}.json"),
            "subresource_uris": {"recordings": format!("{uri}/Recordings.json"), "events": format!("{uri}/Events.json")},
        })
    }
}
