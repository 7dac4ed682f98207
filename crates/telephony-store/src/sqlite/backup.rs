//! Backups, and stores restored from one.
//!
//! A backup is marked as one: when it replaces a store, the gateway reads the provider's lists before it answers or
//! sends anything, because waiting messages may have been sent since, and a STOP may have arrived.

use std::path::Path;

use async_trait::async_trait;
use telephony_domain::id::{ConversationId, LineId, PartId};
use telephony_domain::time::Timestamp;

use super::engine::checkpoint::empty_log;
use super::engine::columns;
use super::engine::copy::copy;
use super::engine::mode::Mode;
use super::engine::query::{Db, execute, find, list, time};
use super::rows::{conversation, line, restored};
use super::{SqliteStore, calls};
use crate::StoreError;
use crate::journal::{self, JournalEntry};
use crate::outbox::{AttemptLease, DoubtfulPart};
use crate::restores::{OpenConversation, Restores};

/// Turns and parts get ids that no store has used since the backup, because agents and people know them by their ids.
const IDS_LEFT_OUT: i64 = 1_000_000;

const ANSWERED: &str = "answered after the backup that was restored";

/// Copies the store at `store` and its `journal` to the new file `target`, even while a gateway runs.
pub async fn back_up(store: &Path, journal: &Path, target: &Path, now: Timestamp) -> Result<(), StoreError> {
    drop(SqliteStore::open(store, Mode::Reading)?);
    // Before the copy: entries that leave the journal meanwhile are then in the store.
    let entries = journal::peek(journal)?;
    copy(store, target).map_err(|error| error.at(store))?;
    change(target, move |db| mark_backup(db, &entries, now)).await
}

/// Turns the copy at `path` into a store and upgrades its schema. `made` is the backup's latest possible time if the
/// copy has none of its own. Returns its time.
pub async fn prepare(path: &Path, made: Timestamp) -> Result<Timestamp, StoreError> {
    change(path, move |db| mark_copy(db, made)).await?;
    let store = SqliteStore::open(path, Mode::Reading)?;
    Ok(store.restored().await?.unwrap_or(made))
}

async fn change<F>(path: &Path, work: F) -> Result<(), StoreError>
where
    F: FnMut(&Db) -> Result<(), StoreError> + Send + 'static,
{
    let store = SqliteStore::open(path, Mode::Gateway)?;
    store.write(work).await?;
    drop(store);
    // The file alone is moved to its place.
    empty_log(path)
}

fn mark_backup(db: &Db, entries: &[JournalEntry], made: Timestamp) -> Result<(), StoreError> {
    for entry in entries {
        let entry = serde_json::to_string(entry).map_err(|error| StoreError::Other(error.to_string()))?;
        execute(db, "INSERT INTO restored_entry (entry) VALUES (?)", [entry])?;
    }
    mark(db, made)?;
    leave_out_ids(db)
}

fn mark_copy(db: &Db, made: Timestamp) -> Result<(), StoreError> {
    if mark(db, made)? { leave_out_ids(db) } else { Ok(()) }
}

/// Marks the file as a backup. A backup of a store that had not caught up yet keeps the earlier time. A file's time or
/// our clock may be later than what the file contains; the end of the last complete look at the provider is not.
/// Returns false if the file was marked before.
fn mark(db: &Db, made: Timestamp) -> Result<bool, StoreError> {
    let sql = "INSERT INTO restored (id, backed_up_at) SELECT 1, min(?1, coalesce(max(seen_until), ?1)) FROM watched
               WHERE true ON CONFLICT DO NOTHING";
    let is_new = execute(db, sql, [made.0])? > 0;
    if is_new {
        execute(db, "UPDATE notice SET told_at = ? WHERE told_at IS NULL", [made.0])?;
        calls::end_all(db, made)?;
    }
    Ok(is_new)
}

fn leave_out_ids(db: &Db) -> Result<(), StoreError> {
    // SQLite adds a table here with its first row.
    let sql = "INSERT INTO sqlite_sequence (name, seq)
               SELECT value, 0 FROM json_each('[\"turn\", \"part\"]') WHERE value NOT IN (SELECT name FROM sqlite_sequence)";
    execute(db, sql, ())?;
    execute(db, "UPDATE sqlite_sequence SET seq = seq + ?", [IDS_LEFT_OUT]).map(drop)
}

#[async_trait]
impl Restores for SqliteStore {
    async fn restored(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|db| find(db, "SELECT backed_up_at FROM restored", (), |row| time(row, "backed_up_at"))).await
    }

    async fn restored_entries(&self) -> Result<Vec<JournalEntry>, StoreError> {
        let sql = "SELECT entry FROM restored_entry ORDER BY id";
        let entries: Vec<String> = self.read(|db| list(db, sql, (), |row| row.get(0))).await?;
        let read = |entry: &String| serde_json::from_str(entry).map_err(|error| StoreError::Damaged(error.to_string()));
        entries.iter().map(read).collect()
    }

    async fn open_conversations(&self) -> Result<Vec<OpenConversation>, StoreError> {
        self.read(open_conversations).await
    }

    async fn answered_since_backup(
        &self,
        conversation: ConversationId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(move |db| close_answered(db, conversation, until, now)).await
    }

    async fn caught_up(&self) -> Result<(), StoreError> {
        self.write(restored::end).await
    }
}

fn open_conversations(db: &Db) -> Result<Vec<OpenConversation>, StoreError> {
    let sql = "SELECT c.id, c.contact, c.line FROM conversation AS c
               WHERE c.id IN (SELECT conversation FROM part WHERE state = 'queued'
                              UNION ALL SELECT conversation FROM part WHERE state = 'ready')
                  OR EXISTS (SELECT 1 FROM inbound WHERE conversation = c.id
                             AND state IN ('waiting', 'answering', 'kept', 'order'))
               ORDER BY c.id";
    let mut open = list(db, sql, (), |row| {
        let open = OpenConversation {
            conversation: ConversationId(row.get("id")?),
            contact: columns::number(row, "contact")?,
            addresses: Vec::new(),
            unsent: Vec::new(),
        };
        Ok((LineId(row.get("line")?), open))
    })?;
    for (line, open) in &mut open {
        open.addresses = line::addresses(db, *line)?;
        open.unsent = unsent(db, open)?;
    }
    Ok(open.into_iter().map(|(_, open)| open).collect())
}

fn unsent(db: &Db, open: &OpenConversation) -> Result<Vec<DoubtfulPart>, StoreError> {
    // Those queued in the restored store were not sent: their ids follow those left out.
    let sql = "SELECT p.id, p.attempts, p.text, (SELECT backed_up_at FROM restored) AS backed_up_at,
                      (SELECT count(*) FROM message_media WHERE message = p.message AND p.position = 1) AS media
               FROM part AS p
               WHERE p.id IN (SELECT id FROM part WHERE conversation = ?1 AND state = 'queued'
                              UNION ALL
                              SELECT id FROM part WHERE conversation = ?1 AND due_at IS NOT NULL AND state = 'ready')
                 AND p.id <= (SELECT seq FROM sqlite_sequence WHERE name = 'part') - ?2
               ORDER BY p.id";
    list(db, sql, (open.conversation.0, IDS_LEFT_OUT), |row| {
        Ok(DoubtfulPart {
            lease: AttemptLease { part: PartId(row.get("id")?), attempt: row.get("attempts")? },
            from: open.addresses.clone(),
            to: open.contact.clone(),
            text: row.get("text")?,
            media: row.get("media")?,
            attempted: time(row, "backed_up_at")?,
        })
    })
}

fn close_answered(db: &Db, id: ConversationId, until: Timestamp, now: Timestamp) -> Result<usize, StoreError> {
    let whole = "conversation = ?1 AND state IN ('leased', 'retrying', 'parked') AND ended_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM inbound WHERE turn = turn.id AND received_at > ?2)";
    execute(
        db,
        &format!("DELETE FROM kept_answer WHERE turn IN (SELECT id FROM turn WHERE {whole})"),
        (id.0, until.0),
    )?;
    let sql = format!(
        "UPDATE turn SET state = 'refused', due_at = NULL, holder = NULL, reason = ?3, ended_at = ?4 WHERE {whole}"
    );
    execute(db, &sql, (id.0, until.0, ANSWERED, now.0))?;
    let sql = "UPDATE inbound SET state = 'dropped', why = ?3
               WHERE conversation = ?1 AND received_at <= ?2 AND state IN ('waiting', 'answering', 'kept', 'order')
                 AND NOT EXISTS (SELECT 1 FROM turn WHERE id = inbound.turn AND ended_at IS NULL AND state <> 'dead')";
    let closed = execute(db, sql, (id.0, until.0, ANSWERED))?;
    let sql = "SELECT received_at FROM inbound WHERE conversation = ? AND state = 'waiting' ORDER BY id LIMIT 1";
    let rest = find(db, sql, [id.0], |row| time(row, "received_at"))?;
    conversation::set_ready(db, id, rest.map(|since| (since, now)))?;
    conversation::rearm(db, id)?;
    Ok(closed)
}

#[cfg(test)]
mod tests {
    use telephony_domain::delivery::{Status, StatusReport};
    use telephony_domain::line::Sender;
    use telephony_domain::message::{MessageDraft, MessagePurpose, PartDraft};

    use super::*;
    use crate::journal::{Journal, JournalEvent};
    use crate::lines::Lines;
    use crate::outbox::Outbox;
    use crate::sqlite::engine::query::one;

    #[tokio::test]
    async fn acknowledged_entries_are_in_a_backup() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        drop(SqliteStore::open(&path("store"), Mode::Gateway).unwrap());
        let journal = Journal::open(&path("journal")).unwrap();
        let report = StatusReport {
            provider_id: "SM1".to_owned(),
            correlation_id: None,
            status: Status::Sent,
            error_code: None,
            is_opt_out: false,
            segments: None,
        };
        let entry = JournalEntry {
            at: Timestamp(7),
            is_unverified: false,
            provider: "twilio".into(),
            event: JournalEvent::Report(report),
        };
        journal.append(&entry).await.unwrap();
        back_up(&path("store"), &path("journal"), &path("backup"), Timestamp(9)).await.unwrap();
        let backup = SqliteStore::open(&path("backup"), Mode::Command).unwrap();
        assert_eq!(backup.restored_entries().await.unwrap(), [entry]);
        assert_eq!(backup.restored().await.unwrap(), Some(Timestamp(9)));
        backup.caught_up().await.unwrap();
        assert_eq!(backup.restored().await.unwrap(), None);
    }

    async fn line_seen_until(store: &SqliteStore, until: Timestamp) {
        let sender = Sender { number: Some("+15550001234".parse().unwrap()), messaging_service: None };
        store.claim_line("twilio", sender, Timestamp(1)).await.unwrap();
        for gap in store.gaps(Timestamp(1)).await.unwrap() {
            store.gap_closed(&gap, until).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_backup_is_dated_by_the_last_look_at_the_provider() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        line_seen_until(&SqliteStore::open(&path, Mode::Gateway).unwrap(), Timestamp(4)).await;
        assert_eq!(prepare(&path, Timestamp(9)).await.unwrap(), Timestamp(4));
    }

    #[tokio::test]
    async fn a_number_added_after_a_restore_is_searched_from_the_backup_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        drop(SqliteStore::open(&path, Mode::Gateway).unwrap());
        prepare(&path, Timestamp(4)).await.unwrap();
        let store = SqliteStore::open(&path, Mode::Gateway).unwrap();
        store.watch(vec!["+15550007777".to_owned()]).await.unwrap();
        let gaps = store.gaps(Timestamp(9)).await.unwrap();
        assert_eq!(gaps.iter().map(|gap| gap.since).collect::<Vec<_>>(), [Timestamp(4)]);
    }

    async fn enqueue(store: &SqliteStore, text: &str) {
        let sender = Sender { number: Some("+15550001234".parse().unwrap()), messaging_service: None };
        let line = store.claim_line("twilio", sender, Timestamp(1)).await.unwrap();
        let draft = MessageDraft {
            key: text.to_owned(),
            purpose: MessagePurpose::Reply,
            to: "+15550005678".parse().unwrap(),
            text: text.to_owned(),
            parts: vec![PartDraft { text: text.to_owned(), segments: 1 }],
            media: Vec::new(),
            turn: None,
        };
        store.enqueue(line, draft, Timestamp(2)).await.unwrap();
    }

    #[tokio::test]
    async fn only_parts_of_the_backup_may_have_been_sent_since() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        enqueue(&SqliteStore::open(&path("store"), Mode::Gateway).unwrap(), "before").await;
        back_up(&path("store"), &path("journal"), &path("backup"), Timestamp(3)).await.unwrap();
        let texts = async |name: &str| {
            let store = SqliteStore::open(&path(name), Mode::Command).unwrap();
            let open = store.open_conversations().await.unwrap();
            open[0].unsent.iter().map(|part| part.text.clone()).collect::<Vec<_>>()
        };
        enqueue(&SqliteStore::open(&path("backup"), Mode::Command).unwrap(), "after").await;
        assert_eq!(texts("backup").await, ["before"]);
        back_up(&path("backup"), &path("journal"), &path("again"), Timestamp(4)).await.unwrap();
        assert_eq!(texts("again").await, ["before", "after"]);
    }

    #[tokio::test]
    async fn ids_are_skipped_even_without_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        drop(SqliteStore::open(&path, Mode::Gateway).unwrap());
        prepare(&path, Timestamp(5)).await.unwrap();
        let store = SqliteStore::open(&path, Mode::Command).unwrap();
        enqueue(&store, "first").await;
        let id: i64 = store.read(|db| one(db, "SELECT id FROM part", (), |row| row.get(0))).await.unwrap();
        assert_eq!(id, IDS_LEFT_OUT + 1);
    }

    #[tokio::test]
    async fn an_unmarked_copy_becomes_a_backup() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        drop(SqliteStore::open(&path, Mode::Gateway).unwrap());
        assert_eq!(prepare(&path, Timestamp(5)).await.unwrap(), Timestamp(5));
        assert_eq!(prepare(&path, Timestamp(8)).await.unwrap(), Timestamp(5), "the first time counts");
    }
}
