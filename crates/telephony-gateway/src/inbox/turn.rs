//! One turn: admission, the agent's answer, and the result on disk.
//!
//! The fourth stage of an incoming message: `apply.rs` has stored it, and `outbox/send.rs` sends the answer.

use std::sync::Arc;
use std::time::Instant;

use telephony_agents::{AgentError, Past, Role, Turn, collect};
use telephony_domain::id::TurnId;
use telephony_domain::pairing::PairingCode;
use telephony_domain::policy::{Admission, Refusal};
use telephony_domain::retry::TurnFate;
use telephony_domain::sms::parts;
use telephony_store::StoreError;
use telephony_store::contacts::{Challenge, Challenged};
use telephony_store::history::Speaker;
use telephony_store::inbox::{Apology, Inbound, LeasedTurn, RENEW_EVERY, TurnEnd, TurnFailure};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::TurnRunner;
use super::attachments::Unasked;
use super::reply;
use crate::random;
use crate::settings::Live;
use crate::stop;
use crate::tasks::without_panic;

/// Text with which a contact makes the agent forget the conversation.
const RESET: &str = "/reset";

const FORGOTTEN: &str = "Done: I have forgotten what we talked about.";

const ACCOUNT_REFUSED: &str = "the account is rejected, so attachments cannot be fetched";

/// The result of working on a turn.
enum Ended {
    /// An end to store.
    With(TurnEnd),
    Stored,
    Failed(AgentError),
    /// The attachments cannot be fetched until the operator has fixed the account.
    AccountRefused,
}

impl Ended {
    fn name(&self) -> &'static str {
        match self {
            Ended::With(TurnEnd::Answered(_)) => "answered",
            Ended::With(TurnEnd::Refused(_)) => "refused",
            Ended::Stored => "challenged",
            Ended::Failed(_) | Ended::AccountRefused => "failed",
        }
    }
}

/// Returns the span of the work on a turn: every log line of it has these fields, at any log level.
pub(super) fn span(turn: &LeasedTurn) -> Span {
    tracing::error_span!("turn", turn = %turn.lease.turn, attempt = turn.attempt)
}

/// Works on one turn with the settings in effect when it was leased.
pub(super) struct TurnWorker {
    pub(super) inbox: Arc<TurnRunner>,
    pub(super) live: Arc<Live>,
}

impl TurnWorker {
    /// Works on `turn` while its lease can be renewed. Once its end is being stored, the lease is no longer renewed: a
    /// renewal after the end would look like a lost lease.
    pub(super) async fn work(self, turn: LeasedTurn, place: OwnedSemaphorePermit, stop: CancellationToken) {
        let began = Instant::now();
        let stored = tokio::select! {
            ended = without_panic("a turn", self.end_of(&turn), panicked) => self.store_end(&turn, ended).await,
            lost = self.keep_lease(&turn) => Err(lost),
            () = stop::grace_over(&stop) => self.inbox.store.hand_back_turn(&turn.lease, self.inbox.clock.now()).await.map(|()| "handed_back"),
        };
        self.inbox.metrics.turn(stored.as_ref().map_or("lost", |outcome| *outcome), began.elapsed());
        match stored {
            Ok(_) => self.inbox.wake.outbox.notify_one(),
            Err(StoreError::LeaseLost) => {
                tracing::warn!("lost the lease; the answer is dropped")
            }
            Err(error) => {
                tracing::error!(%error, hint = error.hint(), "cannot store the end of a turn")
            }
        }
        drop(place);
        self.inbox.wake.inbox.notify_one();
    }

    /// Returns the outcome of this attempt for the metrics.
    async fn store_end(&self, turn: &LeasedTurn, ended: Result<Ended, StoreError>) -> Result<&'static str, StoreError> {
        let outcome = ended.as_ref().map_or("failed", Ended::name);
        let stored = match ended {
            Ok(Ended::Stored) => Ok(()),
            Ok(Ended::With(end)) => self.inbox.store.finish_turn(&turn.lease, end, self.inbox.clock.now()).await,
            Ok(Ended::Failed(error)) => self.fail(turn, &error, self.sorry()).await,
            // An apology would leave no sooner than the answer.
            Ok(Ended::AccountRefused) => {
                self.fail(turn, &AgentError::Unavailable(ACCOUNT_REFUSED.to_owned()), None).await
            }
            Err(error) => Err(error),
        };
        stored.map(|()| outcome)
    }

    async fn end_of(&self, turn: &LeasedTurn) -> Result<Ended, StoreError> {
        match self.live.arrivals.policy.admit(Some(&turn.contact), turn.standing) {
            Admission::Refused(refusal) => Ok(Ended::With(TurnEnd::Refused(refusal))),
            Admission::Stranger => match self.challenge(turn).await {
                Err(StoreError::OptedOut) => Ok(Ended::With(TurnEnd::Refused(Refusal::OptedOut))),
                challenged => challenged.map(|()| Ended::Stored),
            },
            Admission::Admitted => self.ask_agent(turn).await,
        }
    }

    async fn ask_agent(&self, turn: &LeasedTurn) -> Result<Ended, StoreError> {
        let said = self.said_since_reset(turn).await?;
        if said.is_empty() {
            return Ok(Ended::With(TurnEnd::Answered(reply::drafts(turn, FORGOTTEN, Vec::new(), &self.live))));
        }
        let question = match self.question(turn, said).await {
            Ok(question) => question,
            Err(Unasked::Store(error)) => return Err(error),
            Err(Unasked::AccountRefused) => return Ok(Ended::AccountRefused),
        };
        let answer = match self.live.agent.answer(question).await {
            Ok(answer) => collect(answer).await,
            Err(error) => Err(error),
        };
        Ok(match answer {
            Ok(answer) => {
                let (text, media) = self.inbox.outbound_media(&answer).await?;
                Ended::With(TurnEnd::Answered(reply::drafts(turn, &text, media, &self.live)))
            }
            Err(error) => Ended::Failed(error),
        })
    }

    /// Returns the messages to answer: those after the last `/reset`, if the agent gets the history.
    async fn said_since_reset<'t>(&self, turn: &'t LeasedTurn) -> Result<&'t [Inbound], StoreError> {
        let reset = turn.messages.iter().rposition(|message| is_reset(&message.text));
        let Some(reset) = reset.filter(|_| self.live.agent.history_turns() > 0) else { return Ok(&turn.messages) };
        let said = &turn.messages[reset + 1..];
        // Messages after it in the same turn are kept, so the turn is.
        let TurnId(this) = turn.lease.turn;
        let last = if said.is_empty() { TurnId(this) } else { TurnId(this - 1) };
        self.inbox.store.reset_conversation(turn.conversation, last).await?;
        Ok(said)
    }

    async fn question(&self, turn: &LeasedTurn, messages: &[Inbound]) -> Result<Turn, Unasked> {
        let agent = &self.live.agent;
        let spoken = match agent.hears_operator() {
            true => self.inbox.store.spoken(turn.conversation, agent.history_turns()).await?,
            false => Vec::new(),
        };
        let reset = spoken.iter().rposition(|line| line.by == Speaker::Contact && is_reset(&line.text));
        let history = spoken
            .into_iter()
            .skip(reset.map_or(0, |reset| reset + 1))
            .map(|line| Past { role: role(line.by), text: line.text });
        Ok(Turn {
            id: turn.lease.turn,
            attempt: turn.attempt,
            contact: turn.contact.clone(),
            line: turn.line.sender.number.clone(),
            on_call: None,
            said: self.inbox.said(messages).await?,
            history: history.collect(),
        })
    }

    async fn fail(&self, turn: &LeasedTurn, error: &AgentError, sorry: Option<Apology>) -> Result<(), StoreError> {
        let is_unreachable = matches!(error, AgentError::Unreachable(_));
        let failure = TurnFailure {
            reason: error.to_string(),
            disposition: error.disposition(turn.attempt),
            is_unreachable,
            jitter: random::fraction(),
            sorry,
        };
        let now = self.inbox.clock.now();
        let fate = self.inbox.store.fail_turn(&turn.lease, failure, now).await?;
        if is_unreachable {
            self.inbox.wake.agent.notify_one();
        }
        let agent = self.live.agent.name();
        match fate {
            TurnFate::Dead => {
                tracing::error!(agent, %error, "a turn is dead: see `openclaw telephony messages --dead`");
            }
            TurnFate::RetryAt(next) | TurnFate::ParkedUntil(next) => {
                let in_s = next.since(now).as_secs();
                tracing::warn!(agent, %error, in_s, "a turn failed; it is retried");
            }
        }
        Ok(())
    }

    fn sorry(&self) -> Option<Apology> {
        let parts = parts::of(&self.live.unavailable_text, &self.live.split);
        (!parts.is_empty()).then(|| Apology { text: self.live.unavailable_text.clone(), parts })
    }

    /// Sends a stranger a code once, and keeps their messages.
    async fn challenge(&self, turn: &LeasedTurn) -> Result<(), StoreError> {
        let outcome = loop {
            match self.inbox.store.challenge(&turn.lease, self.new_challenge(turn), self.inbox.clock.now()).await {
                Err(StoreError::CodeTaken) => {}
                outcome => break outcome?,
            }
        };
        let from = turn.contact.masked();
        match outcome {
            Challenged::Asked => tracing::info!(from, "a stranger got a pairing code"),
            Challenged::AskedBefore => tracing::debug!(from, "a stranger texted again; the message is kept"),
            Challenged::TooManyPending => {
                tracing::warn!(from, "a stranger was not answered: too many pairing requests")
            }
            Challenged::NoRoom => tracing::debug!(from, "a stranger is not answered yet: the line's queue is full"),
            Challenged::BudgetSpent => tracing::warn!(from, "a stranger was not answered: today's limit is reached"),
        }
        Ok(())
    }

    fn new_challenge(&self, turn: &LeasedTurn) -> Challenge {
        let code = PairingCode::from_random(random::bytes());
        let text = code.challenge_text(&turn.contact, self.inbox.program);
        let parts = parts::of(&text, &self.live.split);
        Challenge { code, parts, replies_per_day: self.live.stranger_replies_per_day }
    }

    /// Renews the lease as long as possible; returns the error that ends it.
    async fn keep_lease(&self, turn: &LeasedTurn) -> StoreError {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            match self.inbox.store.renew_turn(&turn.lease, self.inbox.clock.now()).await {
                Ok(()) => {}
                Err(StoreError::LeaseLost) => return StoreError::LeaseLost,
                Err(error) => tracing::warn!(%error, "cannot renew a lease"),
            }
        }
    }
}

/// Treats a panic as a failure: the turn is retried until it is dead.
fn panicked() -> Result<Ended, StoreError> {
    Ok(Ended::Failed(AgentError::Unavailable("a bug in this program; see the log".to_owned())))
}

/// Returns the agent's word for a speaker.
pub(crate) fn role(speaker: Speaker) -> Role {
    match speaker {
        Speaker::Contact => Role::Contact,
        Speaker::Agent => Role::Agent,
        Speaker::Operator => Role::Operator,
    }
}

fn is_reset(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case(RESET)
}
