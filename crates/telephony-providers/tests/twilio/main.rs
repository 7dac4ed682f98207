//! Twilio as a provider, with a stand-in for its API and signed webhooks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod account;
mod answers_without_end;
mod attachments;
mod calls;
mod failures;
mod forms;
mod genuine_forms;
mod lists;
mod messages;
mod sending;
mod stand_in;
mod tampering;
mod webhooks;
