//! Attachments of a turn's messages: fetched before the agent runs, kept on disk, or given up with a reason.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use telephony_agents::{Availability, Said, TurnAttachment};
use telephony_domain::media_type;
use telephony_domain::retry::Disposition;
use telephony_providers::provider::AttachmentError;
use telephony_store::StoreError;
use telephony_store::attachments::{self, AttachmentId, AttachmentState, FileName, KeptFile};
use telephony_store::inbox::Inbound;
use tokio::time::{Instant, sleep, timeout_at};

use super::TurnRunner;
use crate::random;

/// Maximum number of attachments of a message (Twilio's own limit for MMS).
const MAX_ATTACHMENTS: usize = 10;

/// Largest total size of a message's attachments (bytes); Twilio accepts 5 MB.
const MAX_BYTES: usize = 5 * 1024 * 1024;

/// Longest wait of a turn for its attachments.
const WAIT: Duration = Duration::from_secs(60);

/// Pauses before retrying an attachment that does not exist yet: Twilio stores some only seconds after the webhook.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];

/// Attachments of one message fetched at the same time.
const AT_A_TIME: usize = 4;

/// Reason of an attachment that took too long.
const TOO_SLOW: &str = "it did not arrive in time";

impl TurnRunner {
    /// Returns the messages for the agent, with all available attachments. Attachments with a known state are not
    /// fetched again.
    pub(super) async fn said(&self, messages: &[Inbound]) -> Result<Vec<Said>, Unasked> {
        let deadline = Instant::now() + WAIT;
        let mut all = Vec::new();
        for message in messages {
            all.push(self.said_in(message, deadline).await?);
        }
        Ok(all)
    }

    async fn said_in(&self, message: &Inbound, deadline: Instant) -> Result<Said, Unasked> {
        Ok(Said {
            provider_id: message.provider_id.clone(),
            text: message.text.clone(),
            media: self.media_of(message, deadline).await?,
            also_to: message.also_to.clone(),
            received: message.received,
        })
    }

    async fn media_of(&self, message: &Inbound, deadline: Instant) -> Result<Vec<TurnAttachment>, Unasked> {
        let looks: Vec<_> = message.media.iter().map(|media| self.look(message, media, deadline).boxed()).collect();
        // In order and a few at a time, which limits how many are in memory.
        let mut looks = stream::iter(looks).buffered(AT_A_TIME).zip(stream::iter(&message.media));
        let (mut all, mut capacity) = (Vec::new(), MAX_BYTES);
        while let Some((look, media)) = looks.next().await {
            let id = AttachmentId { message: message.id, position: media.position };
            let held = match look {
                FetchResult::Known(state) => state,
                FetchResult::Fetched(bytes) if bytes.len() > capacity => {
                    self.give_up(id, "the other attachments reached the size limit").await?
                }
                FetchResult::Fetched(bytes) => {
                    capacity -= bytes.len();
                    self.keep(id, &media.content_type, bytes).await?
                }
                FetchResult::Failed(reason) => self.give_up(id, &reason).await?,
                FetchResult::AccountRefused => return Err(Unasked::AccountRefused),
            };
            all.push(self.shown(media, held));
        }
        Ok(all)
    }

    async fn look(&self, message: &Inbound, media: &attachments::Attachment, deadline: Instant) -> FetchResult {
        match (&media.state, &media.url) {
            (AttachmentState::Elsewhere, _) if media.position as usize > MAX_ATTACHMENTS => {
                FetchResult::Failed(format!("a message has at most {MAX_ATTACHMENTS} attachments"))
            }
            (AttachmentState::Elsewhere, Some(url)) => {
                let fetched = timeout_at(deadline, self.fetch(&message.provider_id, url)).await;
                match fetched.unwrap_or_else(|_| Err(TOO_SLOW.to_owned())) {
                    Ok(bytes) => FetchResult::Fetched(bytes),
                    Err(_) if self.is_account_refused().await => FetchResult::AccountRefused,
                    Err(reason) => FetchResult::Failed(reason),
                }
            }
            (state, _) => FetchResult::Known(state.clone()),
        }
    }

    async fn fetch(&self, provider_id: &str, url: &str) -> Result<Bytes, String> {
        let mut pauses = PAUSES.iter();
        loop {
            let answer = {
                let _place = self.downloads.acquire().await;
                self.provider.attachment(provider_id, url, MAX_BYTES).await
            };
            match (answer, pauses.next()) {
                (Ok(bytes), _) => return Ok(bytes),
                (Err(AttachmentError::NotYet(_)), Some(pause)) => sleep(*pause).await,
                (Err(error), _) => return Err(error.to_string()),
            }
        }
    }

    /// Returns true while the provider rejects the whole account: no answer can leave then, so the turn waits.
    async fn is_account_refused(&self) -> bool {
        self.provider.probe().await.is_err_and(|error| error.disposition() == Disposition::AwaitOperator)
    }

    /// Writes it to disk first, then records it in the message.
    async fn keep(&self, id: AttachmentId, declared: &str, bytes: Bytes) -> Result<AttachmentState, StoreError> {
        let content_type = match media_type::judge(declared, &bytes) {
            Ok(content_type) => content_type,
            Err(mismatch) => return self.give_up(id, &mismatch.to_string()).await,
        };
        let name = FileName::new(random::bytes(), &content_type);
        let file = KeptFile { name: name.clone(), content_type, size: bytes.len() as u64 };
        self.store.keep_file(name, bytes, self.clock.now()).await?;
        match self.store.attachment_kept(id, file.clone()).await {
            Ok(()) => Ok(AttachmentState::Kept(file)),
            // The message was just purged, and with it the lease.
            Err(StoreError::NotFound(_)) => Err(StoreError::LeaseLost),
            Err(error) => Err(error),
        }
    }

    async fn give_up(&self, id: AttachmentId, reason: &str) -> Result<AttachmentState, StoreError> {
        tracing::warn!(message = %id.message, attachment = id.position, reason, "an attachment is not available");
        self.store.attachment_unavailable(id, reason).await?;
        Ok(AttachmentState::Unavailable(reason.to_owned()))
    }

    fn shown(&self, media: &attachments::Attachment, state: AttachmentState) -> TurnAttachment {
        match state {
            AttachmentState::Kept(file) => TurnAttachment {
                held: Availability::File { path: self.store.path_of(&file.name), size: file.size },
                content_type: file.content_type,
            },
            AttachmentState::Unavailable(reason) => unavailable(media, reason),
            AttachmentState::Elsewhere => unavailable(media, TOO_SLOW.to_owned()),
        }
    }
}

/// The result of fetching an attachment.
enum FetchResult {
    /// Nothing to do.
    Known(AttachmentState),
    Fetched(Bytes),
    Failed(String),
    /// Not available until the operator has fixed the account.
    AccountRefused,
}

/// The reason why the agent cannot be asked.
pub(super) enum Unasked {
    Store(StoreError),
    /// The provider rejects the whole account, including requests for attachments.
    AccountRefused,
}

impl From<StoreError> for Unasked {
    fn from(error: StoreError) -> Self {
        Unasked::Store(error)
    }
}

fn unavailable(media: &attachments::Attachment, reason: String) -> TurnAttachment {
    TurnAttachment { content_type: media.content_type.clone(), held: Availability::Unavailable(reason) }
}
