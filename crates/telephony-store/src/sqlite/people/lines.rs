//! Lines, and messages to numbers that may or may not be lines.

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::line_address::InvalidLineAddress;
use telephony_domain::pace::Pace;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::lines::{Gap, LOOK_BACK, Line, LineQueue, Lines};
use crate::sqlite::SqliteStore;
use crate::sqlite::engine::query::{Db, execute, list, time};
use crate::sqlite::inbox::arrival;
use crate::sqlite::outbox::forecast;
use crate::sqlite::rows::line;

#[async_trait]
impl Lines for SqliteStore {
    async fn claim_line(&self, provider: &str, sender: Sender, now: Timestamp) -> Result<LineId, StoreError> {
        let provider = provider.to_owned();
        self.write(move |db| claim(db, &provider, &sender, now)).await
    }

    async fn bound_queues(&self, terms: Terms) -> Result<(), StoreError> {
        self.write(move |db| bound_queues(db, &terms)).await
    }

    async fn queues(&self, terms: Terms, now: Timestamp) -> Result<Vec<LineQueue>, StoreError> {
        self.read(move |db| forecast::queues(db, &terms, now)).await
    }

    async fn unconfirmed_numbers(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT recipient FROM inbound WHERE state = 'unconfirmed' ORDER BY recipient";
        self.read(|db| list(db, sql, (), |row| row.get(0))).await
    }

    async fn resolve_number(
        &self,
        provider: &str,
        number: &str,
        is_ours: bool,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let (provider, number) = (provider.to_owned(), number.to_owned());
        self.write(move |db| resolve(db, &provider, &number, is_ours, now)).await
    }

    async fn watch(&self, numbers: Vec<String>) -> Result<(), StoreError> {
        self.write(move |db| numbers.iter().try_for_each(|number| line::watch(db, number))).await
    }

    async fn gaps(&self, now: Timestamp) -> Result<Vec<Gap>, StoreError> {
        self.write(move |db| gaps(db, now)).await
    }

    async fn widen_gaps(&self, since: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE watched SET seen_until = ?1 WHERE seen_until > ?1";
        self.write(move |db| execute(db, sql, [since.0]).map(drop)).await
    }

    async fn gap_closed(&self, gap: &Gap, until: Timestamp) -> Result<(), StoreError> {
        let gap = gap.clone();
        self.write(move |db| close(db, &gap, until)).await
    }

    async fn lines(&self) -> Result<Vec<Line>, StoreError> {
        let sql = "SELECT id, number, messaging_service FROM line ORDER BY id";
        self.read(|db| list(db, sql, (), line::read)).await
    }
}

fn bound_queues(db: &Db, terms: &Terms) -> Result<(), StoreError> {
    for line in list(db, "SELECT id, number, messaging_service FROM line", (), line::read)? {
        let most = terms.pace(&line.sender).map(Pace::segments_queued_at_most);
        execute(db, "UPDATE line SET waiting_at_most = ? WHERE id = ?", (most, line.id.0))?;
    }
    Ok(())
}

fn gaps(db: &Db, now: Timestamp) -> Result<Vec<Gap>, StoreError> {
    // A clock that was ahead at the first start would delay the search until then.
    execute(db, "UPDATE watched SET since = ?1, seen_until = ?1 WHERE since > ?1", [now.0])?;
    // A number that is new in a restored store may have been ours since the backup.
    let sql = "UPDATE watched SET since = s.since, seen_until = s.since
               FROM (SELECT min(?1, coalesce((SELECT backed_up_at FROM restored), ?1)) AS since) AS s
               WHERE watched.since IS NULL";
    execute(db, sql, [now.0])?;
    let sql = "SELECT number, since, seen_until FROM watched ORDER BY number";
    list(db, sql, (), |row| {
        let since = time(row, "since")?.max(time(row, "seen_until")?.min(now) - LOOK_BACK);
        Ok(Gap { number: row.get("number")?, since })
    })
}

fn close(db: &Db, gap: &Gap, until: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE watched SET seen_until = ?2 WHERE number = ?1 AND max(since, seen_until - ?4) >= ?3";
    let look_back = LOOK_BACK.as_millis() as i64;
    execute(db, sql, (&gap.number, until.0, gap.since.0, look_back)).map(drop)
}

fn claim(db: &Db, provider: &str, sender: &Sender, now: Timestamp) -> Result<LineId, StoreError> {
    let line = match line::owner(db, sender)? {
        Some(line) => {
            let sql = "UPDATE line SET number = ?2, messaging_service = ?3, provider = ?4 WHERE id = ?1";
            execute(db, sql, (line.0, line::number_of(sender), &sender.messaging_service, provider))?;
            // Waiting parts go out through the provider that the line has now.
            let sql = "UPDATE part SET provider = ?2
                       WHERE line = ?1 AND state IN ('queued', 'ready') AND provider <> ?2";
            execute(db, sql, (line.0, provider))?;
            line
        }
        None => line::make(db, provider, sender, now)?,
    };
    line::own(db, line, sender)?;
    arrival::confirm(db, line::number_of(sender), sender.messaging_service.as_deref(), now)?;
    Ok(line)
}

fn resolve(db: &Db, provider: &str, number: &str, is_ours: bool, now: Timestamp) -> Result<usize, StoreError> {
    if !is_ours {
        let sql = "UPDATE inbound SET state = 'dropped', why = 'not our number'
                   WHERE state = 'unconfirmed' AND recipient = ?";
        return execute(db, sql, [number]);
    }
    let cannot_send = |error: InvalidLineAddress| StoreError::Other(format!("cannot create a line: {error}"));
    let sender = Sender { number: Some(number.parse().map_err(cannot_send)?), messaging_service: None };
    if line::owner(db, &sender)?.is_none() {
        let line = line::make(db, provider, &sender, now)?;
        line::own(db, line, &sender)?;
    }
    arrival::confirm(db, Some(number), None, now)
}
