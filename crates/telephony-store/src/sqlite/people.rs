//! People: approvals, consent, notices and commands of the operator, and stored personal data.
//!
//! A contact is admitted by one approval, whose SMS is never sent twice. Everything stored about a contact can be shown
//! and deleted, except an opt-out. Our own lines are here, too: every conversation belongs to a line and a contact.

mod consents;
mod contacts;
mod lines;
mod notices;
mod operator_commands;
mod pairing;
mod records;
mod removal;
mod routes;
