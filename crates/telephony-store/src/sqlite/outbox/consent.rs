//! Consent: records a wish, and applies it to waiting messages.

use telephony_domain::consent::{Evidence, Wish};
use telephony_domain::id::ConversationId;
use telephony_domain::keyword::{Keyword, classify};
use telephony_domain::policy::Refusal;
use telephony_domain::time::Timestamp;

use super::queue;
use crate::StoreError;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, execute, find, list, time};
use crate::sqlite::rows::conversation;

/// Reason of a part canceled by an opt-out.
pub(crate) const OPTED_OUT: &str = "the contact opted out";

/// Records a wish expressed at `said` and learned late; the wish expressed last counts.
pub(crate) fn learn_late(
    db: &Db,
    id: ConversationId,
    wish: Wish,
    evidence: Evidence,
    said: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    if last_learnt(db, id)?.is_some_and(|learnt| wish.is_overtaken(said, learnt.min(now))) {
        return insert(db, id, wish, evidence, said, true);
    }
    match opted_in_since(db, id, said)? {
        Some(again) if wish == Wish::OptOut => {
            write_down(db, id, Wish::OptOut, evidence, said)?;
            write_down(db, id, Wish::OptIn, Evidence::Keyword, again)
        }
        _ => change(db, id, wish, evidence, said, now),
    }
}

/// Returns the time of the wish in effect.
fn last_learnt(db: &Db, id: ConversationId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT coalesce(again_at, at) AS last FROM consent WHERE conversation = ? AND is_overtaken = 0
               ORDER BY id DESC LIMIT 1";
    find(db, sql, [id.0], |row| time(row, "last"))
}

/// Finds an opt-in after an opt-out that we had missed: START and similar words are ordinary messages from a contact
/// who has not opted out, as far as we knew.
fn opted_in_since(db: &Db, id: ConversationId, said: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT text, opt_out_type, received_at FROM inbound
               WHERE conversation = ? AND state <> 'keyword' AND received_at > ? ORDER BY received_at";
    let later = list(db, sql, (id.0, said.0), |row| {
        let (text, read_as) = (row.get::<_, String>("text")?, row.get::<_, Option<String>>("opt_out_type")?);
        Ok((classify(&text, read_as.as_deref(), true), time(row, "received_at")?))
    })?;
    Ok(later.into_iter().find(|(keyword, _)| *keyword == Some(Keyword::OptIn)).map(|(_, received_at)| received_at))
}

/// Records a wish expressed at `said`, and applies it.
pub(crate) fn change(
    db: &Db,
    id: ConversationId,
    wish: Wish,
    evidence: Evidence,
    said: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    write_down(db, id, wish, evidence, said)?;
    match wish {
        Wish::OptOut => opt_out(db, id, now),
        Wish::OptIn => execute(db, "UPDATE conversation SET opted_out_at = NULL WHERE id = ?", [id.0]).map(drop),
    }
}

/// Cancels queued messages and closes waiting ones without an answer.
fn opt_out(db: &Db, id: ConversationId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE conversation SET opted_out_at = coalesce(opted_out_at, ?2), waiting_since = NULL, ready_at = NULL
               WHERE id = ?1";
    execute(db, sql, (id.0, now.0))?;
    let why = Refusal::OptedOut.as_str();
    let sql = "UPDATE inbound SET state = 'refused', why = ?2 WHERE conversation = ?1 AND state = 'waiting'";
    execute(db, sql, (id.0, why))?;
    let sql = "UPDATE inbound SET state = 'refused', why = ?2 WHERE conversation = ?1 AND state = 'kept'";
    execute(db, sql, (id.0, why))?;
    queue::cancel_all(db, id, OPTED_OUT, now)?;
    conversation::rearm(db, id)
}

/// Records a wish in the history, without repeats of the same evidence.
fn write_down(db: &Db, id: ConversationId, wish: Wish, evidence: Evidence, said: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT id, wish, evidence FROM consent WHERE conversation = ? AND is_overtaken = 0
               ORDER BY id DESC LIMIT 1";
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>("id")?, columns::wish(row)?, columns::evidence(row)?));
    match find(db, sql, [id.0], read)? {
        Some((last, last_wish, last_evidence)) if (last_wish, last_evidence) == (wish, evidence) => {
            execute(db, "UPDATE consent SET again_at = ?2 WHERE id = ?1", (last, said.0)).map(drop)
        }
        _ => insert(db, id, wish, evidence, said, false),
    }
}

fn insert(
    db: &Db,
    id: ConversationId,
    wish: Wish,
    evidence: Evidence,
    said: Timestamp,
    is_overtaken: bool,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO consent (conversation, wish, evidence, at, is_overtaken) VALUES (?, ?, ?, ?, ?)";
    execute(db, sql, (id.0, wish.as_str(), evidence.as_str(), said.0, is_overtaken)).map(drop)
}
