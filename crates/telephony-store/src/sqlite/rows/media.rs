//! Attachments in both directions: the rows.

use telephony_domain::id::{InboundId, MessageId};
use telephony_domain::message::{Media, MediaToken, OutboundMedia, ServedFile};

use crate::StoreError;
use crate::attachments::{Attachment, AttachmentState, FileName, KeptFile};
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, list};

/// Marks the file as no longer loose: something refers to it, or it is gone.
pub(crate) fn tie(db: &Db, file: &str) -> Result<(), StoreError> {
    execute(db, "DELETE FROM loose_file WHERE name = ?", [file]).map(drop)
}

/// Stores the attachments of a contact's message.
pub(crate) fn insert_inbound(db: &Db, id: InboundId, media: &[Media]) -> Result<(), StoreError> {
    for (position, media) in (1i64..).zip(media) {
        let sql = "INSERT INTO inbound_media (inbound, position, url, content_type) VALUES (?, ?, ?, ?)";
        execute(db, sql, (id.0, position, &media.url, &media.content_type))?;
    }
    Ok(())
}

/// Returns the attachments of a contact's message.
pub(crate) fn of_inbound(db: &Db, id: InboundId) -> Result<Vec<Attachment>, StoreError> {
    let sql = "SELECT position, url, content_type, file, size, reason FROM inbound_media WHERE inbound = ?
               ORDER BY position";
    list(db, sql, [id.0], |row| {
        let content_type: String = row.get("content_type")?;
        Ok(Attachment {
            position: row.get("position")?,
            url: row.get("url")?,
            state: state(row, &content_type)?,
            content_type,
        })
    })
}

/// Returns the attachments of a contact's message as the provider declared them.
pub(crate) fn declared(db: &Db, id: InboundId) -> Result<Vec<Media>, StoreError> {
    let sql = "SELECT url, content_type FROM inbound_media WHERE inbound = ? ORDER BY position";
    list(db, sql, [id.0], |row| Ok(Media { url: row.get(0)?, content_type: row.get(1)? }))
}

fn state(row: &Row<'_>, content_type: &str) -> RowResult<AttachmentState> {
    let file: Option<String> = row.get("file")?;
    let reason: Option<String> = row.get("reason")?;
    Ok(match (file, reason) {
        (Some(name), _) => AttachmentState::Kept(KeptFile {
            name: FileName::stored(name),
            content_type: content_type.to_owned(),
            size: row.get::<_, i64>("size")?.unsigned_abs(),
        }),
        (None, Some(reason)) => AttachmentState::Unavailable(reason),
        (None, None) => AttachmentState::Elsewhere,
    })
}

/// Stores the attachments of a message to a contact.
pub(crate) fn insert_outbound(db: &Db, id: MessageId, media: &[OutboundMedia]) -> Result<(), StoreError> {
    for (position, enclosure) in (1i64..).zip(media) {
        match enclosure {
            OutboundMedia::Url(url) => {
                let sql = "INSERT INTO message_media (message, position, url) VALUES (?, ?, ?)";
                execute(db, sql, (id.0, position, url))?;
            }
            OutboundMedia::File(file) => {
                let sql = "INSERT INTO message_media (message, position, file, content_type, size, selector, secret)
                           VALUES (?, ?, ?, ?, ?, ?, ?)";
                let (size, token) = (file.size.cast_signed(), &file.token);
                let row = (id.0, position, &file.name, &file.content_type, size, &token.selector, &token.secret);
                execute(db, sql, row)?;
                tie(db, &file.name)?;
            }
        }
    }
    Ok(())
}

/// Returns the attachments of a message to a contact.
pub(crate) fn of_outbound(db: &Db, id: MessageId) -> Result<Vec<OutboundMedia>, StoreError> {
    let sql = "SELECT url, file, content_type, size, selector, secret FROM message_media WHERE message = ?
               ORDER BY position";
    list(db, sql, [id.0], |row| match row.get("url")? {
        Some(url) => Ok(OutboundMedia::Url(url)),
        None => served_file(row).map(OutboundMedia::File),
    })
}

/// Reads a file attached to a message to a contact.
pub(crate) fn served_file(row: &Row<'_>) -> RowResult<ServedFile> {
    Ok(ServedFile {
        name: row.get("file")?,
        content_type: row.get("content_type")?,
        size: row.get::<_, i64>("size")?.unsigned_abs(),
        token: MediaToken { selector: row.get("selector")?, secret: row.get("secret")? },
    })
}

/// Returns the attachments of a message to a contact for display.
pub(crate) fn shown_outbound(db: &Db, id: MessageId) -> Result<Vec<Attachment>, StoreError> {
    Ok((1..).zip(of_outbound(db, id)?).map(|(position, enclosure)| shown(position, enclosure)).collect())
}

fn shown(position: u32, enclosure: OutboundMedia) -> Attachment {
    match enclosure {
        OutboundMedia::Url(url) => {
            let (content_type, state) = (String::new(), AttachmentState::Elsewhere);
            Attachment { position, url: Some(url), content_type, state }
        }
        OutboundMedia::File(ServedFile { name, content_type, size, .. }) => {
            let file = KeptFile { name: FileName::stored(name), content_type: content_type.clone(), size };
            Attachment { position, url: None, content_type, state: AttachmentState::Kept(file) }
        }
    }
}
