//! The gateway's requests about calls.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::call::report::CallReport;
use telephony_domain::call::script::Script;
use telephony_domain::id::CallId;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::provider::{ProviderError, WebhookAnswer};

/// Terms on which a call's documents are spoken and answered.
#[derive(Debug, Clone, Copy)]
pub struct CallTerms<'a> {
    /// The language of both sides, as a BCP 47 tag such as `en-US`.
    pub language: &'a str,
    /// The provider's name for a voice; none for its own choice.
    pub voice: Option<&'a str>,
    /// The assistant's name, which the recognizer should expect.
    pub assistant_name: Option<&'a str>,
    /// Seconds without a sound, or between two keys, after which listening ends.
    pub silence_seconds: u32,
    /// The URL of the next document.
    pub next_url: &'a str,
}

/// A call to place.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingCall<'a> {
    /// Our id of the call; returned in its reports if `status_url` is set.
    pub call: CallId,
    /// Our number, which the contact sees.
    pub from: &'a PhoneNumber,
    /// Number that is called.
    pub to: &'a PhoneNumber,
    /// URL of the first document.
    pub document_url: &'a str,
    /// URL for status reports, without our id of the call; none if the provider cannot reach us.
    pub status_url: Option<&'a str>,
    /// The maximum ringing time.
    pub ring: Duration,
    /// The maximum time from answer to end, after which the provider ends the call by itself.
    pub max_duration: Duration,
    /// The use of machine detection; none for no detection.
    pub detection: Option<MachineDetection>,
    /// Keys that the provider presses after the answer, before the first document; `w` waits half a second.
    pub keys: Option<&'a str>,
}

/// A use of machine detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineDetection {
    /// The provider requests the first document only once it knows who answered, and after a machine's greeting.
    BeforeDocument,
    /// The provider requests the first document at once, and reports later who answered. Needs a status URL.
    DuringCall,
}

/// A call in the provider's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCall {
    /// The provider's id of the call.
    pub provider_id: String,
    /// Number that called, as the provider lists it.
    pub from: String,
    /// Time when the provider created it (in whole seconds).
    pub created: Timestamp,
    /// State of the call at the provider.
    pub report: CallReport,
}

/// A provider's side of calls.
#[async_trait]
pub trait Calling: Send + Sync {
    /// Writes a document in the provider's format.
    fn document(&self, script: &Script, terms: &CallTerms<'_>) -> WebhookAnswer;

    /// Places a call, and returns the provider's id of it. An `Ok` means that the provider dials, or has it in its
    /// queue; see [`ProviderError::disposition`] for the rest. Makes one attempt: after an unknown outcome, see
    /// [`calls_to`].
    ///
    /// [`calls_to`]: Calling::calls_to
    async fn place_call(&self, call: &OutgoingCall<'_>) -> Result<String, ProviderError>;

    /// Returns the calls to `to` that we placed at or after `since`, newest first, complete.
    async fn calls_to(&self, to: &PhoneNumber, since: Timestamp) -> Result<Vec<ListedCall>, ProviderError>;

    /// Returns the calls to our number `to` that arrived at or after `since`, newest first, complete.
    async fn received_calls(&self, to: &str, since: Timestamp) -> Result<Vec<ListedCall>, ProviderError>;

    /// Fetches the state of a call; none if the provider has no such call.
    async fn call_report(&self, provider_id: &str) -> Result<Option<CallReport>, ProviderError>;

    /// Replaces the current document of a call.
    async fn replace_document(
        &self,
        provider_id: &str,
        script: &Script,
        terms: &CallTerms<'_>,
    ) -> Result<(), ProviderError>;

    /// Has the provider end a call after this many seconds, even if the gateway is gone, and report its end.
    async fn limit_call(&self, provider_id: &str, seconds: u32, status_url: Option<&str>) -> Result<(), ProviderError>;

    /// Ends a call, answered or not.
    async fn end_call(&self, provider_id: &str) -> Result<(), ProviderError>;
}
