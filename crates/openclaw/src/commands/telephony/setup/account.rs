//! The Twilio account: checks its credentials and lists its numbers and Messaging Services.

use telephony_domain::line_address::LineAddress;
use telephony_providers::checks::{MessagingService, OwnedNumber};
use telephony_providers::provider::{Provider, ProviderError};

use crate::assemble;
use crate::failure::Failure;

/// Senders to choose from.
pub struct AccountSenders {
    pub numbers: Vec<OwnedNumber>,
    /// The requested short code, if the account has it.
    pub short_code: Option<String>,
    pub services: Vec<MessagingService>,
    /// The error, if the services could not be fetched.
    pub services_unknown: Option<ProviderError>,
}

impl AccountSenders {
    /// Returns true if the account can send from this address. A sender id always counts: it needs no purchase, so
    /// Twilio does not list it.
    pub fn has(&self, line: &LineAddress) -> bool {
        match line {
            LineAddress::Number(number) => self.numbers.iter().any(|one| one.number == number.as_str()),
            LineAddress::ShortCode(code) => self.short_code.as_ref() == Some(code),
            LineAddress::SenderId(_) => true,
        }
    }
}

/// Fetches the account's senders; fails if Twilio rejects the credentials.
pub fn holdings(provider: &dyn Provider, wanted: Option<&LineAddress>) -> Result<AccountSenders, Failure> {
    assemble::runtime()?.block_on(async {
        let numbers = provider.numbers().await.map_err(refused)?;
        let (services, services_unknown) = match provider.services().await {
            Ok(services) => (services, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let short_code = match wanted {
            Some(LineAddress::ShortCode(code)) => provider.owns(code).await.map_err(refused)?.then(|| code.clone()),
            _ => None,
        };
        Ok(AccountSenders { numbers, short_code, services, services_unknown })
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
pub fn number_label(number: &OwnedNumber) -> String {
    let can = number.capabilities.map(|can| can.to_string());
    format!("{} ({})", number.number, can.unwrap_or_else(|| "capabilities unknown".to_owned()))
}

/// Describes a Messaging Service.
pub fn service_label(service: &MessagingService) -> String {
    format!("Messaging Service {} ({})", service.name, service.id)
}
