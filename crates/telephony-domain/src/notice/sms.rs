//! Notices by SMS: their frequency and length.

use std::fmt::Write;
use std::time::Duration;

use crate::unprintable;

/// Number of notices per day that may follow each other quickly.
const IN_QUICK_ORDER: u32 = 20;

/// Shortest interval between notices; those raised within it share an SMS.
const QUICK: Duration = Duration::from_secs(60);

/// Interval once there have been many: a noisy contact cannot keep the operator's phone busy, nor delay other news for
/// longer.
const SLOW: Duration = Duration::from_secs(30 * 60);

/// Maximum number of notices in one SMS; `telephony status` has the rest.
const LINES: usize = 5;

/// Returns the time until the next notice by SMS, after `sent` of them in a [`super::DAY`].
pub fn pause_after(sent: u32) -> Duration {
    if sent < IN_QUICK_ORDER { QUICK } else { SLOW }
}

/// Joins several notices, oldest first, and escapes misleading characters, because parts of some notices come from
/// remote servers.
pub fn join(texts: &[impl AsRef<str>]) -> String {
    let mut text = texts.iter().take(LINES).map(AsRef::as_ref).collect::<Vec<_>>().join("\n\n");
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
    fn many_notices_slow_the_sms_down_but_never_stop_them() {
        assert_eq!(pause_after(0), QUICK);
        assert_eq!(pause_after(IN_QUICK_ORDER - 1), QUICK);
        assert_eq!(pause_after(IN_QUICK_ORDER), SLOW);
        assert_eq!(pause_after(u32::MAX), SLOW);
    }

    #[test]
    fn many_notices_are_one_sms_that_counts_the_omitted_ones() {
        assert_eq!(join(&["one"]), "one");
        assert_eq!(join(&["one", "two"]), "one\n\ntwo");
        let seven = join(&["1", "2", "3", "4", "5", "6", "7"]);
        assert!(seven.ends_with("5\n\nAnd 2 more: openclaw telephony status"), "{seven}");
        assert_eq!(join(&["the agent said: \u{202E}ko", "two"]), "the agent said: <U+202E>ko\n\ntwo");
    }
}
