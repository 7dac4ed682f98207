//! Limits of messages with attachments, and their cost in segments.

/// A provider's limits of messages with attachments.
#[derive(Debug, PartialEq)]
pub struct MmsRules {
    /// Maximum number of files in one message.
    pub max_files: usize,
    /// Largest total size of a message's files (bytes).
    pub max_bytes: u64,
    /// Largest size of a file that the provider cannot shrink for a carrier (bytes).
    pub bytes_as_is: u64,
    /// Longest text (UTF-16 units).
    pub max_text: usize,
    /// Segments that such a message counts as for pace and limits.
    pub segments: u32,
    /// Types that the provider shrinks if a carrier requires it.
    pub resized: &'static [&'static str],
    /// Types other than sound and video that it passes on unchanged.
    pub passed_on: &'static [&'static str],
}

/// A limit that prevents files from being sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// Too many files.
    #[error("too many files ({count}): a message can have {most}")]
    TooMany {
        /// Number of files.
        count: usize,
        /// Maximum per message, by the provider's rules.
        most: usize,
    },
    /// Files that are too large together.
    #[error("the files have {size} bytes in total: a message can have {most}")]
    TooMuch {
        /// Total length of the files in bytes.
        size: u64,
        /// Maximum per message in bytes, by the provider's rules.
        most: u64,
    },
    /// A file that is too large for its type.
    #[error(
        "a file of type {content_type} has {size} bytes: carriers accept {most} of any type but JPEG, PNG and \
        GIF"
    )]
    TooLarge {
        /// Media type, such as `application/pdf`.
        content_type: String,
        /// Length of the file in bytes.
        size: u64,
        /// Maximum in bytes for any type but JPEG, PNG and GIF.
        most: u64,
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

impl MmsRules {
    /// Checks that files of these types and lengths (bytes) can be sent in one message.
    pub fn check<'f>(&self, files: impl IntoIterator<Item = (&'f str, u64)>) -> Result<(), Unsendable> {
        let (mut count, mut together) = (0, 0);
        for (content_type, size) in files {
            self.check_file(content_type, size)?;
            count += 1;
            together += size;
        }
        self.check_count(count)?;
        self.check_size(together)
    }

    /// Checks that one message can have this many files.
    pub fn check_count(&self, count: usize) -> Result<(), Unsendable> {
        let most = self.max_files;
        if count > most { Err(Unsendable::TooMany { count, most }) } else { Ok(()) }
    }

    /// Checks that one message can have files of `size` bytes in total.
    pub fn check_size(&self, size: u64) -> Result<(), Unsendable> {
        let most = self.max_bytes;
        if size > most { Err(Unsendable::TooMuch { size, most }) } else { Ok(()) }
    }

    fn check_file(&self, content_type: &str, size: u64) -> Result<(), Unsendable> {
        let (kind, _) = content_type.split_once('/').unwrap_or_default();
        let is_resized = self.resized.contains(&content_type);
        if !is_resized && !self.passed_on.contains(&content_type) && !matches!(kind, "audio" | "video") {
            return Err(Unsendable::Unsupported(content_type.to_owned()));
        }
        match size {
            0 => Err(Unsendable::Empty),
            _ if size > self.bytes_as_is && !is_resized => {
                Err(Unsendable::TooLarge { content_type: content_type.to_owned(), size, most: self.bytes_as_is })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: MmsRules = MmsRules {
        max_files: 10,
        max_bytes: 5_000_000,
        bytes_as_is: 500_000,
        max_text: 1600,
        segments: 3,
        resized: &["image/jpeg", "image/png", "image/gif"],
        passed_on: &["text/vcard"],
    };

    #[test]
    fn an_exceeded_limit_is_named() {
        assert_eq!(RULES.check([("image/jpeg", 5_000_000)]), Ok(()));
        let too_much = Unsendable::TooMuch { size: 5_000_001, most: 5_000_000 };
        assert_eq!(RULES.check([("image/jpeg", 5_000_000), ("image/gif", 1)]), Err(too_much));
        assert_eq!(RULES.check([("image/png", 1); 10]), Ok(()));
        assert_eq!(RULES.check([("image/png", 1); 11]), Err(Unsendable::TooMany { count: 11, most: 10 }));
        assert_eq!(RULES.check([("audio/amr", 500_000), ("text/vcard", 9)]), Ok(()));
        let film = RULES.check([("video/mp4", 500_001)]).unwrap_err();
        assert!(film.to_string().contains("500000"), "{film}");
        assert_eq!(RULES.check([("image/png", 0)]), Err(Unsendable::Empty));
    }

    #[test]
    fn unsupported_files_are_rejected_before_sending() {
        for content_type in
            ["text/html", "application/zip", "application/octet-stream", "image/svg+xml", "image/heic", ""]
        {
            assert_eq!(RULES.check([(content_type, 1)]), Err(Unsendable::Unsupported(content_type.to_owned())));
        }
    }
}
