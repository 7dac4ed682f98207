//! Deletes messages and their attachments from the account; a missing one counts as deleted.

use super::media::MediaList;
use super::{Rest, segment};
use crate::provider::{Deletion, ProviderError};

/// Twilio's code for a message that cannot be deleted yet.
const STILL_SENT: u32 = 20009;

/// Maximum number of pages of attachments; a message has at most 10, which is one page.
const MAX_PAGES: usize = 10;

impl Rest {
    pub(in crate::twilio) async fn delete_message(&self, sid: &str) -> Result<Deletion, ProviderError> {
        match self.delete(&format!("Messages/{}.json", segment(sid))).await {
            Err(error) if error.code() == Some(STILL_SENT) => Ok(Deletion::TooEarly),
            deleted => gone(deleted).map(|()| Deletion::Gone),
        }
    }

    /// Deletes the attachments of one message.
    pub(in crate::twilio) async fn delete_media(&self, sid: &str) -> Result<(), ProviderError> {
        let folder = format!("Messages/{}/Media", segment(sid));
        for _ in 0..MAX_PAGES {
            let list: MediaList = match self.get(&format!("{folder}.json")).await {
                Err(error) if error.is_not_found() => return Ok(()),
                list => list?,
            };
            if list.media_list.is_empty() {
                return Ok(());
            }
            for file in list.media_list {
                gone(self.delete(&format!("{folder}/{}.json", segment(&file.sid))).await)?;
            }
        }
        Err(ProviderError::Unreadable { cause: "the attachments of a message are still listed".to_owned() })
    }
}

fn gone(deleted: Result<(), ProviderError>) -> Result<(), ProviderError> {
    match deleted {
        Err(error) if error.is_not_found() => Ok(()),
        deleted => deleted,
    }
}
