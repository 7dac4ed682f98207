//! The schema's version, and migrations from older ones.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, MAIN_DB, TransactionBehavior};

use super::mode::Mode;
use crate::StoreError;

/// One script per version; the first creates version 1. A released script never changes.
pub(crate) const MIGRATIONS: [&str; 14] = [
    include_str!("../migrations/0001.sql"),
    include_str!("../migrations/0002.sql"),
    include_str!("../migrations/0003.sql"),
    include_str!("../migrations/0004.sql"),
    include_str!("../migrations/0005.sql"),
    include_str!("../migrations/0006.sql"),
    include_str!("../migrations/0007.sql"),
    include_str!("../migrations/0008.sql"),
    include_str!("../migrations/0009.sql"),
    include_str!("../migrations/0010.sql"),
    include_str!("../migrations/0011.sql"),
    include_str!("../migrations/0012.sql"),
    include_str!("../migrations/0013.sql"),
    include_str!("../migrations/0014.sql"),
];

/// Application id in the file's header: `OCtl` in ASCII.
const APPLICATION: i64 = 0x4F43_746C;

/// Fails if the file belongs to another program.
pub(crate) fn check(db: &Connection) -> Result<(), StoreError> {
    // A single statement sees a consistent state: another process may be initializing the file.
    let sql = "SELECT application_id, NOT EXISTS (SELECT 1 FROM sqlite_schema) FROM pragma_application_id";
    let (application, was_empty): (i64, bool) = db.query_row(sql, (), |row| Ok((row.get(0)?, row.get(1)?)))?;
    if application == APPLICATION || (application == 0 && was_empty) {
        Ok(())
    } else {
        Err(StoreError::Damaged("it is another program's database".to_owned()))
    }
}

/// Returns the id of this store, which its copies share.
pub(crate) fn identity(db: &Connection) -> Result<String, StoreError> {
    Ok(db.query_row("SELECT id FROM identity", (), |row| row.get(0))?)
}

/// Fails if the file has become another store, or none.
pub(crate) fn check_identity(db: &Connection, known: &str) -> Result<(), StoreError> {
    // Pages in memory do not show that the file was overwritten.
    db.execute_batch("PRAGMA shrink_memory")?;
    match identity(db) {
        Ok(found) if found == known => Ok(()),
        Ok(_) => Err(StoreError::Gone("it was overwritten by another store".to_owned())),
        Err(error @ (StoreError::Other(_) | StoreError::Damaged(_))) => {
            Err(StoreError::Gone(format!("it was overwritten: {error}")))
        }
        Err(error) => Err(error),
    }
}

/// Fails unless the file is ours and has the newest schema.
pub(crate) fn check_version(db: &Connection) -> Result<(), StoreError> {
    check(db)?;
    let (found, known) = (version(db)?, newest(&MIGRATIONS));
    match found.cmp(&known) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(StoreError::Newer { found, known }),
        Ordering::Less => Err(StoreError::Older { found, known }),
    }
}

/// Runs the missing migrations if `mode` allows.
pub(crate) fn bring_up_to_date(
    db: &mut Connection,
    path: &Path,
    mode: Mode,
    migrations: &[&str],
) -> Result<(), StoreError> {
    let known = newest(migrations);
    let found = version(db)?;
    match found {
        _ if found == known => return Ok(()),
        _ if found > known => return Err(StoreError::Newer { found, known }),
        0 => {}
        _ if mode != Mode::Gateway => return Err(StoreError::Older { found, known }),
        _ => make_copy(db, &copy_path(path, found))?,
    }
    // A script may replace a table that others refer to, which would delete their rows.
    db.pragma_update(None, "foreign_keys", false)?;
    let migrated = migrate(db, migrations, known);
    db.pragma_update(None, "foreign_keys", true)?;
    migrated?;
    // Moves the identity from the log into the file, where `check_identity` has to find it.
    Ok(db.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))?)
}

/// Runs all migrations in one transaction: another process that opens the file at the same time waits and finds it
/// done.
fn migrate(db: &mut Connection, migrations: &[&str], known: u32) -> Result<(), StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = usize::try_from(version(&transaction)?).unwrap_or(usize::MAX);
    for script in migrations.iter().skip(done) {
        transaction.execute_batch(script)?;
    }
    if transaction.prepare("PRAGMA foreign_key_check")?.exists(())? {
        return Err(StoreError::Damaged("rows refer to others that do not exist".to_owned()));
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

/// Writes the existing version again.
pub(crate) fn write_version(db: &Connection) -> Result<(), StoreError> {
    let version = version(db)?;
    Ok(db.pragma_update(None, "user_version", version)?)
}

fn make_copy(db: &Connection, copy: &Path) -> Result<(), StoreError> {
    crate::file::make_file(copy)?;
    db.backup(MAIN_DB, copy, None::<fn(rusqlite::backup::Progress)>)?;
    tracing::info!(copy = %copy.display(), "copied the message store before changing its schema");
    Ok(())
}

fn copy_path(path: &Path, version: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".schema-{version}"));
    PathBuf::from(name)
}

fn newest(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
}

fn version(db: &Connection) -> Result<u32, StoreError> {
    Ok(db.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: [&str; 1] = ["CREATE TABLE t (a TEXT) STRICT; INSERT INTO t VALUES ('kept')"];
    const NEW: [&str; 2] = [OLD[0], "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'added'"];

    fn old_file() -> (tempfile::TempDir, PathBuf, Connection) {
        made_by(&OLD)
    }

    /// Returns a file with the schema of an older version of this program.
    fn of_version(version: usize) -> (tempfile::TempDir, PathBuf, Connection) {
        made_by(&MIGRATIONS[..version])
    }

    fn made_by(migrations: &[&str]) -> (tempfile::TempDir, PathBuf, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut db = Connection::open(&path).unwrap();
        bring_up_to_date(&mut db, &path, Mode::Gateway, migrations).unwrap();
        (folder, path, db)
    }

    #[test]
    fn an_older_schema_is_copied_and_then_changed() {
        let (_folder, path, mut db) = old_file();
        bring_up_to_date(&mut db, &path, Mode::Gateway, &NEW).unwrap();
        let row = |db: &Connection, sql: &str| db.query_row(sql, (), |row| row.get::<_, String>(0));
        assert_eq!(row(&db, "SELECT a || ' and ' || b FROM t").unwrap(), "kept and added");
        let copy = Connection::open(copy_path(&path, 1)).unwrap();
        assert_eq!((version(&copy), version(&db)), (Ok(1), Ok(2)));
        assert_eq!(row(&copy, "SELECT a FROM t").unwrap(), "kept");
    }

    #[test]
    fn counts_of_an_older_version_are_kept() {
        let (_folder, path, mut db) = of_version(1);
        db.execute_batch(
            "INSERT INTO line (id, number, claimed_at) VALUES (1, '+15550001234', 0);
             INSERT INTO conversation (id, line, contact) VALUES (1, 1, '+15550005678');
             INSERT INTO consent (conversation, wish, evidence, at) VALUES (1, 'opt-out', 'keyword', 7);
             INSERT INTO message (key, conversation, purpose, text, created_at)
             VALUES ('a', 1, 'pairing', '', 5), ('b', 1, 'reply', '', 5), ('c', 1, 'order', '', 6);
             INSERT INTO inbound (provider_id, conversation, sender, recipient, text, state, why, received_at)
             VALUES ('SM1', 1, '+15550005678', '+15550001234', 'APPROVE', 'obeyed', 'unknown-code', 8)",
        )
        .unwrap();
        bring_up_to_date(&mut db, &path, Mode::Gateway, &MIGRATIONS).unwrap();
        let one = |sql: &str| db.query_row(sql, (), |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(
            one("SELECT group_concat(what || ' ' || at, ', ' ORDER BY id) FROM tally"),
            "pairing 5, order 6, wrong-code 8"
        );
        assert_eq!(one("SELECT is_overtaken || ' ' || coalesce(again_at, 'once') FROM consent"), "0 once");
    }

    #[test]
    fn failed_parts_no_longer_wait_for_a_limit() {
        let (_folder, path, mut db) = of_version(2);
        db.execute_batch(
            "INSERT INTO line (id, number, claimed_at) VALUES (1, '+15550001234', 0);
             INSERT INTO conversation (id, line, contact) VALUES (1, 1, '+15550005678');
             INSERT INTO message (id, key, conversation, purpose, created_at) VALUES (1, 'a', 1, 'reply', 5);
             INSERT INTO part (message, position, conversation, line, text, segments, is_for_operator, correlator, state,
                               due_at, waits_for, waits_until)
             VALUES (1, 1, 1, 1, 'a', 1, 0, 'a', 'failed', NULL, 'segmentsPerDay', 9),
                    (1, 2, 1, 1, 'b', 1, 0, 'b', 'ready', 7, 'segmentsPerDay', 9)",
        )
        .unwrap();
        bring_up_to_date(&mut db, &path, Mode::Gateway, &MIGRATIONS).unwrap();
        let sql = "SELECT group_concat(state || ' ' || coalesce(waits_for, 'nothing'), ', ' ORDER BY id) FROM part";
        let waiting: String = db.query_row(sql, (), |row| row.get(0)).unwrap();
        assert_eq!(waiting, "failed nothing, ready segmentsPerDay");
    }

    #[test]
    fn calls_of_an_older_version_count_against_the_limits() {
        let (_folder, path, mut db) = of_version(10);
        db.execute_batch(
            r#"INSERT INTO line (id, number, claimed_at) VALUES (1, '+15550001234', 0);
             INSERT INTO conversation (id, line, contact) VALUES (1, 1, '+15550005678');
             INSERT INTO call (id, conversation, is_inbound, state, machine, due_at, created_at, ended_at)
             VALUES (1, 1, 0, 'open', '{"plan":{"max_duration":{"secs":300,"nanos":0}},"answered":null}', 9, 5, NULL),
                    (2, 1, 0, 'over', '{"plan":{},"answered":6000}', NULL, 6, 72000),
                    (3, 1, 0, 'over', '{"plan":{},"answered":null}', NULL, 7, 8),
                    (4, 1, 0, 'over', '{"plan":{},"answered":null}', NULL, 8, 8);
             INSERT INTO outgoing_call (call, key, from_number, state, dialed_at, failure)
             VALUES (1, 'a', '', 'dialed', 5, NULL), (2, 'b', '', 'dialed', 6, NULL), (3, 'c', '', 'dialed', 7, NULL),
                    (4, 'd', '', 'not-dialed', NULL, 'no')"#,
        )
        .unwrap();
        bring_up_to_date(&mut db, &path, Mode::Gateway, &MIGRATIONS).unwrap();
        let sql = "SELECT group_concat(call || ' ' || placed_at || ' ' || seconds, ', ' ORDER BY call) FROM call_spent";
        let counted: String = db.query_row(sql, (), |row| row.get(0)).unwrap();
        assert_eq!(counted, "1 5 300, 2 6 66, 3 7 0");
    }

    #[test]
    fn ids_of_an_older_version_are_twilios_and_their_rows_keep_what_belongs_to_them() {
        let (_folder, path, mut db) = of_version(13);
        db.execute_batch(
            r#"INSERT INTO line (id, number, claimed_at) VALUES (1, '+15550001234', 0);
             INSERT INTO conversation (id, line, contact) VALUES (1, 1, '+15550005678');
             INSERT INTO message (id, key, conversation, purpose, created_at) VALUES (1, 'a', 1, 'reply', 5);
             INSERT INTO part (id, message, position, conversation, line, text, segments, is_for_operator, correlator,
                               state, due_at)
             VALUES (1, 1, 1, 1, 1, 'a', 2, 0, 'a', 'ready', 7), (9, 1, 2, 1, 1, 'b', 3, 0, 'b', 'queued', NULL);
             DELETE FROM part WHERE id = 9;
             INSERT INTO part_attempt (part, number, holder, started_at) VALUES (1, 1, 'gateway-1', 6);
             INSERT INTO other_message (part, provider_id) VALUES (1, 'SM0');
             INSERT INTO inbound (id, provider_id, conversation, sender, recipient, text, state, received_at)
             VALUES (1, 'SM1', 1, '+15550005678', '+15550001234', 'hi', 'waiting', 8);
             INSERT INTO inbound_media (inbound, position, url, content_type, file, size)
             VALUES (1, 1, 'u', 'image/png', 'f', 1);
             INSERT INTO deleted (provider_id, received_at) VALUES ('SM2', 3);
             INSERT INTO call (id, conversation, provider_id, is_inbound, state, machine, due_at, created_at)
             VALUES (1, 1, 'CA1', 1, 'open', '{}', 9, 5);
             INSERT INTO call_token (token, call, step) VALUES ('t', 1, 1)"#,
        )
        .unwrap();
        bring_up_to_date(&mut db, &path, Mode::Gateway, &MIGRATIONS).unwrap();
        let one = |sql: &str| db.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap();
        for table in ["line", "part", "inbound", "other_message", "deleted", "call"] {
            assert_eq!(one(&format!("SELECT count(*) FROM {table} WHERE provider = 'twilio'")), 1, "{table}");
        }
        for table in ["part_attempt", "inbound_media", "call_token"] {
            assert_eq!(one(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
        }
        assert_eq!((one("SELECT count(*) FROM loose_file"), one("SELECT waiting_segments FROM line")), (0, 2));
        assert_eq!(one("SELECT seq FROM sqlite_sequence WHERE name = 'part'"), 9, "no id is used twice");
        assert_eq!(one("PRAGMA foreign_keys"), 1);
        let again = "INSERT INTO deleted (provider_id, received_at, provider) VALUES ('SM2', 3, ?)";
        assert!(db.execute(again, ["twilio"]).is_err());
        assert_eq!(db.execute(again, ["other-company"]), Ok(1));
        db.execute_batch("DELETE FROM message; DELETE FROM inbound; DELETE FROM call").unwrap();
        for table in ["part_attempt", "inbound_media", "call_token"] {
            assert_eq!(one(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
        }
    }

    #[test]
    fn a_script_that_breaks_references_changes_nothing() {
        let (_folder, path, mut db) = old_file();
        let broken = [
            OLD[0],
            "CREATE TABLE u (a INTEGER REFERENCES v (a)); CREATE TABLE v (a INTEGER PRIMARY KEY);
                               INSERT INTO u VALUES (1)",
        ];
        let migrated = bring_up_to_date(&mut db, &path, Mode::Gateway, &broken);
        assert!(matches!(migrated, Err(StoreError::Damaged(_))), "{migrated:?}");
        assert_eq!(version(&db), Ok(1));
    }

    #[test]
    fn a_script_that_fails_changes_nothing() {
        let (_folder, path, mut db) = old_file();
        let broken = [OLD[0], "CREATE TABLE u (a); SELECT nonsense"];
        assert!(bring_up_to_date(&mut db, &path, Mode::Gateway, &broken).is_err());
        assert_eq!(version(&db), Ok(1));
        assert!(db.prepare("SELECT * FROM u").is_err());
    }

    #[test]
    fn a_command_never_changes_a_schema() {
        let (_folder, path, mut db) = old_file();
        let found = bring_up_to_date(&mut db, &path, Mode::Command, &NEW);
        assert_eq!(found, Err(StoreError::Older { found: 1, known: 2 }));
        bring_up_to_date(&mut db, &path, Mode::Gateway, &NEW).unwrap();
        let found = bring_up_to_date(&mut db, &path, Mode::Gateway, &OLD);
        assert_eq!(found, Err(StoreError::Newer { found: 2, known: 1 }));
    }

    #[test]
    fn a_database_of_another_program_is_left_alone() {
        let db = Connection::open_in_memory().unwrap();
        check(&db).unwrap();
        db.execute_batch("CREATE TABLE theirs (a)").unwrap();
        assert!(matches!(check(&db), Err(StoreError::Damaged(_))));
    }
}
