//! Webhooks: signs, posts and retries requests as Twilio does. Leaves checking the answers to the callers.

mod address;
mod fetch;
mod signature;
mod wire;

use std::time::Duration;

use axum::http::{HeaderMap, Method};
use tokio::time::{Instant, timeout_at};

use crate::exchange::{Exchange, ExchangeEvent};
use crate::log::{AnswerDetail, LogKind, LogPosition, event};
use address::WebhookAddress;
pub(crate) use fetch::Fetched;

/// A request to the account's owner. Posting it again is a retry, with the same idempotency token.
#[derive(Clone)]
pub(crate) struct Webhook {
    pub(crate) endpoint: WebhookTarget,
    pub(crate) product: Product,
    pub(crate) parameters: Vec<(String, String)>,
    /// The value of `I-Twilio-Idempotency-Token`, constant across attempts.
    pub(crate) token: String,
    /// The SID of the message or call concerned.
    pub(crate) subject: String,
}

/// The destination of a webhook.
#[derive(Clone)]
pub(crate) struct WebhookTarget {
    /// The URL as configured, including fragment and user name.
    pub(crate) url: String,
    /// GET puts all parameters in the query.
    pub(crate) method: Method,
}

impl WebhookTarget {
    pub(crate) fn post(url: String) -> Self {
        Self { url, method: Method::POST }
    }

    /// Creates an endpoint with the method that a setting names: GET, or POST for anything else.
    pub(crate) fn new(url: String, method: &str) -> Self {
        Self { url, method: if method.eq_ignore_ascii_case("GET") { Method::GET } else { Method::POST } }
    }

    /// Returns the URL as Twilio's debugger shows it.
    pub(crate) fn url_without_fragment(&self) -> &str {
        self.url.split_once('#').map_or(self.url.as_str(), |(url, _)| url)
    }
}

/// The product that posts a webhook; voice signs `https` URLs without their port.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    Messaging,
    Voice,
}

/// The result of posting a webhook.
pub(crate) struct Posted {
    pub(crate) attempts: u32,
    pub(crate) outcome: Result<HttpAnswer, DeliveryFailure>,
}

/// An HTTP answer with any status.
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: String,
    pub(crate) is_chunked: bool,
    pub(crate) headers: HeaderMap,
}

/// The reason why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeliveryFailure {
    #[error("understand `{0}`: it is not an http or https URL")]
    Url(String),
    #[error("connect: {0}")]
    Connect(String),
    #[error("get an answer in time")]
    TimedOut,
    #[error("read the answer: {0}")]
    Broken(String),
}

impl DeliveryFailure {
    /// Returns the error code in Twilio's debugger.
    pub(crate) fn code(&self) -> u32 {
        match self {
            Self::Url(_) => 21402,
            Self::Connect(_) => 11205,
            Self::TimedOut => 11200,
            Self::Broken(_) => 11206,
        }
    }
}

impl HttpAnswer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
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
