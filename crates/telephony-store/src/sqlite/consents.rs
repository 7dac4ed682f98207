//! Consents: the wish that counts is the conversation's, what was said about it is kept beside it.

use async_trait::async_trait;
use rusqlite::{Connection, Row};
use telephony_domain::consent::{Evidence, Wish};
use telephony_domain::id::{ConversationId, LineId};
use telephony_domain::number::PhoneNumber;
use telephony_domain::policy::Refusal;
use telephony_domain::time::Timestamp;

use super::query::{execute, find, list, time};
use super::{SqliteStore, conversation, lines, queue, words};
use crate::StoreError;
use crate::consents::{Consent, Consents};

/// Why a part is canceled whose contact wants nothing more.
pub(super) const OPTED_OUT: &str = "the contact opted out";

const CONSENT: &str = "SELECT c.contact, c.line, s.wish, s.evidence, s.at
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
            "{CONSENT} WHERE s.id = (SELECT min(id) FROM consent WHERE conversation = c.id AND id > coalesce(
                                         (SELECT max(id) FROM consent WHERE conversation = c.id AND wish = 'opt-in'), 0))
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
        contact: words::number(row, "contact")?,
        line: LineId(row.get("line")?),
        wish: words::wish(row)?,
        evidence: words::evidence(row)?,
        at: time(row, "at")?,
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
    match wish {
        Wish::OptOut => opt_out(db, conversation, Evidence::Operator, now)?,
        Wish::OptIn => opt_in(db, conversation, Evidence::Operator, now)?,
    }
    Ok(true)
}

/// Records an opt-out: what was to be sent is canceled, what was said before gets no answer.
pub(super) fn opt_out(
    db: &Connection,
    id: ConversationId,
    evidence: Evidence,
    now: Timestamp,
) -> Result<(), StoreError> {
    write_down(db, id, Wish::OptOut, evidence, now)?;
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

/// Records that the contact wants to hear from us again.
pub(super) fn opt_in(
    db: &Connection,
    id: ConversationId,
    evidence: Evidence,
    now: Timestamp,
) -> Result<(), StoreError> {
    write_down(db, id, Wish::OptIn, evidence, now)?;
    execute(db, "UPDATE conversation SET opted_out_at = NULL WHERE id = ?", [id.0]).map(drop)
}

/// The history repeats nothing: STOP again, known in the same way, is no news.
fn write_down(
    db: &Connection,
    id: ConversationId,
    wish: Wish,
    evidence: Evidence,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "SELECT wish, evidence FROM consent WHERE conversation = ? ORDER BY id DESC LIMIT 1";
    let last = find(db, sql, [id.0], |row| Ok((words::wish(row)?, words::evidence(row)?)))?;
    if last == Some((wish, evidence)) {
        return Ok(());
    }
    let sql = "INSERT INTO consent (conversation, wish, evidence, at) VALUES (?, ?, ?, ?)";
    execute(db, sql, (id.0, wish.as_str(), evidence.as_str(), now.0)).map(drop)
}
