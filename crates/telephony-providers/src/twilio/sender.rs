//! Twilio as a provider: sends messages and looks up their outcome.

use async_trait::async_trait;
use bytes::Bytes;
use telephony_domain::address::is_short_code;
use telephony_domain::delivery::Receipt;
use telephony_domain::line::Sender;
use telephony_domain::message::Arrival;
use telephony_domain::money::{Billed, Price};
use telephony_domain::number::PhoneNumber;
use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;

use super::{CORRELATION_ID, Twilio, callback_url, codes};
use crate::provider::{AttachmentError, Deletion, ListedMessage, MessagesWith, Outgoing, Provider, ProviderError};

#[async_trait]
impl Provider for Twilio {
    async fn send(&self, part: Outgoing<'_>) -> Result<Receipt, ProviderError> {
        let overrides = &self.rest.account().connection_overrides;
        let callback =
            part.status_url.map(|url| callback_url::with_id(url, CORRELATION_ID, part.correlation_id, overrides));
        let message = self.rest.create_message(&message_form(&part, callback.as_deref())).await?;
        Ok(message.receipt())
    }

    async fn probe(&self) -> Result<(), ProviderError> {
        match self.rest.probe().await {
            Err(error) if error.code().is_some_and(codes::is_about_rights) => Ok(()),
            probed => probed,
        }
    }

    fn time(&self) -> Option<Timestamp> {
        self.rest.time()
    }

    async fn recent(&self, to: &PhoneNumber, since: Timestamp) -> Result<Vec<ListedMessage>, ProviderError> {
        self.rest.sent_to(to.as_str(), since).await.map_err(without_the_right)
    }

    async fn received(&self, to: &str, since: Timestamp) -> Result<Vec<Arrival>, ProviderError> {
        self.rest.received(to, since).await
    }

    async fn received_message(&self, provider_id: &str) -> Result<Option<Arrival>, ProviderError> {
        self.rest.received_message(provider_id).await.map_err(without_the_right)
    }

    async fn fetch(&self, provider_id: &str) -> Result<ListedMessage, ProviderError> {
        self.rest.message(provider_id).await?.listed()
    }

    async fn numbers_of(&self, sender: &Sender) -> Result<Vec<String>, ProviderError> {
        let mut numbers: Vec<String> = sender.receiving().iter().map(ToString::to_string).collect();
        if let Some(service) = &sender.messaging_service {
            match self.rest.service_numbers(service).await {
                // It was deleted.
                Err(error) if error.is_not_found() => return Ok(numbers),
                pool => numbers.extend(pool?),
            }
            numbers.extend(self.rest.service_short_codes(service).await?);
        }
        Ok(numbers)
    }

    async fn billed(&self, since: Timestamp) -> Result<Vec<Billed>, ProviderError> {
        self.rest.billed(since).await
    }

    async fn balance(&self) -> Result<Price, ProviderError> {
        self.rest.balance().await
    }

    async fn messages_with(&self, contact: &PhoneNumber, at_most: usize) -> Result<MessagesWith, ProviderError> {
        self.rest.messages_with(contact, at_most).await
    }

    async fn delete(&self, provider_id: &str, has_media: bool) -> Result<Deletion, ProviderError> {
        if has_media {
            self.rest.delete_media(provider_id).await?;
        }
        self.rest.delete_message(provider_id).await
    }

    async fn attachment(&self, provider_id: &str, url: &str, at_most: usize) -> Result<Bytes, AttachmentError> {
        self.rest.download(provider_id, url, at_most).await
    }

    async fn owns(&self, number: &str) -> Result<bool, ProviderError> {
        match is_short_code(number) {
            true => Ok(self.rest.short_code(number).await?.is_some()),
            false => Ok(self.rest.phone_number(number).await?.is_some()),
        }
    }
}

fn message_form<'a>(part: &Outgoing<'a>, callback: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    let from = match (&part.from.messaging_service, &part.from.number) {
        (Some(service), _) => Some(("MessagingServiceSid", service.as_str())),
        (None, number) => number.as_ref().map(|number| ("From", number.as_str())),
    };
    let body = Some(("Body", part.text)).filter(|(_, text)| !text.is_empty());
    let media = part.media.iter().map(|url| ("MediaUrl", url.as_str()));
    let callback = callback.map(|url| ("StatusCallback", url));
    std::iter::once(("To", part.to.as_str())).chain(from).chain(body).chain(media).chain(callback).collect()
}

/// Treats a missing read permission as denied for good; sends and calls with such a key continue.
pub(super) fn without_the_right(error: ProviderError) -> ProviderError {
    match error {
        ProviderError::Refused { http_status, code: Some(code), sentence, hint, is_opt_out, .. }
            if codes::is_about_rights(code) =>
        {
            let disposition = Disposition::GiveUp;
            ProviderError::Refused { http_status, code: Some(code), sentence, hint, disposition, is_opt_out }
        }
        error => error,
    }
}
