//! What the account has of somebody: messages from them and to them, whoever of us they were with.

use serde::Deserialize;
use telephony_domain::number::PhoneNumber;

use super::{Rest, encode};
use crate::provider::{Correspondence, Letter, ProviderError};

/// Messages a page: Twilio's largest.
const PAGE_SIZE: &str = "1000";

#[derive(Deserialize)]
struct Page {
    messages: Vec<Listed>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    sid: String,
    from: Option<String>,
    #[serde(default)]
    to: String,
    messaging_service_sid: Option<String>,
    num_media: Option<String>,
}

impl Rest {
    /// Messages from and to `contact`, no more than `at_most` each way, the newest first.
    pub(in crate::twilio) async fn correspondence(
        &self,
        contact: &PhoneNumber,
        at_most: usize,
    ) -> Result<Correspondence, ProviderError> {
        let mut found = Correspondence { letters: Vec::new(), is_complete: true };
        for is_from_contact in [true, false] {
            let side = if is_from_contact { "From" } else { "To" };
            let mut next = format!("Messages.json?{}", encode(&[(side, contact.as_str()), ("PageSize", PAGE_SIZE)]));
            let mut room = at_most;
            loop {
                let page: Page = self.get(&next).await?;
                found.is_complete &= page.messages.len() <= room;
                let letters = page.messages.into_iter().take(room).map(|message| message.letter(is_from_contact));
                found.letters.extend(letters.inspect(|_| room -= 1));
                match page.next_page_uri.filter(|uri| uri.starts_with('/')) {
                    None => break,
                    Some(_) if room == 0 => {
                        found.is_complete = false;
                        break;
                    }
                    Some(uri) => next = uri,
                }
            }
        }
        Ok(found)
    }
}

impl Listed {
    fn letter(self, is_from_contact: bool) -> Letter {
        let ours = if is_from_contact { Some(self.to) } else { self.from };
        Letter {
            has_media: self.num_media.is_some_and(|number| number != "0"),
            provider_id: self.sid,
            is_from_contact,
            ours: ours.filter(|number| !number.is_empty()),
            messaging_service: self.messaging_service_sid.filter(|service| !service.is_empty()),
        }
    }
}
