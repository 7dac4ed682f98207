//! The account's messages from and to a contact, over all its numbers.

use serde::Deserialize;
use telephony_domain::number::PhoneNumber;

use super::pages::{MESSAGES_A_PAGE, Pages};
use super::{Rest, encode};
use crate::provider::{MessagesWith, ProviderError, StoredMessage};

#[derive(Deserialize)]
struct MessageIdPage {
    messages: Vec<ListedId>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct ListedId {
    sid: String,
    from: Option<String>,
    #[serde(default)]
    to: String,
    messaging_service_sid: Option<String>,
    num_media: Option<String>,
}

impl Rest {
    /// Returns messages from and to `contact`, at most `at_most` per direction, newest first.
    pub(in crate::twilio) async fn messages_with(
        &self,
        contact: &PhoneNumber,
        at_most: usize,
    ) -> Result<MessagesWith, ProviderError> {
        let mut found = MessagesWith { messages: Vec::new(), is_complete: true };
        for is_from_contact in [true, false] {
            self.one_side(contact, is_from_contact, at_most, &mut found).await?;
        }
        Ok(found)
    }

    async fn one_side(
        &self,
        contact: &PhoneNumber,
        is_from_contact: bool,
        at_most: usize,
        found: &mut MessagesWith,
    ) -> Result<(), ProviderError> {
        let side = if is_from_contact { "From" } else { "To" };
        let query = encode(&[(side, contact.as_str()), ("PageSize", &MESSAGES_A_PAGE.to_string())]);
        let first = self.absolute(&format!("Messages.json?{query}"));
        let mut pages = Pages::from(&first, at_most / MESSAGES_A_PAGE + 2);
        let (mut next, mut capacity) = (Some(first), at_most);
        while let Some(path) = next {
            let page: MessageIdPage = self.get(&path).await?;
            found.is_complete &= page.messages.len() <= capacity;
            let messages = page.messages.into_iter().take(capacity).map(|message| message.message(is_from_contact));
            found.messages.extend(messages.inspect(|_| capacity -= 1));
            let has_more = page.next_page_uri.as_ref().is_some_and(|uri| !uri.is_empty());
            if has_more && capacity == 0 {
                found.is_complete = false;
                return Ok(());
            }
            next = pages.follow(page.next_page_uri)?;
        }
        Ok(())
    }
}

impl ListedId {
    fn message(self, is_from_contact: bool) -> StoredMessage {
        let ours = if is_from_contact { Some(self.to) } else { self.from };
        StoredMessage {
            has_media: self.num_media.is_some_and(|number| number != "0"),
            provider_id: self.sid,
            is_from_contact,
            ours: ours.filter(|number| !number.is_empty()),
            messaging_service: self.messaging_service_sid.filter(|service| !service.is_empty()),
        }
    }
}
