//! Arrivals: judged, stored and, if keywords, obeyed in one transaction.

use std::time::Duration;

use telephony_domain::address::{SenderOrigin, without_channel};
use telephony_domain::consent::{Evidence, Wish};
use telephony_domain::id::{ConversationId, InboundId, LineId};
use telephony_domain::keyword::{Keyword, classify};
use telephony_domain::message::Arrival;
use telephony_domain::number::PhoneNumber;
use telephony_domain::operator_command::OperatorCommand;
use telephony_domain::policy::{Admission, InboundPolicy, Policy, Refusal, Standing};
use telephony_domain::time::Timestamp;

use super::{signature, unanswerable};
use crate::inbox::{Accepted, ArrivalRules};
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, execute, list, new_id, one, time};
use crate::sqlite::outbox::consent;
use crate::sqlite::rows::{conversation, line, media};
use crate::{LONGEST_WAIT, StoreError};

/// Largest multiple of the merging time for which further texts delay a turn.
const LONGEST_COALESCE: u32 = 4;

/// Stored facts about an arriving message.
struct Facts {
    is_repeat: bool,
    is_watched: bool,
    line: Option<LineId>,
    conversation: Option<ConversationId>,
    /// Time since when messages wait, and when they are ready for a turn.
    waiting: Option<(Timestamp, Timestamp)>,
    standing: Standing,
}

/// The judgment of a message.
#[derive(Clone, Copy)]
enum ArrivalVerdict {
    Unconfirmed,
    Refused(Refusal),
    Keyword(Keyword),
    OperatorCommand,
    Empty,
    Waiting,
}

impl ArrivalVerdict {
    fn state(self) -> (&'static str, Option<&'static str>) {
        match self {
            ArrivalVerdict::Unconfirmed => ("unconfirmed", None),
            ArrivalVerdict::Refused(refusal) => ("refused", Some(refusal.as_str())),
            ArrivalVerdict::Keyword(Keyword::OptOut) => ("keyword", Some("opt-out")),
            ArrivalVerdict::Keyword(Keyword::OptIn) => ("keyword", Some("opt-in")),
            ArrivalVerdict::Keyword(Keyword::Help) => ("keyword", Some("help")),
            ArrivalVerdict::OperatorCommand => ("order", None),
            ArrivalVerdict::Empty => ("empty", None),
            ArrivalVerdict::Waiting => ("waiting", None),
        }
    }

    /// Returns the consent wish it expresses, if any.
    fn wish(self) -> Option<Wish> {
        match self {
            ArrivalVerdict::Keyword(Keyword::OptOut) => Some(Wish::OptOut),
            ArrivalVerdict::Keyword(Keyword::OptIn) => Some(Wish::OptIn),
            _ => None,
        }
    }

    fn accepted(self, id: InboundId) -> Accepted {
        match self {
            ArrivalVerdict::Unconfirmed => Accepted::Unconfirmed(id),
            ArrivalVerdict::Refused(refusal) => Accepted::Refused(id, refusal),
            ArrivalVerdict::Keyword(keyword) => Accepted::Keyword(id, keyword),
            ArrivalVerdict::OperatorCommand => Accepted::OperatorCommand(id),
            ArrivalVerdict::Empty => Accepted::Empty(id),
            ArrivalVerdict::Waiting => Accepted::Waiting(id),
        }
    }
}

/// A message to a number that was not known to be ours, with its provider.
type Unconfirmed = (InboundId, String, Arrival);

/// A message with its judgment.
struct Judged {
    line: Option<LineId>,
    conversation: Option<ConversationId>,
    verdict: ArrivalVerdict,
}

/// Stores an arrival, unless it was stored before.
pub(crate) fn accept(
    db: &Db,
    provider: &str,
    arrival: &Arrival,
    rules: &ArrivalRules,
    now: Timestamp,
) -> Result<Accepted, StoreError> {
    if signature::is_tampered(db, arrival)? {
        return Ok(Accepted::Tampered);
    }
    let facts = facts(db, provider, arrival, rules.line)?;
    if facts.is_repeat {
        signature::keep(db, provider, arrival)?;
        return Ok(Accepted::Repeat);
    }
    if facts.line.is_some() && !facts.is_watched {
        line::watch(db, &arrival.to)?;
    }
    let judged = judge_and_obey(db, arrival, &facts, &rules.policy, rules.operator.as_ref(), now)?;
    let id = insert(db, provider, arrival, &judged, now)?;
    signature::keep(db, provider, arrival)?;
    raise_notice(db, arrival, judged.verdict, now)?;
    let_wait(db, &judged, facts.waiting, rules.coalesce, now)?;
    Ok(judged.verdict.accepted(id))
}

/// Judges the messages to these addresses that arrived before they were known to be ours. Returns the number.
pub(crate) fn confirm(
    db: &Db,
    number: Option<&str>,
    service: Option<&str>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    // The operator's policy is applied when the turn is leased.
    let policy = Policy { inbound: InboundPolicy::Open, ..Policy::default() };
    let unconfirmed = unconfirmed(db, number, service)?;
    for (id, provider, arrival) in &unconfirmed {
        let facts = facts(db, provider, arrival, None)?;
        let judged = judge_and_obey(db, arrival, &facts, &policy, None, now)?;
        update(db, *id, &judged)?;
        raise_notice(db, arrival, judged.verdict, now)?;
        let_wait(db, &judged, facts.waiting, Duration::ZERO, now)?;
    }
    Ok(unconfirmed.len())
}

/// Runs before the message is stored, because an opt-out closes earlier messages.
fn judge_and_obey(
    db: &Db,
    arrival: &Arrival,
    facts: &Facts,
    policy: &Policy,
    operator: Option<&PhoneNumber>,
    now: Timestamp,
) -> Result<Judged, StoreError> {
    let verdict = match facts.line {
        Some(_) => judge(arrival, facts.standing, policy, operator),
        None => ArrivalVerdict::Unconfirmed,
    };
    let conversation = conversation_of(db, facts, arrival.origin().person().as_ref())?;
    if let (Some(wish), Some(conversation)) = (verdict.wish(), conversation) {
        match arrival.provider_time {
            None => consent::change(db, conversation, wish, evidence(arrival), now, now)?,
            Some(_) => consent::learn_late(db, conversation, wish, evidence(arrival), arrival.received_at(now), now)?,
        }
    }
    Ok(Judged { line: facts.line, conversation, verdict })
}

/// Raises a notice, because the agent never gets these messages.
fn raise_notice(db: &Db, arrival: &Arrival, verdict: ArrivalVerdict, now: Timestamp) -> Result<(), StoreError> {
    let origin = arrival.origin();
    match (verdict, &origin) {
        (ArrivalVerdict::Refused(Refusal::NotANumber), _) => unanswerable::text(db, &arrival.from, &origin, now),
        (ArrivalVerdict::Refused(Refusal::UnsupportedChannel), SenderOrigin::Channel { name, .. }) => {
            unanswerable::channel(db, &arrival.from, name, now)
        }
        (ArrivalVerdict::Keyword(Keyword::OptOut), SenderOrigin::Channel { name, number: Some(number) }) => {
            unanswerable::opt_out(db, number, name, now)
        }
        _ => Ok(()),
    }
}

fn evidence(arrival: &Arrival) -> Evidence {
    if arrival.opt_out_type.is_some() { Evidence::Provider } else { Evidence::Keyword }
}

/// Reads [`Facts`] for each arrival, so it has to be cheap.
pub(crate) const FACTS: &str = "SELECT EXISTS (SELECT 1 FROM inbound WHERE provider_id = ?1 AND provider = ?7)
                          OR EXISTS (SELECT 1 FROM deleted WHERE provider_id = ?1 AND provider = ?7),
                  ours.line, c.id, c.waiting_since, c.ready_at,
                  k.approved_at IS NOT NULL, k.blocked_at IS NOT NULL, c.opted_out_at IS NOT NULL,
                  EXISTS (SELECT 1 FROM watched WHERE number = ?6)
           FROM (SELECT coalesce((SELECT line FROM line_address WHERE address = ?2),
                                 (SELECT line FROM line_address WHERE address = ?3), ?5) AS line) AS ours
           LEFT JOIN conversation AS c ON c.line = ours.line AND c.contact = ?4
           LEFT JOIN contact AS k ON k.number = ?4";

/// Reads the facts; `home` is the line for messages to an address that is not a number.
fn facts(db: &Db, provider: &str, arrival: &Arrival, home: Option<LineId>) -> Result<Facts, StoreError> {
    let person = arrival.origin().person().map_or_else(|| arrival.from.clone(), String::from);
    let home = home.filter(|_| arrival.is_to_channel()).map(|line| line.0);
    let asked = (
        &arrival.provider_id,
        &arrival.messaging_service,
        without_channel(&arrival.to),
        person,
        home,
        &arrival.to,
        provider,
    );
    let maybe_time = |row: &Row<'_>, column: usize| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp));
    one(db, FACTS, asked, |row| {
        Ok(Facts {
            is_repeat: row.get(0)?,
            is_watched: row.get(8)?,
            line: row.get::<_, Option<i64>>(1)?.map(LineId),
            conversation: row.get::<_, Option<i64>>(2)?.map(ConversationId),
            waiting: maybe_time(row, 3)?.zip(maybe_time(row, 4)?),
            standing: Standing { is_approved: row.get(5)?, is_blocked: row.get(6)?, is_opted_out: row.get(7)? },
        })
    })
}

/// Judges a message. A keyword counts from any sender: an opt-out is never refused, and one on another channel counts
/// for the phone too. An opt-in on another channel does not, because it was not sent to the line.
fn judge(arrival: &Arrival, standing: Standing, policy: &Policy, operator: Option<&PhoneNumber>) -> ArrivalVerdict {
    let keyword = classify(&arrival.text, arrival.opt_out_type.as_deref(), standing.is_opted_out);
    let contact = match (arrival.origin(), keyword) {
        (SenderOrigin::Phone(_), Some(keyword)) => return ArrivalVerdict::Keyword(keyword),
        (SenderOrigin::Phone(contact), None) => Some(contact),
        (SenderOrigin::Channel { number: Some(_), .. }, Some(Keyword::OptOut)) => {
            return ArrivalVerdict::Keyword(Keyword::OptOut);
        }
        (SenderOrigin::Channel { .. }, _) => return ArrivalVerdict::Refused(Refusal::UnsupportedChannel),
        (SenderOrigin::ShortCode | SenderOrigin::Name, _) => None,
    };
    if contact.is_some() && contact.as_ref() == operator && is_order(arrival) {
        return ArrivalVerdict::OperatorCommand;
    }
    match policy.admit(contact.as_ref(), standing) {
        Admission::Refused(refusal) => ArrivalVerdict::Refused(refusal),
        Admission::Admitted | Admission::Stranger if is_empty(arrival) => ArrivalVerdict::Empty,
        Admission::Admitted | Admission::Stranger => ArrivalVerdict::Waiting,
    }
}

/// Returns true for an operator command, whatever the policy.
fn is_order(arrival: &Arrival) -> bool {
    arrival.media.is_empty() && OperatorCommand::read(&arrival.text).is_some()
}

fn is_empty(arrival: &Arrival) -> bool {
    arrival.text.trim().is_empty() && arrival.media.is_empty()
}

fn conversation_of(
    db: &Db,
    facts: &Facts,
    contact: Option<&PhoneNumber>,
) -> Result<Option<ConversationId>, StoreError> {
    match (facts.conversation, facts.line, contact) {
        (Some(conversation), ..) => Ok(Some(conversation)),
        (None, Some(line), Some(contact)) => conversation::make(db, line, contact).map(Some),
        (None, ..) => Ok(None),
    }
}

fn insert(
    db: &Db,
    provider: &str,
    arrival: &Arrival,
    judged: &Judged,
    now: Timestamp,
) -> Result<InboundId, StoreError> {
    let sql =
        "INSERT INTO inbound (provider_id, line, conversation, sender, recipient, messaging_service, opt_out_type,
                                    text, also_to, state, why, received_at, stored_at, price_due_at, provider)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (state, why) = judged.verdict.state();
    let row = (
        &arrival.provider_id,
        judged.line.map(|line| line.0),
        judged.conversation.map(|conversation| conversation.0),
        &arrival.from,
        &arrival.to,
        &arrival.messaging_service,
        &arrival.opt_out_type,
        &arrival.text,
        (!arrival.also_to.is_empty()).then(|| arrival.also_to.join(" ")),
        state,
        why,
        arrival.received_at(now).0,
        arrival.provider_time.map(|_| now.0),
        crate::costs::first_ask(now).0,
        provider,
    );
    execute(db, sql, row)?;
    let id = InboundId(new_id(db));
    media::insert_inbound(db, id, &arrival.media)?;
    Ok(id)
}

fn unconfirmed(db: &Db, number: Option<&str>, service: Option<&str>) -> Result<Vec<Unconfirmed>, StoreError> {
    let sql = "SELECT id, provider_id, sender, recipient, messaging_service, text, opt_out_type, also_to, received_at,
                      provider
               FROM inbound INDEXED BY inbound_unconfirmed
               WHERE state = 'unconfirmed' AND (recipient = ?1 OR messaging_service = ?2) ORDER BY id";
    let mut found = list(db, sql, (number, service), |row| {
        let arrival = Arrival {
            provider_id: row.get(1)?,
            from: row.get(2)?,
            to: row.get(3)?,
            messaging_service: row.get(4)?,
            text: row.get(5)?,
            media: Vec::new(),
            also_to: columns::also_to(row)?,
            opt_out_type: row.get(6)?,
            provider_time: Some(time(row, "received_at")?),
            signed: None,
        };
        Ok((InboundId(row.get(0)?), row.get("provider")?, arrival))
    })?;
    for (id, _, arrival) in &mut found {
        arrival.media = media::declared(db, *id)?;
    }
    Ok(found)
}

fn update(db: &Db, id: InboundId, judged: &Judged) -> Result<(), StoreError> {
    let sql = "UPDATE inbound SET line = ?2, conversation = ?3, state = ?4, why = ?5 WHERE id = ?1";
    let (state, why) = judged.verdict.state();
    let conversation = judged.conversation.map(|conversation| conversation.0);
    execute(db, sql, (id.0, judged.line.map(|line| line.0), conversation, state, why)).map(drop)
}

fn let_wait(
    db: &Db,
    judged: &Judged,
    waiting: Option<(Timestamp, Timestamp)>,
    coalesce: Duration,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (ArrivalVerdict::Waiting, Some(conversation)) = (judged.verdict, judged.conversation) else { return Ok(()) };
    let since = waiting.map_or(now, |(since, _)| since.min(now));
    let waits = Some((since, ready_at(since, coalesce, now)));
    if waits == waiting { Ok(()) } else { conversation::set_ready(db, conversation, waits) }
}

/// Returns when the turn is ready: each further text delays it, but only up to a few times the wait from the first.
fn ready_at(since: Timestamp, coalesce: Duration, now: Timestamp) -> Timestamp {
    let latest = since + coalesce * LONGEST_COALESCE;
    (now + coalesce.min(LONGEST_WAIT)).min(latest)
}
