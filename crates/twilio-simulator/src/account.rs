//! The account: whether it is paid for and active, what is left on it, whom a trial may write to.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::dates::rfc2822;

/// What Twilio says of the account itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whether the account is paid for.
    pub account_type: AccountType,
    /// Whether it may do anything.
    pub status: AccountStatus,
    /// What is left, in US dollars as Twilio writes them: `15.50`.
    pub balance: String,
    /// The recipients that a trial account may write to.
    pub verified_numbers: Vec<String>,
}

/// Whether the account is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountType {
    /// Writes to verified numbers only and puts a sentence in front of every text.
    Trial,
    /// No restrictions.
    Full,
}

/// Whether the account may do anything. One that is not active sees itself and nothing else, and hears of no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum AccountStatus {
    Active,
    Suspended,
    Closed,
}

impl Default for Account {
    /// An active full account with 15.50 USD.
    fn default() -> Self {
        Self {
            account_type: AccountType::Full,
            status: AccountStatus::Active,
            balance: "15.50".to_owned(),
            verified_numbers: Vec::new(),
        }
    }
}

impl Account {
    pub(crate) fn is_active(&self) -> bool {
        self.status == AccountStatus::Active
    }

    /// Whether the account may write to and call this phone.
    pub(crate) fn reaches(&self, phone: &str) -> bool {
        self.account_type == AccountType::Full || self.verified_numbers.iter().any(|verified| verified == phone)
    }

    pub(crate) fn to_json(&self, sid: &str, auth_token: &str, created: OffsetDateTime) -> Value {
        let uri = format!("/2010-04-01/Accounts/{sid}");
        let created = rfc2822(created);
        json!({
            "sid": sid, "owner_account_sid": sid, "friendly_name": "Simulated account",
            "status": self.status, "type": self.account_type, "auth_token": auth_token,
            "date_created": created, "date_updated": created, "uri": format!("{uri}.json"),
            "subresource_uris": {
                "balance": format!("{uri}/Balance.json"),
                "calls": format!("{uri}/Calls.json"),
                "incoming_phone_numbers": format!("{uri}/IncomingPhoneNumbers.json"),
                "keys": format!("{uri}/Keys.json"),
                "messages": format!("{uri}/Messages.json"),
                "outgoing_caller_ids": format!("{uri}/OutgoingCallerIds.json"),
            },
        })
    }
}
