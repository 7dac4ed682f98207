//! Consents: the wish in effect is in the conversation's row, the history beside it.

use async_trait::async_trait;
use telephony_domain::consent::{Evidence, Wish};
use telephony_domain::id::LineId;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::consents::{Consent, Consents};
use crate::sqlite::SqliteStore;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, list, time};
use crate::sqlite::outbox::consent;
use crate::sqlite::rows::{conversation, line};

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

/// Returns the whole history, newest first.
pub(super) fn history(db: &Db, contact: Option<&PhoneNumber>) -> Result<Vec<Consent>, StoreError> {
    let sql = format!("{CONSENT} WHERE ?1 IS NULL OR c.contact = ?1 ORDER BY s.at DESC, s.id DESC");
    list(db, &sql, [contact.map(PhoneNumber::as_str)], consent)
}

fn consent(row: &Row<'_>) -> RowResult<Consent> {
    Ok(Consent {
        contact: columns::number(row, "contact")?,
        line: LineId(row.get("line")?),
        wish: columns::wish(row)?,
        evidence: columns::evidence(row)?,
        at: time(row, "at")?,
        is_overtaken: row.get("is_overtaken")?,
    })
}

fn record_wish(db: &Db, line: LineId, contact: &PhoneNumber, wish: Wish, now: Timestamp) -> Result<bool, StoreError> {
    line::sender_of(db, line)?;
    let conversation = conversation::find_or_make(db, line, contact)?;
    if conversation::is_opted_out(db, conversation)? == (wish == Wish::OptOut) {
        return Ok(false);
    }
    consent::change(db, conversation, wish, Evidence::Operator, now, now)?;
    Ok(true)
}
