//! Other resources of the account: its state and balance.

use serde::Deserialize;
use telephony_domain::money::Price;

use super::{Rest, segment};
use crate::checks::AccountState;
use crate::provider::ProviderError;

/// The account's state as Twilio writes it. The answer also contains the auth token, which is not read.
#[derive(Deserialize)]
struct AccountResource {
    /// `active`, `suspended` or `closed`.
    status: String,
    /// `Trial` or `Full`.
    #[serde(rename = "type")]
    kind: String,
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
        let path = format!("/2010-04-01/Accounts/{}.json", segment(&self.account.sid));
        let AccountResource { status, kind } = self.get(&path).await?;
        Ok(AccountState { is_active: status == "active", is_trial: kind == "Trial", status })
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
