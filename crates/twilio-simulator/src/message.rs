//! A message as Twilio keeps it: its record, its statuses and its JSON. Leaves its progress to `lifecycle`.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::dates::rfc2822;
use crate::keyword::OptOutKeyword;
use crate::media::MediaRecord;

/// An inbound or outbound message.
#[derive(Clone, PartialEq)]
pub struct MessageRecord {
    /// `SM` (or `MM` with media) and 32 hex digits.
    pub sid: String,
    /// Inbound, or the kind of outbound message.
    pub direction: MessageDirection,
    /// The sender; `None` while a messaging service has not chosen one.
    pub from: Option<String>,
    /// Number of the recipient.
    pub to: String,
    /// The text, including the prefix of a trial account.
    pub body: String,
    /// The attached files.
    pub media: Vec<MediaRecord>,
    /// Billed segments; 0 while a messaging service has not chosen a sender.
    pub num_segments: u32,
    /// The current status.
    pub status: MessageStatus,
    /// The messaging service that sends or received it.
    pub messaging_service_sid: Option<String>,
    /// The reason for a failure.
    pub error_code: Option<u32>,
    /// The time at which Twilio accepted it.
    pub created: Timestamp,
    /// The time of the last change.
    pub updated: Timestamp,
    /// The time at which it went to, or came from, the carrier.
    pub sent: Option<Timestamp>,
    /// The URL that receives its status callbacks.
    pub status_callback: Option<String>,
    /// The keyword in an inbound message, or the one that an outbound message answers.
    pub keyword: Option<OptOutKeyword>,
    /// The maximum wait for its turn.
    pub(crate) validity: Duration,
}

/// The maximum wait of a message without `ValidityPeriod`. Twilio: 10 hours.
pub(crate) const LONGEST_VALIDITY: Duration = Duration::from_secs(36_000);

/// The direction of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageDirection {
    /// From a phone to one of our numbers.
    Inbound,
    /// Sent through the API.
    OutboundApi,
    /// Sent by TwiML or by Twilio itself.
    OutboundReply,
}

/// The status of a message.
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
    /// Returns the status as Twilio spells it.
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

    /// Returns true if the status can no longer change.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Undelivered | Self::Failed | Self::Received)
    }
}

impl MessageRecord {
    /// Returns true if one of our numbers sent the message.
    pub fn is_outbound(&self) -> bool {
        self.direction != MessageDirection::Inbound
    }

    /// Returns the price in US dollars once the message is billed. From the public price list: 0.0079 per outbound and
    /// 0.0075 per inbound segment; with files, 0.02 outbound and 0.01 inbound per message.
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

/// Describes an error code.
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
