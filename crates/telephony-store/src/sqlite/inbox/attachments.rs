//! Attachments in both directions; their files are in a folder beside the database.

mod file;

use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use telephony_domain::message::ServedFile;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::attachments::{AttachmentId, Attachments, FileName, KeptFile, LOOSE_FOR, SERVED_FOR};
use crate::sqlite::SqliteStore;
use crate::sqlite::engine::query::{Db, Row, execute, find, list};
use crate::sqlite::rows::media::{served_file, tie};

/// Folder beside the database.
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
        // A clock that was set back must not keep them: none stays loose for longer from now on.
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

/// Runs blocking disk work on a thread of its own.
async fn on_disk(work: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> Result<(), StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| StoreError::Other(format!("cannot handle a file: {error}")))?;
    done.map_err(|error| StoreError::of_file(&error))
}

fn keep_inbound(db: &Db, id: AttachmentId, file: &KeptFile) -> Result<(), StoreError> {
    let sql = "UPDATE inbound_media SET file = ?3, content_type = ?4, size = ?5, reason = NULL
               WHERE inbound = ?1 AND position = ?2 AND file IS NULL";
    let row = (id.message.0, id.position, file.name.as_str(), &file.content_type, file.size.cast_signed());
    if execute(db, sql, row)? == 0 {
        return Err(StoreError::NotFound(format!("attachment {} of message {} to be kept", id.position, id.message)));
    }
    tie(db, file.name.as_str())
}

/// Returns the file for `selector`, while the provider may need it.
fn served(db: &Db, selector: &str, now: Timestamp) -> Result<Option<ServedFile>, StoreError> {
    let sql = "SELECT f.file, f.content_type, f.size, f.selector, f.secret
               FROM message_media AS f JOIN part AS p ON p.message = f.message AND p.position = 1
               WHERE f.selector = ?1 AND (p.state IN ('starting', 'unknown')
                                          OR p.state = 'sent' AND p.settled_at IS NULL AND p.sent_at > ?2)";
    find(db, sql, (selector, (now - SERVED_FOR).0), served_file)
}
