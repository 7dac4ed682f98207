//! MMS limits of the carriers, and the cost of an MMS in segments.

use crate::media_type;

/// Maximum number of files in one message (Twilio).
pub const MAX_FILES: usize = 10;

/// Largest total size of a message's files (bytes; Twilio).
pub const MAX_BYTES: u64 = 5_000_000;

/// Largest size of a file that Twilio cannot shrink for a carrier (bytes); beyond it carriers differ.
pub const BYTES_AS_IS: u64 = 500_000;

/// Longest text of an MMS (UTF-16 units; Twilio).
pub const MAX_TEXT: usize = 1600;

/// Segments that an MMS counts as for pace and limits: in the United States it costs about as much as three (0.02
/// against 0.0079 dollars) and takes longer to send.
pub const SEGMENTS: u32 = 3;

/// Types that Twilio shrinks if a carrier requires it.
const RESIZED: [&str; 3] = ["image/jpeg", "image/png", "image/gif"];

/// Types other than pictures, sound and video that Twilio passes on.
const DOCUMENTS: [&str; 6] =
    [media_type::CONTACT_CARD, "text/calendar", "text/csv", "text/rtf", "text/richtext", "application/pdf"];

/// Pictures that Twilio passes on unchanged.
const PICTURES: [&str; 2] = ["image/bmp", "image/tiff"];

/// A limit that prevents files from being sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// Too many files.
    #[error("{0} files are too many: a message can have {MAX_FILES}")]
    TooMany(usize),
    /// Files that are too large together.
    #[error("the files have {0} bytes in total: a message can have {MAX_BYTES}")]
    TooMuch(u64),
    /// A file that is too large for its type.
    #[error(
        "a file of type {content_type} has {size} bytes: carriers accept {BYTES_AS_IS} of any type but JPEG, PNG and \
        GIF"
    )]
    TooLarge {
        /// Media type.
        content_type: String,
        /// Length (bytes).
        size: u64,
    },
    /// A type that no carrier accepts.
    #[error(
        "a file of type {0} cannot be sent: MMS supports JPEG, PNG, GIF, sound, video, PDF, contact cards and \
        calendars"
    )]
    Unsupported(String),
    /// A file without content.
    #[error("a file is empty")]
    Empty,
}

/// Checks that files of these types and lengths (bytes) can be sent in one message.
pub fn check<'f>(files: impl IntoIterator<Item = (&'f str, u64)>) -> Result<(), Unsendable> {
    let (mut count, mut together) = (0, 0);
    for (content_type, size) in files {
        check_file(content_type, size)?;
        count += 1;
        together += size;
    }
    if count > MAX_FILES {
        return Err(Unsendable::TooMany(count));
    }
    if together > MAX_BYTES { Err(Unsendable::TooMuch(together)) } else { Ok(()) }
}

fn check_file(content_type: &str, size: u64) -> Result<(), Unsendable> {
    let (kind, _) = content_type.split_once('/').unwrap_or_default();
    let is_resized = RESIZED.contains(&content_type);
    let is_known = is_resized || PICTURES.contains(&content_type) || DOCUMENTS.contains(&content_type);
    if !is_known && !matches!(kind, "audio" | "video") {
        return Err(Unsendable::Unsupported(content_type.to_owned()));
    }
    match size {
        0 => Err(Unsendable::Empty),
        _ if size > BYTES_AS_IS && !is_resized => {
            Err(Unsendable::TooLarge { content_type: content_type.to_owned(), size })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exceeded_limit_is_named() {
        assert_eq!(check([("image/jpeg", MAX_BYTES)]), Ok(()));
        assert_eq!(check([("image/jpeg", MAX_BYTES), ("image/gif", 1)]), Err(Unsendable::TooMuch(5_000_001)));
        assert_eq!(check([("image/png", 1); 10]), Ok(()));
        assert_eq!(check([("image/png", 1); 11]), Err(Unsendable::TooMany(11)));
        assert_eq!(check([("audio/amr", BYTES_AS_IS), ("text/vcard", 9)]), Ok(()));
        let film = check([("video/mp4", BYTES_AS_IS + 1)]).unwrap_err();
        assert!(film.to_string().contains("500000"), "{film}");
        assert_eq!(check([("image/png", 0)]), Err(Unsendable::Empty));
    }

    #[test]
    fn unsupported_files_are_rejected_before_sending() {
        for content_type in
            ["text/html", "application/zip", "application/octet-stream", "image/svg+xml", "image/heic", ""]
        {
            assert_eq!(check([(content_type, 1)]), Err(Unsendable::Unsupported(content_type.to_owned())));
        }
    }
}
