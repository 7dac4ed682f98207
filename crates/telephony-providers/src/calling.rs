//! The gateway's requests about calls in progress.

use async_trait::async_trait;
use telephony_domain::call::report::CallStatus;
use telephony_domain::call::script::Script;

use crate::provider::{Answer, ProviderError};

/// Terms on which a call's documents are spoken and answered.
#[derive(Debug, Clone, Copy)]
pub struct CallTerms<'a> {
    /// The language of both sides, as a BCP 47 tag such as `en-US`.
    pub language: &'a str,
    /// The provider's name for a voice; none for its own choice.
    pub voice: Option<&'a str>,
    /// Seconds without a sound, or between two keys, after which listening ends.
    pub silence_seconds: u32,
    /// The URL of the next document.
    pub next_url: &'a str,
}

/// A provider's side of calls in progress.
#[async_trait]
pub trait Calling: Send + Sync {
    /// Writes a document in the provider's format.
    fn document(&self, script: &Script, terms: &CallTerms<'_>) -> Answer;

    /// Fetches the state of a call; none if the provider has no such call.
    async fn call_status(&self, provider_id: &str) -> Result<Option<CallStatus>, ProviderError>;

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
