//! Twilio's side of calls.

use async_trait::async_trait;
use telephony_domain::call::report::CallReport;
use telephony_domain::call::script::Script;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use super::sender::without_the_right;
use super::{CALL_ID, Twilio, callback_url, twiml};
use crate::calling::{CallTerms, Calling, ListedCall, MachineDetection, OutgoingCall};
use crate::provider::{ProviderError, WebhookAnswer};

/// Changes of a call that Twilio reports; by default it reports only the end.
const REPORTED: [&str; 4] = ["initiated", "ringing", "answered", "completed"];

/// Twilio's terms for the direction of a call: placed through the API, and received.
const PLACED: &str = "outbound-api";
const RECEIVED: &str = "inbound";

#[async_trait]
impl Calling for Twilio {
    fn document(&self, script: &Script, terms: &CallTerms<'_>) -> WebhookAnswer {
        WebhookAnswer { content_type: twiml::CONTENT_TYPE, body: self.twiml(script, terms).into() }
    }

    async fn place_call(&self, call: &OutgoingCall<'_>) -> Result<String, ProviderError> {
        let overrides = &self.rest().account().connection_overrides;
        let url = self.with_connection_overrides(call.document_url);
        let callback =
            call.status_url.map(|status| callback_url::with_id(status, CALL_ID, &call.call.to_string(), overrides));
        let (ring, limit) = (call.ring.as_secs().to_string(), call.max_duration.as_secs().to_string());
        let mut form = vec![("To", call.to.as_str()), ("From", call.from.as_str()), ("Url", url.as_str())];
        if let Some(callback) = &callback {
            form.push(("StatusCallback", callback));
            form.extend(REPORTED.map(|event| ("StatusCallbackEvent", event)));
        }
        form.extend([("Timeout", ring.as_str()), ("TimeLimit", limit.as_str())]);
        form.extend(call.keys.map(|keys| ("SendDigits", keys)));
        form.extend(detection_form(call.detection, callback.as_deref()));
        Ok(self.rest().create_call(&form).await?.sid)
    }

    async fn calls_to(&self, to: &PhoneNumber, since: Timestamp) -> Result<Vec<ListedCall>, ProviderError> {
        self.rest().calls_to(to.as_str(), PLACED, since).await.map_err(without_the_right)
    }

    async fn received_calls(&self, to: &str, since: Timestamp) -> Result<Vec<ListedCall>, ProviderError> {
        self.rest().calls_to(to, RECEIVED, since).await
    }

    async fn call_report(&self, provider_id: &str) -> Result<Option<CallReport>, ProviderError> {
        match self.rest().call(provider_id).await {
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
            Ok(call) => call.report().map(Some),
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
        callback_url::with_overrides(url, &self.rest().account().connection_overrides)
    }
}

/// Returns the parameters of machine detection, which waits for the end of a machine's greeting.
fn detection_form(detection: Option<MachineDetection>, callback: Option<&str>) -> Vec<(&'static str, &str)> {
    let on = ("MachineDetection", "DetectMessageEnd");
    match (detection, callback) {
        (Some(MachineDetection::BeforeDocument), _) => vec![on],
        (Some(MachineDetection::DuringCall), Some(url)) => {
            vec![on, ("AsyncAmd", "true"), ("AsyncAmdStatusCallback", url)]
        }
        // A result could not be reported.
        (Some(MachineDetection::DuringCall), None) | (None, _) => Vec::new(),
    }
}
