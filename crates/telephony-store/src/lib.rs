//! The durable state: inbox, outbox, and contacts.
//!
//! Each method is one transaction and one fact; its result is on disk. `now` is always a parameter. Repeating a method
//! with the same facts changes nothing.

pub mod account_stops;
pub mod attachments;
pub mod calls;
pub mod consents;
pub mod contacts;
pub mod costs;
pub mod error;
pub mod file;
pub mod history;
pub mod inbox;
pub mod journal;
pub mod lines;
pub mod notices;
pub mod operator_commands;
pub mod outbox;
pub mod outgoing_calls;
pub mod records;
pub mod restores;
pub mod routes;
pub mod soundness;
pub mod sqlite;

pub use error::StoreError;

use std::fmt;
use std::time::Duration;

use telephony_domain::time::Timestamp;

/// All of the durable state behind one object.
pub trait Store:
    inbox::Inbox
    + outbox::Outbox
    + contacts::Contacts
    + consents::Consents
    + lines::Lines
    + history::History
    + notices::Notices
    + operator_commands::OperatorCommands
    + records::Records
    + routes::RouteChanges
    + costs::Costs
    + attachments::Attachments
    + account_stops::AccountStops
    + restores::Restores
    + calls::Calls
    + outgoing_calls::OutgoingCalls
    + soundness::Soundness
{
}

impl<T> Store for T where
    T: inbox::Inbox
        + outbox::Outbox
        + contacts::Contacts
        + consents::Consents
        + lines::Lines
        + history::History
        + notices::Notices
        + operator_commands::OperatorCommands
        + records::Records
        + routes::RouteChanges
        + costs::Costs
        + attachments::Attachments
        + account_stops::AccountStops
        + restores::Restores
        + calls::Calls
        + outgoing_calls::OutgoingCalls
        + soundness::Soundness
{
}

/// Longest single wait, whatever an agent or the provider requests. Work due later than that was delayed by a clock
/// that has been set back since, so it is due now.
pub const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// The holder of a lease: a name unique to every process, such as `cli-41…`; a gateway's starts with `gateway-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseHolder(pub String);

impl fmt::Display for LeaseHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The result of asking for work.
#[derive(Debug)]
pub enum Next<T> {
    /// Work, leased to the caller.
    Taken(T),
    /// No work now; the time of the next, or `None` if it needs a wake-up.
    Idle(Option<Timestamp>),
}

impl<T> Next<T> {
    /// Repeats until there are `limit` results (at least one) or no more work.
    pub(crate) fn up_to(
        limit: usize,
        mut ask: impl FnMut() -> Result<Next<T>, StoreError>,
    ) -> Result<Next<Vec<T>>, StoreError> {
        let mut taken = Vec::new();
        while taken.len() < limit.max(1) {
            match ask()? {
                Next::Taken(work) => taken.push(work),
                Next::Idle(due) if taken.is_empty() => return Ok(Next::Idle(due)),
                Next::Idle(_) => break,
            }
        }
        Ok(Next::Taken(taken))
    }
}
