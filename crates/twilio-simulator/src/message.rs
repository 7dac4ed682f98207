//! A message as Twilio keeps it: its record, its statuses and its JSON. Leaves what moves it to `lifecycle`.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::dates::rfc2822;
use crate::keyword::Keyword;
use crate::media::Media;

/// A message that the simulator carried, in or out.
#[derive(Clone, PartialEq)]
pub struct MessageRecord {
    /// `SM` (or `MM` with media) and 32 hex digits.
    pub sid: String,
    /// Which way it goes.
    pub direction: Direction,
    /// The sender; `None` while a messaging service has not chosen one.
    pub from: Option<String>,
    /// The recipient.
    pub to: String,
    /// The text, with the trial sentence where there is one.
    pub body: String,
    /// The pictures and other files that go with it.
    pub media: Vec<Media>,
    /// Billed segments; 0 while a messaging service has not chosen a sender.
    pub num_segments: u32,
    /// How far it came.
    pub status: MessageStatus,
    /// The service that sends it or received it.
    pub messaging_service_sid: Option<String>,
    /// Why it failed.
    pub error_code: Option<u32>,
    /// When Twilio took it.
    pub created: OffsetDateTime,
    /// When anything last changed.
    pub updated: OffsetDateTime,
    /// When it went to the carrier, or came from there.
    pub sent: Option<OffsetDateTime>,
    /// Where its statuses are reported.
    pub status_callback: Option<String>,
    /// The keyword that Twilio saw in an inbound message, or answers with an outbound one.
    pub keyword: Option<Keyword>,
    /// How long it may wait for its turn.
    pub(crate) validity: Duration,
}

/// How long a message may wait that does not say. Twilio: 10 hours.
pub(crate) const LONGEST_VALIDITY: Duration = Duration::from_secs(36_000);

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From a phone to one of our numbers.
    Inbound,
    /// Sent through the API.
    OutboundApi,
    /// Sent by TwiML or by Twilio itself.
    OutboundReply,
}

/// How far a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum MessageStatus {
    Accepted,
    Queued,
    Sending,
    Sent,
    Delivered,
    Undelivered,
    Failed,
    Received,
}

impl MessageStatus {
    /// The status as Twilio spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Received => "received",
        }
    }

    /// Whether nothing will change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Undelivered | Self::Failed | Self::Received)
    }
}

impl MessageRecord {
    /// Whether one of our numbers sent it.
    pub fn is_outbound(&self) -> bool {
        self.direction != Direction::Inbound
    }

    /// US dollars once there is something to pay, as of the public price list: for each segment 0.0079 out and 0.0075 in,
    /// for a message with files 0.02 out and 0.01 in.
    fn price(&self) -> Option<String> {
        let segments = f64::from(self.num_segments);
        let price = match (self.is_outbound(), self.media.is_empty()) {
            (true, true) => 0.0079 * segments,
            (false, true) => 0.0075 * segments,
            (true, false) => 0.02,
            (false, false) => 0.01,
        };
        self.sent.map(|_| format!("-{price:.5}"))
    }

    pub(crate) fn to_json(&self, account: &str) -> Value {
        let uri = format!("/2010-04-01/Accounts/{account}/Messages/{}", self.sid);
        json!({
            "sid": self.sid, "account_sid": account, "api_version": "2010-04-01",
            "messaging_service_sid": self.messaging_service_sid,
            "from": self.from, "to": self.to, "body": self.body, "direction": self.direction, "status": self.status,
            "num_segments": self.num_segments.to_string(), "num_media": self.media.len().to_string(),
            "price": self.price(), "price_unit": "USD",
            "error_code": self.error_code, "error_message": self.error_code.map(explain),
            "date_created": rfc2822(self.created), "date_updated": rfc2822(self.updated),
            "date_sent": self.sent.map(rfc2822), "uri": format!("{uri}.json"),
            "subresource_uris": {"media": format!("{uri}/Media.json"), "feedback": format!("{uri}/Feedback.json")},
        })
    }
}

/// What went wrong on the way to the phone, by error code.
fn explain(code: u32) -> &'static str {
    match code {
        11200 | 11205 | 11206 => "The media cannot be fetched",
        11751 => "The media are larger than 5 MB together",
        12300 => "The media have a content type that cannot be sent",
        21610 => "The recipient unsubscribed",
        30001 => "The queue overflowed",
        30002 => "The account is suspended",
        30003 => "The handset cannot be reached",
        30004 => "The message was blocked",
        30005 => "The handset is unknown",
        30006 => "A landline, or a carrier that cannot be reached",
        30007 => "The carrier filtered the message",
        30019 => "The media are larger than the carrier takes",
        30034 => "The number is not registered for A2P 10DLC",
        30036 => "The validity period passed",
        _ => "The message could not be delivered",
    }
}

impl fmt::Debug for MessageRecord {
    /// Leaves out the text and the numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRecord")
            .field("sid", &self.sid)
            .field("direction", &self.direction)
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .finish_non_exhaustive()
    }
}
