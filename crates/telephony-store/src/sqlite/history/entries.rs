//! Messages in both directions as entries of one list.

use telephony_domain::delivery::Status;
use telephony_domain::id::{InboundId, LineId, MessageId};
use telephony_domain::message::MessagePurpose;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::history::{Direction, EntryId, EntryState, Filter, MessageEntry};
use crate::outbox::{PartProgress, PartState};
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, Value, find, list_some, time};
use crate::sqlite::outbox::progress;

const INBOUND: &str = "SELECT id, sender, line, received_at, text, state, why,
                              (SELECT count(*) FROM inbound_media WHERE inbound = inbound.id) AS media FROM inbound";

const OUTBOUND: &str = "SELECT m.id, c.contact, c.line, m.created_at, m.purpose,
                               coalesce(m.text, (SELECT text FROM part WHERE message = m.id)) AS text,
                               (SELECT count(*) FROM message_media WHERE message = m.id) AS media
                        FROM message AS m JOIN conversation AS c ON c.id = m.conversation";

/// Returns the newest messages that match `filter`, newest first.
pub(super) fn list_by(db: &Db, filter: &Filter) -> Result<Vec<MessageEntry>, StoreError> {
    let mut entries = Vec::new();
    if filter.direction != Some(Direction::Outbound) {
        entries.extend(collect(db, inbound_by(filter), filter, |row| Ok(inbound(row)?))?);
    }
    if filter.direction != Some(Direction::Inbound) {
        entries.extend(collect(db, outbound_by(filter), filter, |row| outbound(row)?.with_parts(db))?);
    }
    // At the same moment, the contact's message comes before the answer.
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.time, rank(entry.id))));
    entries.truncate(most(filter));
    Ok(entries)
}

/// Reads no further than the last wanted message.
fn collect(
    db: &Db,
    query: Query,
    filter: &Filter,
    read: impl Fn(&Row<'_>) -> Result<MessageEntry, StoreError>,
) -> Result<Vec<MessageEntry>, StoreError> {
    list_some(db, &query.sql(), query.values, most(filter), |row| {
        let entry = read(row)?;
        Ok(filter.wants_state(&entry).then_some(entry))
    })
}

fn most(filter: &Filter) -> usize {
    usize::try_from(filter.limit).unwrap_or(usize::MAX)
}

fn rank(id: EntryId) -> (u8, i64) {
    match id {
        EntryId::In(id) => (0, id.0),
        EntryId::Out(id) => (1, id.0),
    }
}

fn inbound_by(filter: &Filter) -> Query {
    let mut query = Query::new(INBOUND, "received_at", "id", filter);
    // Messages to numbers not known to be ours are in no conversation; senders without a number never are.
    let contact = "(sender = ? OR conversation IN (SELECT id FROM conversation WHERE contact = ?))";
    query.only(contact, contact_of(filter));
    query.only("line = ?", filter.line.map(|line| Value::Integer(line.0)));
    query.only("id > ?", filter.after.map(|mark| Value::Integer(mark.inbound.0)));
    query.only("instr(?, ',' || state || ',') > 0", states_of(filter));
    query
}

fn outbound_by(filter: &Filter) -> Query {
    let mut query = Query::new(OUTBOUND, "m.created_at", "m.id", filter);
    query.only("c.contact = ?", contact_of(filter));
    query.only("c.line = ?", filter.line.map(|line| Value::Integer(line.0)));
    query.only("m.id > ?", filter.after.map(|mark| Value::Integer(mark.message.0)));
    // A message's state is computed when it is read; it equals the state of one of its parts.
    let any_part = "EXISTS (SELECT 1 FROM part WHERE message = m.id AND
                    instr(?, ',' || iif(state = 'sent', coalesce(status, 'sent'), state) || ',') > 0)";
    query.only(any_part, states_of(filter));
    query
}

fn contact_of(filter: &Filter) -> Option<Value> {
    filter.contact.clone().map(Value::Text)
}

/// Returns the wanted states, with a comma on each side of each.
fn states_of(filter: &Filter) -> Option<Value> {
    (!filter.states.is_empty()).then(|| Value::Text(format!(",{},", filter.states.join(","))))
}

/// A query with only the needed conditions, so that each finds its index.
struct Query {
    from: &'static str,
    conditions: Vec<String>,
    values: Vec<Value>,
    order: String,
    limit: i64,
}

impl Query {
    fn new(from: &'static str, time: &str, id: &str, filter: &Filter) -> Self {
        // Newer than a mark is found by id, anything else by time.
        let order = if filter.after.is_some() { format!("{id} DESC") } else { format!("{time} DESC, {id} DESC") };
        let limit = if filter.states.is_empty() { i64::from(filter.limit) } else { -1 };
        let mut query = Self { from, conditions: Vec::new(), values: Vec::new(), order, limit };
        query.only(&format!("{time} >= ?"), filter.since.map(|since| Value::Integer(since.0)));
        query.only(&format!("{time} < ?"), filter.until.map(|until| Value::Integer(until.0)));
        query
    }

    /// Adds a condition in which every `?` is the value.
    fn only(&mut self, condition: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.values.push(value);
            self.conditions.push(condition.replace('?', &format!("?{}", self.values.len())));
        }
    }

    fn sql(&self) -> String {
        let Self { from, conditions, order, limit, .. } = self;
        let filter = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
        format!("{from} {filter} ORDER BY {order} LIMIT {limit}")
    }
}

/// Returns one message by its id.
pub(super) fn entry(db: &Db, id: EntryId) -> Result<Option<MessageEntry>, StoreError> {
    match id {
        EntryId::In(id) => find(db, &format!("{INBOUND} WHERE id = ?"), [id.0], inbound),
        EntryId::Out(id) => {
            let found = find(db, &format!("{OUTBOUND} WHERE m.id = ?"), [id.0], outbound)?;
            found.map(|message| message.with_parts(db)).transpose()
        }
    }
}

fn inbound(row: &Row<'_>) -> RowResult<MessageEntry> {
    Ok(MessageEntry {
        id: EntryId::In(InboundId(row.get("id")?)),
        contact: row.get("sender")?,
        line: row.get::<_, Option<i64>>("line")?.map(LineId),
        time: time(row, "received_at")?,
        text: row.get("text")?,
        media: row.get("media")?,
        standing: EntryState::In { state: row.get("state")?, why: row.get("why")? },
    })
}

/// A message to a contact before its parts are read.
struct Outbound {
    id: MessageId,
    contact: String,
    line: LineId,
    created: Timestamp,
    text: String,
    media: u32,
    purpose: MessagePurpose,
}

fn outbound(row: &Row<'_>) -> RowResult<Outbound> {
    Ok(Outbound {
        id: MessageId(row.get("id")?),
        contact: row.get("contact")?,
        line: LineId(row.get("line")?),
        created: time(row, "created_at")?,
        text: row.get("text")?,
        media: row.get("media")?,
        purpose: columns::purpose(row)?,
    })
}

impl Outbound {
    fn with_parts(self, db: &Db) -> Result<MessageEntry, StoreError> {
        let parts = progress::parts_of(db, self.id)?;
        let telling = parts.iter().min_by_key(|part| how_far(part));
        let telling = telling.ok_or_else(|| StoreError::Damaged(format!("message {} has no parts", self.id)))?;
        let standing = EntryState::Out {
            purpose: self.purpose,
            state: telling.state,
            status: telling.status,
            segments: parts.iter().map(|part| part.segments).sum(),
            code: telling.code,
            reason: telling.reason.clone(),
        };
        let (id, line) = (EntryId::Out(self.id), Some(self.line));
        Ok(MessageEntry {
            id,
            contact: self.contact,
            line,
            time: self.created,
            text: self.text,
            media: self.media,
            standing,
        })
    }
}

/// Ranks parts to find the one that determines a message's state: a failed one, else the least advanced.
fn how_far(part: &PartProgress) -> u8 {
    match part.state {
        PartState::Failed => 0,
        PartState::FinallyUnknown => 1,
        PartState::Canceled => 2,
        PartState::Unknown => 3,
        PartState::Queued => 4,
        PartState::Ready => 5,
        PartState::Starting => 6,
        PartState::Sent if part.status.is_some_and(Status::is_failure) => 7,
        PartState::Sent if !part.status.is_some_and(Status::is_final) => 8,
        PartState::Sent => 9,
    }
}
