//! Notices: each method is one transaction.

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::message::MessageDraft;
use telephony_domain::notice::Notice;
use telephony_domain::time::Timestamp;
use tokio::sync::Notify;

use crate::StoreError;
use crate::notices::{Notices, RaisedNotice, UnsentNotices};
use crate::sqlite::SqliteStore;
use crate::sqlite::engine::query::{Db, execute};
use crate::sqlite::outbox::enqueue;
use crate::sqlite::rows::notice;

#[async_trait]
impl Notices for SqliteStore {
    fn raised(&self) -> &Notify {
        &self.raised
    }

    async fn raise_notice(&self, notice: Notice, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |db| notice::raise(db, &notice, now)).await
    }

    async fn end_notice(&self, name: &str, _: Timestamp) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.write(move |db| notice::end(db, &name)).await
    }

    async fn notices(&self, now: Timestamp) -> Result<Vec<RaisedNotice>, StoreError> {
        self.read(move |db| notice::held(db, now)).await
    }

    async fn unsent_notices(&self, now: Timestamp) -> Result<UnsentNotices, StoreError> {
        self.read(move |db| notice::unsent(db, now)).await
    }

    async fn send_notices(
        &self,
        names: Vec<String>,
        line: LineId,
        draft: MessageDraft,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| send_notices(db, &names, line, &draft, now)).await
    }

    async fn dismiss_notices(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |db| notice::seen(db, now)).await
    }
}

/// Marks `names` as sent with this draft; does nothing if one of them was sent meanwhile.
fn send_notices(
    db: &Db,
    names: &[String],
    line: LineId,
    draft: &MessageDraft,
    now: Timestamp,
) -> Result<bool, StoreError> {
    for name in names {
        let sql = "UPDATE notice SET told_at = ?2 WHERE name = ?1 AND told_at IS NULL";
        if execute(db, sql, (name, now.0))? == 0 {
            return Err(StoreError::NotFound(format!("unsent notice `{name}`")));
        }
    }
    match enqueue::enqueue(db, line, draft, now) {
        Ok(_) => Ok(true),
        Err(StoreError::OptedOut) => Ok(false),
        Err(error) => Err(error),
    }
}
