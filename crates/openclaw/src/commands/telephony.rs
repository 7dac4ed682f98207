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

use crate::config_arg::ConfigArg;
use crate::failure::Outcome;

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
    /// Show what messages and calls cost, and the balance
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
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        match self {
            Telephony::Send(send) => send.run(config_arg),
            Telephony::Status(status) => status.run(config_arg),
            Telephony::Messages(messages) => messages.run(config_arg),
            Telephony::Conversation(conversation) => conversation.run(config_arg),
            Telephony::Backup(backup) => backup.run(config_arg),
            Telephony::Restore(restore) => restore.run(config_arg),
            Telephony::Call(call) => call.run(config_arg),
            Telephony::Calls(calls) => calls.run(config_arg),
            Telephony::Export(export) => export.run(config_arg),
            Telephony::Purge(purge) => purge.run(config_arg),
            Telephony::OptOuts(optouts) => optouts.run(config_arg),
            Telephony::Costs(costs) => costs.run(config_arg),
            Telephony::Segments(segments) => segments.run(config_arg),
            Telephony::Setup(setup) => setup.run(config_arg),
            Telephony::Doctor(doctor) => doctor.run(config_arg),
            Telephony::Service(service) => service.run(config_arg),
            Telephony::Simulate(simulate) => simulate.run(config_arg),
            Telephony::Webhook(webhook) => webhook.run(config_arg),
            Telephony::Config(config) => config.run(config_arg),
        }
    }
}
