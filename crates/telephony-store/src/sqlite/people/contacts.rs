//! Contacts: each method is one transaction; `pairing` has the details of pairing.

use async_trait::async_trait;
use telephony_domain::id::{InboundId, LineId, MessageId};
use telephony_domain::limit::Terms;
use telephony_domain::message::{MessageDraft, MessagePurpose, PartDraft};
use telephony_domain::notice::name;
use telephony_domain::number::PhoneNumber;
use telephony_domain::policy::Standing;
use telephony_domain::time::Timestamp;

use super::{pairing, removal};
use crate::StoreError;
use crate::contacts::{
    Approved, ApprovedContact, CallerChallenged, Challenge, Challenged, Contacts, PairingRequest, Who,
};
use crate::inbox::TurnLease;
use crate::sqlite::SqliteStore;
use crate::sqlite::calls;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, execute, list, time};
use crate::sqlite::inbox::turn;
use crate::sqlite::outbox::enqueue;
use crate::sqlite::rows::{contact, conversation, notice};

#[async_trait]
impl Contacts for SqliteStore {
    async fn challenge(
        &self,
        lease: &TurnLease,
        challenge: Challenge,
        now: Timestamp,
    ) -> Result<Challenged, StoreError> {
        let lease = lease.clone();
        self.write(move |db| pairing::challenge(db, &lease, challenge.clone(), now)).await
    }

    async fn challenge_caller(
        &self,
        line: LineId,
        contact: &PhoneNumber,
        key: &str,
        challenge: Challenge,
        terms: Terms,
        now: Timestamp,
    ) -> Result<CallerChallenged, StoreError> {
        let (contact, key) = (contact.clone(), key.to_owned());
        self.write(move |db| pairing::challenge_caller(db, line, &contact, &key, challenge.clone(), &terms, now)).await
    }

    async fn pairing_requests(&self, now: Timestamp) -> Result<Vec<PairingRequest>, StoreError> {
        self.read(move |db| pairing::requests(db, now)).await
    }

    async fn approve(
        &self,
        who: Who,
        parts: Vec<PartDraft>,
        default_line: Option<LineId>,
        now: Timestamp,
    ) -> Result<Approved, StoreError> {
        self.write(move |db| approve(db, &who, parts.clone(), default_line, now)).await
    }

    async fn reject(&self, who: Who, block: bool, now: Timestamp) -> Result<PhoneNumber, StoreError> {
        self.write(move |db| reject(db, &who, block, now)).await
    }

    async fn approved_contacts(&self) -> Result<Vec<ApprovedContact>, StoreError> {
        let sql =
            "SELECT number, approved_at FROM contact WHERE approved_at IS NOT NULL ORDER BY approved_at DESC, number";
        self.read(|db| {
            list(db, sql, (), |row| {
                Ok(ApprovedContact { contact: columns::number(row, "number")?, approved: time(row, "approved_at")? })
            })
        })
        .await
    }

    async fn standing(&self, line: LineId, contact: &PhoneNumber) -> Result<Standing, StoreError> {
        let contact = contact.clone();
        self.read(move |db| conversation::standing(db, line, &contact)).await
    }

    async fn forget_strangers(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |db| pairing::forget(db, now)).await
    }
}

pub(super) fn approve(
    db: &Db,
    who: &Who,
    parts: Vec<PartDraft>,
    default_line: Option<LineId>,
    now: Timestamp,
) -> Result<Approved, StoreError> {
    let (contact, asked_on) = pairing::find_request(db, who, now)?;
    let was_approved = contact::is_approved(db, &contact)?;
    let sql = "INSERT INTO contact (number, approved_at) VALUES (?1, ?2)
               ON CONFLICT DO UPDATE SET approved_at = coalesce(approved_at, ?2), blocked_at = NULL";
    execute(db, sql, (contact.as_str(), now.0))?;
    execute(db, "DELETE FROM pairing WHERE contact = ?", [contact.as_str()])?;
    notice::forget(db, &name::pairing_request(contact.as_str()))?;
    let line = asked_on.or(default_line);
    let standing = line.map(|line| conversation::standing(db, line, &contact)).transpose()?.unwrap_or_default();
    let message = match line.filter(|_| !was_approved && !standing.is_opted_out) {
        Some(line) => Some(send_approval(db, line, &contact, parts, now)?),
        None => None,
    };
    let released = release_kept(db, &contact, now)?;
    Ok(Approved { contact, was_approved, is_opted_out: standing.is_opted_out, message, released })
}

/// Queues the approval SMS.
fn send_approval(
    db: &Db,
    line: LineId,
    contact: &PhoneNumber,
    parts: Vec<PartDraft>,
    now: Timestamp,
) -> Result<MessageId, StoreError> {
    let draft = MessageDraft {
        key: format!("approval-{contact}-{}", now.0),
        purpose: MessagePurpose::Approval,
        to: contact.clone(),
        text: pairing::text_of(&parts),
        parts,
        media: Vec::new(),
        turn: None,
    };
    Ok(enqueue::enqueue(db, line, &draft, now)?.message)
}

/// Makes the kept messages of a contact one turn in each conversation, ahead of later messages.
fn release_kept(db: &Db, contact: &PhoneNumber, now: Timestamp) -> Result<u32, StoreError> {
    let mut released = 0;
    for conversation in contact::conversations(db, contact)? {
        let sql = "SELECT id, received_at FROM inbound WHERE conversation = ? AND state = 'kept' ORDER BY id";
        let kept = list(db, sql, [conversation.0], |row| Ok((InboundId(row.get("id")?), time(row, "received_at")?)))?;
        let Some((_, first)) = kept.first() else { continue };
        let messages: Vec<_> = kept.iter().map(|(id, _)| *id).collect();
        turn::make(db, conversation, &messages, (*first).min(now), now)?;
        conversation::rearm(db, conversation)?;
        released += u32::try_from(messages.len()).unwrap_or(u32::MAX);
    }
    Ok(released)
}

pub(super) fn reject(db: &Db, who: &Who, block: bool, now: Timestamp) -> Result<PhoneNumber, StoreError> {
    let (contact, _) = pairing::find_request(db, who, now)?;
    let ended = execute(db, "DELETE FROM pairing WHERE contact = ?", [contact.as_str()])?;
    notice::forget(db, &name::pairing_request(contact.as_str()))?;
    let sql = "UPDATE contact SET approved_at = NULL WHERE number = ? AND approved_at IS NOT NULL";
    let ended = ended + execute(db, sql, [contact.as_str()])? + delete_kept(db, &contact, now)?;
    if block {
        let sql = "INSERT INTO contact (number, blocked_at) VALUES (?1, ?2)
                   ON CONFLICT DO UPDATE SET blocked_at = coalesce(blocked_at, ?2)";
        execute(db, sql, (contact.as_str(), now.0))?;
        for conversation in contact::conversations(db, &contact)? {
            calls::end_of(db, conversation, now)?;
        }
    } else if ended == 0 {
        return Err(StoreError::NotFound("pairing request or approval of this number".to_owned()));
    }
    Ok(contact)
}

fn delete_kept(db: &Db, contact: &PhoneNumber, now: Timestamp) -> Result<usize, StoreError> {
    let sql = "SELECT id FROM inbound WHERE state = 'kept'
               AND conversation IN (SELECT id FROM conversation WHERE contact = ?)";
    let kept = list(db, sql, [contact.as_str()], |row| row.get(0).map(InboundId))?;
    removal::delete_inbound(db, &kept, now)?;
    Ok(kept.len())
}
