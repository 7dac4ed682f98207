//! Confirms a command: the provider must have the message, from the operator's number, with that text.

use std::time::Duration;

use telephony_domain::address::without_channel;
use telephony_domain::message::Arrival;
use telephony_domain::notice::Notice;
use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;
use telephony_providers::provider::ProviderError;
use telephony_store::StoreError;
use telephony_store::operator_commands::Ordered;

use super::OperatorTask;
use crate::notices::NoticeWriter;

/// Wait before asking the provider again.
pub(super) const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Time after its webhook for which a message may be missing from the provider's API.
const NOT_LISTED_FOR: Duration = Duration::from_secs(10);

/// The provider's answer about a command.
pub(super) enum Confirmation {
    /// It has the message.
    Genuine,
    /// It has no such message.
    Unknown,
    /// It does not let us read messages.
    Denied,
    /// It could not be reached, or does not list the message yet.
    NotYet,
}

impl OperatorTask {
    /// Asks the provider for the message; logs the first failure.
    pub(super) async fn confirm(&self, ordered: &Ordered, was_asked: bool) -> Confirmation {
        match self.provider.received_message(&ordered.provider_id).await {
            Ok(Some(message)) if is_the_same(&message, ordered) => Confirmation::Genuine,
            Ok(Some(_)) => Confirmation::Unknown,
            Ok(None) if self.clock.now().since(ordered.received) < NOT_LISTED_FOR => Confirmation::NotYet,
            Ok(None) => Confirmation::Unknown,
            Err(error) if error.disposition() == Disposition::GiveUp => Confirmation::Denied,
            Err(error) => {
                if !was_asked {
                    report_delay(ordered, &error);
                }
                Confirmation::NotYet
            }
        }
    }

    /// Rejects a command whose message the provider does not have.
    pub(super) async fn refuse(&self, ordered: &Ordered) -> Result<(), StoreError> {
        tracing::warn!(command = %ordered.id, "rejected a command: the account has no such message from the operator");
        self.close(ordered, Notice::CommandNotGenuine).await
    }

    /// Rejects a command that can never be checked, because others wait behind it.
    pub(super) async fn refuse_unchecked(&self, ordered: &Ordered) -> Result<(), StoreError> {
        tracing::warn!(command = %ordered.id, "rejected a command: this key may not read messages");
        self.close(ordered, Notice::CommandUnchecked).await
    }

    async fn close(&self, ordered: &Ordered, notice: Notice) -> Result<(), StoreError> {
        self.store.refuse_command(ordered.id).await?;
        let notices = NoticeWriter {
            store: self.store.clone(),
            clock: self.clock.clone(),
            wake: self.wake.clone(),
            company: self.provider.carrier().company,
        };
        notices.raise(notice).await;
        Ok(())
    }
}

/// Returns true if it is too early to ask again; a clock that was set back does not delay it.
pub(super) fn is_later(ask_from: Option<Timestamp>, now: Timestamp) -> bool {
    ask_from.is_some_and(|ask_from| now < ask_from && ask_from.since(now) <= AGAIN_AFTER)
}

fn report_delay(ordered: &Ordered, error: &ProviderError) {
    let (order, hint) = (ordered.id, error.hint());
    tracing::warn!(%order, %error, hint, "a command waits: cannot check whether the operator sent it");
}

fn is_the_same(message: &Arrival, ordered: &Ordered) -> bool {
    message.origin().person().as_ref() == Some(&ordered.operator)
        && is_same_line(&message.to, &ordered.to)
        && message.text.trim() == ordered.text.trim()
}

/// Compares lines: by RCS, a line has a name besides its number, and the provider may report either.
fn is_same_line(one: &str, other: &str) -> bool {
    one == other || [one, other].into_iter().any(|address| without_channel(address) != address)
}
