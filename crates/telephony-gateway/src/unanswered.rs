//! Keeps the log readable if unanswerable senders keep writing: one line per hour and sender.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use telephony_domain::time::Timestamp;

/// Shortest interval between log lines about a sender.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Senders with lines of their own; all others share one.
const SENDERS: usize = 64;

/// The senders logged so far.
#[derive(Debug, Default)]
pub struct Unanswered(Mutex<HashMap<String, Timestamp>>);

impl Unanswered {
    /// Returns true if a message of `sender` should be logged now.
    pub fn is_news(&self, sender: &str, now: Timestamp) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back silences nothing.
        logged.retain(|_, at| now.since(*at) < EVERY && now >= *at);
        let sender = if logged.len() < SENDERS || logged.contains_key(sender) { sender } else { "" };
        let is_news = !logged.contains_key(sender);
        if is_news {
            logged.insert(sender.to_owned(), now);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(10_000_000);

    #[test]
    fn each_sender_is_logged_once_an_hour() {
        let unanswered = Unanswered::default();
        assert!(unanswered.is_news("68849", START));
        assert!(!unanswered.is_news("68849", START));
        assert!(unanswered.is_news("SUPPORT", START));
        assert!(unanswered.is_news("68849", START + EVERY));
        assert!(unanswered.is_news("68849", START), "the clock was set back");
    }

    #[test]
    fn a_flood_of_senders_fills_neither_the_log_nor_the_memory() {
        let unanswered = Unanswered::default();
        let lines = (0..10_000).filter(|n| unanswered.is_news(&n.to_string(), START)).count();
        assert_eq!(lines, SENDERS + 1);
        assert_eq!(unanswered.0.lock().unwrap().len(), SENDERS + 1);
    }
}
