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
pub enum TelephonyCommand {
    /// Try the channel without an account: a phone in the browser
    Simulate(Box<simulate::SimulateArgs>),
    /// Set up everything: account, number, public URL, agent, webhook
    Setup(Box<setup::SetupArgs>),
    /// Find problems, explain them and say how to fix them
    Doctor(doctor::DoctorArgs),
    /// Send a text message
    Send(send::SendArgs),
    /// Show the gateway's state and its queues
    Status(status::StatusArgs),
    /// List incoming and outgoing messages
    Messages(messages::MessagesArgs),
    /// Show the conversation with a contact
    Conversation(conversation::ConversationArgs),
    /// Place a call
    Call(Box<call::CallArgs>),
    /// List calls, or show the transcript of one
    Calls(calls::CallsArgs),
    /// List opt-outs, or add one
    #[command(name = "optouts")]
    OptOuts(optouts::OptOutsArgs),
    /// Show what messages and calls cost, and the balance
    Costs(costs::CostsArgs),
    /// Show how a text is encoded, its segments and its cost
    Segments(segments::SegmentsArgs),
    /// Show or change the webhook at Twilio
    #[command(subcommand, arg_required_else_help = true)]
    Webhook(webhook::WebhookCommand),
    /// Check or show the configuration, or print its schema
    #[command(subcommand, arg_required_else_help = true)]
    Config(config::ConfigCommand),
    /// Run the gateway as a systemd service
    #[command(subcommand, arg_required_else_help = true)]
    Service(service::ServiceCommand),
    /// Write all messages, approvals and opt-outs to a file
    Backup(backup::BackupArgs),
    /// Replace the message store with a backup
    Restore(restore::RestoreArgs),
    /// Print everything stored about a contact, as JSON
    Export(export::ExportArgs),
    /// Delete what is stored about a contact
    Purge(purge::PurgeArgs),
}

impl TelephonyCommand {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        match self {
            TelephonyCommand::Send(send) => send.run(config_arg),
            TelephonyCommand::Status(status) => status.run(config_arg),
            TelephonyCommand::Messages(messages) => messages.run(config_arg),
            TelephonyCommand::Conversation(conversation) => conversation.run(config_arg),
            TelephonyCommand::Backup(backup) => backup.run(config_arg),
            TelephonyCommand::Restore(restore) => restore.run(config_arg),
            TelephonyCommand::Call(call) => call.run(config_arg),
            TelephonyCommand::Calls(calls) => calls.run(config_arg),
            TelephonyCommand::Export(export) => export.run(config_arg),
            TelephonyCommand::Purge(purge) => purge.run(config_arg),
            TelephonyCommand::OptOuts(optouts) => optouts.run(config_arg),
            TelephonyCommand::Costs(costs) => costs.run(config_arg),
            TelephonyCommand::Segments(segments) => segments.run(config_arg),
            TelephonyCommand::Setup(setup) => setup.run(config_arg),
            TelephonyCommand::Doctor(doctor) => doctor.run(config_arg),
            TelephonyCommand::Service(service) => service.run(config_arg),
            TelephonyCommand::Simulate(simulate) => simulate.run(config_arg),
            TelephonyCommand::Webhook(webhook) => webhook.run(config_arg),
            TelephonyCommand::Config(config) => config.run(config_arg),
        }
    }
}
