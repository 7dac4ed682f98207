//! Tells the operator what needs attention: in the log, in `telephony status`, and by SMS where there is a number.

use std::sync::Arc;

use telephony_domain::time::Clock;
use telephony_store::Store;
use telephony_store::notices::Notice;

use crate::wake::Wake;

/// Whoever finds something that the operator should know holds one of these.
#[derive(Clone)]
pub struct Notices {
    /// Where notices survive.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is woken.
    pub wake: Arc<Wake>,
}

impl Notices {
    /// Tells the operator, once for as long as it holds; calling it again and again costs nothing. The text is logged:
    /// no bodies, no secrets, numbers masked.
    pub async fn tell(&self, notice: Notice) {
        let (name, text) = (notice.name.clone(), notice.text.clone());
        match self.store.give_notice(notice, self.clock.now()).await {
            Ok(true) => {
                tracing::warn!(notice = name, "{text}");
                self.wake.operator.notify_one();
            }
            Ok(false) => {}
            Err(error) => {
                tracing::error!(notice = name, %error, hint = error.hint(), "failed to keep for the operator: {text}");
            }
        }
    }

    /// It holds no longer.
    pub async fn end(&self, name: &str) {
        match self.store.end_notice(name, self.clock.now()).await {
            Ok(true) => tracing::info!(notice = name, "what the operator was told is over"),
            Ok(false) => {}
            Err(error) => tracing::error!(notice = name, %error, hint = error.hint(), "failed to end a notice"),
        }
    }
}
