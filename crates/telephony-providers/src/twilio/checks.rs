//! Checks of a Twilio account.

use async_trait::async_trait;
use telephony_domain::line::{LineKind, Sender};
use telephony_domain::line_address::LineAddress;
use telephony_domain::number::PhoneNumber;

use super::Twilio;
use super::account::TwilioAccount;
use super::rest::{self, Rest};
use crate::checks::{
    AccountState, Alert, Checks, MessagingService, OwnedNumber, ProbeAnswer, ProbeFailure, Registration,
    ServiceSenders, WebhookProbe,
};
use crate::provider::ProviderError;

#[async_trait]
impl Checks for Twilio {
    fn api_url(&self) -> &str {
        &self.rest.account().api_url
    }

    async fn check_credentials(&self) -> Result<(), ProviderError> {
        check_credentials(&self.rest).await
    }

    async fn check_signing_secret(&self) -> Result<(), ProviderError> {
        let account = self.rest.account();
        match account.api_key {
            Some(_) => {
                check_credentials(&self.rest.for_account(TwilioAccount { api_key: None, ..account.clone() })).await
            }
            None => Ok(()),
        }
    }

    async fn account_state(&self) -> Result<AccountState, ProviderError> {
        self.rest.account_state().await
    }

    async fn verified_numbers(&self) -> Result<Vec<String>, ProviderError> {
        self.rest.verified_numbers().await
    }

    async fn alerts(&self) -> Result<Vec<Alert>, ProviderError> {
        self.rest.alerts().await
    }

    async fn numbers(&self) -> Result<Vec<OwnedNumber>, ProviderError> {
        Ok(self.rest.phone_numbers().await?.into_iter().map(owned).collect())
    }

    async fn number(&self, number: &str) -> Result<Option<OwnedNumber>, ProviderError> {
        Ok(self.rest.phone_number(number).await?.map(owned))
    }

    async fn services(&self) -> Result<Vec<MessagingService>, ProviderError> {
        let services = match self.rest.services().await {
            // A server without this product has no services.
            Err(error) if error.is_not_found() => Vec::new(),
            answer => answer?,
        };
        let services = services.into_iter();
        Ok(services.map(|service| MessagingService { id: service.sid, name: service.friendly_name }).collect())
    }

    async fn senders_of(&self, service: &str) -> Result<Option<ServiceSenders>, ProviderError> {
        let numbers = match self.rest.service_numbers(service).await {
            // Without the product, it is unknown whether the service exists.
            Err(error) if error.is_not_found() => return self.rest.services().await.map(|_| None),
            answer => answer?.len(),
        };
        Ok(Some(ServiceSenders { numbers, short_codes: self.rest.service_short_codes(service).await?.len() }))
    }

    async fn registration(&self, sender: &Sender) -> Result<Registration, ProviderError> {
        let kind = LineKind::of(&Sender { number: sender.number.clone(), messaging_service: None });
        let number = sender.number.as_ref().and_then(LineAddress::number);
        let is_american = number.is_none_or(|number| number.as_str().starts_with("+1"));
        match (is_american, kind) {
            (true, LineKind::LongCode) => {}
            (_, LineKind::TollFree) => {
                let text =
                    "the verification of the toll-free number: see the Twilio Console (error 30032 if unverified)";
                return Ok(Registration::NotReported(text.to_owned()));
            }
            _ => return Ok(Registration::NotNeeded),
        }
        let service = match &sender.messaging_service {
            Some(service) => Some(service.clone()),
            None => service_of(&self.rest, number).await?,
        };
        match service {
            Some(service) => Ok(campaign(&service, &self.rest.campaigns(&service).await?)),
            None => Ok(Registration::Missing("it is in no Messaging Service".to_owned())),
        }
    }

    fn webhook_probe(&self, signed: &str, url: &str, name: &str) -> Result<WebhookProbe, ProbeFailure> {
        self.probe_signed_for(signed, url, name)
    }

    async fn send_probe(&self, probe: &WebhookProbe) -> Result<ProbeAnswer, ProbeFailure> {
        super::probe::send(probe).await
    }

    fn differences(&self, probe: &WebhookProbe, urls: &[String]) -> Vec<&'static str> {
        self.explain_probe(probe, urls).near_miss.map(|near| near.differences).unwrap_or_default()
    }
}

/// Reads the balance, or else the numbers: a standard API key may lack the right to either.
async fn check_credentials(rest: &Rest) -> Result<(), ProviderError> {
    match rest.balance().await {
        Err(error @ ProviderError::Refused { .. }) if !error.is_unauthorized() => rest.phone_numbers().await.map(drop),
        balance => balance.map(drop),
    }
}

fn owned(entry: rest::IncomingPhoneNumber) -> OwnedNumber {
    OwnedNumber { number: entry.phone_number, capabilities: entry.capabilities }
}

/// Returns the Messaging Service whose campaign covers a number.
async fn service_of(rest: &Rest, number: Option<&PhoneNumber>) -> Result<Option<String>, ProviderError> {
    let Some(number) = number else { return Ok(None) };
    for service in rest.services().await? {
        if rest.service_numbers(&service.sid).await?.iter().any(|member| member == number.as_str()) {
            return Ok(Some(service.sid));
        }
    }
    Ok(None)
}

fn campaign(service: &str, states: &[String]) -> Registration {
    if states.iter().any(|status| status == "VERIFIED") {
        Registration::Approved(format!("{service} is registered for A2P 10DLC"))
    } else if states.is_empty() {
        Registration::Missing(format!("{service} has no campaign"))
    } else {
        Registration::NotApproved(format!("{service}: {}", states.join(", ")))
    }
}
