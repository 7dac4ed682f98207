//! Pairing requests, approved contacts and consents.

use serde::Serialize;
use telephony_store::consents::Consent;
use telephony_store::contacts::{Approved, ApprovedContact, PairingRequest};
use telephony_store::outbox::PartProgress;

use super::time::TimeView;

/// A pending pairing request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PairingRequestView {
    /// Code that approves it.
    pub code: String,
    /// Number of the stranger.
    pub number: String,
    /// Time of the request.
    pub requested_at: TimeView,
    /// End of the code's validity.
    pub expires_at: TimeView,
    /// Messages that are answered after an approval.
    pub kept_messages: u32,
}

/// A contact whom the operator approved.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovedContactView {
    /// Number of the contact.
    pub number: String,
    /// Time of the approval.
    pub approved_at: TimeView,
}

/// An approval that was just made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalView {
    /// Number of the contact.
    pub number: String,
    /// True if the contact was approved before.
    pub was_approved: bool,
    /// True if the contact's STOP holds, so that no approval SMS is sent.
    pub has_opted_out: bool,
    /// Kept messages that are answered now.
    pub released_messages: u32,
    /// Id of the approval SMS at the provider, once it is sent.
    pub sid: Option<String>,
}

/// A wish of a contact about messages from a line.
#[derive(Serialize)]
pub struct ConsentView {
    /// Number of the contact.
    pub contact: String,
    /// Name of the line.
    pub line: String,
    /// The wish: opted out or in.
    pub wish: &'static str,
    /// Source of that knowledge.
    pub evidence: &'static str,
    /// Time of the wish.
    pub at: TimeView,
    /// True if it was recorded after a later wish was already known, so it changed nothing.
    pub overtaken: bool,
}

impl PairingRequestView {
    /// Converts a stored request.
    pub fn of(request: &PairingRequest) -> Self {
        Self {
            code: request.code.to_string(),
            number: request.contact.to_string(),
            requested_at: TimeView(request.requested),
            expires_at: TimeView(request.expires),
            kept_messages: request.kept,
        }
    }
}

impl ApprovedContactView {
    /// Converts a stored contact.
    pub fn of(approved: &ApprovedContact) -> Self {
        Self { number: approved.contact.to_string(), approved_at: TimeView(approved.approved) }
    }
}

impl ApprovalView {
    /// Converts an approval; `notice` is its SMS.
    pub fn of(approved: &Approved, notice: Option<&PartProgress>) -> Self {
        Self {
            number: approved.contact.to_string(),
            was_approved: approved.was_approved,
            has_opted_out: approved.is_opted_out,
            released_messages: approved.released,
            sid: notice.and_then(|part| part.provider_id.clone()),
        }
    }
}

impl ConsentView {
    /// Converts a stored consent; `line` is the name of its line.
    pub fn of(consent: &Consent, line: String) -> Self {
        Self {
            contact: consent.contact.to_string(),
            line,
            wish: consent.wish.as_str(),
            evidence: consent.evidence.as_str(),
            at: TimeView(consent.at),
            overtaken: consent.is_overtaken,
        }
    }
}
