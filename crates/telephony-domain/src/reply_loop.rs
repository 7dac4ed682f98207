//! Recognizes two machines that answer each other: unlike people, they never pause.
//!
//! Twilio treats more than 15 replies between two of its numbers within 30 s as a loop (14107). Our own limit on
//! replies is below that, and slows fast bots down until they are recognized. The daily limits stop very slow ones.

use std::time::Duration;

use crate::time::Timestamp;

/// Delay after our answer up to which a text counts as quick, and its score. People do not keep reading and writing
/// within 10 s for long, and within a minute only for a while.
const QUICK: (Duration, u32) = (Duration::from_secs(10), 3);
const STEADY: (Duration, u32) = (Duration::from_secs(60), 1);

/// A conversation with this score is paused: after 30 quick or 90 steady exchanges in a row. By the price list that is
/// about 1.40 USD at most, and less than a third of one contact's daily limit (300 segments).
pub const ENDLESS_SCORE: u32 = 90;

/// Length of a pause; afterwards the waiting messages are answered in one turn.
pub const PAUSE: Duration = Duration::from_secs(60 * 60);

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

    /// Returns the score after exchanges with these pauses in seconds.
    fn score_of(pauses: impl IntoIterator<Item = i64>) -> u32 {
        pauses.into_iter().fold(0, |before, pause| score(before, Some(Timestamp(0)), Timestamp(pause * 1000)))
    }

    #[test]
    fn machines_are_recognized_because_they_never_pause() {
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
}
