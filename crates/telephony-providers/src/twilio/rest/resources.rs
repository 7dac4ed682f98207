//! Other resources of the account: its state and balance.

use serde::Deserialize;
use telephony_domain::money::Price;

use super::{Rest, segment};
use crate::provider::ProviderError;

/// The account's state. The answer also contains the auth token, which is not read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccountState {
    /// `active`, `suspended` or `closed`.
    pub status: String,
    /// `Trial` or `Full`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The account's balance as Twilio writes it.
#[derive(Deserialize)]
struct Balance {
    balance: String,
    currency: String,
}

impl Rest {
    /// Returns the account's state. A standard API key cannot read it (20003 although the key is valid).
    pub async fn account_state(&self) -> Result<AccountState, ProviderError> {
        self.get(&format!("/2010-04-01/Accounts/{}.json", segment(&self.account.sid))).await
    }

    /// Returns the account's balance.
    pub async fn balance(&self) -> Result<Price, ProviderError> {
        let Balance { balance, currency } = self.get("Balance.json").await?;
        match (balance.parse(), currency.parse()) {
            (Ok(amount), Ok(currency)) => Ok(Price { amount, currency }),
            _ => Err(ProviderError::Unreadable { cause: "the balance is not an amount of money".to_owned() }),
        }
    }
}
