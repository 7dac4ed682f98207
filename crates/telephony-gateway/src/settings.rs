//! The operator's settings, as the gateway needs them; the binary makes them from the configuration.

use std::net::IpAddr;
use std::time::Duration;

use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::number::PhoneNumber;
use telephony_domain::program::ProgramName;
use telephony_domain::sms::split::SplitRules;
use telephony_store::inbox::ArrivalRules;

/// The operator's settings for the gateway.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our line.
    pub sender: Sender,
    /// Rules for arriving messages.
    pub arrivals: ArrivalRules,
    /// Rules for cutting answers into parts.
    pub split: SplitRules,
    /// Pace and caps of sending.
    pub terms: Terms,
    /// Turns and calls at a time; a tenth of them, at least one where there are two, is kept for calls.
    pub max_sessions: usize,
    /// The name that texts call our program by.
    pub program: ProgramName,
    /// The apology that a contact gets when the agent has not answered for a while.
    pub unavailable_text: String,
    /// Pairing messages to strangers in 24 hours; none: no limit.
    pub stranger_replies_per_day: Option<u32>,
    /// The operator's phone, which gets notices by SMS.
    pub operator: Option<PhoneNumber>,
    /// The age at which finished messages are deleted.
    pub retention: Duration,
    /// The local path of the webhook.
    pub path: String,
    /// The local path of status reports.
    pub status_path: String,
    /// The public URL of the webhook, without a query, where it is known.
    pub webhook_url: Option<String>,
    /// The public URL of status reports, without a query, where it is known.
    pub status_url: Option<String>,
    /// The URL for status reports that the provider gets; none if it cannot reach us.
    pub status_callback: Option<String>,
    /// Hosts that count in `Host` and forwarded headers.
    pub allowed_hosts: Vec<String>,
    /// True if forwarded headers count.
    pub trusts_forwarding: bool,
    /// Proxies whose forwarded headers count.
    pub trusted_proxies: Vec<IpAddr>,
    /// True if signatures are checked.
    pub checks_signatures: bool,
}
