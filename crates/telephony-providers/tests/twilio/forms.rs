//! Signed forms, as Twilio sends them and in other divisions of the same text.

use serde_json::Value;
use telephony_providers::provider::{Rejection, WebhookEvent};

use crate::stand_in::ACCOUNT;
use crate::webhooks::verdict;

pub const SID: &str = "SM0123456789abcdef0123456789abcdef";
pub const FORGED: &str = "SMffffffffffffffffffffffffffffffff";
pub const FROM: &str = "+15550005678";
pub const OPERATOR: &str = "+15550000001";

pub type Fields = Vec<(String, String)>;

pub fn judge(fields: &[(String, String)]) -> Result<WebhookEvent, Rejection> {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    verdict("token", "", &fields)
}

/// Returns a text as Twilio sends it, in the order that is signed.
pub fn text(body: &str) -> Fields {
    let fields = [
        ("AccountSid", ACCOUNT),
        ("ApiVersion", "2010-04-01"),
        ("Body", body),
        ("From", FROM),
        ("FromCity", "SAN ANTONIO"),
        ("FromCountry", "US"),
        ("FromState", "TX"),
        ("FromZip", "94107"),
        ("MessageSid", SID),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
        ("SmsMessageSid", SID),
        ("SmsSid", SID),
        ("SmsStatus", "received"),
        ("To", "+15550001234"),
        ("ToCity", ""),
    ];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

pub fn with(more: &[(&str, &str)]) -> Fields {
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    text("hello").into_iter().chain(more).collect()
}

pub fn glued(fields: &[(String, String)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}{value}")).collect()
}

pub fn documented() -> Value {
    serde_json::from_str(include_str!("../data/webhook_params.json")).unwrap()
}

pub fn names(kind: &str) -> Vec<String> {
    let list = documented()[kind].as_array().unwrap().clone();
    list.iter().map(|field| field["name"].as_str().unwrap().replace("{N}", "0")).collect()
}
