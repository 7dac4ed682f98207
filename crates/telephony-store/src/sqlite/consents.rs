//! Consents: the wish that counts is the conversation's, what was said about it is kept beside it.

use async_trait::async_trait;
use rusqlite::{Connection, Row};
use telephony_domain::consent::{Evidence, Wish};
use telephony_domain::id::{ConversationId, LineId};
use telephony_domain::keyword::{Keyword, classify};
use telephony_domain::number::PhoneNumber;
use telephony_domain::policy::Refusal;
use telephony_domain::time::Timestamp;

use super::query::{execute, find, list, time};
use super::{SqliteStore, columns, conversation, lines, queue};
use crate::StoreError;
use crate::consents::{Consent, Consents};

/// Why a part is canceled whose contact wants nothing more.
pub(super) const OPTED_OUT: &str = "the contact opted out";

const CONSENT: &str = "SELECT c.contact, c.line, s.wish, s.evidence, s.at, s.is_overtaken
                       FROM consent AS s JOIN conversation AS c ON c.id = s.conversation";

#[async_trait]
impl Consents for SqliteStore {
    async fn record_wish(
        &self,
        line: LineId,
        contact: &PhoneNumber,
        wish: Wish,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let contact = contact.clone();
        self.write(move |db| record_wish(db, line, &contact, wish, now)).await
    }

    async fn opt_outs(&self) -> Result<Vec<Consent>, StoreError> {
        let sql = format!(
            "{CONSENT} WHERE s.id = (SELECT min(id) FROM consent WHERE conversation = c.id AND is_overtaken = 0
                                       AND id > coalesce((SELECT max(id) FROM consent WHERE conversation = c.id
                                                            AND wish = 'opt-in' AND is_overtaken = 0), 0))
                       AND c.opted_out_at IS NOT NULL ORDER BY s.at DESC, s.id DESC"
        );
        self.read(move |db| list(db, &sql, (), consent)).await
    }

    async fn consent_history(&self, contact: Option<PhoneNumber>) -> Result<Vec<Consent>, StoreError> {
        self.read(move |db| history(db, contact.as_ref())).await
    }
}

/// Everything that was ever said, newest first.
pub(super) fn history(db: &Connection, contact: Option<&PhoneNumber>) -> Result<Vec<Consent>, StoreError> {
    let sql = format!("{CONSENT} WHERE ?1 IS NULL OR c.contact = ?1 ORDER BY s.at DESC, s.id DESC");
    list(db, &sql, [contact.map(PhoneNumber::as_str)], consent)
}

fn consent(row: &Row<'_>) -> rusqlite::Result<Consent> {
    Ok(Consent {
        contact: columns::number(row, "contact")?,
        line: LineId(row.get("line")?),
        wish: columns::wish(row)?,
        evidence: columns::evidence(row)?,
        at: time(row, "at")?,
        is_overtaken: row.get("is_overtaken")?,
    })
}

fn record_wish(
    db: &Connection,
    line: LineId,
    contact: &PhoneNumber,
    wish: Wish,
    now: Timestamp,
) -> Result<bool, StoreError> {
    lines::sender_of(db, line)?;
    let conversation = conversation::find_or_make(db, line, contact)?;
    if conversation::is_opted_out(db, conversation)? == (wish == Wish::OptOut) {
        return Ok(false);
    }
    change(db, conversation, wish, Evidence::Operator, now, now)?;
    Ok(true)
}

/// Records what a contact said at `said` and only now is learnt of, where it may be that something was said since: what
/// was said last counts.
pub(super) fn learn_late(
    db: &Connection,
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

/// When that was said which counts now.
fn last_learnt(db: &Connection, id: ConversationId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT coalesce(again_at, at) AS last FROM consent WHERE conversation = ? AND is_overtaken = 0
               ORDER BY id DESC LIMIT 1";
    find(db, sql, [id.0], |row| time(row, "last"))
}

/// START and its kin are talk from somebody who has not opted out, as far as we knew: when one of them came after an
/// opt-out that we had missed.
fn opted_in_since(db: &Connection, id: ConversationId, said: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT text, opt_out_type, received_at FROM inbound
               WHERE conversation = ? AND state <> 'keyword' AND received_at > ? ORDER BY received_at";
    let later = list(db, sql, (id.0, said.0), |row| {
        let (text, read_as) = (row.get::<_, String>("text")?, row.get::<_, Option<String>>("opt_out_type")?);
        Ok((classify(&text, read_as.as_deref(), true), time(row, "received_at")?))
    })?;
    Ok(later.into_iter().find(|(keyword, _)| *keyword == Some(Keyword::OptIn)).map(|(_, received_at)| received_at))
}

/// Records a wish that was said at `said`, and acts on it.
pub(super) fn change(
    db: &Connection,
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

/// What was to be sent is canceled, what was said before gets no answer.
fn opt_out(db: &Connection, id: ConversationId, now: Timestamp) -> Result<(), StoreError> {
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

/// The history repeats nothing: STOP again, known in the same way, is no news.
fn write_down(
    db: &Connection,
    id: ConversationId,
    wish: Wish,
    evidence: Evidence,
    said: Timestamp,
) -> Result<(), StoreError> {
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
    db: &Connection,
    id: ConversationId,
    wish: Wish,
    evidence: Evidence,
    said: Timestamp,
    is_overtaken: bool,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO consent (conversation, wish, evidence, at, is_overtaken) VALUES (?, ?, ?, ?, ?)";
    execute(db, sql, (id.0, wish.as_str(), evidence.as_str(), said.0, is_overtaken)).map(drop)
}
