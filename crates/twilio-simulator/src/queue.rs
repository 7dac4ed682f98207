//! The queues in front of the account's numbers: how fast each sends, when a message's turn is, when a queue is full.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::number::NumberKind;

/// How fast numbers send.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pacing {
    /// As fast as asked.
    Lifted,
    /// Segments per second by kind of number: 1 for a local one, 3 for a toll-free one, 10 for a sender id, 100 for a short code.
    AsTwilio,
    /// So many segments per second, for any number.
    SegmentsPerSecond(f64),
}

impl Pacing {
    /// How long so many segments occupy a number.
    fn occupation(self, number: &str, segments: u32) -> Duration {
        let rate = match self {
            Self::Lifted => return Duration::ZERO,
            Self::AsTwilio => match NumberKind::of(number) {
                NumberKind::Local => 1.0,
                NumberKind::TollFree => 3.0,
                NumberKind::SenderId => 10.0,
                NumberKind::ShortCode => 100.0,
            },
            Self::SegmentsPerSecond(rate) => rate,
        };
        Duration::try_from_secs_f64(f64::from(segments) / rate).unwrap_or(Duration::MAX)
    }
}

/// All queues of the account.
pub(crate) struct Queues {
    pub(crate) pacing: Pacing,
    /// How long the last in a queue may have to wait. Twilio: 10 hours.
    limit: Duration,
    /// When each number may send again.
    free_at: HashMap<String, Instant>,
    /// When the turn of each waiting message is.
    turns: HashMap<String, Instant>,
}

impl Queues {
    pub(crate) fn new(pacing: Pacing, limit: Duration) -> Self {
        Self { pacing, limit, free_at: HashMap::new(), turns: HashMap::new() }
    }

    /// How long a message would wait that joined this number's queue now.
    pub(crate) fn backlog(&self, number: &str) -> Duration {
        let free_at = self.free_at.get(number);
        free_at.map_or(Duration::ZERO, |free_at| free_at.saturating_duration_since(Instant::now()))
    }

    /// Whether the queue of a number takes no more.
    pub(crate) fn is_full(&self, number: &str) -> bool {
        self.backlog(number) > self.limit
    }

    /// Puts a message at the end of a number's queue.
    pub(crate) fn join(&mut self, number: &str, sid: &str, segments: u32) {
        let now = Instant::now();
        let turn = self.free_at.get(number).map_or(now, |free_at| (*free_at).max(now));
        let occupied = self.pacing.occupation(number, segments);
        // An instant so far away that it cannot be named: nobody will see it.
        let free_at = turn.checked_add(occupied).unwrap_or(turn);
        self.free_at.insert(number.to_owned(), free_at);
        self.turns.insert(sid.to_owned(), turn);
    }

    /// Takes a message out of its queue and tells when its turn is.
    pub(crate) fn turn(&mut self, sid: &str) -> Option<Instant> {
        self.turns.remove(sid)
    }

    /// Changes the pace; lifted, everybody's turn has come.
    pub(crate) fn set_pacing(&mut self, pacing: Pacing) {
        self.pacing = pacing;
        if pacing == Pacing::Lifted {
            self.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.free_at.clear();
        self.turns.clear();
    }
}
