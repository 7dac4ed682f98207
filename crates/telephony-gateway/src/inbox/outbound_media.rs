//! Attachments of an answer: pictures by the agent, stored as files unless they have a public URL.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use telephony_domain::media_type;
use telephony_domain::message::{MediaToken, OutboundMedia, ServedFile};
use telephony_domain::mms::MmsRules;
use telephony_domain::plain_text::take_pictures;
use telephony_store::StoreError;
use telephony_store::attachments::FileName;

use super::TurnRunner;
use crate::{picture, random};

/// Text in place of a picture that could not be sent.
const NOT_SENT: &str = "\n\n[A picture could not be sent.]";

impl TurnRunner {
    /// Returns the answer's text and attachments. Pictures that carriers do not accept are left out, and the text says
    /// so.
    pub(super) async fn outbound_media(&self, answer: &str) -> Result<(String, Vec<OutboundMedia>), StoreError> {
        let (mut text, addresses) = take_pictures(answer);
        let (mut media, mut is_complete) = (Vec::new(), true);
        for (address, others) in addresses.iter().zip((0..addresses.len()).rev()) {
            match self.enclosure(address, &media, others as u64).await? {
                Ok(enclosure) => media.push(enclosure),
                Err(reason) => {
                    tracing::warn!(reason, "a picture from the agent is not sent");
                    is_complete = false;
                }
            }
        }
        if !is_complete {
            text.truncate(text.trim_end().len());
            text.push_str(NOT_SENT);
        }
        Ok((text, media))
    }

    /// Prepares one attachment, with those `before` it and the number of those after it.
    async fn enclosure(
        &self,
        address: &str,
        before: &[OutboundMedia],
        others: u64,
    ) -> Result<Result<OutboundMedia, String>, StoreError> {
        if let Err(too_many) = self.mms().check_count(before.len() + 1) {
            return Ok(Err(too_many.to_string()));
        }
        let Some(data) = address.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:")).map(|_| &address[5..])
        else {
            return Ok(Ok(OutboundMedia::Url(address.to_owned())));
        };
        match self.sendable(data, before, others).await {
            Ok((content_type, bytes)) => self.keep_enclosure(content_type, bytes).await.map(Ok),
            Err(reason) => Ok(Err(reason)),
        }
    }

    async fn sendable(&self, data: &str, before: &[OutboundMedia], others: u64) -> Result<(String, Bytes), String> {
        if self.reach.borrow().webhook.registered.is_none() {
            return Err("there is no public URL where it could be fetched: set publicUrl".to_owned());
        }
        let (declared, bytes) = decode(data).ok_or("its data: URL is invalid")?;
        let content_type = media_type::judge(declared, &bytes).map_err(|mismatch| mismatch.to_string())?;
        if bytes.len() as u64 > picture::MAX_FILE_BYTES {
            self.mms().check_size(bytes.len() as u64).map_err(|error| error.to_string())?;
        }
        let files = before.iter().filter_map(|enclosure| match enclosure {
            OutboundMedia::File(file) => Some((file.content_type.as_str(), file.size)),
            OutboundMedia::Url(_) => None,
        });
        let together = files.clone().map(|(_, size)| size).sum();
        let capacity = self.mms().max_bytes.saturating_sub(together);
        let (content_type, bytes) = reduced(content_type, bytes, capacity, others).await?;
        let all = files.chain([(content_type.as_str(), bytes.len() as u64)]);
        self.mms().check(all).map_err(|error| error.to_string())?;
        Ok((content_type, bytes))
    }

    fn mms(&self) -> &'static MmsRules {
        &self.provider.carrier().mms
    }

    async fn keep_enclosure(&self, content_type: String, bytes: Bytes) -> Result<OutboundMedia, StoreError> {
        let name = FileName::new(random::bytes(), &content_type);
        let token = MediaToken::from_random(random::bytes());
        let file = ServedFile { name: name.to_string(), content_type, size: bytes.len() as u64, token };
        self.store.keep_file(name, bytes, self.clock.now()).await?;
        Ok(OutboundMedia::File(file))
    }
}

/// Shrinks a picture that does not fit into `capacity` bytes, and leaves an equal share to each of the `others`. Runs
/// on a blocking thread, because it takes a while.
async fn reduced(content_type: String, bytes: Bytes, capacity: u64, others: u64) -> Result<(String, Bytes), String> {
    if bytes.len() as u64 <= capacity || !picture::is_reducible(&content_type) {
        return Ok((content_type, bytes));
    }
    let size = bytes.len();
    let work = move || {
        picture::fit(&content_type, &bytes, capacity / (others + 1)).map(|fitting| (content_type, bytes, fitting))
    };
    let worked = tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?;
    match worked.map_err(|bomb| bomb.to_string())? {
        (_, _, Some(fitting)) => {
            tracing::info!(from = size, to = fitting.len(), "shrank a picture from the agent");
            Ok((picture::REDUCED_TYPE.to_owned(), fitting.into()))
        }
        (content_type, bytes, None) => Ok((content_type, bytes)),
    }
}

/// Returns type and bytes of a `data:` URL; base64 only.
fn decode(data: &str) -> Option<(&str, Bytes)> {
    let (head, body) = data.split_once(',')?;
    let (content_type, coding) = head.rsplit_once(';').unwrap_or(("", head));
    let bytes = coding.eq_ignore_ascii_case("base64").then(|| BASE64_STANDARD.decode(body.trim()).ok())??;
    Some((content_type, bytes.into()))
}
