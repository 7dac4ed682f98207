//! Wake-up signals shared by the tasks. The database is the truth, so a lost signal only costs a second.

use std::time::Duration;

use telephony_domain::time::{Clock, Timestamp};
use tokio::sync::Notify;

/// Longest time until work of another process is found if its signal is lost.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One signal for each kind of work.
#[derive(Debug, Default)]
pub struct Wake {
    /// A turn may be due.
    pub inbox: Notify,
    /// A turn may wait for an unreachable agent.
    pub agent: Notify,
    /// A call may be due.
    pub calls: Notify,
    /// A part may be due.
    pub outbox: Notify,
    /// An outcome may be unknown.
    pub doubts: Notify,
    /// A message may have arrived at an unknown number.
    pub numbers: Notify,
    /// The account may need a probe.
    pub account: Notify,
    /// There may be a command of the operator, or a notice of another process.
    pub operator: Notify,
    /// The provider may have messages that are not here.
    pub missed: Notify,
    /// A genuine message may have been rejected because its fields looked rearranged.
    pub refused: Notify,
}

impl Wake {
    /// Sends every signal, because another process wrote something.
    pub fn all(&self) {
        for bell in [&self.inbox, &self.calls, &self.outbox, &self.doubts, &self.numbers, &self.account, &self.operator]
        {
            bell.notify_one();
        }
    }
}

/// Waits for `bell`, until `due`, or for a second, whichever comes first.
pub async fn wait(bell: &Notify, due: Option<Timestamp>, clock: &dyn Clock) {
    let until_due = due.map_or(LOOK_EVERY, |due| due.since(clock.now()));
    // Overdue work that was not started waits for another task's step; do not spin on it.
    let longest = until_due.clamp(Duration::from_millis(1), LOOK_EVERY);
    tokio::time::timeout(longest, bell.notified()).await.ok();
}
