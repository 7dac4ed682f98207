//! `openclaw telephony …`

pub mod backup;
pub mod call;
pub mod calls;
pub mod config;
pub mod conversation;
pub mod costs;
pub mod doctor;
pub mod export;
pub mod messages;
pub mod optouts;
pub mod purge;
pub mod restore;
pub mod segments;
pub mod send;
pub mod service;
pub mod setup;
pub mod simulate;
pub mod status;
pub mod webhook;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::place::Place;

/// Commands about messages, setup and tests.
#[derive(Debug, Subcommand)]
pub enum Telephony {
    /// Try the channel without an account: a phone in the browser
    Simulate(Box<simulate::Simulate>),
    /// Set up everything: account, number, public URL, agent, webhook
    Setup(Box<setup::Setup>),
    /// Find problems, explain them and say how to fix them
    Doctor(doctor::Doctor),
    /// Send a text message
    Send(send::Send),
    /// Show the gateway's state and its queues
    Status(status::Status),
    /// List incoming and outgoing messages
    Messages(messages::Messages),
    /// Show the conversation with a contact
    Conversation(conversation::Conversation),
    /// Place a call
    Call(Box<call::Call>),
    /// List calls, or show the transcript of one
    Calls(calls::Calls),
    /// List opt-outs, or add one
    #[command(name = "optouts")]
    OptOuts(optouts::OptOuts),
    /// Show what messages cost and what is left on the account
    Costs(costs::Costs),
    /// Show how a text is encoded, its segments and its cost
    Segments(segments::Segments),
    /// Show or change the webhook at Twilio
    #[command(subcommand, arg_required_else_help = true)]
    Webhook(webhook::Webhook),
    /// Check or show the configuration, or print its schema
    #[command(subcommand, arg_required_else_help = true)]
    Config(config::Config),
    /// Run the gateway as a systemd service
    #[command(subcommand, arg_required_else_help = true)]
    Service(service::Service),
    /// Write all messages, approvals and opt-outs to a file
    Backup(backup::Backup),
    /// Replace the message store with a backup
    Restore(restore::Restore),
    /// Print everything stored about a contact, as JSON
    Export(export::Export),
    /// Delete what is stored about a contact
    Purge(purge::Purge),
}

impl Telephony {
    pub fn run(self, place: &Place) -> Outcome {
        match self {
            Telephony::Send(send) => send.run(place),
            Telephony::Status(status) => status.run(place),
            Telephony::Messages(messages) => messages.run(place),
            Telephony::Conversation(conversation) => conversation.run(place),
            Telephony::Backup(backup) => backup.run(place),
            Telephony::Restore(restore) => restore.run(place),
            Telephony::Call(call) => call.run(place),
            Telephony::Calls(calls) => calls.run(place),
            Telephony::Export(export) => export.run(place),
            Telephony::Purge(purge) => purge.run(place),
            Telephony::OptOuts(optouts) => optouts.run(place),
            Telephony::Costs(costs) => costs.run(place),
            Telephony::Segments(segments) => segments.run(place),
            Telephony::Setup(setup) => setup.run(place),
            Telephony::Doctor(doctor) => doctor.run(place),
            Telephony::Service(service) => service.run(place),
            Telephony::Simulate(simulate) => simulate.run(place),
            Telephony::Webhook(webhook) => webhook.run(place),
            Telephony::Config(config) => config.run(place),
        }
    }
}
