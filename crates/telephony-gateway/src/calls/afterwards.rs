//! After a call, and instead of one: answers that are still owed, and calls that did not reach us.

use std::sync::Arc;
use std::time::Duration;

use telephony_domain::call::caller;
use telephony_domain::call::report::CallReport;
use telephony_domain::number::mask;
use telephony_domain::time::Timestamp;
use telephony_providers::provider::ProviderError;
use telephony_store::StoreError;
use telephony_store::calls::{IncomingCall, MissedCall};

use super::CallRunner;

/// Maximum age of a call whose open tasks the agent gets again after a restart.
const ANSWERED_UP_TO: Duration = Duration::from_secs(24 * 60 * 60);

/// A reason why missed calls could not be looked up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MissedError {
    /// The provider's list could not be read.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CallRunner {
    /// Gives the agent the open tasks of finished calls of an earlier gateway. The answers are sent as text messages.
    pub(super) async fn ask_after_calls(self: &Arc<Self>) {
        match self.store.unanswered_after_calls(&self.holder, self.clock.now() - ANSWERED_UP_TO).await {
            Ok(questions) => {
                for (call, question) in questions {
                    self.spawn(call, self.clone().ask(call, question));
                }
            }
            Err(error) => self.storage.failed("failed to look up unanswered questions of finished calls", &error),
        }
    }

    /// Stores the calls to `number` since `since` that did not reach us, and texts their callers.
    pub(crate) async fn store_missed(&self, number: &str, since: Timestamp) -> Result<(), MissedError> {
        let live = self.live.borrow().clone();
        let voice = &live.voice;
        if !voice.is_enabled {
            return Ok(());
        }
        for call in self.provider.received_calls(number, since).await? {
            let CallReport { status, duration, .. } = call.report;
            if !status.is_final() {
                continue;
            }
            let missed = MissedCall { status, began: call.created, ended: call.created + duration.unwrap_or_default() };
            let incoming = IncomingCall {
                caller: caller::number(&call.from),
                provider_id: call.provider_id,
                is_attested: false,
                to: number.to_owned(),
            };
            let rules = voice.call_rules(&live.arrivals.policy, self.most_calls);
            if self.store.call_missed(incoming, missed, rules, self.work(), self.clock.now()).await? {
                tracing::info!(from = mask(&call.from), "found a call that did not reach the gateway");
                self.wake.outbox.notify_one();
            }
        }
        Ok(())
    }
}
