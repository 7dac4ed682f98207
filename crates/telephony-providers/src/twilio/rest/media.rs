//! Lists the attachments of an incoming message; the caller fetches them.

use serde::Deserialize;
use telephony_domain::message::Media;

use super::{Rest, segment};
use crate::provider::ProviderError;

#[derive(Deserialize)]
pub(super) struct MediaList {
    pub(super) media_list: Vec<MediaResource>,
}

#[derive(Deserialize)]
pub(super) struct MediaResource {
    pub(super) sid: String,
    content_type: Option<String>,
}

impl Rest {
    /// Returns the attachments of a message in the form of a webhook; none if they are deleted.
    pub(super) async fn media_of(&self, message: &str) -> Result<Vec<Media>, ProviderError> {
        let folder = format!("Messages/{}/Media", segment(message));
        let list: MediaList = match self.get(&format!("{folder}.json")).await {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            list => list?,
        };
        let media = |file: MediaResource| Media {
            url: self.url(&format!("{folder}/{}", segment(&file.sid))),
            content_type: file.content_type.unwrap_or_default(),
        };
        Ok(list.media_list.into_iter().map(media).collect())
    }
}
