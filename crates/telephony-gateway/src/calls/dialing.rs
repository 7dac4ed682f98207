//! Dials calls with one request each. Without an answer, the provider's list decides whether a call was placed.

use std::sync::Arc;

use telephony_domain::call::Event;
use telephony_domain::call::plan::{CallPurpose, MachineRule};
use telephony_domain::dialing::doubt;
use telephony_domain::id::CallId;
use telephony_domain::reconcile::SearchResult;
use telephony_domain::retry::Disposition;
use telephony_providers::calling::{ListedCall, MachineDetection, OutgoingCall};
use telephony_providers::provider::ProviderError;
use telephony_store::StoreError;
use telephony_store::outgoing_calls::{CallToDial, DoubtfulCall};

use super::{CallRunner, document_url};

/// The reasons that are recorded if the gateway cannot make the request.
const CALLS_ARE_OFF: &str = "voice.enabled was false when the gateway started, so restart the gateway";
const NO_PUBLIC_URL: &str = "the gateway has no public URL, so set publicUrl or a tunnel";

impl CallRunner {
    /// Dials a call. The store hands each call out only once.
    pub(super) async fn dial(self: Arc<Self>, dial: CallToDial) {
        let call = dial.call;
        if !self.live.borrow().voice.is_enabled {
            return self.not_dialed(call, CALLS_ARE_OFF.to_owned()).await;
        }
        let Some(url) = self.webhook_url() else {
            return self.not_dialed(call, NO_PUBLIC_URL.to_owned()).await;
        };
        let status_url = self.reach.borrow().status.registered.clone();
        let document_url = document_url(&url, &dial.token);
        let request = OutgoingCall {
            call,
            from: &dial.from,
            to: &dial.to,
            document_url: &document_url,
            status_url: status_url.as_deref(),
            ring: dial.plan.purpose.dialing().map(|dialing| dialing.ring).unwrap_or_default(),
            max_duration: dial.plan.max_duration,
            detection: detection(&dial.plan.purpose),
            keys: dial.keys.as_deref(),
        };
        match self.provider.place_call(&request).await {
            Ok(provider_id) => self.dialed(call, &provider_id).await,
            Err(error) if error.disposition() == Disposition::Unknown => {
                tracing::warn!(%error, "no answer to the request for a call; looking for it in the list");
                self.stored(self.store.doubt_call(call, self.clock.now()).await);
            }
            Err(error) => self.not_dialed(call, reason(&error, self.provider.carrier().company)).await,
        }
        self.wake.calls.notify_one();
    }

    /// Looks for a call in the provider's list.
    pub(super) async fn find(self: Arc<Self>, doubtful: DoubtfulCall) {
        let call = doubtful.call;
        let finding = match self.provider.calls_to(&doubtful.to, doubt::search_from(doubtful.dialed)).await {
            Ok(listed) => match self.claim(&doubtful, listed).await {
                true => return,
                false => SearchResult::Absent,
            },
            Err(error) => {
                tracing::warn!(%error, "could not look for a call in the account's list");
                if matches!(error.disposition(), Disposition::GiveUp) {
                    SearchResult::Denied
                } else {
                    SearchResult::Unreachable
                }
            }
        };
        let noted = self.store.call_not_found(call, finding, &self.holder, self.clock.now()).await;
        self.stored(noted);
        self.wake.calls.notify_one();
    }

    /// Claims the first listed call that does not belong to another of our calls. Returns false if there is none.
    async fn claim(self: &Arc<Self>, doubtful: &DoubtfulCall, listed: Vec<ListedCall>) -> bool {
        for listed in listed.into_iter().filter(|listed| listed.from == doubtful.from.as_str()) {
            let event = Event::Status(listed.report.status);
            let (id, now) = (listed.provider_id, self.clock.now());
            match self.store.report_call(&id, Some(doubtful.call), event, self.work(), now).await {
                Ok(Some(step)) if step.call == doubtful.call => {
                    tracing::info!(provider_id = id, "found a call whose request got no answer");
                    self.carry_out(step);
                    return true;
                }
                Ok(_) => {}
                Err(error) => {
                    self.storage.failed("failed to store that a call was found", &error);
                    return true;
                }
            }
        }
        false
    }

    async fn dialed(&self, call: CallId, provider_id: &str) {
        tracing::info!(provider_id, "dialed a call");
        match self.store.call_dialed(call, provider_id, &self.holder, self.clock.now()).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(provider_id, "a call was placed twice; ending this one");
                if let Err(error) = self.provider.end_call(provider_id).await {
                    tracing::warn!(provider_id, %error, "could not end a call");
                }
            }
            Err(error) => self.storage.failed("failed to store that a call was dialed", &error),
        }
    }

    async fn not_dialed(&self, call: CallId, reason: String) {
        tracing::warn!(reason, "a call was not dialed");
        self.stored(self.store.call_not_dialed(call, reason, &self.holder, self.clock.now()).await);
    }

    fn stored(&self, result: Result<(), StoreError>) {
        if let Err(error) = result {
            self.storage.failed("failed to store the outcome of dialing a call", &error);
        }
    }
}

/// Returns the detection of answering machines to request. A message waits for its result, because it is said only
/// once. A conversation begins at once.
fn detection(purpose: &CallPurpose) -> Option<MachineDetection> {
    match purpose.dialing()?.machine {
        MachineRule::Off => None,
        MachineRule::LeaveMessage | MachineRule::HangUp => Some(match purpose {
            CallPurpose::Notify { .. } => MachineDetection::BeforeDocument,
            CallPurpose::Inbound { .. } | CallPurpose::Conversation { .. } => MachineDetection::DuringCall,
        }),
    }
}

/// Explains why a call was not dialed, with the remedy. Twilio's codes for a retry say that it follows by itself, but a
/// call is not dialed again.
fn reason(error: &ProviderError, company: &str) -> String {
    let Some(code) = error.code() else { return error.with_hint() };
    let explained = match error.disposition() {
        Disposition::Retry { .. } => error.to_string(),
        Disposition::GiveUp | Disposition::AwaitOperator | Disposition::Unknown => error.with_hint(),
    };
    format!("{} ({company} error {code})", explained.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u32, disposition: Disposition) -> String {
        let (sentence, hint) = ("Not allowed.".to_owned(), "Allow it.".to_owned());
        let code = Some(code);
        reason(
            &ProviderError::Refused { http_status: 400, code, sentence, hint, disposition, is_opt_out: false },
            "Acme",
        )
    }

    #[test]
    fn the_reason_has_the_remedy_unless_it_is_a_retry() {
        assert_eq!(refused(13_227, Disposition::GiveUp), "Not allowed. Allow it (Acme error 13227)");
        assert_eq!(refused(20_003, Disposition::AwaitOperator), "Not allowed. Allow it (Acme error 20003)");
        assert_eq!(refused(20_429, Disposition::Retry { after: None }), "Not allowed (Acme error 20429)");
        let (server, cause) = ("api.example.com".to_owned(), "connection refused".to_owned());
        let unreachable = reason(&ProviderError::Unreachable { server, cause }, "Acme");
        assert!(unreachable.starts_with("cannot reach api.example.com: connection refused; check "), "{unreachable}");
    }
}
