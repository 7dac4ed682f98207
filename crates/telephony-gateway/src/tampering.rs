//! Signatures on their way from a webhook to the store: of two divisions of one signed request, the first counts.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use telephony_domain::message::Signed;
use telephony_domain::notice::Notice;

use crate::notices::NoticeWriter;

/// Raises a notice that another party has a signed request from the provider, and has the provider's list searched,
/// because the message may have been genuine.
pub(crate) async fn report(notices: &NoticeWriter) {
    notices.wake.refused.notify_one();
    notices.raise(Notice::Tampered).await;
}

/// Signatures whose messages are not stored yet, with the digests of their fields.
#[derive(Debug, Default)]
pub(crate) struct Signatures(Mutex<HashMap<String, String>>);

impl Signatures {
    /// Claims the signature for this content. Returns false if other content has it.
    pub(crate) fn claim(&self, signed: &Signed) -> bool {
        let mut known = self.known();
        known.entry(signed.signature.clone()).or_insert_with(|| signed.content.clone()) == &signed.content
    }

    /// Releases the signature: the message is stored, or was not kept at all, so the store decides.
    pub(crate) fn release(&self, signed: &Signed) {
        let mut known = self.known();
        if known.get(&signed.signature) == Some(&signed.content) {
            known.remove(&signed.signature);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_content_counts_until_the_store_has_it() {
        let signed = |content: &str| Signed { signature: "s".into(), content: content.into() };
        let signatures = Signatures::default();
        assert!(signatures.claim(&signed("first")) && signatures.claim(&signed("first")));
        assert!(!signatures.claim(&signed("second")));
        signatures.release(&signed("second"));
        assert!(!signatures.claim(&signed("second")));
        signatures.release(&signed("first"));
        assert!(signatures.claim(&signed("second")));
    }
}
