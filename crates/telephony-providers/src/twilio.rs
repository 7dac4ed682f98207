//! Twilio: its signatures, webhooks, API and error codes.

pub mod account;
mod callback_url;
mod calling;
mod carrier;
mod checks;
pub mod codes;
mod dates;
pub mod form;
mod probe;
pub mod public_url;
pub mod rest;
mod routes;
mod sender;
pub mod signature;
pub mod twiml;
mod webhook;

use self::account::TwilioAccount;
pub use self::carrier::CARRIER;
use self::rest::Rest;
use self::signature::Verifier;

/// Query parameter in which a report returns our id of a part.
const CORRELATION_ID: &str = "part";

/// Query parameter in which a report returns our id of a call.
const CALL_ID: &str = "call";

/// A Twilio account as provider.
#[derive(Debug)]
pub struct Twilio {
    rest: Rest,
    verifier: Verifier,
}

impl Twilio {
    /// Creates the provider for this account; makes no request.
    pub fn new(account: TwilioAccount) -> Self {
        Self::with_rest(Rest::new(account))
    }

    /// Creates the provider with this API client.
    pub fn with_rest(rest: Rest) -> Self {
        let account = rest.account();
        let verifier = Verifier::new(&account.auth_tokens, &account.shared_keys);
        Self { rest, verifier }
    }

    /// Returns the API client, for requests beyond messages.
    pub fn rest(&self) -> &Rest {
        &self.rest
    }
}
