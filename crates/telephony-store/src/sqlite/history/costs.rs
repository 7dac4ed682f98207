//! Costs: prices to fetch, billed prices, and sums.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::money::{Billed, Price};
use telephony_domain::sms::segment;
use telephony_domain::tariff::BillingKind;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::costs::{ASK_AFTER, CallSpending, Costs, Spending, Unpriced};
use crate::sqlite::SqliteStore;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{self, Db, Row, RowResult, execute, list, time};

/// Number of earlier prices used for an estimate.
const EARLIER_PRICES: u32 = 25;

/// SQL: a part has the attachments of its message if it is the first.
const HAS_MEDIA: &str = "(p.position = 1 AND EXISTS (SELECT 1 FROM message_media WHERE message = p.message))";

/// SQL: the start of the UTC day.
fn day_of(column: &str) -> String {
    format!("({column} - {column} % 86400000)")
}

#[async_trait]
impl Costs for SqliteStore {
    async fn unpriced(&self, provider: &str, limit: u32, now: Timestamp) -> Result<Vec<Unpriced>, StoreError> {
        let provider = provider.to_owned();
        self.write(move |db| unpriced(db, &provider, limit, now)).await
    }

    async fn note_prices(&self, provider: &str, billed: Vec<Billed>) -> Result<usize, StoreError> {
        let provider = provider.to_owned();
        self.write(move |db| {
            billed.iter().try_fold(0, |noted, billed| Ok(noted + usize::from(note_price(db, &provider, billed)?)))
        })
        .await
    }

    async fn unpriced_calls(&self, provider: &str, limit: u32, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let provider = provider.to_owned();
        self.write(move |db| unpriced_calls(db, &provider, limit, now)).await
    }

    async fn note_call_price(
        &self,
        provider: &str,
        provider_id: &str,
        spoken: Option<Duration>,
        price: Option<Price>,
    ) -> Result<(), StoreError> {
        let (provider, provider_id) = (provider.to_owned(), provider_id.to_owned());
        self.write(move |db| note_call_price(db, &provider, &provider_id, spoken, price)).await
    }

    async fn call_spending(&self, since: Timestamp) -> Result<Vec<CallSpending>, StoreError> {
        self.read(move |db| called(db, since)).await
    }

    async fn spending(&self, since: Timestamp) -> Result<Vec<Spending>, StoreError> {
        self.read(move |db| Ok([sent(db, since)?, received(db, since)?, received_unpriced(db, since)?].concat())).await
    }

    async fn paid_before(&self, kind: BillingKind, country_code: &str) -> Result<Vec<Price>, StoreError> {
        let numbers = format!("+{country_code}*");
        self.read(move |db| paid_before(db, kind, &numbers)).await
    }
}

/// Returns the time of the next question after one at `now`.
fn next_ask(over: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let age = now.since(over);
    ASK_AFTER.into_iter().find(|wait| *wait > age).map(|wait| over + wait)
}

fn unpriced(db: &Db, provider: &str, limit: u32, now: Timestamp) -> Result<Vec<Unpriced>, StoreError> {
    let parts = "SELECT id, provider_id, sent_at AS at, coalesce(settled_at, sent_at) AS over FROM part
                 WHERE price_due_at IS NOT NULL AND price_due_at <= ?1 AND provider = ?3
                 ORDER BY price_due_at LIMIT ?2";
    let inbound = "SELECT id, provider_id, received_at AS at, received_at AS over FROM inbound
                   WHERE price_due_at IS NOT NULL AND price_due_at <= ?1 AND provider = ?3
                   ORDER BY price_due_at LIMIT ?2";
    let mut due = take(db, "part", parts, (now.0, limit, provider), now)?;
    let more = limit.saturating_sub(u32::try_from(due.len()).unwrap_or(limit));
    due.extend(take(db, "inbound", inbound, (now.0, more, provider), now)?);
    Ok(due)
}

fn take(db: &Db, table: &str, due: &str, asked: (i64, u32, &str), now: Timestamp) -> Result<Vec<Unpriced>, StoreError> {
    let read = |row: &Row<'_>| {
        let unpriced = Unpriced { provider_id: row.get("provider_id")?, time: time(row, "at")? };
        Ok((row.get::<_, i64>("id")?, time(row, "over")?, unpriced))
    };
    let ask_again = format!("UPDATE {table} SET price_due_at = ?2 WHERE id = ?1");
    let mut taken = Vec::new();
    for (id, over, unpriced) in list(db, due, asked, read)? {
        execute(db, &ask_again, (id, next_ask(over, now).map(|time| time.0)))?;
        taken.push(unpriced);
    }
    Ok(taken)
}

fn unpriced_calls(db: &Db, provider: &str, limit: u32, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT id, provider_id, ended_at FROM call
               WHERE price_due_at <= ?1 AND provider_id IS NOT NULL AND ended_at IS NOT NULL AND provider = ?3
               ORDER BY price_due_at LIMIT ?2";
    let due = list(db, sql, (now.0, limit, provider), |row| {
        Ok((row.get::<_, i64>("id")?, row.get::<_, String>("provider_id")?, time(row, "ended_at")?))
    })?;
    let mut taken = Vec::new();
    for (id, provider_id, over) in due {
        let next = next_ask(over, now).map(|time| time.0);
        execute(db, "UPDATE call SET price_due_at = ?2 WHERE id = ?1", (id, next))?;
        taken.push(provider_id);
    }
    Ok(taken)
}

fn note_call_price(
    db: &Db,
    provider: &str,
    id: &str,
    spoken: Option<Duration>,
    price: Option<Price>,
) -> Result<(), StoreError> {
    if let Some(spoken) = spoken {
        let seconds = i64::try_from(spoken.as_secs()).unwrap_or(i64::MAX);
        execute(db, "UPDATE call SET seconds = ?2 WHERE provider_id = ?1 AND provider = ?3", (id, seconds, provider))?;
    }
    if let Some(Price { amount, currency }) = price {
        let sql = "UPDATE call SET price = ?2, currency = ?3, price_due_at = NULL
                   WHERE provider_id = ?1 AND provider = ?4";
        execute(db, sql, (id, amount.0, currency.as_str(), provider))?;
    }
    Ok(())
}

/// Sums calls. Those that were not answered cost nothing.
fn called(db: &Db, since: Timestamp) -> Result<Vec<CallSpending>, StoreError> {
    let sql = format!(
        "SELECT {} AS day, c.line, c.contact, k.is_inbound, k.currency, count(*) AS calls,
                coalesce(sum(k.seconds), 0) AS seconds, sum(k.price) AS price
         FROM call AS k JOIN conversation AS c ON c.id = k.conversation
         WHERE k.created_at >= ? AND k.status IN ('completed', 'in-progress')
         GROUP BY day, c.line, c.contact, k.is_inbound, k.currency",
        day_of("k.created_at")
    );
    list(db, &sql, [since.0], |row| {
        Ok(CallSpending {
            day: time(row, "day")?,
            line: LineId(row.get("line")?),
            contact: columns::number(row, "contact")?,
            is_inbound: row.get("is_inbound")?,
            calls: row.get::<_, i64>("calls")?.unsigned_abs(),
            spoken: Duration::from_secs(row.get::<_, i64>("seconds")?.unsigned_abs()),
            price: columns::price(row)?,
        })
    })
}

/// Returns false if the message is not ours.
fn note_price(db: &Db, provider: &str, billed: &Billed) -> Result<bool, StoreError> {
    let Price { amount, currency } = billed.price;
    let price = (&billed.provider_id, amount.0, currency.as_str(), billed.segments, provider);
    let part =
        "UPDATE part SET price = ?2, currency = ?3, provider_segments = coalesce(nullif(?4, 0), provider_segments),
                       price_due_at = NULL WHERE provider_id = ?1 AND provider = ?5";
    let inbound = "UPDATE inbound SET price = ?2, currency = ?3, segments = coalesce(nullif(?4, 0), segments),
                          price_due_at = NULL WHERE provider_id = ?1 AND provider = ?5";
    Ok(execute(db, part, price)? + execute(db, inbound, price)? > 0)
}

/// Sums sent messages. The provider charges nothing for messages it could not send, unless it reports a price.
fn sent(db: &Db, since: Timestamp) -> Result<Vec<Spending>, StoreError> {
    let sql = format!(
        "SELECT {} AS day, p.line, c.contact, {HAS_MEDIA} AS has_media, p.currency, count(*) AS messages,
                sum(coalesce(p.provider_segments, p.segments)) AS segments, sum(p.price) AS price
         FROM part AS p JOIN conversation AS c ON c.id = p.conversation
         WHERE p.sent_at IS NOT NULL AND p.sent_at >= ? AND NOT (p.price IS NULL AND p.status IN ('failed', 'canceled'))
         GROUP BY day, p.line, c.contact, has_media, p.currency",
        day_of("p.sent_at")
    );
    list(db, &sql, [since.0], |row| read(row, false))
}

fn received(db: &Db, since: Timestamp) -> Result<Vec<Spending>, StoreError> {
    let sql = format!(
        "SELECT {} AS day, line, sender AS contact, EXISTS (SELECT 1 FROM inbound_media WHERE inbound = i.id) AS has_media,
                currency, count(*) AS messages, sum(coalesce(segments, 1)) AS segments, sum(price) AS price
         FROM inbound AS i WHERE received_at >= ? AND price IS NOT NULL
         GROUP BY day, line, sender, has_media, currency",
        day_of("received_at")
    );
    list(db, &sql, [since.0], |row| read(row, true))
}

/// Sums received messages without a price, whose segments have not been counted yet.
fn received_unpriced(db: &Db, since: Timestamp) -> Result<Vec<Spending>, StoreError> {
    let sql = format!(
        "SELECT {} AS day, line, sender AS contact, EXISTS (SELECT 1 FROM inbound_media WHERE inbound = i.id) AS has_media,
                NULL AS currency, 1 AS messages, 1 AS segments, NULL AS price, text
         FROM inbound AS i WHERE received_at >= ? AND price IS NULL",
        day_of("received_at")
    );
    list(db, &sql, [since.0], |row| {
        let segments = segment::count(&row.get::<_, String>("text")?).segments.max(1);
        Ok(Spending { segments: u64::from(segments), ..read(row, true)? })
    })
}

fn read(row: &Row<'_>, is_inbound: bool) -> RowResult<Spending> {
    Ok(Spending {
        day: time(row, "day")?,
        line: row.get::<_, Option<i64>>("line")?.map(LineId),
        contact: row.get("contact")?,
        kind: BillingKind::of(is_inbound, row.get("has_media")?),
        messages: row.get::<_, i64>("messages")?.unsigned_abs(),
        segments: row.get::<_, i64>("segments")?.unsigned_abs(),
        price: columns::price(row)?,
    })
}

fn paid_before(db: &Db, kind: BillingKind, numbers: &str) -> Result<Vec<Price>, StoreError> {
    let sql = match kind.is_inbound() {
        false => format!(
            "SELECT p.price, p.currency, coalesce(p.provider_segments, p.segments) FROM part AS p
             JOIN conversation AS c ON c.id = p.conversation
             WHERE p.price IS NOT NULL AND c.contact GLOB ?1 AND {HAS_MEDIA} = ?2 ORDER BY p.id DESC LIMIT ?3"
        ),
        true => "SELECT price, currency, coalesce(segments, 1) FROM inbound AS i
                 WHERE price IS NOT NULL AND sender GLOB ?1
                   AND EXISTS (SELECT 1 FROM inbound_media WHERE inbound = i.id) = ?2 ORDER BY id DESC LIMIT ?3"
            .to_owned(),
    };
    let paid = list(db, &sql, (numbers, kind.has_media(), EARLIER_PRICES), |row| {
        let units = kind.units(1, query::count(row, 2)?);
        Ok(columns::price(row)?.map(|price| Price { amount: price.amount.per(units), ..price }))
    })?;
    Ok(paid.into_iter().flatten().collect())
}
