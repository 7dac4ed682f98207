//! A signal that the operator has a new notice, which no caller of the store can forget to send.

use std::cell::Cell;

use tokio::sync::Notify;

thread_local! {
    /// True if a transaction of this thread, the writer's, raised a notice since the last signal.
    static HAS_NOTICE: Cell<bool> = const { Cell::new(false) };
}

/// Records that the transaction raised a notice.
pub(crate) fn notice_raised() {
    HAS_NOTICE.set(true);
}

/// Sends the signal if a notice was raised. Called between transactions, so that a reader finds the notice.
pub(super) fn signal(raised: &Notify) {
    if HAS_NOTICE.take() {
        raised.notify_one();
    }
}
