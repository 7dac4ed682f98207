//! Recognizes two machines that answer each other by how long they keep it up.
//!
//! Twilio treats more than 15 replies between two of its numbers within 30 s as a loop (14107). Our own limit is below
//! that: fast bots are recognized by hitting it again and again, slower ones because, unlike people, they never pause.
//! Even slower ones are stopped by the daily limits.

use std::time::Duration;

use crate::id::MessageId;
use crate::limit::MOMENT;
use crate::time::Timestamp;

/// A conversation that hit its reply limit in so many consecutive windows is paused: with a limit of 12 that is 48
/// replies in two minutes.
pub const ENDLESS_AFTER: u32 = 4;

/// Delay after our answer up to which a text counts as quick, and its score. People do not keep reading and writing
/// within 10 s for long, and within a minute only for a while.
const QUICK: (Duration, u32) = (Duration::from_secs(10), 3);
const STEADY: (Duration, u32) = (Duration::from_secs(60), 1);

/// A conversation with this score is paused: after 30 quick or 90 steady exchanges in a row. By the price list that is
/// about 1.40 USD at most, and less than a third of one contact's daily limit (300 segments).
pub const ENDLESS_SCORE: u32 = 90;

/// Length of a pause; afterwards the waiting messages are answered in one turn.
pub const PAUSE: Duration = Duration::from_secs(60 * 60);

/// Longest gap between consecutive windows.
const IN_A_ROW: Duration = Duration::from_secs(3 * MOMENT.as_secs());

/// Consecutive windows in which a conversation hit its reply limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyLoop {
    /// Number of windows.
    pub moments: u32,
    /// Time when the last one was counted.
    pub last: Timestamp,
    /// The message that had to wait then; a long answer alone is not a loop.
    pub message: MessageId,
}

impl ReplyLoop {
    /// Returns the new count once `message` has to wait at `now`.
    pub fn after(before: Option<ReplyLoop>, message: MessageId, now: Timestamp) -> ReplyLoop {
        let first = ReplyLoop { moments: 1, last: now, message };
        let Some(before) = before.filter(|before| before.last <= now) else { return first };
        match now.since(before.last) {
            gap if gap > IN_A_ROW => first,
            gap if gap < MOMENT || before.message == message => before,
            _ => ReplyLoop { moments: before.moments.saturating_add(1), ..first },
        }
    }

    /// Returns true if no two people text like this.
    pub fn is_endless(&self) -> bool {
        self.moments >= ENDLESS_AFTER
    }
}

/// Returns the new score for a text received at `received_at` after our last answer `left`.
pub fn score(before: u32, left: Option<Timestamp>, received_at: Timestamp) -> u32 {
    match left {
        None => 0,
        // They did not wait for our answer, so this is not a reply to it.
        Some(left) if received_at < left => before,
        Some(left) => {
            let pause = received_at.since(left);
            let counts = [QUICK, STEADY].into_iter().find(|(within, _)| pause <= *within);
            counts.map_or(0, |(_, counts)| before.saturating_add(counts))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply_loop(waits: &[(i64, i64)]) -> ReplyLoop {
        let step = |before, (second, message): &(i64, i64)| {
            Some(ReplyLoop::after(before, MessageId(*message), Timestamp(second * 1000)))
        };
        waits.iter().fold(None, step).unwrap()
    }

    #[test]
    fn fast_machines_are_recognized() {
        assert!(!reply_loop(&[(0, 1), (30, 2), (60, 3)]).is_endless());
        assert!(reply_loop(&[(0, 1), (1, 2), (30, 3), (31, 4), (75, 5), (140, 6)]).is_endless());
    }

    #[test]
    fn people_pause_or_get_a_long_answer() {
        assert_eq!(reply_loop(&[(0, 1), (30, 2), (60, 3), (151, 4)]).moments, 1);
        assert_eq!(reply_loop(&[(0, 1), (30, 1), (60, 1), (90, 1), (120, 1)]).moments, 1);
        assert_eq!(reply_loop(&[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]).moments, 1);
    }

    /// Returns the score after exchanges with these pauses in seconds.
    fn score_of(pauses: impl IntoIterator<Item = i64>) -> u32 {
        pauses.into_iter().fold(0, |before, pause| score(before, Some(Timestamp(0)), Timestamp(pause * 1000)))
    }

    #[test]
    fn slow_machines_are_recognized_because_they_never_pause() {
        assert!(score_of([3; 29]) < ENDLESS_SCORE && score_of([3; 30]) >= ENDLESS_SCORE);
        assert!(score_of([45; 89]) < ENDLESS_SCORE && score_of([45; 90]) >= ENDLESS_SCORE);
        assert_eq!(score_of([i64::from(u16::MAX); 1000]), 0, "one text in 18 hours");
    }

    #[test]
    fn people_may_send_several_texts_in_a_row() {
        let with_one_rest = [3; 29].into_iter().chain([61]).chain([3; 29]);
        assert!(score_of(with_one_rest) < ENDLESS_SCORE);
        assert_eq!(score_of([-1; 100]), 0, "they come before our answer has left");
        assert_eq!(score(50, None, Timestamp(0)), 0, "nothing was ever said to them");
    }

    #[test]
    fn a_clock_set_back_resets_the_score() {
        assert_eq!(
            reply_loop(&[(1000, 1), (1030, 2), (10, 3)]),
            ReplyLoop { moments: 1, last: Timestamp(10_000), message: MessageId(3) }
        );
    }
}
