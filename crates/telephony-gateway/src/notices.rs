//! Notices to the operator: in the log, in `telephony status`, and by SMS if there is a number.

use std::sync::Arc;

use telephony_domain::notice::Notice;
use telephony_domain::time::Clock;
use telephony_store::Store;

use crate::wake::Wake;

/// Raises and ends notices.
#[derive(Clone)]
pub struct NoticeWriter {
    /// Store, where notices are kept.
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wake: Arc<Wake>,
    /// The provider's name in texts.
    pub(crate) company: &'static str,
}

impl NoticeWriter {
    /// Raises a notice once for as long as it holds; repeating it is cheap. The text is logged, so it contains no
    /// message texts or secrets, and numbers are masked.
    pub async fn raise(&self, notice: Notice) {
        let (name, text) = (notice.name(), notice.text(self.company));
        match self.store.raise_notice(notice, self.clock.now()).await {
            Ok(true) => tracing::warn!(notice = name, "{text}"),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(notice = name, %error, hint = error.hint(), "cannot store a notice: {text}");
            }
        }
    }

    pub(crate) async fn end(&self, name: &str) {
        match self.store.end_notice(name, self.clock.now()).await {
            Ok(true) => tracing::info!(notice = name, "a notice has ended"),
            Ok(false) => {}
            Err(error) => tracing::error!(notice = name, %error, hint = error.hint(), "cannot end a notice"),
        }
    }
}
