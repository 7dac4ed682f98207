//! The options of setup.

use clap::Args;
use telephony_domain::line_address::LineAddress;
use telephony_domain::number::PhoneNumber;

use crate::commands::telephony::webhook::changes::ConfirmationArgs;
use crate::failure::Failure;
use crate::{number, terminal};

const EXAMPLE: &str = "Example: openclaw telephony setup --agent openai --agent-model gpt-4.1-mini";

/// Set up everything. Asks for what is missing, and shows every change before making it.
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct SetupArgs {
    /// Account SID from the Twilio Console (or TWILIO_ACCOUNT_SID)
    #[arg(long, value_name = "AC…")]
    pub(super) account_sid: Option<String>,
    /// Auth Token from the Twilio Console. Other users can see arguments: prefer TWILIO_AUTH_TOKEN, or `-` to read it
    /// from stdin
    #[arg(long, value_name = "TOKEN")]
    pub(super) auth_token: Option<String>,
    /// Your number, short code or sender id to use
    #[arg(long, value_name = "NUMBER", conflicts_with = "messaging_service", value_parser = number::line)]
    pub(super) from_number: Option<LineAddress>,
    /// Your Messaging Service to use
    #[arg(long, value_name = "MG…")]
    pub(super) messaging_service: Option<String>,
    /// Route from Twilio to this machine: your own https URL, `ngrok`, `tailscale-funnel`, or `none`
    #[arg(long, value_name = "ROUTE")]
    pub(super) reach: Option<String>,
    /// For `ngrok`: authtoken of your ngrok account (or NGROK_AUTHTOKEN); `-` reads it from stdin
    #[arg(long, value_name = "TOKEN")]
    pub(super) ngrok_token: Option<String>,
    /// For `ngrok`: your ngrok domain, for a URL that never changes
    #[arg(long, value_name = "DOMAIN")]
    pub(super) ngrok_domain: Option<String>,
    /// Admission policy: disabled, allowlist, pairing, or open
    #[arg(long)]
    pub(super) policy: Option<String>,
    /// Number that is always allowed; can be repeated
    #[arg(long, value_name = "NUMBER", value_parser = number::phone)]
    pub(super) allow_from: Vec<PhoneNumber>,
    /// Agent that answers: echo, command, openai, openclaw; or a server that `openai` asks: anthropic, gemini, ollama,
    /// lmstudio
    #[arg(long)]
    pub(super) agent: Option<String>,
    /// For `openai` and `openclaw`: base URL of its API
    #[arg(long, value_name = "URL")]
    pub(super) agent_url: Option<String>,
    /// For `openai`: model
    #[arg(long, value_name = "MODEL")]
    pub(super) agent_model: Option<String>,
    /// For `openai`: API key (or OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY); for `openclaw`: token (or
    /// OPENCLAW_GATEWAY_TOKEN); `-` reads it from stdin
    #[arg(long, value_name = "KEY")]
    pub(super) agent_key: Option<String>,
    /// For `openclaw`: name of the agent that answers
    #[arg(long, value_name = "NAME")]
    pub(super) agent_id: Option<String>,
    /// For `command`: command line for the shell
    #[arg(long, value_name = "COMMAND")]
    pub(super) agent_command: Option<String>,
    /// Your own number, for notices that need your attention
    #[arg(long, value_name = "NUMBER", value_parser = number::phone)]
    pub(super) operator_number: Option<PhoneNumber>,
    /// Storage for secrets: `dotenv` (the .env of the state folder), `config`, or `environment` (not stored: you set
    /// them)
    #[arg(long, value_name = "PLACE", value_parser = ["dotenv", "config", "environment"])]
    pub(super) secrets: Option<String>,
    /// Leave the webhook at Twilio as it is
    #[arg(long)]
    pub(super) no_webhook: bool,
    /// Send a test message to this number at the end
    #[arg(long, value_name = "NUMBER", value_parser = number::phone)]
    pub(super) test_sms: Option<PhoneNumber>,
    /// Base URL of Twilio's API, for tests
    #[arg(long, hide = true)]
    pub(super) api_base_url: Option<String>,
    #[command(flatten)]
    pub(super) consent: ConfirmationArgs,
}

/// Reports an answer that is missing without a terminal.
pub(super) fn missing(flag: &str, what: &str) -> Failure {
    Failure::usage(format!("{what} is missing, and setup asks for it only on a terminal")).hint(format!("pass {flag}"))
}
