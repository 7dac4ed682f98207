//! The simulator's public behavior, over HTTP and through its Rust API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod a_call_is_acted_out;
mod a_call_is_made;
mod a_message_is_refused;
mod a_message_is_sent;
mod a_phone_opts_out;
mod a_text_comes_in;
mod credentials_are_wrong;
mod desk;
mod messages_are_looked_up;
mod numbers_are_changed;
mod pictures_come_in;
mod pictures_go_out;
mod queues_fill_up;
mod receiver;
mod requests_are_logged;
mod shelf;
mod the_account_is_in_trouble;
mod the_control_api_drives_it;
mod twilio_misbehaves;
