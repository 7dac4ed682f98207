//! Calls: answers the provider's requests for documents, and carries out the decisions of the rules.
//!
//! The rules are the domain's, and each of their decisions is stored before this module acts on it. A restart loses
//! nothing: the provider repeats a request that got no document, and the next gateway takes over the calls.

mod actions;
mod afterwards;
mod dialing;
mod documents;
mod questions;

use std::sync::Arc;

use telephony_domain::call::code;
use telephony_domain::call::report::{CallEvent, CallRequest};
use telephony_domain::call::script::{Reason, Script, Step};
use telephony_domain::call::token::CallToken;
use telephony_domain::call::{Action, Event, caller};
use telephony_domain::id::LineId;
use telephony_domain::number::{PhoneNumber, mask};
use telephony_domain::pairing::PairingCode;
use telephony_domain::program::ProgramName;
use telephony_domain::sms::parts;
use telephony_domain::time::Clock;
use telephony_providers::provider::{EventOutcome, Provider, WebhookAnswer};
use telephony_store::calls::{CallDocumentRequest, CallOpening, CallStep, CallWork, IncomingCall, Requested};
use telephony_store::contacts::{CallerChallenged, Challenge};
use telephony_store::{LeaseHolder, Next, Store, StoreError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) use self::afterwards::MissedError;
use self::documents::{CallDocument, Documents};
use crate::random;
use crate::reach::Reach;
use crate::settings::{Live, VoiceSettings};
use crate::storage::Storage;
use crate::tasks::without_panic;
use crate::wake::{self, Wake};
use crate::webhook;

/// Documents are below this, which is below the webhook's path.
pub const CALLS_BELOW: &str = "v";

/// Pause of a call that waited for the agent when the gateway stopped: time for the next gateway to start.
const RESTART_SECONDS: u32 = 3;

/// The task that answers calls and ends them in time.
pub struct CallRunner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) live: watch::Receiver<Arc<Live>>,
    /// The URLs by which the provider reaches us. Without one, calls are declined.
    pub(crate) reach: watch::Receiver<Reach>,
    pub(crate) program: ProgramName,
    pub(crate) most_calls: usize,
    pub(crate) holder: LeaseHolder,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wake: Arc<Wake>,
    pub(crate) storage: Arc<Storage>,
    pub(crate) stop: CancellationToken,
    pub(crate) documents: Documents,
}

/// A token that belongs to another call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignCall;

/// The answer to a request, before the provider words it.
enum Decided {
    /// This document; the token is that of the next.
    Document(CallDocument),
    /// A document without another behind it.
    Last(Script),
    /// The token is another call's.
    Foreign,
}

impl CallRunner {
    /// Answers a request for a document. A verified request always gets one: an apology if the store fails.
    pub async fn answer(
        self: &Arc<Self>,
        request: CallRequest,
        token: Option<CallToken>,
    ) -> Result<WebhookAnswer, ForeignCall> {
        let live = self.live.borrow().clone();
        let voice = &live.voice;
        let is_open = token.is_some();
        let Some(url) = self.webhook_url().filter(|_| voice.is_enabled || is_open) else {
            tracing::info!(
                provider_id = request.provider_id,
                from = mask(&request.from),
                "declined a call: voice is off, or there is no public URL"
            );
            self.remember_declined(&request.provider_id).await;
            return Ok(self.provider.answer(EventOutcome::CallDeclined));
        };
        let deciding = async {
            match token {
                Some(token) => self.next_document(request, token, voice).await,
                None => self.first_document(request, &live).await,
            }
        };
        match without_panic("a request of a call", deciding, || Err(StoreError::Fault)).await {
            Ok(Decided::Document(document)) => Ok(self.worded(&document, voice, &url)),
            Ok(Decided::Last(script)) => Ok(self.provider.document(&script, &voice.terms(""))),
            Ok(Decided::Foreign) => Err(ForeignCall),
            Err(error) => {
                self.storage.failed("a call was not stored, so the caller heard an apology", &error);
                Ok(self.apology())
            }
        }
    }

    /// Keeps a call that was answered without rules from counting as missed.
    async fn remember_declined(&self, provider_id: &str) {
        if let Err(error) = self.store.call_declined(self.provider.carrier().name, provider_id, self.clock.now()).await
        {
            self.storage.failed("failed to store that a call was declined", &error);
        }
    }

    /// Returns a document that apologizes and ends the call.
    pub fn apology(&self) -> WebhookAnswer {
        self.provider.document(&Script::apology(), &self.live.borrow().voice.terms(""))
    }

    /// Stores a report on a call, and carries out the decisions that follow. Ignores calls that are not stored here.
    pub async fn report(self: &Arc<Self>, report: &CallEvent) -> Result<(), StoreError> {
        let (provider_id, call, event) = match report {
            CallEvent::Status(report) => (&report.provider_id, report.call, Event::Status(report.status)),
            CallEvent::AnsweredBy { provider_id, call, answered_by } => {
                (provider_id, *call, Event::AnsweredBy(*answered_by))
            }
            CallEvent::Request(_) | CallEvent::Other { .. } => return Ok(()),
        };
        if let Some(step) = self.store.report_call(provider_id, call, event, self.work(), self.clock.now()).await? {
            self.carry_out(step);
        }
        Ok(())
    }

    /// Attends to calls that are due, until it is dropped.
    pub async fn run(self: Arc<Self>) {
        self.ask_after_calls().await;
        loop {
            let due = match self.store.take_due_call(self.work(), self.clock.now()).await {
                Ok(Next::Taken(due)) => {
                    self.attend(due);
                    continue;
                }
                Ok(Next::Idle(due)) => due,
                Err(error) => {
                    self.storage.failed("failed to look for calls that are due", &error);
                    None
                }
            };
            wake::wait(&self.wake.calls, due, self.clock.as_ref()).await;
        }
    }

    async fn first_document(self: &Arc<Self>, request: CallRequest, live: &Live) -> Result<Decided, StoreError> {
        let from = mask(&request.from);
        let CallRequest { provider_id, from: address, to, is_attested, .. } = request;
        let caller = caller::number(&address);
        let incoming = IncomingCall { provider_id: provider_id.clone(), caller, is_attested, to };
        let mut waiting = self.documents.wait_for(&provider_id);
        let reason = loop {
            let rules = live.voice.call_rules(&live.arrivals.policy, self.most_calls);
            match self.store.open_call(incoming.clone(), rules, self.work(), self.clock.now()).await? {
                CallOpening::Open(step) => return Ok(self.document_of(*step, &mut waiting).await),
                CallOpening::Stranger(line, caller) => match self.challenge(line, &caller, &provider_id, live).await? {
                    CallerChallenged::Code(code) => return Ok(Decided::Last(code::script(&code))),
                    CallerChallenged::NoCode => return Ok(Decided::Last(code::no_code())),
                    CallerChallenged::NoStranger => {}
                },
                CallOpening::Busy => break Reason::Busy,
                CallOpening::NotOurs | CallOpening::Refused(_) | CallOpening::Unproven => break Reason::NotInService,
            }
        };
        tracing::info!(provider_id, from, ?reason, "rejected a call before it was answered");
        Ok(Decided::Last(Script::reject(reason)))
    }

    async fn next_document(
        self: &Arc<Self>,
        request: CallRequest,
        token: CallToken,
        voice: &VoiceSettings,
    ) -> Result<Decided, StoreError> {
        let CallRequest { provider_id, heard, answered_by, .. } = request;
        let mut waiting = self.documents.wait_for(&provider_id);
        let is_pin = voice.is_pin(heard.as_ref());
        let request = CallDocumentRequest { token, provider_id, heard, is_pin, answered_by };
        match self.store.request_document(request, self.work(), self.clock.now()).await? {
            Requested::Step(step) => Ok(self.document_of(*step, &mut waiting).await),
            Requested::UnknownToken => Ok(Decided::Last(Script::hang_up())),
            Requested::ForeignCall => Ok(Decided::Foreign),
        }
    }

    /// Carries out a step and returns its document, which may wait for the agent.
    async fn document_of(self: &Arc<Self>, step: CallStep, waiting: &mut documents::WaitingRequest) -> Decided {
        let token = step.token.clone();
        let script = step.actions.iter().find_map(|action| match action {
            Action::Respond(script) => Some(script.clone()),
            _ => None,
        });
        self.carry_out(step);
        let document = match script {
            Some(script) => CallDocument { script, token },
            // A gateway that stops answers at once, so that the next one can take the call over.
            None => match self.stop.run_until_cancelled(waiting.document(&token)).await {
                Some(document) => document.unwrap_or_else(|| ask_again(token, 1)),
                None => ask_again(token, RESTART_SECONDS),
            },
        };
        Decided::Document(document)
    }

    /// Makes a stranger's pairing request.
    async fn challenge(
        &self,
        line: LineId,
        caller: &PhoneNumber,
        provider_id: &str,
        live: &Live,
    ) -> Result<CallerChallenged, StoreError> {
        loop {
            let code = PairingCode::from_random(random::bytes());
            let text = code.challenge_text(caller, self.program);
            let challenge = Challenge {
                code,
                parts: parts::of(&text, &live.split),
                replies_per_day: live.stranger_replies_per_day,
            };
            let key = format!("pairing-{provider_id}");
            match self.store.challenge_caller(line, caller, &key, challenge, live.terms, self.clock.now()).await {
                Err(StoreError::CodeTaken) => {}
                challenged => {
                    self.wake.outbox.notify_one();
                    return challenged;
                }
            }
        }
    }

    fn worded(&self, document: &CallDocument, voice: &VoiceSettings, webhook_url: &str) -> WebhookAnswer {
        self.provider.document(&document.script, &voice.terms(&document_url(webhook_url, &document.token)))
    }

    fn webhook_url(&self) -> Option<String> {
        self.reach.borrow().webhook.registered.clone()
    }

    fn work(&self) -> CallWork {
        let live = self.live.borrow();
        CallWork {
            provider: self.provider.carrier().name,
            holder: self.holder.clone(),
            token: CallToken::from_random(random::bytes()),
            split: live.split,
            arrivals: live.arrivals.clone(),
            terms: live.terms,
            operator: live.operator.clone(),
        }
    }
}

/// Returns the document for a request whose own is late: the provider requests the next one after a pause.
fn ask_again(token: CallToken, seconds: u32) -> CallDocument {
    CallDocument { script: Script(vec![Step::Pause(seconds), Step::Continue]), token }
}

/// Returns the public address of a document, below the webhook's own.
pub fn document_url(webhook_url: &str, token: &CallToken) -> String {
    webhook::url_below(webhook_url, CALLS_BELOW, token.as_str())
}

/// Returns a URL or a path as the log may show it: with `<token>` in place of the token of a document.
pub(crate) fn without_token(url: &str) -> String {
    let steps = url.split_inclusive(['/', '?']).map(|step| match step.trim_end_matches(['/', '?']) {
        text if CallToken::read(text).is_some() => step.replace(text, "<token>"),
        _ => step.to_owned(),
    });
    steps.collect()
}

/// Returns the token at the end of a local path; none if it is not the path of a document.
pub fn token_in(path: &str, webhook_path: &str) -> Option<CallToken> {
    CallToken::read(webhook::step_below(path, webhook_path, CALLS_BELOW)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_below_the_webhook() {
        let token = CallToken::from_random([7; 16]);
        let whole = "07".repeat(16);
        assert_eq!(
            document_url("https://a.b/telephony/webhook", &token),
            format!("https://a.b/telephony/webhook/v/{whole}")
        );
        assert_eq!(document_url("https://a.b/?x=1", &token), format!("https://a.b/v/{whole}?x=1"));
        assert_eq!(token_in(&format!("/telephony/webhook/v/{whole}"), "/telephony/webhook"), Some(token));
        for other in
            [format!("/v/{whole}"), format!("/hook/m/{whole}"), format!("/hook/v/{whole}/x"), "/hook/v/".to_owned()]
        {
            assert_eq!(token_in(&other, "/hook"), None, "{other}");
        }
    }

    #[test]
    fn no_token_is_logged() {
        let token = CallToken::from_random([7; 16]);
        for (webhook, shown) in [
            ("https://a.b/telephony/webhook", "https://a.b/telephony/webhook/v/<token>"),
            ("https://a.b/?x=1", "https://a.b/v/<token>?x=1"),
        ] {
            assert_eq!(without_token(&document_url(webhook, &token)), shown);
            assert_eq!(without_token(webhook), webhook);
        }
        assert_eq!(without_token(&format!("POST /other/v/{}/", token.as_str())), "POST /other/v/<token>/");
    }
}
