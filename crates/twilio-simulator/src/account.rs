//! The account: its type, its status, its balance and the numbers that a trial may reach.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::dates::rfc2822;

/// The account's own properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSettings {
    /// Trial or paid.
    pub account_type: AccountType,
    /// Active, suspended or closed.
    pub status: AccountStatus,
    /// The remaining balance in US dollars as Twilio formats it: `15.50`.
    pub balance: String,
    /// The numbers that a trial account may text and call.
    pub verified_numbers: Vec<String>,
}

/// The type of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountType {
    /// Reaches verified numbers only, and every text starts with a fixed sentence.
    Trial,
    /// A paid account without the restrictions of a trial.
    Full,
}

/// The status of an account. An inactive account can read only itself, and gets no webhooks for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum AccountStatus {
    Active,
    Suspended,
    Closed,
}

impl Default for AccountSettings {
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

impl AccountSettings {
    pub(crate) fn is_active(&self) -> bool {
        self.status == AccountStatus::Active
    }

    /// Returns true if the account may text and call this phone.
    pub(crate) fn reaches(&self, phone: &str) -> bool {
        self.account_type == AccountType::Full || self.verified_numbers.iter().any(|verified| verified == phone)
    }

    pub(crate) fn to_json(&self, sid: &str, auth_token: &str, created: Timestamp) -> Value {
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
