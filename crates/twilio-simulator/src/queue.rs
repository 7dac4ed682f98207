//! Queues of the account's senders: sending rate, each message's turn, and capacity.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::number::NumberKind;

/// The sending rate of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueuePacing {
    /// Numbers send at any rate.
    Lifted,
    /// Segments per second by kind of sender: local number 1, toll-free 3, sender ID 10, short code 100.
    AsTwilio,
    /// This many segments per second, for any number.
    SegmentsPerSecond(f64),
}

impl QueuePacing {
    /// Returns the time that a message of this many segments occupies a number.
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

pub(crate) struct Queues {
    pub(crate) pacing: QueuePacing,
    /// The maximum wait in a queue. Twilio: 10 hours.
    limit: Duration,
    /// The time from which each number is free to send.
    free_at: HashMap<String, Instant>,
    /// The turn of each waiting message.
    turns: HashMap<String, Instant>,
}

impl Queues {
    pub(crate) fn new(pacing: QueuePacing, limit: Duration) -> Self {
        Self { pacing, limit, free_at: HashMap::new(), turns: HashMap::new() }
    }

    /// Returns the wait of a message that joined this number's queue now.
    pub(crate) fn backlog(&self, number: &str) -> Duration {
        let free_at = self.free_at.get(number);
        free_at.map_or(Duration::ZERO, |free_at| free_at.saturating_duration_since(Instant::now()))
    }

    /// Returns true if a number's queue accepts no more messages.
    pub(crate) fn is_full(&self, number: &str) -> bool {
        self.backlog(number) > self.limit
    }

    /// Adds a message to a number's queue.
    pub(crate) fn join(&mut self, number: &str, sid: &str, segments: u32) {
        let now = Instant::now();
        let turn = self.free_at.get(number).map_or(now, |free_at| (*free_at).max(now));
        let occupied = self.pacing.occupation(number, segments);
        // An `Instant` this far away overflows; such a message never leaves anyway.
        let free_at = turn.checked_add(occupied).unwrap_or(turn);
        self.free_at.insert(number.to_owned(), free_at);
        self.turns.insert(sid.to_owned(), turn);
    }

    /// Removes a message from its queue and returns its turn.
    pub(crate) fn turn(&mut self, sid: &str) -> Option<Instant> {
        self.turns.remove(sid)
    }

    /// Changes the sending rate. Lifting it releases all messages.
    pub(crate) fn set_pacing(&mut self, pacing: QueuePacing) {
        self.pacing = pacing;
        if pacing == QueuePacing::Lifted {
            self.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.free_at.clear();
        self.turns.clear();
    }
}
