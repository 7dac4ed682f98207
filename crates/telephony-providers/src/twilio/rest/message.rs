//! Messages of the account: creating, reading and listing them.

use std::cmp::Reverse;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use telephony_domain::address::canonical;
use telephony_domain::delivery::{Receipt, Status};
use telephony_domain::message::{Arrival, Media};
use telephony_domain::money::{Amount, Billed, Price};
use telephony_domain::time::{Clock, SystemClock, Timestamp};

use super::pages::{MESSAGES_A_PAGE, Pages, in_span};
use super::{Rest, encode, segment};
use crate::provider::{Listed, ProviderError};
use crate::twilio::{codes, dates};

/// Clocks that differ by less are the same: whoever looks for a message begins earlier than that.
const SAME_CLOCK: Duration = Duration::from_secs(60);

/// So many pages in a row with nothing new end a search. The list is sorted by when messages were sent, newest first and
/// those not sent yet before all others: behind a message that was created before and sent after, there is more.
const OLD_PAGES: usize = 2;

/// A message as the API shows it. Numbers come as text, what is not known yet as null. Only the SID has to be there: an
/// answer with a SID says that a message was created, whatever else it lacks.
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
struct Page {
    messages: Vec<Message>,
    next_page_uri: Option<String>,
}

impl Rest {
    /// Creates a message, that is, sends it.
    pub(in crate::twilio) async fn create_message(&self, form: &[(&str, &str)]) -> Result<Message, ProviderError> {
        self.post("Messages.json", form).await
    }

    /// One message by its SID.
    pub(in crate::twilio) async fn message(&self, sid: &str) -> Result<Message, ProviderError> {
        self.get(&format!("Messages/{}.json", segment(sid))).await
    }

    /// Our messages to a number that were created at or after `since` by our clock, newest first.
    pub(in crate::twilio) async fn sent_to(&self, to: &str, since: Timestamp) -> Result<Vec<Listed>, ProviderError> {
        let messages = self.messages_to(to, since).await?.into_iter();
        let sent = messages.filter(|(message, _)| message.direction.starts_with("outbound"));
        sent.map(|(message, created)| Ok(Listed { created, ..message.listed()? })).collect()
    }

    /// Messages to one of our numbers that came at or after `since` by our clock, newest first.
    pub(in crate::twilio) async fn received(&self, to: &str, since: Timestamp) -> Result<Vec<Arrival>, ProviderError> {
        let mut arrivals = Vec::new();
        for (message, created) in self.messages_to(to, since).await? {
            // One that is still `receiving` is complete at the next look.
            if message.direction == "inbound" && message.status == "received" {
                arrivals.push(Arrival { provider_time: Some(created), ..self.arrival(message).await? });
            }
        }
        Ok(arrivals)
    }

    /// A message from a contact by its SID, without attachments; none where Twilio says that it has none.
    pub(in crate::twilio) async fn received_message(&self, sid: &str) -> Result<Option<Arrival>, ProviderError> {
        match self.message(sid).await {
            Ok(message) if message.direction == "inbound" => Ok(Some(message.into_arrival(Vec::new()))),
            Ok(_) => Ok(None),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the prices of messages dated at or after `since`. Each price stands alone, so those of a list that breaks off
    /// count too.
    pub(in crate::twilio) async fn billed(&self, since: Timestamp) -> Result<Vec<Billed>, ProviderError> {
        let mut billed = Vec::new();
        let (mut pages, first) = self.messages(("DateSent>", &dates::iso(since)), since);
        let mut next = Some(first);
        while let Some(path) = next {
            let page: Page = self.get(&path).await?;
            billed.extend(page.messages.iter().filter_map(Message::billed));
            next = pages.follow(page.next_page_uri).unwrap_or_else(|error| {
                tracing::warn!(%error, "the list of prices is not complete");
                None
            });
        }
        Ok(billed)
    }

    /// The pages of the account's messages with this filter, of which those since `since` are wanted, and the first page.
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

    /// The list is not filtered by date: the only such filter is on the date of sending, which queued messages lack.
    async fn messages_to(&self, to: &str, since: Timestamp) -> Result<Vec<(Message, Timestamp)>, ProviderError> {
        let since = whole_second(since);
        let (mut found, mut old_pages) = (Vec::new(), 0);
        let (mut pages, first) = self.messages(("To", to), since);
        let mut next = Some(first);
        while let Some(path) = next {
            let (page, date): (Page, _) = self.get_dated(&path).await?;
            let ahead = how_far_ahead(SystemClock.now(), date);
            let (known, was_sent_before) = (found.len(), page.was_sent_before(since - ahead));
            for message in page.messages {
                let created = message.created()? + ahead;
                if created >= since {
                    found.push((message, created));
                }
            }
            old_pages = if was_sent_before && found.len() == known { old_pages + 1 } else { 0 };
            next = if old_pages == OLD_PAGES { None } else { pages.follow(page.next_page_uri)? };
        }
        Ok(newest_first(found))
    }
}

impl Page {
    /// Whether it has come to what was sent before `since` by Twilio's clock, and not only to what never was.
    fn was_sent_before(&self, since: Timestamp) -> bool {
        let mut sent = self.messages.iter().filter_map(|message| message.date_sent.as_deref().and_then(dates::parse));
        sent.any(|sent| sent < since)
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
            // The list does not say who else was in a group.
            also_to: Vec::new(),
            opt_out_type: None,
            provider_time: None,
            signed: None,
        }
    }

    /// It was taken in any case: what became of it since, with its code, is for reports and look-ups to say.
    pub(in crate::twilio) fn receipt(self) -> Receipt {
        let (status, segments) = (self.status(), self.segments());
        let status = if status.is_failure() { Status::Accepted } else { status };
        Receipt { provider_id: self.sid, status, segments }
    }

    pub(in crate::twilio) fn listed(self) -> Result<Listed, ProviderError> {
        Ok(Listed {
            status: self.status(),
            created: self.created()?,
            segments: self.segments(),
            price: self.price(),
            media: self.num_media.as_ref().and_then(|number| number.parse().ok()).unwrap_or_default(),
            provider_id: self.sid,
            from: self.from.filter(|from| !from.is_empty()),
            messaging_service: self.messaging_service_sid.filter(|service| !service.is_empty()),
            text: self.body.unwrap_or_default(),
            error_code: self.error_code,
            is_opt_out: self.error_code == Some(codes::OPTED_OUT),
        })
    }

    fn billed(&self) -> Option<Billed> {
        Some(Billed { price: self.price()?, provider_id: self.sid.clone(), segments: self.segments() })
    }

    /// A state this project has no name for counts as the first one, so that any later report moves it on.
    fn status(&self) -> Status {
        self.status.parse().unwrap_or(Status::Accepted)
    }

    fn created(&self) -> Result<Timestamp, ProviderError> {
        self.date_created.as_deref().and_then(dates::parse).ok_or_else(|| ProviderError::Unreadable {
            cause: format!("message {} has no date_created that can be read", self.sid),
        })
    }

    /// Twilio writes what it takes as a negative amount, and nothing until it knows.
    fn price(&self) -> Option<Price> {
        let amount: Amount = self.price.as_ref()?.parse().ok()?;
        Some(Price { amount: -amount, currency: self.price_unit.as_ref()?.parse().ok()? })
    }

    /// A service that has not chosen a sender yet counts 0, which means that it does not know.
    fn segments(&self) -> Option<u32> {
        self.num_segments.as_ref()?.parse().ok().filter(|segments| *segments > 0)
    }
}

/// A count, which is text at Twilio and a number elsewhere.
fn text_or_number<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// How far our clock is ahead of Twilio's, where that matters: by such a clock, what was just created was created long ago.
fn how_far_ahead(now: Timestamp, theirs: Option<Timestamp>) -> Duration {
    let ahead = theirs.map_or(Duration::ZERO, |theirs| now.since(theirs));
    if ahead > SAME_CLOCK { ahead } else { Duration::ZERO }
}

/// By when they were created, which is not how the list has them.
fn newest_first(mut messages: Vec<(Message, Timestamp)>) -> Vec<(Message, Timestamp)> {
    messages.sort_by_key(|(_, created)| Reverse(*created));
    messages
}

/// Twilio's dates count whole seconds: what was created half a second later may bear the second before.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp(time.0 - time.0.rem_euclid(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_ours_that_is_an_hour_ahead_is_noticed_and_a_slow_answer_is_not() {
        let (now, hour) = (Timestamp(10_000_000), Duration::from_secs(3600));
        assert_eq!(how_far_ahead(now + hour, Some(now)), hour);
        for theirs in [Some(now), Some(now - Duration::from_secs(30)), Some(now + hour), None] {
            assert_eq!(how_far_ahead(now, theirs), Duration::ZERO, "{theirs:?}");
        }
    }
}
