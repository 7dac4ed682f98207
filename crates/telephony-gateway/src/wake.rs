//! Hints that there may be work; the database is the truth, so a lost hint costs a second and nothing else.

use std::time::Duration;

use telephony_domain::time::{Clock, Timestamp};
use tokio::sync::Notify;

/// Work written by another process is found after this long, should its hint get lost.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One bell for each kind of work.
#[derive(Debug, Default)]
pub struct Wake {
    /// A turn may be due.
    pub inbox: Notify,
    /// A turn may wait for an agent that cannot be reached.
    pub agent: Notify,
    /// A part may be due.
    pub outbox: Notify,
    /// An outcome may be unknown.
    pub doubts: Notify,
    /// A message may have come to a number that we do not know.
    pub numbers: Notify,
    /// The account may have to be probed.
    pub account: Notify,
    /// The operator may have ordered something, or there may be something to tell.
    pub operator: Notify,
    /// Messages may be at the provider that are not here.
    pub missed: Notify,
    /// A genuine message may have been refused because its fields looked rearranged.
    pub refused: Notify,
}

impl Wake {
    /// Rings every bell: somebody else wrote something.
    pub fn all(&self) {
        for bell in [&self.inbox, &self.outbox, &self.doubts, &self.numbers, &self.account, &self.operator] {
            bell.notify_one();
        }
    }
}

/// Waits for `bell`, until `due`, or for a second, whichever comes first.
pub async fn wait(bell: &Notify, due: Option<Timestamp>, clock: &dyn Clock) {
    let until_due = due.map_or(LOOK_EVERY, |due| due.since(clock.now()));
    // A due time in the past that was not taken waits for somebody else's step; do not spin on it.
    let longest = until_due.clamp(Duration::from_millis(1), LOOK_EVERY);
    tokio::time::timeout(longest, bell.notified()).await.ok();
}
