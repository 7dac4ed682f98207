//! Webhooks: signs a request, posts it as Twilio does and retries it as its URL asks. Leaves judging the answer to
//! whoever asked for it.

mod address;
mod fetch;
mod signature;
mod wire;

use std::time::Duration;

use axum::http::{HeaderMap, Method};
use tokio::time::{Instant, timeout_at};

use crate::exchange::{Event, Exchange};
use crate::log::{Answered, LogKind, LogPlace, event};
use address::Address;
pub(crate) use fetch::Fetched;

/// A request to the account's owner. Posting the same one again is what Twilio's retries do.
#[derive(Clone)]
pub(crate) struct Webhook {
    pub(crate) endpoint: Endpoint,
    pub(crate) product: Product,
    pub(crate) parameters: Vec<(String, String)>,
    /// The value of `I-Twilio-Idempotency-Token`, the same in every attempt.
    pub(crate) token: String,
    /// The SID of the message or call that it is about.
    pub(crate) subject: String,
}

/// Where a webhook goes.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// The URL as it was configured, fragment and user name included.
    pub(crate) url: String,
    /// With GET all parameters are in the query.
    pub(crate) method: Method,
}

impl Endpoint {
    pub(crate) fn post(url: String) -> Self {
        Self { url, method: Method::POST }
    }

    /// The URL as a debugger shows it.
    pub(crate) fn url_without_fragment(&self) -> &str {
        self.url.split_once('#').map_or(self.url.as_str(), |(url, _)| url)
    }
}

/// Whose webhook it is: voice signs an `https` URL without its port.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    Messaging,
    Voice,
}

/// What came of a webhook.
pub(crate) struct Posted {
    pub(crate) attempts: u32,
    pub(crate) outcome: Result<Answer, Failure>,
}

/// An HTTP answer of any status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: String,
    pub(crate) is_chunked: bool,
    pub(crate) headers: HeaderMap,
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("understand `{0}`: it is not an http or https URL")]
    Url(String),
    #[error("connect: {0}")]
    Connect(String),
    #[error("get an answer in time")]
    TimedOut,
    #[error("read the answer: {0}")]
    Broken(String),
}

impl Failure {
    /// The code that Twilio's debugger shows for it.
    pub(crate) fn code(&self) -> u32 {
        match self {
            Self::Url(_) => 21402,
            Self::Connect(_) => 11205,
            Self::TimedOut => 11200,
            Self::Broken(_) => 11206,
        }
    }
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Exchange {
    /// Posts a webhook, again and again while its URL's connection overrides say so and time is left.
    pub(crate) async fn post(&self, webhook: &Webhook) -> Posted {
        let address = match Address::parse(&webhook.endpoint.url) {
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
            // Keeps a refused connection from being retried in a busy loop.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn attempt(&self, webhook: &Webhook, address: &Address, deadline: Instant) -> Result<Answer, Failure> {
        let place = self.note_attempt(webhook, address);
        self.wake();
        let outcome =
            timeout_at(deadline, wire::send(self, webhook, address, place)).await.unwrap_or(Err(Failure::TimedOut));
        let mut state = self.state();
        match &outcome {
            Ok(answer) => state.log.close(place, answer.status, Answered::new(&answer.headers, Some(&answer.body))),
            Err(failure) => state.log.fail(place, format!("failed to {failure}")),
        }
        let entry = state.log.entry(place);
        drop(state);
        if let Some(entry) = entry {
            self.publish(Event::Request(entry));
        }
        outcome
    }

    fn note_attempt(&self, webhook: &Webhook, address: &Address) -> LogPlace {
        let (name, phone) = event::of_webhook(&webhook.parameters);
        let (method, url) = (webhook.endpoint.method.as_str(), address.signed_url(Product::Messaging));
        let log = &mut self.state().log;
        let place = log.open(LogKind::Webhook, name, method, &url, Some(&webhook.subject));
        log.note_phone(place, phone.as_deref());
        place
    }
}
