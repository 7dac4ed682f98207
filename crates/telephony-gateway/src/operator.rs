//! Serves the operator by SMS: executes commands and sends notices.

mod confirmation;
mod wording;

use std::sync::Arc;

use telephony_domain::id::LineId;
use telephony_domain::message::{MessageDraft, MessagePurpose};
use telephony_domain::notice::sms;
use telephony_domain::number::PhoneNumber;
use telephony_domain::program::ProgramName;
use telephony_domain::sms::parts;
use telephony_domain::sms::split::SplitRules;
use telephony_domain::time::{Clock, Timestamp};
use telephony_providers::provider::Provider;
use telephony_store::notices::RaisedNotice;
use telephony_store::operator_commands::Ordered;
use telephony_store::{Store, StoreError};
use tokio::sync::watch::Receiver;
use tokio_util::sync::CancellationToken;

use crate::random;
use crate::settings::Live;
use crate::storage::Storage;
use crate::wake::{self, Wake};
use confirmation::Confirmation;
use wording::ReplyWriter;

/// The task that serves the operator.
pub struct OperatorTask {
    /// Store, which has notices and commands.
    pub(crate) store: Arc<dyn Store>,
    /// The operator's number and rules for splitting.
    pub(crate) live: Receiver<Arc<Live>>,
    /// Name of our program in texts.
    pub(crate) program: ProgramName,
    /// Line that sends notices.
    pub(crate) line: LineId,
    /// Provider, which confirms the operator's messages.
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wake: Arc<Wake>,
    pub(crate) storage: Arc<Storage>,
}

impl OperatorTask {
    /// Executes commands and sends notices until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut ask_from = None;
        while !stop.is_cancelled() {
            let due = match self.serve(&stop, &mut ask_from).await {
                Ok(due) => due,
                Err(error) => {
                    self.storage.failed("cannot serve the operator", &error);
                    None
                }
            };
            tokio::select! {
                () = self.store.raised().notified() => {}
                _ = stop.run_until_cancelled(wake::wait(&self.wake.operator, due, self.clock.as_ref())) => {}
            }
        }
    }

    /// Does the work that is due. Returns when more is due.
    async fn serve(
        &self,
        stop: &CancellationToken,
        ask_from: &mut Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let again = self.obey_all(stop, ask_from).await?;
        let operator = self.live.borrow().operator.clone();
        let news = match operator {
            Some(number) => self.send_notices(&number).await?,
            None => None,
        };
        Ok([again, news].into_iter().flatten().min())
    }

    /// Executes commands that the provider confirms, asking from `ask_from` on. Returns when to ask again if it did not
    /// answer.
    async fn obey_all(
        &self,
        stop: &CancellationToken,
        ask_from: &mut Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        if confirmation::is_later(*ask_from, self.clock.now()) {
            return Ok(*ask_from);
        }
        while let Some(ordered) = self.store.next_order().await? {
            let confirm = self.confirm(&ordered, ask_from.is_some());
            let Some(confirmation) = stop.run_until_cancelled(confirm).await else { return Ok(None) };
            *ask_from = None;
            match confirmation {
                Confirmation::Genuine => self.execute(&ordered).await?,
                Confirmation::Unknown => self.refuse(&ordered).await?,
                Confirmation::Denied => self.refuse_unchecked(&ordered).await?,
                Confirmation::NotYet => {
                    *ask_from = Some(self.clock.now() + confirmation::AGAIN_AFTER);
                    return Ok(*ask_from);
                }
            }
        }
        Ok(None)
    }

    async fn execute(&self, ordered: &Ordered) -> Result<(), StoreError> {
        let words =
            ReplyWriter { split: self.split(), program: self.program, company: self.provider.carrier().company };
        let outcome = self.store.execute(ordered.id, Arc::new(words), self.clock.now()).await?;
        tracing::info!(command = %ordered.id, outcome = outcome.as_str(), "executed the operator's command");
        self.wake.all();
        Ok(())
    }

    /// Sends new notices in one SMS; notices right behind it wait for the next.
    async fn send_notices(&self, operator: &PhoneNumber) -> Result<Option<Timestamp>, StoreError> {
        let now = self.clock.now();
        let unsent = self.store.unsent_notices(now).await?;
        if unsent.notices.is_empty() {
            return Ok(None);
        }
        if unsent.from > now {
            return Ok(Some(unsent.from));
        }
        let names = unsent.notices.iter().map(|notice| notice.name.clone()).collect();
        match self.store.send_notices(names, self.line, self.draft(operator, &unsent.notices), now).await {
            Ok(true) => self.wake.outbox.notify_one(),
            Ok(false) => tracing::warn!(
                "the operator opted out of our number (STOP): notices are only in `telephony \
                status`"
            ),
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    fn split(&self) -> SplitRules {
        self.live.borrow().split
    }

    fn draft(&self, operator: &PhoneNumber, notices: &[RaisedNotice]) -> MessageDraft {
        let company = self.provider.carrier().company;
        let texts: Vec<String> = notices.iter().map(|notice| notice.text(company)).collect();
        let text = self.program.in_text(&sms::join(&texts)).into_owned();
        MessageDraft {
            // The key can be random, because a notice itself is sent only once.
            key: format!("notice-{}", random::name()),
            purpose: MessagePurpose::Notice,
            to: operator.clone(),
            parts: parts::of(&text, &self.split()),
            text,
            media: Vec::new(),
            turn: None,
        }
    }
}
