//! Files of messages: their types, limits and JSON. Leaves fetching those of outbound messages to `fetch`, and serving
//! files to `rest` and `cdn`.

pub(crate) mod fetch;

use std::fmt;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::dates::rfc2822;

/// The maximum total size of a message's files in bytes (Twilio's limit for MMS).
pub(crate) const LARGEST_MESSAGE: usize = 5 * 1024 * 1024;

/// The maximum number of files per message.
pub(crate) const MAX_FILES: usize = 10;

/// The carriers' size limit in bytes for files that Twilio cannot resize.
pub(crate) const LARGEST_FOR_CARRIERS: usize = 600 * 1024;

/// Types that Twilio resizes to fit the carrier's limit.
const RESIZED: [&str; 4] = ["image/jpeg", "image/jpg", "image/png", "image/gif"];

/// Other image, text and document types that Twilio accepts; it accepts nearly all audio and video.
const ACCEPTED: [&str; 15] = [
    "image/bmp",
    "image/tiff",
    "text/vcard",
    "text/x-vcard",
    "text/csv",
    "text/rtf",
    "text/richtext",
    "text/calendar",
    "text/directory",
    "application/pdf",
    "application/vcard",
    "application/vnd.apple.pkpass",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
];

/// A file of a message.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaRecord {
    /// `ME` and 32 hex digits.
    pub sid: String,
    /// The URL: at the sender for an outbound message, at the simulator for an inbound one.
    pub url: String,
    /// The content type; empty until the file of an outbound message is fetched.
    pub content_type: String,
    /// Contents of the file; of an outbound message, once they are fetched.
    pub bytes: Bytes,
}

/// A file sent by a phone.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct PhoneFile {
    /// The content type: `image/png`, …
    pub content_type: String,
    /// The file's contents; in JSON base64, as `data`.
    #[serde(rename = "data", deserialize_with = "from_base64")]
    pub bytes: Bytes,
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map(Bytes::from).map_err(|_| serde::de::Error::custom("`data` is not base64"))
}

impl PhoneFile {
    /// Returns a transparent one-pixel GIF.
    pub fn pixel() -> Self {
        const PIXEL: &[u8] =
            b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
        Self { content_type: "image/gif".to_owned(), bytes: Bytes::from_static(PIXEL) }
    }
}

impl MediaRecord {
    /// Returns true if the file is available; files of outbound messages are fetched when the message leaves.
    pub(crate) fn is_here(&self) -> bool {
        !self.content_type.is_empty()
    }

    /// Returns the JSON of `Media/{sid}.json` of the message with this SID, created at this time.
    pub(crate) fn to_json(&self, account: &str, message: &str, created: Timestamp) -> Value {
        let created = rfc2822(created);
        json!({
            "sid": self.sid, "account_sid": account, "parent_sid": message, "content_type": self.content_type,
            "date_created": created, "date_updated": created,
            "uri": format!("/2010-04-01/Accounts/{account}/Messages/{message}/Media/{}.json", self.sid),
        })
    }
}

/// Normalizes a content type: `Image/PNG; name=x` becomes `image/png`.
fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_accepted(content_type: &str) -> bool {
    let essence = essence(content_type);
    is_resized(&essence)
        || ACCEPTED.contains(&essence.as_str())
        || ["audio/", "video/"].iter().any(|family| essence.starts_with(family))
}

fn is_resized(content_type: &str) -> bool {
    RESIZED.contains(&essence(content_type).as_str())
}

impl fmt::Debug for MediaRecord {
    /// Leaves out the contents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media")
            .field("sid", &self.sid)
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PhoneFile {
    /// Leaves out the contents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("content_type", &self.content_type).field("bytes", &self.bytes.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::is_accepted;

    #[test]
    fn types_are_known_without_regard_to_case_and_parameters() {
        for accepted in
            ["image/jpeg", "Image/PNG; name=a.png", "text/vcard;charset=utf-8", "video/mp4", "application/pdf"]
        {
            assert!(is_accepted(accepted), "{accepted}");
        }
        for refused in ["", "text/html", "text/html; charset=utf-8", "application/octet-stream", "image/svg+xml"] {
            assert!(!is_accepted(refused), "{refused}");
        }
    }
}
