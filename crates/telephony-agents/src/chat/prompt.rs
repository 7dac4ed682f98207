//! The contact's messages for a model: text, readable pictures, and a line for each other attachment.

use std::io;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use telephony_domain::plural::counted;
use telephony_domain::{reaction, vcard};

use crate::agent::{AgentError, Said, Turn};
use crate::attachment::{Availability, TurnAttachment};
use crate::prompt::{self, unmarked};

/// Maximum number of pictures per request: OpenClaw's default limit.
const PICTURES: usize = 8;

/// Largest total size of pictures (bytes): in base64 they stay below the 20 MiB that OpenClaw accepts.
const PICTURE_BYTES: u64 = 12 * 1024 * 1024;

/// Largest part of a contact card file that is read (bytes).
const CARD_BYTES: u64 = 256 * 1024;

/// Attempts with pictures; later ones leave them out, in case the server fails on them.
const SHOWN_ATTEMPTS: u32 = 3;

#[derive(Default)]
pub(crate) struct ContactMessages {
    /// Text, one message a line.
    pub(crate) text: String,
    /// Pictures as `data:` URLs, in order.
    pictures: Vec<String>,
}

impl ContactMessages {
    /// Reads the messages of `turn`.
    pub(crate) async fn of(turn: &Turn) -> Result<ContactMessages, AgentError> {
        ContactMessages::gather(turn, turn.attempt <= SHOWN_ATTEMPTS).await
    }

    /// Reads the messages without pictures.
    pub(crate) async fn without_pictures(turn: &Turn) -> Result<ContactMessages, AgentError> {
        ContactMessages::gather(turn, false).await
    }

    async fn gather(turn: &Turn, shows_pictures: bool) -> Result<ContactMessages, AgentError> {
        let (mut lines, mut pictures) = (Vec::new(), PromptPictures { shown: Vec::new(), capacity: PICTURE_BYTES });
        lines.extend(turn.on_call.as_ref().map(prompt::call));
        for said in &turn.said {
            lines.extend(spoken(said));
            for attachment in &said.media {
                let is_shown = shows_pictures && pictures.show(attachment).await?;
                lines.push(line(attachment, is_shown).await?);
            }
        }
        Ok(ContactMessages { text: lines.join("\n"), pictures: pictures.shown })
    }

    /// Returns true if there are pictures.
    pub(crate) fn has_pictures(&self) -> bool {
        !self.pictures.is_empty()
    }

    /// Builds a message's `content`: plain text if there are no pictures.
    pub(crate) fn content(&self, text: &str) -> Value {
        if self.pictures.is_empty() {
            return json!(text);
        }
        let pictures = self.pictures.iter().map(|url| json!({ "type": "image_url", "image_url": { "url": url } }));
        std::iter::once(json!({ "type": "text", "text": text })).chain(pictures).collect()
    }
}

struct PromptPictures {
    shown: Vec<String>,
    /// Remaining bytes for pictures.
    capacity: u64,
}

impl PromptPictures {
    /// Adds a picture, if it is readable and fits.
    async fn show(&mut self, attachment: &TurnAttachment) -> Result<bool, AgentError> {
        let Availability::File { path, size } = &attachment.held else { return Ok(false) };
        if !attachment.is_readable_picture() || self.shown.len() >= PICTURES || *size > self.capacity {
            return Ok(false);
        }
        let Some(bytes) = read(path).await? else { return Ok(false) };
        self.capacity -= size;
        self.shown.push(format!("data:{};base64,{}", attachment.content_type, BASE64_STANDARD.encode(bytes)));
        Ok(true)
    }
}

/// Returns the typed text, or a line about a reaction to an earlier message.
fn spoken(said: &Said) -> impl Iterator<Item = String> {
    let others = counted(said.also_to.len(), "other");
    let group = (!said.also_to.is_empty())
        .then(|| format!("[sent to a group with {others}; your answer goes only to the sender]"));
    let text = match reaction::read(&said.text) {
        Some(reaction) => format!("[reaction to an earlier message: {} “{}”]", reaction.deed, reaction.about),
        None => unmarked(&said.text),
    };
    group.into_iter().chain(Some(text).filter(|text| !text.is_empty()))
}

async fn line(attachment: &TurnAttachment, is_shown: bool) -> Result<String, AgentError> {
    Ok(match &attachment.held {
        Availability::File { path, size } if attachment.is_card() && *size <= CARD_BYTES => {
            cards(path).await?.unwrap_or_else(|| attachment.label())
        }
        Availability::File { .. } if is_shown => format!("[{}: {}]", attachment.kind(), attachment.content_type),
        Availability::File { .. } => attachment.label().replace(']', "; it cannot be shown to you]"),
        Availability::Unavailable(_) => attachment.label(),
    })
}

async fn cards(path: &Path) -> Result<Option<String>, AgentError> {
    let Some(bytes) = read(path).await? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<String> = vcard::read(&text).iter().map(|card| format!("[contact card: {}]", card.line())).collect();
    Ok((!lines.is_empty()).then(|| lines.join("\n")))
}

/// Returns none if the file is gone, because the operator may have just purged the contact. Other errors may pass: no
/// descriptors or memory, or a failing disk.
async fn read(path: &Path) -> Result<Option<Vec<u8>>, AgentError> {
    match tokio::fs::read(path).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            tracing::debug!("an attachment is gone");
            Ok(None)
        }
        Err(error) => Err(AgentError::Unavailable(format!("cannot read an attachment: {error}"))),
    }
}
