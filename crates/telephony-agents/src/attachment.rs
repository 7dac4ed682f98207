//! Attachments of a message: files on this machine, or the reason why one is missing.

use std::fmt;
use std::path::PathBuf;

use telephony_domain::media_type::CONTACT_CARD;

/// An attachment. `Debug` hides its path.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnAttachment {
    /// Type, such as `image/jpeg`; the declared one if it could not be fetched.
    pub content_type: String,
    /// The file, or the reason why there is none.
    pub held: Availability,
}

/// The availability of an attachment.
#[derive(Clone, PartialEq, Eq)]
pub enum Availability {
    /// It is in a file, which may be deleted once the turn has ended.
    File {
        /// Path of the fetched file.
        path: PathBuf,
        /// Length of the file in bytes.
        size: u64,
    },
    /// It could not be fetched, for this reason.
    Unavailable(String),
}

impl TurnAttachment {
    /// Returns true for a picture that models can read: JPEG, PNG, GIF or WebP.
    pub(crate) fn is_readable_picture(&self) -> bool {
        matches!(self.content_type.as_str(), "image/jpeg" | "image/png" | "image/gif" | "image/webp")
    }

    /// Returns true for a contact card.
    pub(crate) fn is_card(&self) -> bool {
        self.content_type == CONTACT_CARD
    }

    /// Returns the everyday name of its type.
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

    /// Describes it in one line, for agents that only read text.
    pub(crate) fn label(&self) -> String {
        let (kind, content_type) = (self.kind(), &self.content_type);
        match &self.held {
            Availability::File { size, .. } => format!("[{kind}: {content_type}, {}]", length(*size)),
            Availability::Unavailable(reason) if content_type.is_empty() => {
                format!("[attachment unavailable: {reason}]")
            }
            Availability::Unavailable(reason) => format!("[attachment unavailable: {content_type}, {reason}]"),
        }
    }
}

impl fmt::Debug for TurnAttachment {
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
