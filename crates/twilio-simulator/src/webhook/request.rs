//! A webhook before it is posted, and the answer to it. Leaves posting to the module above.

use axum::http::{HeaderMap, Method};

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
