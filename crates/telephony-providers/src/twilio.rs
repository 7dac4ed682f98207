//! Twilio: how it signs, what it sends and takes, and what its errors mean.

pub mod account;
pub mod codes;
mod dates;
pub mod form;
pub mod probe;
pub mod public_url;
pub mod rest;
mod routes;
mod sender;
pub mod signature;
pub mod twiml;
mod webhook;

use self::account::Account;
use self::rest::Rest;
use self::signature::Verifier;

/// Name of the query parameter in which a report brings our own id of a part back.
const CORRELATION_ID: &str = "part";

/// One account at Twilio.
#[derive(Debug)]
pub struct Twilio {
    rest: Rest,
    verifier: Verifier,
}

impl Twilio {
    /// Twilio as this account sees it; nothing is asked of Twilio yet.
    pub fn new(account: Account) -> Self {
        Self::with_rest(Rest::new(account))
    }

    /// Twilio over this API.
    pub fn with_rest(rest: Rest) -> Self {
        let account = rest.account();
        let verifier = Verifier::new(&account.auth_tokens, &account.shared_keys);
        Self { rest, verifier }
    }

    /// The API, for what goes beyond messages.
    pub fn rest(&self) -> &Rest {
        &self.rest
    }
}
