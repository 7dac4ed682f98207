//! A call as Twilio keeps it: its record, its statuses and its JSON. Leaves its progress to `calling`.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::dates::rfc2822;

/// A call that the simulator placed or received.
#[derive(Clone, PartialEq)]
pub struct CallRecord {
    /// `CA` and 32 hex digits.
    pub sid: String,
    /// True if a phone called one of our numbers.
    pub is_inbound: bool,
    /// Number that calls.
    pub from: String,
    /// The number that was called.
    pub to: String,
    /// The current status.
    pub status: SimulatedCallStatus,
    /// The time at which the call was created.
    pub created: Timestamp,
    /// The time at which the call was answered.
    pub answered: Option<Timestamp>,
    /// The time at which the call ended.
    pub ended: Option<Timestamp>,
    /// The URL that receives the call's events.
    pub status_callback: Option<String>,
    /// The events to report: `initiated`, `ringing`, `answered`, `completed`.
    pub status_events: Vec<String>,
    /// The result of machine detection, if known: `human`, `machine_end_beep`, …
    pub answered_by: Option<String>,
    /// The network's verdict on the caller's number (`StirVerstat`), if any.
    pub attestation: Option<String>,
    /// Everything said and pressed, oldest first.
    pub transcript: Vec<Utterance>,
    /// True while a `<Gather>` waits for speech or keys.
    pub is_listening: bool,
    /// The maximum time from answer to end.
    pub time_limit: Duration,
    /// True if webhooks carry `AnsweredBy`, because detection finished before the first document.
    pub(crate) names_answered_by: bool,
    /// The number of events reported so far, which is the next `SequenceNumber`.
    pub(crate) reported: u32,
}

/// Words or keys from one side of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Utterance {
    /// The side that spoke or pressed.
    pub by: Side,
    /// True for keys, false for speech.
    pub is_keys: bool,
    /// The words or keys.
    pub text: String,
}

/// A side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The account's number, which speaks its TwiML.
    Number,
    /// The phone at the other end.
    Phone,
}

/// Twilio's default for `TimeLimit`.
const TIME_LIMIT: Duration = Duration::from_secs(4 * 60 * 60);

/// The state of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum SimulatedCallStatus {
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

impl SimulatedCallStatus {
    /// Returns the status as Twilio spells it.
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

    /// Returns the `StatusCallbackEvent` that reports this status.
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
    /// Creates a call that starts now, with Twilio's defaults.
    pub(crate) fn new(sid: String, is_inbound: bool, from: String, to: String) -> Self {
        Self {
            sid,
            is_inbound,
            from,
            to,
            status: if is_inbound { SimulatedCallStatus::Ringing } else { SimulatedCallStatus::Queued },
            created: Timestamp::now(),
            answered: None,
            ended: None,
            status_callback: None,
            status_events: vec!["completed".to_owned()],
            answered_by: None,
            attestation: None,
            transcript: Vec::new(),
            is_listening: false,
            time_limit: TIME_LIMIT,
            names_answered_by: false,
            reported: 0,
        }
    }

    /// Returns the length of the conversation in whole seconds, once the call is over.
    pub(crate) fn duration(&self) -> Option<i64> {
        self.ended.map(|ended| self.answered.map_or(0, |answered| ended.duration_since(answered).as_secs()))
    }

    /// Returns the price in US dollars of an answered call that is over. From the public price list of the US: 0.014 per
    /// minute to a phone and 0.0085 from one, each begun minute in full.
    fn price(&self) -> Option<String> {
        let seconds = self.duration().filter(|_| self.answered.is_some())?;
        let minutes = (seconds + 59) / 60;
        let rate = if self.is_inbound { 0.0085 } else { 0.014 };
        let price = rate * minutes.max(1) as f64;
        Some(format!("-{price:.5}"))
    }

    /// Returns `inbound` or `outbound-api`.
    pub(crate) fn direction(&self) -> &'static str {
        if self.is_inbound { "inbound" } else { "outbound-api" }
    }

    pub(crate) fn to_json(&self, account: &str) -> Value {
        let uri = format!("/2010-04-01/Accounts/{account}/Calls/{}", self.sid);
        // `initiated` exists in callbacks only; the resource says `queued` until the phone rings.
        let status =
            if self.status == SimulatedCallStatus::Initiated { SimulatedCallStatus::Queued } else { self.status };
        json!({
            "sid": self.sid, "account_sid": account, "api_version": "2010-04-01", "direction": self.direction(),
            "from": self.from, "from_formatted": self.from, "to": self.to, "to_formatted": self.to,
            "status": status, "duration": self.duration().map(|seconds| seconds.to_string()),
            "start_time": self.answered.map(rfc2822), "end_time": self.ended.map(rfc2822),
            "date_created": rfc2822(self.created), "date_updated": rfc2822(self.ended.unwrap_or(self.created)),
            "price": self.price(), "price_unit": "USD", "answered_by": self.answered_by, "forwarded_from": null, "caller_name": null,
            "parent_call_sid": null, "phone_number_sid": null, "group_sid": null, "trunk_sid": null,
            "queue_time": "0", "uri": format!("{uri}.json"),
            "subresource_uris": {"recordings": format!("{uri}/Recordings.json"), "events": format!("{uri}/Events.json")},
        })
    }
}
