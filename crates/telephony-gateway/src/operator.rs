//! The operator by SMS: obeys orders, and tells what needs attention.

mod confirmation;
mod wording;

use std::sync::Arc;

use telephony_domain::id::LineId;
use telephony_domain::message::{Draft, Purpose};
use telephony_domain::notice;
use telephony_domain::number::PhoneNumber;
use telephony_domain::program::ProgramName;
use telephony_domain::sms::parts;
use telephony_domain::sms::split::SplitRules;
use telephony_domain::time::{Clock, Timestamp};
use telephony_providers::provider::Provider;
use telephony_store::notices::Given;
use telephony_store::operator_commands::Ordered;
use telephony_store::{Store, StoreError};
use tokio::sync::watch::Receiver;
use tokio_util::sync::CancellationToken;

use crate::random;
use crate::settings::Live;
use crate::storage::Storage;
use crate::wake::{self, Wake};
use confirmation::Confirmation;
use wording::Words;

/// What serving the operator needs.
pub struct Operator {
    /// What is told, and what was ordered.
    pub store: Arc<dyn Store>,
    /// Where the operator is told, and how texts become parts.
    pub live: Receiver<Arc<Live>>,
    /// The name that texts call our program by.
    pub program: ProgramName,
    /// The line that notices leave from.
    pub line: LineId,
    /// The provider, which knows the operator's messages.
    pub provider: Arc<dyn Provider>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is woken, and by whom.
    pub wake: Arc<Wake>,
    /// The storage state.
    pub storage: Arc<Storage>,
}

impl Operator {
    /// Obeys and tells until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut ask_from = None;
        while !stop.is_cancelled() {
            let due = match self.serve(&stop, &mut ask_from).await {
                Ok(due) => due,
                Err(error) => {
                    self.storage.failed("failed to serve the operator", &error);
                    None
                }
            };
            stop.run_until_cancelled(wake::wait(&self.wake.operator, due, self.clock.as_ref())).await;
        }
    }

    /// Does what is to be done now. Returns when there is more to tell.
    async fn serve(
        &self,
        stop: &CancellationToken,
        ask_from: &mut Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let again = self.obey_all(stop, ask_from).await?;
        let operator = self.live.borrow().operator.clone();
        let news = match operator {
            Some(number) => self.tell(&number).await?,
            None => None,
        };
        Ok([again, news].into_iter().flatten().min())
    }

    /// Obeys what the provider confirms, asking it from `ask_from` on. Returns when to ask again, where it did not answer.
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
        let words = Words { split: self.split(), program: self.program() };
        let outcome = self.store.execute(ordered.id, Arc::new(words), self.clock.now()).await?;
        tracing::info!(order = %ordered.id, outcome = outcome.as_str(), "executed the operator's command");
        self.wake.all();
        Ok(())
    }

    /// Tells in one SMS what was not told yet; what comes close behind waits for the next.
    async fn tell(&self, operator: &PhoneNumber) -> Result<Option<Timestamp>, StoreError> {
        let now = self.clock.now();
        let untold = self.store.untold(now).await?;
        if untold.notices.is_empty() {
            return Ok(None);
        }
        if untold.from > now {
            return Ok(Some(untold.from));
        }
        let names = untold.notices.iter().map(|notice| notice.name.clone()).collect();
        match self.store.tell(names, self.line, self.draft(operator, &untold.notices), now).await {
            Ok(true) => self.wake.outbox.notify_one(),
            Ok(false) => tracing::warn!("the operator said STOP to our number: notices are in `telephony status` only"),
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    fn split(&self) -> SplitRules {
        self.live.borrow().split
    }

    fn program(&self) -> ProgramName {
        self.program
    }

    fn draft(&self, operator: &PhoneNumber, notices: &[Given]) -> Draft {
        let texts: Vec<&str> = notices.iter().map(|notice| notice.text.as_str()).collect();
        let text = self.program().in_text(&notice::join(&texts)).into_owned();
        Draft {
            // What keeps it from being told twice is that a notice is told once.
            key: format!("notice-{}", random::name()),
            purpose: Purpose::Notice,
            to: operator.clone(),
            parts: parts::of(&text, &self.split()),
            text,
            media: Vec::new(),
            turn: None,
        }
    }
}
