//! Everything stored about a contact.

use std::collections::HashMap;

use serde::Serialize;
use telephony_domain::id::LineId;
use telephony_domain::time::Timestamp;
use telephony_providers::provider::Webhooks;
use telephony_store::Store;
use telephony_store::contacts::PairingRequest;
use telephony_store::records::Record;

use super::call::TranscriptView;
use super::message::MessageDetailView;
use super::people::ConsentView;
use super::time::TimeView;

/// Everything stored about a contact.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordView {
    contact: String,
    exported_at: TimeView,
    approved_at: Option<TimeView>,
    blocked_at: Option<TimeView>,
    pairing_request: Option<RecordedRequest>,
    consents: Vec<ConsentView>,
    messages: Vec<MessageDetailView>,
    calls: Vec<TranscriptView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordedRequest {
    code: String,
    requested_at: TimeView,
    expires_at: TimeView,
}

impl RecordView {
    /// Converts a record of `store`; `names` holds the names of the lines.
    pub fn of(
        record: &Record,
        store: &dyn Store,
        provider: &dyn Webhooks,
        names: &HashMap<LineId, String>,
        now: Timestamp,
    ) -> Self {
        let name = |id| names.get(&id).cloned().unwrap_or_default();
        Self {
            contact: record.contact.to_string(),
            exported_at: TimeView(now),
            approved_at: record.approved.map(TimeView),
            blocked_at: record.blocked.map(TimeView),
            pairing_request: record.pairing.as_ref().map(RecordedRequest::of),
            consents: record.consents.iter().map(|consent| ConsentView::of(consent, name(consent.line))).collect(),
            messages: record
                .messages
                .iter()
                .map(|detail| MessageDetailView::of(detail, store, provider, names))
                .collect(),
            calls: record.calls.iter().map(TranscriptView::of).collect(),
        }
    }
}

impl RecordedRequest {
    fn of(request: &PairingRequest) -> Self {
        Self {
            code: request.code.to_string(),
            requested_at: TimeView(request.requested),
            expires_at: TimeView(request.expires),
        }
    }
}
