//! The people: who may talk to the assistant, what they want, and what the operator hears and orders.
//!
//! Who is let in is answered once, by an approval that is never sent twice. What is stored about a contact can be shown and
//! deleted, except that they opted out. Our own lines are here, too: every conversation is one of a line with a contact.

mod consents;
mod contacts;
mod lines;
mod notices;
mod operator_commands;
mod pairing;
mod records;
mod removal;
mod routes;
