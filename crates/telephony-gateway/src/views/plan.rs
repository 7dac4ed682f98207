//! A text that has not been sent: its parts, encoding, segments and estimated cost.

use serde::Serialize;
use telephony_domain::message::PartDraft;
use telephony_domain::sms::segment;

use super::money::EstimateView;

/// A message as it would be sent now.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessagePlanView {
    /// Number of the recipient.
    pub to: String,
    /// Billed segments of all parts.
    pub segments: u32,
    /// Estimated cost of all parts.
    pub estimate: EstimateView,
    /// Attached files with their types and sizes, as shown to the operator.
    pub media: Vec<String>,
    /// Parts, in the order of sending.
    pub parts: Vec<PlannedPartView>,
    /// The reason why it would be rejected now.
    pub refused: Option<String>,
    /// Advice for the operator if it would be rejected.
    pub hint: Option<String>,
}

/// A part of a message that has not been queued.
#[derive(Serialize)]
pub struct PlannedPartView {
    /// Text as the contact would read it, with its number.
    pub text: String,
    /// `GSM-7` or `UCS-2`.
    pub encoding: String,
    /// Billed segments.
    pub segments: u32,
    /// Septets in GSM-7, UTF-16 code units in UCS-2.
    pub units: u32,
}

/// A text sent as one message, with its segments.
#[derive(Serialize)]
pub struct SegmentsView<'a> {
    /// `GSM-7` or `UCS-2`.
    pub encoding: String,
    /// Billed segments; an empty text is one.
    pub segments: u32,
    /// Septets in GSM-7, UTF-16 code units in UCS-2.
    pub units: u32,
    /// Text of each segment, in order.
    pub texts: Vec<&'a str>,
    /// Estimated cost, if a recipient is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<EstimateView>,
}

impl PlannedPartView {
    /// Converts a part that has not been queued.
    pub fn of(part: PartDraft) -> Self {
        let count = segment::count(&part.text);
        Self { encoding: count.encoding.to_string(), segments: part.segments, units: count.units, text: part.text }
    }
}

impl<'a> SegmentsView<'a> {
    /// Counts the segments of a text.
    pub fn of(text: &'a str, estimate: Option<EstimateView>) -> Self {
        let count = segment::count(text);
        Self {
            encoding: count.encoding.to_string(),
            segments: count.segments,
            units: count.units,
            texts: segment::segments(text),
            estimate,
        }
    }
}
