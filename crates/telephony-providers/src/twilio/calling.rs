//! Twilio's side of calls in progress.

use async_trait::async_trait;
use telephony_domain::call::report::CallStatus;
use telephony_domain::call::script::Script;

use super::{Twilio, twiml};
use crate::calling::{CallTerms, Calling};
use crate::provider::{Answer, ProviderError};

#[async_trait]
impl Calling for Twilio {
    fn document(&self, script: &Script, terms: &CallTerms<'_>) -> Answer {
        Answer { content_type: twiml::CONTENT_TYPE, body: self.twiml(script, terms).into() }
    }

    async fn call_status(&self, provider_id: &str) -> Result<Option<CallStatus>, ProviderError> {
        match self.rest().call(provider_id).await {
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
            Ok(call) => match call.status.parse() {
                Ok(status) => Ok(Some(status)),
                Err(_) => Err(ProviderError::Unreadable { cause: "a call has a status that is not known".to_owned() }),
            },
        }
    }

    async fn replace_document(
        &self,
        provider_id: &str,
        script: &Script,
        terms: &CallTerms<'_>,
    ) -> Result<(), ProviderError> {
        self.rest().replace_document(provider_id, &self.twiml(script, terms)).await
    }

    async fn limit_call(&self, provider_id: &str, seconds: u32, status_url: Option<&str>) -> Result<(), ProviderError> {
        self.rest()
            .limit_call(provider_id, seconds, status_url.map(|url| self.with_connection_overrides(url)).as_deref())
            .await
    }

    async fn end_call(&self, provider_id: &str) -> Result<(), ProviderError> {
        self.rest().end_call(provider_id).await
    }
}

impl Twilio {
    fn twiml(&self, script: &Script, terms: &CallTerms<'_>) -> String {
        let next_url = self.with_connection_overrides(terms.next_url);
        twiml::document(script, &CallTerms { next_url: &next_url, ..*terms })
    }

    /// Adds the account's connection overrides, which have Twilio retry when it cannot reach us for a moment.
    fn with_connection_overrides(&self, url: &str) -> String {
        let overrides = &self.rest().account().connection_overrides;
        let has_own = overrides.is_empty() || url.is_empty() || url.contains('#');
        if has_own { url.to_owned() } else { format!("{url}#{overrides}") }
    }
}
