//! Two machines that answer each other: told from people by how long they keep it up.

use std::time::Duration;

use crate::id::MessageId;
use crate::limit::MOMENT;
use crate::time::Timestamp;

/// A conversation that reached its limit of replies in so many moments in a row is paused: with a limit of 12 that is 48
/// replies in two minutes.
pub const ENDLESS_AFTER: u32 = 4;

/// A pause takes this long; then what waited is answered in one turn.
pub const PAUSE: Duration = Duration::from_secs(60 * 60);

/// Moments are in a row when one follows the other within this time.
const IN_A_ROW: Duration = Duration::from_secs(3 * MOMENT.as_secs());

/// How often in a row a conversation reached its limit of replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rally {
    /// In so many moments.
    pub moments: u32,
    /// When the last of them was counted.
    pub last: Timestamp,
    /// The message that had to wait then; a long answer alone is no rally.
    pub message: MessageId,
}

impl Rally {
    /// The rally once `message` has to wait at `now`, after it was `before`.
    pub fn after(before: Option<Rally>, message: MessageId, now: Timestamp) -> Rally {
        let first = Rally { moments: 1, last: now, message };
        let Some(before) = before.filter(|before| before.last <= now) else { return first };
        match now.since(before.last) {
            gap if gap > IN_A_ROW => first,
            gap if gap < MOMENT || before.message == message => before,
            _ => Rally { moments: before.moments.saturating_add(1), ..first },
        }
    }

    /// Whether no two people text like this.
    pub fn is_endless(&self) -> bool {
        self.moments >= ENDLESS_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rally(waits: &[(i64, i64)]) -> Rally {
        let step = |before, (second, message): &(i64, i64)| {
            Some(Rally::after(before, MessageId(*message), Timestamp(second * 1000)))
        };
        waits.iter().fold(None, step).unwrap()
    }

    #[test]
    fn machines_keep_it_up() {
        assert!(!rally(&[(0, 1), (30, 2), (60, 3)]).is_endless());
        assert!(rally(&[(0, 1), (1, 2), (30, 3), (31, 4), (75, 5), (140, 6)]).is_endless());
    }

    #[test]
    fn people_rest_or_get_a_long_answer() {
        assert_eq!(rally(&[(0, 1), (30, 2), (60, 3), (151, 4)]).moments, 1);
        assert_eq!(rally(&[(0, 1), (30, 1), (60, 1), (90, 1), (120, 1)]).moments, 1);
        assert_eq!(rally(&[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]).moments, 1);
    }

    #[test]
    fn a_clock_set_back_begins_anew() {
        assert_eq!(
            rally(&[(1000, 1), (1030, 2), (10, 3)]),
            Rally { moments: 1, last: Timestamp(10_000), message: MessageId(3) }
        );
    }
}
