//! Webhooks: signs, posts and retries requests as Twilio does. Leaves checking the answers to the callers.

mod address;
mod fetch;
pub(crate) mod request;
mod signature;
mod wire;

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::exchange::{Exchange, ExchangeEvent};
use crate::log::{AnswerDetail, LogKind, LogPosition, event};
use address::WebhookAddress;
pub(crate) use fetch::Fetched;
use request::{DeliveryFailure, HttpAnswer, Product, Webhook};

/// The result of posting a webhook.
pub(crate) struct Posted {
    pub(crate) attempts: u32,
    pub(crate) outcome: Result<HttpAnswer, DeliveryFailure>,
}

impl Exchange {
    /// Posts a webhook and retries according to its URL's connection overrides, within the time limit.
    pub(crate) async fn post(&self, webhook: &Webhook) -> Posted {
        let address = match WebhookAddress::parse(&webhook.endpoint.url) {
            Ok(address) => address,
            Err(failure) => return Posted { attempts: 0, outcome: Err(failure) },
        };
        let deadline = Instant::now() + address.overrides.total.unwrap_or(self.config.webhook_timeout);
        let mut attempts = 1;
        loop {
            let outcome = self.attempt(webhook, &address, deadline).await;
            if attempts > address.overrides.retries || !address.overrides.retries_after(&outcome) {
                return Posted { attempts, outcome };
            }
            attempts += 1;
            // Prevents a busy loop when connections are refused.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn attempt(
        &self,
        webhook: &Webhook,
        address: &WebhookAddress,
        deadline: Instant,
    ) -> Result<HttpAnswer, DeliveryFailure> {
        let place = self.note_attempt(webhook, address);
        self.wake();
        let outcome = timeout_at(deadline, wire::send(self, webhook, address, place))
            .await
            .unwrap_or(Err(DeliveryFailure::TimedOut));
        let mut state = self.state();
        match &outcome {
            Ok(answer) => state.log.close(place, answer.status, AnswerDetail::new(&answer.headers, Some(&answer.body))),
            Err(failure) => state.log.fail(place, format!("failed to {failure}")),
        }
        let entry = state.log.entry(place);
        drop(state);
        if let Some(entry) = entry {
            self.publish(ExchangeEvent::Request(entry));
        }
        outcome
    }

    fn note_attempt(&self, webhook: &Webhook, address: &WebhookAddress) -> LogPosition {
        let (name, phone) = event::of_webhook(&webhook.parameters);
        let (method, url) = (webhook.endpoint.method.as_str(), address.signed_url(Product::Messaging));
        let log = &mut self.state().log;
        let place = log.open(LogKind::Webhook, name, method, &url, Some(&webhook.subject));
        log.note_phone(place, phone.as_deref());
        place
    }
}
