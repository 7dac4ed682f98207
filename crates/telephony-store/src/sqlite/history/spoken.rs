//! A conversation as agents get it: answered turns, and the operator's texts between them.

use telephony_domain::id::{ConversationId, TurnId};
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::history::{Speaker, Spoken};
use crate::sqlite::engine::query::{Db, Row, RowResult, find, list, time};

/// Maximum number of operator texts that an agent gets, if it wants fewer turns than this.
const OPERATOR_TEXTS: u32 = 20;

/// A line with its time.
struct SpokenLine {
    at: Timestamp,
    spoken: Spoken,
}

pub(super) fn list_of(db: &Db, conversation: ConversationId, turns: u32) -> Result<Vec<Spoken>, StoreError> {
    let mut answered = answered(db, conversation, turns.saturating_add(1))?;
    let since = match answered.len() > turns as usize {
        true => answered.pop().map(|answered| answered.asked),
        false => forgotten_until(db, conversation)?,
    };
    let mut said = Vec::new();
    for answered in answered.into_iter().rev() {
        said.extend(if answered.is_on_call { said_on_call(db, answered.turn)? } else { said_in(db, answered.turn)? });
    }
    let (since, most) = (since.unwrap_or(Timestamp(0)), turns.max(OPERATOR_TEXTS));
    let mut by_operator = texted(db, conversation, since, most)?;
    by_operator.extend(called(db, conversation, since, most)?);
    by_operator.sort_by_key(|line| line.at);
    Ok(merged(said, by_operator).into_iter().filter(|spoken| !spoken.text.is_empty()).collect())
}

/// An answered turn, of texts or of a call.
struct AnsweredTurn {
    turn: TurnId,
    is_on_call: bool,
    /// The agent was last asked then.
    asked: Timestamp,
}

/// Returns answered turns, newest first: those of texts and of calls have their ids from one sequence.
fn answered(db: &Db, conversation: ConversationId, turns: u32) -> Result<Vec<AnsweredTurn>, StoreError> {
    let sql = "SELECT id, 0 AS is_on_call,
                      coalesce((SELECT max(started_at) FROM turn_attempt WHERE turn = turn.id), created_at) AS asked_at
               FROM turn WHERE conversation = ?1 AND state = 'answered'
                 AND id > (SELECT forgotten_turn FROM conversation WHERE id = ?1)
               UNION ALL
               SELECT t.id, 1, t.said_at FROM call AS k JOIN call_turn AS t ON t.call = k.id
               WHERE k.conversation = ?1 AND t.outcome IS NOT NULL AND t.prompt <> 'summarize'
                 AND t.id > (SELECT forgotten_turn FROM conversation WHERE id = ?1)
               ORDER BY id DESC LIMIT ?2";
    list(db, sql, (conversation.0, turns), |row| {
        Ok(AnsweredTurn {
            turn: TurnId(row.get("id")?),
            is_on_call: row.get("is_on_call")?,
            asked: time(row, "asked_at")?,
        })
    })
}

/// Returns when the contact last reset the conversation.
fn forgotten_until(db: &Db, conversation: ConversationId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT created_at FROM turn WHERE id <= (SELECT forgotten_turn FROM conversation WHERE id = ?)
               ORDER BY id DESC LIMIT 1";
    find(db, sql, [conversation.0], |row| time(row, "created_at"))
}

fn said_in(db: &Db, turn: TurnId) -> Result<Vec<SpokenLine>, StoreError> {
    let sql = "SELECT text, received_at AS at FROM inbound WHERE turn = ? ORDER BY id";
    let mut said = list(db, sql, [turn.0], |row| line(row, Speaker::Contact))?;
    let sql = "SELECT coalesce(m.text, (SELECT text FROM part WHERE message = m.id)) AS text, created_at AS at
               FROM message AS m WHERE turn = ? ORDER BY id";
    said.extend(list(db, sql, [turn.0], |row| line(row, Speaker::Agent))?);
    Ok(said)
}

/// Returns the lines of an answered turn of a call.
fn said_on_call(db: &Db, turn: TurnId) -> Result<Vec<SpokenLine>, StoreError> {
    let sql = "SELECT words AS text, said_at AS at FROM call_turn WHERE id = ?";
    let mut said = list(db, sql, [turn.0], |row| line(row, Speaker::Contact))?;
    let sql = "SELECT coalesce(answer, '') AS text, answered_at AS at FROM call_turn WHERE id = ?";
    said.extend(list(db, sql, [turn.0], |row| line(row, Speaker::Agent))?);
    Ok(said)
}

/// Returns the messages of calls that we placed since `since` and that were answered, in order of time.
fn called(db: &Db, conversation: ConversationId, since: Timestamp, limit: u32) -> Result<Vec<SpokenLine>, StoreError> {
    let sql = "SELECT o.message AS text, k.created_at AS at FROM call AS k JOIN outgoing_call AS o ON o.call = k.id
               WHERE k.conversation = ?1 AND k.created_at >= ?2 AND o.message IS NOT NULL
                 AND k.status IN ('in-progress', 'completed')
               ORDER BY k.id DESC LIMIT ?3";
    let mut newest_first = list(db, sql, (conversation.0, since.0, limit), |row| line(row, Speaker::Operator))?;
    newest_first.reverse();
    Ok(newest_first)
}

/// Returns the operator's texts since `since` that arrived or may have, in order of time; of a text that arrived
/// partially, the parts that did.
fn texted(db: &Db, conversation: ConversationId, since: Timestamp, limit: u32) -> Result<Vec<SpokenLine>, StoreError> {
    let sql = "SELECT min(p.sent_at) AS at,
                      iif(count(*) = (SELECT count(*) FROM part WHERE message = m.id) AND m.text IS NOT NULL,
                          m.text, group_concat(p.text, ' ' ORDER BY p.position)) AS text
               FROM part AS p JOIN message AS m ON m.id = p.message
               WHERE p.conversation = ?1 AND p.sent_at >= ?2 AND p.state = 'sent'
                 AND coalesce(p.status, '') NOT IN ('failed', 'undelivered', 'canceled')
                 AND m.purpose = 'send' AND m.turn IS NULL
               GROUP BY m.id ORDER BY at DESC, m.id DESC LIMIT ?3";
    let mut newest_first = list(db, sql, (conversation.0, since.0, limit), |row| line(row, Speaker::Operator))?;
    newest_first.reverse();
    Ok(newest_first)
}

fn line(row: &Row<'_>, by: Speaker) -> RowResult<SpokenLine> {
    Ok(SpokenLine { at: time(row, "at")?, spoken: Spoken { by, text: row.get("text")? } })
}

/// Merges both; turns keep their order, whatever the times of their messages.
fn merged(said: Vec<SpokenLine>, texted: Vec<SpokenLine>) -> Vec<Spoken> {
    let mut texted = texted.into_iter().peekable();
    let mut all = Vec::new();
    for line in said {
        while let Some(earlier) = texted.next_if(|text| text.at < line.at) {
            all.push(earlier.spoken);
        }
        all.push(line.spoken);
    }
    all.extend(texted.map(|text| text.spoken));
    all
}
