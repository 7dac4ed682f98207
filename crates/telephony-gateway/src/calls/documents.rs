//! Requests that wait for their document while the agent works.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use telephony_domain::call::script::Script;
use telephony_domain::call::token::CallToken;
use tokio::sync::watch;
use tokio::time::timeout;

/// Longest wait of a request: Twilio gives up after 15 s, and each document should be there within 10 s.
const WAIT: Duration = Duration::from_secs(9);

/// A document with the token of the next one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CallDocument {
    pub(super) script: Script,
    pub(super) token: CallToken,
}

/// The newest document of each call that a request waits for, by the provider's id of the call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Documents(Arc<Mutex<HashMap<String, watch::Sender<Option<CallDocument>>>>>);

/// A request that may have to wait. Dropping it forgets the call's documents where no other request waits.
pub(super) struct WaitingRequest {
    documents: Documents,
    call: String,
    newest: watch::Receiver<Option<CallDocument>>,
}

impl Documents {
    /// Registers a request. Called before the rules decide about it, so that no document is missed.
    pub(super) fn wait_for(&self, call: &str) -> WaitingRequest {
        let newest = self.all().entry(call.to_owned()).or_default().subscribe();
        WaitingRequest { documents: self.clone(), call: call.to_owned(), newest }
    }

    /// Hands a document to the requests that wait for it.
    pub(super) fn publish(&self, call: &str, document: CallDocument) {
        if let Some(newest) = self.all().get(call) {
            newest.send_replace(Some(document));
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<Option<CallDocument>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitingRequest {
    /// Waits for the document whose next one has this token; none if it is late.
    pub(super) async fn document(&mut self, next: &CallToken) -> Option<CallDocument> {
        let is_mine =
            |document: &Option<CallDocument>| document.as_ref().is_some_and(|document| document.token == *next);
        let document = timeout(WAIT, self.newest.wait_for(is_mine)).await.ok()?.ok()?;
        document.clone()
    }
}

impl Drop for WaitingRequest {
    fn drop(&mut self) {
        let mut all = self.documents.all();
        // This receiver is still counted.
        if all.get(&self.call).is_some_and(|newest| newest.receiver_count() <= 1) {
            all.remove(&self.call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(token: u8) -> CallDocument {
        CallDocument { script: Script::hang_up(), token: CallToken::from_random([token; 16]) }
    }

    #[tokio::test]
    async fn a_request_gets_its_own_document_and_nothing_is_kept() {
        let documents = Documents::default();
        documents.publish("CA1", document(1));
        let mut first = documents.wait_for("CA1");
        let second = documents.wait_for("CA1");
        documents.publish("CA1", document(1));
        documents.publish("CA1", document(2));
        documents.publish("CA2", document(3));
        assert_eq!(first.document(&document(2).token).await, Some(document(2)));
        drop((first, second));
        assert!(documents.all().is_empty());
    }
}
