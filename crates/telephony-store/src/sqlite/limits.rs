//! Parts that a limit holds up: until when, who is told, and conversations of machines that are paused.

use rusqlite::Connection;
use telephony_domain::id::{ConversationId, MessageId, PartId};
use telephony_domain::limit::{DAY, Limit, Limits};
use telephony_domain::number::PhoneNumber;
use telephony_domain::reply_loop::{self, PAUSE, ReplyLoop};
use telephony_domain::time::Timestamp;

use super::query::{execute, find, list, maybe_time, one, time};
use super::queue::{self, Candidate};
use super::{contacts, conversation, notice};
use crate::notices::Notice;
use crate::{LONGEST_WAIT, StoreError};

/// A part waits until it fits into `limit`, and tells why. The oldest part that the day has no room for keeps its place,
/// so that smaller ones do not overtake it for ever; others go on without one whose contact has had enough.
pub(super) fn hold(
    db: &Connection,
    candidate: &Candidate,
    limits: &Limits,
    limit: Limit,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let due = match limit {
        Limit::SegmentsPerDay => candidate.due,
        Limit::SegmentsPerContactPerDay | Limit::RepliesPerContactPer30s => until.min(now + LONGEST_WAIT),
    };
    let sql = "UPDATE part SET due_at = ?2, waits_for = ?3, waits_until = ?4, reason = ?5 WHERE id = ?1";
    let reason = format!("limits.{} is reached", limit.key());
    execute(db, sql, (candidate.part.0, due.0, limit.key(), until.0, &reason))?;
    tell(db, limit, limits, &candidate.contact, now)?;
    if limit == Limit::RepliesPerContactPer30s {
        count_rally(db, candidate, now)?;
    }
    Ok(())
}

/// What a part waits for that the provider put off for long.
pub(super) const DAILY_CAP: &str = "daily-cap";

/// A part goes on waiting for a cap of the provider's.
pub(super) fn stay_capped(db: &Connection, part: PartId, until: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let due = until.min(now + LONGEST_WAIT);
    execute(db, "UPDATE part SET due_at = ?2 WHERE id = ?1", (part.0, due.0)).map(drop)
}

/// A part that is larger than a limit would wait for ever: it fails, with the rest of its message.
pub(super) fn refuse(
    db: &Connection,
    candidate: &Candidate,
    limits: &Limits,
    limit: Limit,
    now: Timestamp,
) -> Result<(), StoreError> {
    let most = limit.most(limits).unwrap_or_default();
    let reason = format!("it has {} segments and limits.{} is {most}: raise it", candidate.segments, limit.key());
    tracing::warn!(part = %candidate.part, limit = limit.key(), "a part was not sent: it is larger than the limit");
    let sql = "UPDATE part SET state = 'failed', due_at = NULL, waits_for = NULL, waits_until = NULL, reason = ?2,
                      settled_at = ?3 WHERE id = ?1";
    execute(db, sql, (candidate.part.0, reason, now.0))?;
    queue::cancel_rest(db, candidate.message, "an earlier part was not sent", now)?;
    queue::promote(db, candidate.conversation, now)
}

/// Tells the operator, once for as long as parts wait. The operator needs whole numbers, in what they order and type.
fn tell(
    db: &Connection,
    limit: Limit,
    limits: &Limits,
    contact: &PhoneNumber,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (key, most) = (limit.key(), limit.most(limits).unwrap_or_default());
    let text = match limit {
        Limit::SegmentsPerDay => {
            format!("limits.{key} is reached ({most} segments in 24 hours): messages wait, none is lost")
        }
        Limit::SegmentsPerContactPerDay => {
            let end = end_of(db, contact)?;
            format!(
                "limits.{key} is reached ({most} segments in 24 hours to {contact}): messages wait, none is lost{end}"
            )
        }
        Limit::RepliesPerContactPer30s => {
            format!("limits.{key} is reached ({most} in 30 s to {contact}): replies wait")
        }
    };
    // What waits for a moment only is no reason to disturb anybody.
    let by_sms = limit.window() == DAY;
    if notice::give(db, &Notice { by_sms, ..Notice::ongoing(name_of(key), text) }, now)? {
        tracing::warn!(limit = key, most, "a limit is reached: messages wait until there is room");
    }
    Ok(())
}

/// The notice that parts wait for a limit's key, or for [`DAILY_CAP`].
pub(super) fn name_of(waits_for: &str) -> String {
    format!("limit-{waits_for}")
}

/// Tells the operator that the provider takes nothing more for hours, for as long as a part waits for it. Not by SMS,
/// which the provider would not take either.
pub(super) fn tell_capped(db: &Connection, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    let text = format!("the provider takes no more messages for now, they wait: {reason}");
    notice::give(db, &Notice::ongoing(name_of(DAILY_CAP), text).without_sms(), now).map(drop)
}

/// Takes back what the operator was told of limits that nothing waits for any more.
pub(super) fn end_limit_notices(db: &Connection) -> Result<(), StoreError> {
    let sql = "UPDATE notice SET is_over = 1 WHERE name GLOB 'limit-*' AND is_over = 0
               AND NOT EXISTS (SELECT 1 FROM part WHERE waits_for = substr(notice.name, 7))";
    execute(db, sql, ()).map(drop)
}

fn count_rally(db: &Connection, candidate: &Candidate, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT rally_moments, rally_last, rally_message FROM conversation WHERE id = ?";
    let before = one(db, sql, [candidate.conversation.0], |row| {
        let (moments, message) = (row.get("rally_moments")?, row.get::<_, Option<i64>>("rally_message")?);
        Ok(maybe_time(row, "rally_last")?.zip(message).map(|(last, message)| ReplyLoop {
            moments,
            last,
            message: MessageId(message),
        }))
    })?;
    let reply_loop = ReplyLoop::after(before, candidate.message, now);
    let sql = "UPDATE conversation SET rally_moments = ?2, rally_last = ?3, rally_message = ?4 WHERE id = ?1";
    execute(db, sql, (candidate.conversation.0, reply_loop.moments, reply_loop.last.0, reply_loop.message.0))?;
    if reply_loop.is_endless() { pause(db, candidate.conversation, &candidate.contact, now) } else { Ok(()) }
}

/// Notes that a text which `came` then is answered: of machines that answer each other slowly, no limit is ever reached.
pub(super) fn count_exchange(
    db: &Connection,
    id: ConversationId,
    received_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "SELECT sent_at FROM part WHERE conversation = ? AND sent_at IS NOT NULL AND position = 1
               ORDER BY sent_at DESC LIMIT 1";
    let left = find(db, sql, [id.0], |row| time(row, "sent_at"))?;
    let before = one(db, "SELECT rally_score FROM conversation WHERE id = ?", [id.0], |row| row.get(0))?;
    let score = reply_loop::score(before, left, received_at);
    execute(db, "UPDATE conversation SET rally_score = ?2 WHERE id = ?1", (id.0, score))?;
    if score < reply_loop::ENDLESS_SCORE { Ok(()) } else { pause(db, id, &conversation::contact_of(db, id)?, now) }
}

/// Nobody answers any more: whatever it was, it does not go on by itself.
pub(super) fn forget_exchanges(db: &Connection, id: ConversationId) -> Result<(), StoreError> {
    execute(db, "UPDATE conversation SET rally_score = 0 WHERE id = ?", [id.0]).map(drop)
}

/// How to have nothing more to do with a contact; a stranger can be blocked by SMS, an approved one only by who means it.
fn end_of(db: &Connection, contact: &PhoneNumber) -> Result<String, StoreError> {
    Ok(match contacts::is_approved(db, contact)? {
        true => format!("; `openclaw pairing reject telephony {contact} --block` ends it"),
        false => format!("; REJECT {contact} BLOCK ends it"),
    })
}

/// What the contact says from now on waits; what is in the outbox leaves within the limit.
fn pause(db: &Connection, id: ConversationId, contact: &PhoneNumber, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE conversation SET paused_until = ?2, rally_moments = 0, rally_last = NULL, rally_score = 0 WHERE id = ?1";
    execute(db, sql, (id.0, (now + PAUSE).0))?;
    conversation::rearm(db, id)?;
    let text = format!(
        "the conversation with {contact} goes on like two machines answering each other: it is paused for an hour and \
         what comes in waits; `openclaw telephony conversation {contact} --resume` goes on at once{}",
        end_of(db, contact)?
    );
    tracing::warn!(conversation = %id, contact = ?contact, "two machines seem to answer each other: paused for an hour");
    notice::give(db, &Notice::ongoing(pause_name(id), text), now).map(drop)
}

/// The notice that a conversation is paused.
pub(super) fn pause_name(id: ConversationId) -> String {
    format!("paused-{id}")
}

/// Ends pauses that are over, and those that a clock now set back had put off too far.
pub(super) fn end_pauses(db: &Connection, now: Timestamp) -> Result<(), StoreError> {
    let sql =
        "SELECT id FROM conversation WHERE paused_until IS NOT NULL AND (paused_until <= ?1 OR paused_until > ?2)";
    let over = list(db, sql, (now.0, (now + PAUSE).0), |row| row.get(0).map(ConversationId))?;
    over.into_iter().try_for_each(|id| end_pause(db, id))
}

/// Ends the pauses of a contact's conversations before their time. Returns how many there were.
pub(super) fn resume(db: &Connection, contact: &PhoneNumber) -> Result<usize, StoreError> {
    let sql = "SELECT id FROM conversation WHERE contact = ? AND paused_until IS NOT NULL";
    let paused = list(db, sql, [contact.as_str()], |row| row.get(0).map(ConversationId))?;
    paused.iter().try_for_each(|id| end_pause(db, *id))?;
    Ok(paused.len())
}

fn end_pause(db: &Connection, id: ConversationId) -> Result<(), StoreError> {
    execute(db, "UPDATE conversation SET paused_until = NULL WHERE id = ?", [id.0])?;
    conversation::rearm(db, id)?;
    notice::end(db, &pause_name(id)).map(drop)
}
