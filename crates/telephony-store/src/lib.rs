//! What must survive: the durable inbox, the durable outbox, and what is known of contacts.
//!
//! Each method is one transaction and one fact; what it returns is on disk. `now` is always a parameter.
//! A method that is repeated with the same facts changes nothing the second time.

pub mod account_stops;
pub mod attachments;
pub mod consents;
pub mod contacts;
pub mod costs;
pub mod error;
mod file;
pub mod history;
pub mod inbox;
pub mod journal;
pub mod lines;
pub mod notices;
pub mod operator_commands;
pub mod outbox;
pub mod records;
pub mod restores;
pub mod routes;
pub mod soundness;
pub mod sqlite;

pub use error::StoreError;

use std::fmt;
use std::time::Duration;

use telephony_domain::time::Timestamp;

/// Everything that survives, behind one object.
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
        + soundness::Soundness
{
}

/// No work waits longer than this at a time, whatever an agent or the provider asks for. Work that is due later than
/// that was put off by a clock that has been set back since: it is due now.
pub const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// Who holds a lease: a name that is new for every process, such as `cli-41…`; a gateway's starts with `gateway-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseHolder(pub String);

impl fmt::Display for LeaseHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Work that was asked for.
#[derive(Debug)]
pub enum Next<T> {
    /// Here it is; it is leased to the asker.
    Taken(T),
    /// There is none now; some may be due then, and none at all without a wake-up where it is `None`.
    Idle(Option<Timestamp>),
}

impl<T> Next<T> {
    /// Asks again and again, until there are `limit` (at least one) or nothing is to be had now.
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
