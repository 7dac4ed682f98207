//! What the operator is told by SMS: how often, and in how many words.

use std::fmt::Write;
use std::time::Duration;

use crate::unprintable;

/// The time in which the same is not told twice, and in which messages to the operator are counted.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// So many notices a day may follow each other closely.
const IN_QUICK_ORDER: u32 = 20;

/// What is told closely together becomes one SMS.
const QUICK: Duration = Duration::from_secs(60);

/// Somebody who makes much noise cannot keep the operator's phone busy, and cannot keep other news away for longer.
const SLOW: Duration = Duration::from_secs(30 * 60);

/// One SMS tells no more than this; the rest is in `telephony status`.
const LINES: usize = 5;

/// The time between one notice by SMS and the next, after `told` of them in a [`DAY`].
pub fn pause_after(told: u32) -> Duration {
    if told < IN_QUICK_ORDER { QUICK } else { SLOW }
}

/// One text of several, oldest first, without characters that mislead: remote ends have a say in some notices.
pub fn join(texts: &[&str]) -> String {
    let mut text = texts.iter().take(LINES).copied().collect::<Vec<_>>().join("\n\n");
    if let Some(more) = texts.len().checked_sub(LINES).filter(|more| *more > 0) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n\nAnd {more} more: openclaw telephony status");
    }
    unprintable::escape(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_slows_the_notices_down_but_never_stops_them() {
        assert_eq!(pause_after(0), QUICK);
        assert_eq!(pause_after(IN_QUICK_ORDER - 1), QUICK);
        assert_eq!(pause_after(IN_QUICK_ORDER), SLOW);
        assert_eq!(pause_after(u32::MAX), SLOW);
    }

    #[test]
    fn many_notices_are_one_text_that_says_what_it_leaves_out() {
        assert_eq!(join(&["one"]), "one");
        assert_eq!(join(&["one", "two"]), "one\n\ntwo");
        let seven = join(&["1", "2", "3", "4", "5", "6", "7"]);
        assert!(seven.ends_with("5\n\nAnd 2 more: openclaw telephony status"), "{seven}");
        assert_eq!(join(&["the agent said: \u{202E}ko", "two"]), "the agent said: <U+202E>ko\n\ntwo");
    }
}
