//! What came with a message: files on this machine, or the news that there was something.

use std::fmt;
use std::path::PathBuf;

use telephony_domain::media_type::CONTACT_CARD;

/// Something that came with a message. `Debug` hides where it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is, such as `image/jpeg`; where it could not be had, what it was said to be.
    pub content_type: String,
    /// Whether we have it.
    pub held: Held,
}

/// Whether we have an attachment.
#[derive(Clone, PartialEq, Eq)]
pub enum Held {
    /// It is in a file, which may go as soon as the turn has ended.
    File {
        /// Where.
        path: PathBuf,
        /// Its length (bytes).
        size: u64,
    },
    /// It could not be had, for this reason.
    Unavailable(String),
}

impl Attachment {
    /// Whether it is a picture of a kind that models read: JPEG, PNG, GIF or WebP.
    pub(crate) fn is_readable_picture(&self) -> bool {
        matches!(self.content_type.as_str(), "image/jpeg" | "image/png" | "image/gif" | "image/webp")
    }

    /// Whether it is somebody's contact card.
    pub(crate) fn is_card(&self) -> bool {
        self.content_type == CONTACT_CARD
    }

    /// What a person would call it.
    pub(crate) fn kind(&self) -> &'static str {
        let (kind, _) = self.content_type.split_once('/').unwrap_or_default();
        match kind {
            _ if self.is_card() => "contact card",
            "image" => "picture",
            "audio" => "voice note",
            "video" => "video",
            _ if self.content_type == "text/calendar" => "calendar entry",
            _ => "file",
        }
    }

    /// It in one line of text, for whoever cannot be given more.
    pub(crate) fn label(&self) -> String {
        let (kind, content_type) = (self.kind(), &self.content_type);
        match &self.held {
            Held::File { size, .. } => format!("[{kind}: {content_type}, {}]", length(*size)),
            Held::Unavailable(reason) if content_type.is_empty() => format!("[attachment unavailable: {reason}]"),
            Held::Unavailable(reason) => format!("[attachment unavailable: {content_type}, {reason}]"),
        }
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

fn length(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} bytes"),
        1000..1_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
