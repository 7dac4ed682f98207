//! Twilio as a provider, with a stand-in for its API and signed webhooks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod answers_without_end;
mod api;
mod attachments;
mod recuts;
mod stand_in;
mod webhooks;
