//! Carries out the decisions of the rules about a call, at the provider.

use std::sync::Arc;

use telephony_domain::call::report::CallStatus;
use telephony_domain::call::script::Script;
use telephony_domain::call::token::CallToken;
use telephony_domain::call::{Action, Event};
use telephony_domain::id::CallId;
use telephony_providers::provider::ProviderError;
use telephony_store::StoreError;
use telephony_store::calls::{CallQuestion, CallStep, DueCall};
use tracing::Instrument;

use super::documents::CallDocument;
use super::{CallRunner, document_url};
use crate::tasks::without_panic;

impl CallRunner {
    /// Carries out the actions of a step, each in a task of its own where it has to wait.
    pub(super) fn carry_out(self: &Arc<Self>, step: CallStep) {
        let CallStep { call, provider_id, actions, asked, token, locks_out, .. } = step;
        if locks_out {
            tracing::warn!(call = %call, "too many wrong PINs: unproven callers are locked out for 24 hours");
        }
        for question in asked {
            self.spawn(call, self.clone().ask(call, question));
        }
        for action in actions {
            let Some(provider_id) = provider_id.clone() else { continue };
            match action {
                Action::Respond(script) => {
                    self.documents.publish(&provider_id, CallDocument { script, token: token.clone() });
                }
                Action::Interrupt(script) => {
                    self.spawn(call, self.clone().interrupt(call, provider_id, script, token.clone()));
                }
                Action::LimitTime(seconds) => self.spawn(call, self.clone().limit(provider_id, seconds)),
                Action::Check => self.spawn(call, self.clone().check(call, provider_id)),
                // The store has carried these out, or takes them up when the call is due.
                Action::Keep { .. }
                | Action::Ask { .. }
                | Action::Text { .. }
                | Action::SendSummary { .. }
                | Action::KeepUnheard { .. }
                | Action::CountWrongPin
                | Action::Cancel
                | Action::HangUp => {}
            }
        }
        self.wake.calls.notify_one();
        self.wake.outbox.notify_one();
    }

    /// Attends to a call that is due.
    pub(super) fn attend(self: &Arc<Self>, due: DueCall) {
        match due {
            DueCall::Fired(step) => self.carry_out(*step),
            DueCall::Silent(call, provider_id) => {
                self.spawn(call, self.clone().look_after(call, provider_id, Vec::new()))
            }
            DueCall::TakenOver(step) => {
                let CallStep { call, provider_id, asked, .. } = *step.clone();
                tracing::info!(call = %call, "took over a call of an earlier gateway");
                self.carry_out(CallStep { asked: Vec::new(), ..*step });
                self.spawn(call, self.clone().look_after(call, provider_id, asked));
            }
            DueCall::Dial(dial) => self.spawn(dial.call, self.clone().dial(*dial)),
            DueCall::Find(doubtful) => self.spawn(doubtful.call, self.clone().find(doubtful)),
            DueCall::End(call, provider_id, attempt) => self.spawn(call, self.clone().end(call, provider_id, attempt)),
        }
    }

    /// Has the rules decide about an event, and carries out their decision.
    pub(super) async fn change(self: &Arc<Self>, call: CallId, event: Event) {
        match self.store.change_call(call, event, self.work(), self.clock.now()).await {
            Ok(step) => self.carry_out(step),
            // It was purged.
            Err(StoreError::NotFound(_)) => {}
            Err(error) => self.storage.failed("failed to store what happened on a call", &error),
        }
    }

    /// Checks if a call still goes on before it asks the agent, because answers on a call that is over go by text.
    async fn look_after(self: Arc<Self>, call: CallId, provider_id: Option<String>, questions: Vec<CallQuestion>) {
        if let Some(provider_id) = provider_id {
            self.clone().check(call, provider_id).await;
        }
        for question in questions {
            self.spawn(call, self.clone().ask(call, question));
        }
    }

    /// Fetches the state of a call from the provider. A call that the provider does not know is over.
    async fn check(self: Arc<Self>, call: CallId, provider_id: String) {
        match self.provider.call_report(&provider_id).await {
            Ok(report) => {
                let status = report.map_or(CallStatus::Failed, |report| report.status);
                self.change(call, Event::Status(status)).await;
            }
            Err(error) => tracing::warn!(%error, "could not fetch the state of a call"),
        }
    }

    /// Replaces the current document of a call. If that fails, checks if the call is over.
    async fn interrupt(self: Arc<Self>, call: CallId, provider_id: String, script: Script, token: CallToken) {
        let live = self.live.borrow().clone();
        let Some(url) = self.webhook_url() else { return };
        let terms_url = document_url(&url, &token);
        if let Err(error) = self.provider.replace_document(&provider_id, &script, &live.voice.terms(&terms_url)).await {
            tracing::info!(%error, "could not interrupt a call");
            self.check(call, provider_id).await;
        }
    }

    /// Has the provider end a call in time. If that fails, the gateway's own deadline ends it.
    async fn limit(self: Arc<Self>, provider_id: String, seconds: u32) {
        let status_url = self.reach.borrow().status.registered.clone();
        if let Err(error) = self.provider.limit_call(&provider_id, seconds, status_url.as_deref()).await {
            tracing::warn!(%error, "could not set the longest time of a call");
        }
    }

    /// Ends a call at the provider. It stays due until the provider reports that it is over.
    async fn end(self: Arc<Self>, call: CallId, provider_id: Option<String>, attempt: u32) {
        let Some(provider_id) = provider_id else { return self.close(call).await };
        match self.end_and_look(&provider_id).await {
            Ok(None) => self.close(call).await,
            Ok(Some(status)) => self.change(call, Event::Status(status)).await,
            Err(error) => tracing::warn!(attempt, %error, "could not end a call; still retrying"),
        }
    }

    async fn end_and_look(&self, provider_id: &str) -> Result<Option<CallStatus>, ProviderError> {
        match self.provider.end_call(provider_id).await {
            Err(error) if error.is_not_found() => return Ok(None),
            // Twilio refuses to change a call that is over.
            Err(error @ ProviderError::Refused { .. }) => tracing::debug!(%error, "a call may be over already"),
            ended => ended?,
        }
        Ok(self.provider.call_report(provider_id).await?.map(|report| report.status))
    }

    async fn close(&self, call: CallId) {
        if let Err(error) = self.store.close_call(call, self.clock.now()).await {
            self.storage.failed("failed to store that a call is over", &error);
        }
    }

    /// Runs work on a call until it is done or the gateway stops. A panic is logged; a call that needs more work is due
    /// again. Every log line of the work names the call, at any log level.
    pub(super) fn spawn(self: &Arc<Self>, call: CallId, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        // Without a parent, because work on a call starts further work on it.
        let span = tracing::error_span!(parent: None, "call", %call);
        let work = async move { stop.run_until_cancelled(without_panic("work on a call", work, || ())).await };
        tokio::spawn(work.instrument(span));
    }
}
