//! Creates, reads and lists the account's messages.

use serde::Deserialize;
use telephony_domain::address::canonical;
use telephony_domain::delivery::{Receipt, Status};
use telephony_domain::message::{Arrival, Media};
use telephony_domain::money::Billed;
use telephony_domain::time::{Clock, SystemClock, Timestamp};

use super::fields::{charge, created, text_or_number};
use super::pages::{MESSAGES_A_PAGE, Pages, in_span};
use super::search::{Dated, ListPage};
use super::{Rest, encode, segment};
use crate::provider::{ListedMessage, ProviderError};
use crate::twilio::{codes, dates};

/// A message in the API. Numbers are text, unknown values null. Only the SID is required: an answer with a SID means
/// that a message was created, whatever else is missing.
#[derive(Deserialize)]
pub(in crate::twilio) struct Message {
    sid: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    direction: String,
    from: Option<String>,
    #[serde(default)]
    to: String,
    messaging_service_sid: Option<String>,
    body: Option<String>,
    #[serde(default, deserialize_with = "text_or_number")]
    num_media: Option<String>,
    date_created: Option<String>,
    date_sent: Option<String>,
    #[serde(default, deserialize_with = "text_or_number")]
    num_segments: Option<String>,
    error_code: Option<u32>,
    price: Option<String>,
    price_unit: Option<String>,
}

#[derive(Deserialize)]
struct MessagePage {
    messages: Vec<Message>,
    next_page_uri: Option<String>,
}

impl Rest {
    /// Creates a message, which sends it.
    pub(in crate::twilio) async fn create_message(&self, form: &[(&str, &str)]) -> Result<Message, ProviderError> {
        self.post("Messages.json", form).await
    }

    /// Returns a message by its SID.
    pub(in crate::twilio) async fn message(&self, sid: &str) -> Result<Message, ProviderError> {
        self.get(&format!("Messages/{}.json", segment(sid))).await
    }

    /// Returns our messages to a number created at or after `since` by our clock, newest first.
    pub(in crate::twilio) async fn sent_to(
        &self,
        to: &str,
        since: Timestamp,
    ) -> Result<Vec<ListedMessage>, ProviderError> {
        let messages = self.messages_to(to, since).await?.into_iter();
        let sent = messages.filter(|(message, _)| message.direction.starts_with("outbound"));
        sent.map(|(message, created)| Ok(ListedMessage { created, ..message.listed()? })).collect()
    }

    /// Returns messages to one of our numbers received at or after `since` by our clock, newest first.
    pub(in crate::twilio) async fn received(&self, to: &str, since: Timestamp) -> Result<Vec<Arrival>, ProviderError> {
        let mut arrivals = Vec::new();
        for (message, created) in self.messages_to(to, since).await? {
            // One that is still `receiving` will be complete at the next look.
            if message.direction == "inbound" && message.status == "received" {
                arrivals.push(Arrival { provider_time: Some(created), ..self.arrival(message).await? });
            }
        }
        Ok(arrivals)
    }

    /// Returns a contact's message by its SID, without attachments; none if Twilio does not have it.
    pub(in crate::twilio) async fn received_message(&self, sid: &str) -> Result<Option<Arrival>, ProviderError> {
        match self.message(sid).await {
            Ok(message) if message.direction == "inbound" => Ok(Some(message.into_arrival(Vec::new()))),
            Ok(_) => Ok(None),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the prices of messages dated at or after `since`. Each price is independent, so those of an incomplete
    /// list count too.
    pub(in crate::twilio) async fn billed(&self, since: Timestamp) -> Result<Vec<Billed>, ProviderError> {
        let mut billed = Vec::new();
        let (mut pages, first) = self.messages(("DateSent>", &dates::iso(since)), since);
        let mut next = Some(first);
        while let Some(path) = next {
            let page: MessagePage = self.get(&path).await?;
            billed.extend(page.messages.iter().filter_map(Message::billed));
            next = pages.follow(page.next_page_uri).unwrap_or_else(|error| {
                tracing::warn!(%error, "the list of prices is not complete");
                None
            });
        }
        Ok(billed)
    }

    /// Returns the pages of the account's messages with this filter and since `since`, and the first page.
    fn messages(&self, filter: (&str, &str), since: Timestamp) -> (Pages, String) {
        let query = encode(&[filter, ("PageSize", &MESSAGES_A_PAGE.to_string())]);
        let first = self.absolute(&format!("Messages.json?{query}"));
        (Pages::from(&first, in_span(SystemClock.now().since(since))), first)
    }

    async fn arrival(&self, message: Message) -> Result<Arrival, ProviderError> {
        let has_media = message.num_media.as_deref().is_some_and(|number| number != "0");
        let media = if has_media { self.media_of(&message.sid).await? } else { Vec::new() };
        Ok(message.into_arrival(media))
    }

    /// Returns messages to a number.
    async fn messages_to(&self, to: &str, since: Timestamp) -> Result<Vec<(Message, Timestamp)>, ProviderError> {
        let (pages, first) = self.messages(("To", to), since);
        self.created_since::<MessagePage>(pages, first, since).await
    }
}

impl ListPage for MessagePage {
    type Item = Message;

    fn into_parts(self) -> (Vec<Message>, Option<String>) {
        (self.messages, self.next_page_uri)
    }
}

impl Dated for Message {
    fn created(&self) -> Result<Timestamp, ProviderError> {
        created(&self.sid, self.date_created.as_deref())
    }

    fn began(&self) -> Option<Timestamp> {
        self.date_sent.as_deref().and_then(dates::parse)
    }
}

impl Message {
    fn into_arrival(self, media: Vec<Media>) -> Arrival {
        Arrival {
            provider_id: self.sid,
            from: canonical(&self.from.unwrap_or_default(), None),
            to: canonical(&self.to, None),
            messaging_service: self.messaging_service_sid.filter(|sid| !sid.is_empty()),
            text: self.body.unwrap_or_default(),
            media,
            // The list does not contain the other members of a group.
            also_to: Vec::new(),
            opt_out_type: None,
            provider_time: None,
            signed: None,
        }
    }

    /// Returns the receipt: it was accepted in any case, and reports and polls have the later status and code.
    pub(in crate::twilio) fn receipt(self) -> Receipt {
        let (status, segments) = (self.status(), self.segments());
        let status = if status.is_failure() { Status::Accepted } else { status };
        Receipt { provider_id: self.sid, status, segments }
    }

    pub(in crate::twilio) fn listed(self) -> Result<ListedMessage, ProviderError> {
        Ok(ListedMessage {
            status: self.status(),
            created: self.created()?,
            segments: self.segments(),
            price: charge(self.price.as_deref(), self.price_unit.as_deref()),
            media: self.num_media.as_ref().and_then(|number| number.parse().ok()).unwrap_or_default(),
            is_automatic: self.direction == "outbound-reply",
            provider_id: self.sid,
            from: self.from.filter(|from| !from.is_empty()),
            messaging_service: self.messaging_service_sid.filter(|service| !service.is_empty()),
            text: self.body.unwrap_or_default(),
            error_code: self.error_code,
            is_opt_out: self.error_code == Some(codes::OPTED_OUT),
        })
    }

    fn billed(&self) -> Option<Billed> {
        let price = charge(self.price.as_deref(), self.price_unit.as_deref())?;
        Some(Billed { price, provider_id: self.sid.clone(), segments: self.segments() })
    }

    /// Returns the status; an unknown one counts as the first, so that any later report replaces it.
    fn status(&self) -> Status {
        self.status.parse().unwrap_or(Status::Accepted)
    }

    /// Returns the segments; a service that has not chosen a sender yet reports 0, which means unknown.
    fn segments(&self) -> Option<u32> {
        self.num_segments.as_ref()?.parse().ok().filter(|segments| *segments > 0)
    }
}
