//! The Twilio account: checks its credentials and lists its numbers and Messaging Services.

use std::collections::BTreeMap;

use secrecy::SecretString;
use telephony_config::Telephony;
use telephony_domain::line_address::LineAddress;
use telephony_providers::provider::ProviderError;
use telephony_providers::twilio::account::{Account, api_url};
use telephony_providers::twilio::rest::{Capabilities, PhoneNumber, Rest, Service};

use crate::assemble;
use crate::failure::Failure;

/// Senders to choose from.
pub struct Holdings {
    pub numbers: Vec<PhoneNumber>,
    /// The requested short code, if the account has it.
    pub short_code: Option<String>,
    pub services: Vec<Service>,
    /// The error, if the services could not be fetched.
    pub services_unknown: Option<ProviderError>,
}

impl Holdings {
    /// Returns true if the account can send from this address. A sender id always counts: it needs no purchase, so
    /// Twilio does not list it.
    pub fn has(&self, line: &LineAddress) -> bool {
        match line {
            LineAddress::Number(number) => self.numbers.iter().any(|one| one.phone_number == number.as_str()),
            LineAddress::ShortCode(code) => self.short_code.as_ref() == Some(code),
            LineAddress::SenderId(_) => true,
        }
    }
}

/// Returns the account with these credentials, at the configured API base URL.
pub fn account(telephony: Option<&Telephony>, api_base_url: Option<&str>, sid: &str, token: &SecretString) -> Account {
    let configured = telephony.map(assemble::account);
    let fresh = || Account {
        sid: String::new(),
        auth_tokens: Vec::new(),
        shared_keys: BTreeMap::new(),
        api_key: None,
        api_url: api_url(None, None),
        product_urls: BTreeMap::new(),
        connection_overrides: String::new(),
        skips_signatures: false,
    };
    let account = configured.unwrap_or_else(fresh);
    let api_url = api_base_url.map_or(account.api_url.clone(), |url| url.trim_end_matches('/').to_owned());
    Account { sid: sid.to_owned(), auth_tokens: vec![token.clone()], api_key: None, api_url, ..account }
}

/// Fetches the account's senders; fails if Twilio rejects the credentials.
pub fn holdings(account: Account, wanted: Option<&LineAddress>) -> Result<Holdings, Failure> {
    let rest = Rest::new(account);
    assemble::runtime()?.block_on(async {
        let numbers = rest.phone_numbers().await.map_err(refused)?;
        let (services, services_unknown) = match rest.services().await {
            Ok(services) => (services, None),
            // A server without this product has no services.
            Err(error) if error.is_not_found() => (Vec::new(), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let short_code = match wanted {
            Some(LineAddress::ShortCode(code)) => rest.short_code(code).await.map_err(refused)?,
            _ => None,
        };
        let short_code = short_code.map(|found| found.short_code);
        Ok(Holdings { numbers, short_code, services, services_unknown })
    })
}

fn refused(error: ProviderError) -> Failure {
    match error {
        error if error.is_unauthorized() => Failure::new("Twilio rejected these credentials")
            .hint("copy the Account SID and Auth Token from the Twilio Console again"),
        error => error.into(),
    }
}

/// Describes a number and its capabilities.
pub fn number_label(number: &PhoneNumber) -> String {
    let can = number.capabilities.map(|Capabilities { sms, mms, voice }| {
        let all = [(sms, "SMS"), (mms, "MMS"), (voice, "Voice")];
        all.into_iter().filter_map(|(can, name)| can.then_some(name)).collect::<Vec<_>>().join(", ")
    });
    format!("{} ({})", number.phone_number, can.unwrap_or_else(|| "capabilities unknown".to_owned()))
}

/// Describes a Messaging Service.
pub fn service_label(service: &Service) -> String {
    format!("Messaging Service {} ({})", service.friendly_name, service.sid)
}
