//! Notices: each method is one transaction.

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::message::Draft;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::notices::{Given, Notice, Notices, Untold};
use crate::sqlite::SqliteStore;
use crate::sqlite::engine::query::{Db, execute};
use crate::sqlite::outbox::enqueue;
use crate::sqlite::rows::notice;

#[async_trait]
impl Notices for SqliteStore {
    async fn give_notice(&self, notice: Notice, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |db| notice::give(db, &notice, now)).await
    }

    async fn end_notice(&self, name: &str, _: Timestamp) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.write(move |db| notice::end(db, &name)).await
    }

    async fn notices(&self, now: Timestamp) -> Result<Vec<Given>, StoreError> {
        self.read(move |db| notice::held(db, now)).await
    }

    async fn untold(&self, now: Timestamp) -> Result<Untold, StoreError> {
        self.read(move |db| notice::untold(db, now)).await
    }

    async fn tell(&self, names: Vec<String>, line: LineId, draft: Draft, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |db| tell(db, &names, line, &draft, now)).await
    }

    async fn notices_seen(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |db| notice::seen(db, now)).await
    }
}

/// Marks `names` as sent with this draft; does nothing if one of them was sent meanwhile.
fn tell(db: &Db, names: &[String], line: LineId, draft: &Draft, now: Timestamp) -> Result<bool, StoreError> {
    for name in names {
        let sql = "UPDATE notice SET told_at = ?2 WHERE name = ?1 AND told_at IS NULL";
        if execute(db, sql, (name, now.0))? == 0 {
            return Err(StoreError::NotFound(format!("untold notice `{name}`")));
        }
    }
    match enqueue::enqueue(db, line, draft, now) {
        Ok(_) => Ok(true),
        Err(StoreError::OptedOut) => Ok(false),
        Err(error) => Err(error),
    }
}
