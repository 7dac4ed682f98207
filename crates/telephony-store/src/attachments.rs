//! Attachments of messages, and the files of those we have.
//!
//! A file is written before anything refers to it, and deleted after nothing refers to it any more. In between it is
//! *loose* and recorded as such, so that a crash at any moment leaves no file behind forever.

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

/// Age at which a loose file counts as left behind by a crash.
pub const LOOSE_FOR: Duration = Duration::from_secs(60 * 60);

/// Time after which the provider no longer needs the files of a message.
pub const SERVED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// An attachment of an incoming message, fetched or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Position in the message, from 1.
    pub position: u32,
    /// URL at the provider, or for the provider to fetch; none for a file that only we have.
    pub url: Option<String>,
    /// Type, or the declared type until we have it; empty if none was declared.
    pub content_type: String,
    /// The availability of its file.
    pub state: AttachmentState,
}

/// The state of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachmentState {
    /// It is only at its URL.
    Elsewhere,
    /// Its file is in the store's media folder.
    Kept(KeptFile),
    /// It could not be fetched and is not retried.
    Unavailable(String),
}

/// The file of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Name of the file in the store's media folder.
    pub name: FileName,
    /// Media type, such as `image/jpeg`.
    pub content_type: String,
    /// Length of the file in bytes.
    pub size: u64,
}

/// The name of one of our files: unguessable, with an extension that fits its type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileName(String);

impl FileName {
    /// Creates a name from random bytes.
    pub fn new(random: [u8; 16], content_type: &str) -> FileName {
        FileName(format!("{:032x}.{}", u128::from_be_bytes(random), media_type::ending(content_type)))
    }

    /// Wraps a name read from the store.
    pub fn stored(name: String) -> FileName {
        FileName(name)
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key of an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachmentId {
    /// The incoming message that it belongs to.
    pub message: InboundId,
    /// Position of the attachment, from 1.
    pub position: u32,
}

/// The storage of attachments.
#[async_trait]
pub trait Attachments: Send + Sync {
    /// Writes a file that only its owner can read. It is loose until something refers to it.
    async fn keep_file(&self, name: FileName, bytes: Bytes, now: Timestamp) -> Result<(), StoreError>;

    /// Assigns a written file to an attachment of a contact's message. Fails with [`StoreError::NotFound`] if there is
    /// no such attachment, or it is no longer elsewhere; then the file stays loose.
    async fn attachment_kept(&self, id: AttachmentId, file: KeptFile) -> Result<(), StoreError>;

    /// Records why an attachment of a contact's message cannot be fetched; does nothing if we have it.
    async fn attachment_unavailable(&self, id: AttachmentId, reason: &str) -> Result<(), StoreError>;

    /// Returns the path of a file.
    fn path_of(&self, file: &FileName) -> PathBuf;

    /// Returns the file of one of our messages whose token has this `selector`, while the provider may need it: from
    /// handing the message over until its status is final, but no longer than [`SERVED_FOR`].
    async fn served(&self, selector: &str, now: Timestamp) -> Result<Option<ServedFile>, StoreError>;

    /// Removes files of deleted messages, and files that were loose for [`LOOSE_FOR`]. Returns the number.
    async fn remove_loose_files(&self, now: Timestamp) -> Result<usize, StoreError>;
}
