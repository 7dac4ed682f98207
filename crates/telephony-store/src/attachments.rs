//! Attachments of messages: where they are, and the files that hold those we have.
//!
//! A file is written before anything refers to it, and goes after nothing refers to it any more; in between it is
//! *loose*, and known as such on disk, so that a crash at any moment leaves no file behind for ever.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use telephony_domain::id::InboundId;
use telephony_domain::media_type;
use telephony_domain::message::ServedFile;
use telephony_domain::time::Timestamp;

use crate::StoreError;

/// A file that was written and that nothing refers to after this long was left behind by a crash.
pub const LOOSE_FOR: Duration = Duration::from_secs(60 * 60);

/// A message that the provider has had for so long does not need its files any more.
pub const SERVED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// One attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its place in the message, from 1.
    pub position: u32,
    /// Where the provider has it, or fetches it from; none for a file that never was elsewhere.
    pub url: Option<String>,
    /// What it is, or is said to be as long as we do not have it; empty where nobody said.
    pub content_type: String,
    /// Whether we have it.
    pub state: AttachmentState,
}

/// Whether we have an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachmentState {
    /// It is only where its URL says.
    Elsewhere,
    /// We have it.
    Kept(KeptFile),
    /// It could not be had and is not tried again.
    Unavailable(String),
}

/// The file that holds an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Its name.
    pub name: FileName,
    /// What it is.
    pub content_type: String,
    /// Its length (bytes).
    pub size: u64,
}

/// The name of a file of ours: nobody can guess it, and its ending fits what it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileName(String);

impl FileName {
    /// A new name, made of random bytes.
    pub fn new(random: [u8; 16], content_type: &str) -> FileName {
        FileName(format!("{:032x}.{}", u128::from_be_bytes(random), media_type::ending(content_type)))
    }

    /// The name as it was kept.
    pub fn stored(name: String) -> FileName {
        FileName(name)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which attachment of which message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachmentId {
    /// The message.
    pub message: InboundId,
    /// The attachment's place in it, from 1.
    pub position: u32,
}

/// Attachments.
#[async_trait]
pub trait Attachments: Send + Sync {
    /// Writes a file that only its owner may read. It is loose until something refers to it.
    async fn keep_file(&self, name: FileName, bytes: Bytes, now: Timestamp) -> Result<(), StoreError>;

    /// A file that was kept holds an attachment of a message from a contact. Fails with [`StoreError::NotFound`] where
    /// there is no such attachment, or it is no longer elsewhere; the file stays loose then.
    async fn attachment_kept(&self, id: AttachmentId, file: KeptFile) -> Result<(), StoreError>;

    /// An attachment of a message from a contact cannot be had, for a reason in words; nothing changes where we have it.
    async fn attachment_unavailable(&self, id: AttachmentId, reason: &str) -> Result<(), StoreError>;

    /// Where a file is.
    fn path_of(&self, file: &FileName) -> PathBuf;

    /// The file of a message of ours whose token begins with `selector`, as long as the provider may want it: from the
    /// moment the message is handed over until its status is final, and no longer than [`SERVED_FOR`].
    async fn served(&self, selector: &str, now: Timestamp) -> Result<Option<ServedFile>, StoreError>;

    /// Removes files of messages that were deleted, and files that were loose for [`LOOSE_FOR`]. Returns how many.
    async fn remove_loose_files(&self, now: Timestamp) -> Result<usize, StoreError>;
}
