//! Attachments both ways: rows of their own, and beside the database a folder with the files that hold them.

mod file;

use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, Row};
use telephony_domain::id::{InboundId, MessageId};
use telephony_domain::message::{Media, MediaToken, OutboundMedia, ServedFile};
use telephony_domain::time::Timestamp;

use super::SqliteStore;
use super::query::{execute, find, list};
use crate::StoreError;
use crate::attachments::{
    Attachment, AttachmentId, AttachmentState, Attachments, FileName, KeptFile, LOOSE_FOR, SERVED_FOR,
};

/// The folder beside the database.
const FOLDER: &str = "media";

#[async_trait]
impl Attachments for SqliteStore {
    async fn keep_file(&self, name: FileName, bytes: Bytes, now: Timestamp) -> Result<(), StoreError> {
        let sql = "INSERT INTO loose_file (name, due_at) VALUES (?, ?)";
        let (loose, due) = (name.clone(), now + LOOSE_FOR);
        self.write(move |db| execute(db, sql, (loose.as_str(), due.0)).map(drop)).await?;
        let path = self.path_of(&name);
        on_disk(move || file::write(&path, &bytes)).await
    }

    async fn attachment_kept(&self, id: AttachmentId, file: KeptFile) -> Result<(), StoreError> {
        self.write(move |db| keep_inbound(db, id, &file)).await
    }

    async fn attachment_unavailable(&self, id: AttachmentId, reason: &str) -> Result<(), StoreError> {
        let sql = "UPDATE inbound_media SET reason = ?3 WHERE inbound = ?1 AND position = ?2 AND file IS NULL";
        let reason = reason.to_owned();
        self.write(move |db| execute(db, sql, (id.message.0, id.position, &reason)).map(drop)).await
    }

    fn path_of(&self, file: &FileName) -> PathBuf {
        self.path.with_file_name(FOLDER).join(file.as_str())
    }

    async fn served(&self, selector: &str, now: Timestamp) -> Result<Option<ServedFile>, StoreError> {
        let selector = selector.to_owned();
        self.read(move |db| served(db, &selector, now)).await
    }

    async fn remove_loose_files(&self, now: Timestamp) -> Result<usize, StoreError> {
        // A clock that was set back must not keep them: nothing is loose for longer from now on.
        let sql = "SELECT name FROM loose_file WHERE due_at <= ?1 OR due_at > ?2";
        let due = (now.0, (now + LOOSE_FOR).0);
        let read = |row: &Row<'_>| row.get(0).map(FileName::stored);
        let names = self.read(move |db| list(db, sql, due, read)).await?;
        let paths: Vec<PathBuf> = names.iter().map(|name| self.path_of(name)).collect();
        on_disk(move || paths.iter().try_for_each(|path| file::remove(path))).await?;
        let removed = names.len();
        self.write(move |db| names.iter().try_for_each(|name| tie(db, name.as_str()))).await?;
        Ok(removed)
    }
}

/// Does what waits for the disk where it holds up nobody.
async fn on_disk(work: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> Result<(), StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| StoreError::Other(format!("a file was not handled: {error}")))?;
    done.map_err(|error| StoreError::of_file(&error))
}

/// The file is loose no longer: something refers to it, or it is gone.
pub(super) fn tie(db: &Connection, file: &str) -> Result<(), StoreError> {
    execute(db, "DELETE FROM loose_file WHERE name = ?", [file]).map(drop)
}

fn keep_inbound(db: &Connection, id: AttachmentId, file: &KeptFile) -> Result<(), StoreError> {
    let sql = "UPDATE inbound_media SET file = ?3, content_type = ?4, size = ?5, reason = NULL
               WHERE inbound = ?1 AND position = ?2 AND file IS NULL";
    let row = (id.message.0, id.position, file.name.as_str(), &file.content_type, file.size.cast_signed());
    if execute(db, sql, row)? == 0 {
        return Err(StoreError::NotFound(format!("attachment {} of message {} to be kept", id.position, id.message)));
    }
    tie(db, file.name.as_str())
}

/// Stores what came with a message of a contact.
pub(super) fn insert_inbound(db: &Connection, id: InboundId, media: &[Media]) -> Result<(), StoreError> {
    for (position, media) in (1i64..).zip(media) {
        let sql = "INSERT INTO inbound_media (inbound, position, url, content_type) VALUES (?, ?, ?, ?)";
        execute(db, sql, (id.0, position, &media.url, &media.content_type))?;
    }
    Ok(())
}

/// What came with a message of a contact.
pub(super) fn of_inbound(db: &Connection, id: InboundId) -> Result<Vec<Attachment>, StoreError> {
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

/// What came with a message of a contact, as the provider said.
pub(super) fn declared(db: &Connection, id: InboundId) -> Result<Vec<Media>, StoreError> {
    let sql = "SELECT url, content_type FROM inbound_media WHERE inbound = ? ORDER BY position";
    list(db, sql, [id.0], |row| Ok(Media { url: row.get(0)?, content_type: row.get(1)? }))
}

fn state(row: &Row<'_>, content_type: &str) -> rusqlite::Result<AttachmentState> {
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

/// Stores what goes with a message to a contact.
pub(super) fn insert_outbound(db: &Connection, id: MessageId, media: &[OutboundMedia]) -> Result<(), StoreError> {
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

/// What goes with a message to a contact.
pub(super) fn of_outbound(db: &Connection, id: MessageId) -> Result<Vec<OutboundMedia>, StoreError> {
    let sql = "SELECT url, file, content_type, size, selector, secret FROM message_media WHERE message = ?
               ORDER BY position";
    list(db, sql, [id.0], |row| match row.get("url")? {
        Some(url) => Ok(OutboundMedia::Url(url)),
        None => served_file(row).map(OutboundMedia::File),
    })
}

fn served_file(row: &Row<'_>) -> rusqlite::Result<ServedFile> {
    Ok(ServedFile {
        name: row.get("file")?,
        content_type: row.get("content_type")?,
        size: row.get::<_, i64>("size")?.unsigned_abs(),
        token: MediaToken { selector: row.get("selector")?, secret: row.get("secret")? },
    })
}

/// The file that is found by `selector`, while the provider may want it.
fn served(db: &Connection, selector: &str, now: Timestamp) -> Result<Option<ServedFile>, StoreError> {
    let sql = "SELECT f.file, f.content_type, f.size, f.selector, f.secret
               FROM message_media AS f JOIN part AS p ON p.message = f.message AND p.position = 1
               WHERE f.selector = ?1 AND (p.state IN ('starting', 'unknown')
                                          OR p.state = 'sent' AND p.settled_at IS NULL AND p.sent_at > ?2)";
    find(db, sql, (selector, (now - SERVED_FOR).0), served_file)
}

/// What goes with a message to a contact, for those who look at it.
pub(super) fn shown_outbound(db: &Connection, id: MessageId) -> Result<Vec<Attachment>, StoreError> {
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
