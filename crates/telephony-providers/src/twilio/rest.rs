//! Twilio's REST API: requests, answers, and the meaning of a missing answer. The caller decides about retries.

mod calls;
mod deletion;
mod download;
mod failure;
mod fields;
pub(super) mod http;
mod media;
mod message;
mod messages_with;
mod monitor;
mod numbers;
mod pages;
mod place;
mod public;
mod resources;
mod search;
mod services;
mod short_codes;

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use form_urlencoded::Serializer;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, RequestBuilder, Response, header};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use telephony_domain::time::Timestamp;

pub use self::numbers::IncomingPhoneNumber;
pub use self::services::ServiceResource;
pub use self::short_codes::ShortCode;
use super::account::TwilioAccount;
use super::dates;
use crate::provider::ProviderError;

/// Time limit of an answer, from the connection to the end of its body.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Longest answer that is read (bytes).
const MAX_ANSWER: usize = 1024 * 1024;

/// The API of one account. The HTTP client is built at the first request, because that takes time.
#[derive(Debug)]
pub struct Rest {
    account: TwilioAccount,
    answer_within: Duration,
    client: OnceLock<Client>,
    downloads: OnceLock<Client>,
    /// The date of the newest answer, and its arrival by a clock that is never set.
    dated: Mutex<Option<(Timestamp, Instant)>>,
}

impl Rest {
    /// Creates the API client of this account.
    pub fn new(account: TwilioAccount) -> Self {
        Self {
            account,
            answer_within: ANSWER_TIMEOUT,
            client: OnceLock::new(),
            downloads: OnceLock::new(),
            dated: Mutex::default(),
        }
    }

    /// Sets the time limit of an answer, instead of 15 s.
    #[must_use]
    pub fn answer_within(mut self, answer_within: Duration) -> Self {
        self.answer_within = answer_within;
        self
    }

    /// Creates the client of a different account, with the same time limit.
    pub(super) fn for_account(&self, account: TwilioAccount) -> Self {
        Self::new(account).answer_within(self.answer_within)
    }

    pub(super) fn account(&self) -> &TwilioAccount {
        &self.account
    }

    /// Returns the time by Twilio's clock, early rather than late; none before the first answer.
    pub(super) fn time(&self) -> Option<Timestamp> {
        let dated = *self.dated.lock().unwrap_or_else(PoisonError::into_inner);
        // A kernel that slews its clock shortens a second by up to 0.05 %.
        dated.map(|(date, came)| date + came.elapsed().mul_f64(0.999))
    }

    /// Reads a resource of the account, such as `Messages/SM….json`, or a page of them.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ProviderError> {
        self.exchange(self.client()?.get(self.url(path))).await
    }

    /// Reads a resource and the time by Twilio's clock.
    async fn get_dated<T: DeserializeOwned>(&self, path: &str) -> Result<(T, Option<Timestamp>), ProviderError> {
        let answer = self.answer(self.client()?.get(self.url(path))).await?;
        Ok((read(&answer.body)?, answer.date))
    }

    /// Creates or changes a resource of the account.
    async fn post<T: DeserializeOwned>(&self, path: &str, form: &[(&str, &str)]) -> Result<T, ProviderError> {
        let request = self.client()?.post(self.url(path)).body(encode(form));
        self.exchange(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")).await
    }

    /// Reads a resource of another product, such as `/v1/Services`.
    async fn get_of<T: DeserializeOwned>(&self, product: &str, path: &str) -> Result<T, ProviderError> {
        self.exchange(self.client()?.get(self.account.product_url(product) + path)).await
    }

    /// Creates or changes a resource of another product.
    async fn post_of<T: DeserializeOwned>(
        &self,
        product: &str,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<T, ProviderError> {
        let request = self.client()?.post(self.account.product_url(product) + path).body(encode(form));
        self.exchange(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")).await
    }

    /// Deletes a resource of the account.
    async fn delete(&self, path: &str) -> Result<(), ProviderError> {
        self.answer(self.client()?.delete(self.url(path))).await.map(drop)
    }

    async fn exchange<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ProviderError> {
        read(&self.answer(request).await?.body)
    }

    /// Returns a successful answer.
    async fn answer(&self, request: RequestBuilder) -> Result<ApiAnswer, ProviderError> {
        let request = self.signed_in(request).header(header::ACCEPT, "application/json").timeout(self.answer_within);
        let answer = request.send().await.map_err(failure::unanswered)?;
        let came = Instant::now();
        let (status, retry_after) = (answer.status(), failure::retry_after(answer.headers()));
        let date = dates::of(answer.headers());
        let body = body(answer).await?;
        if status.is_success() {
            if let Some(date) = date {
                *self.dated.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, came));
            }
            Ok(ApiAnswer { body, date })
        } else {
            Err(failure::refused(status.as_u16(), retry_after, &body))
        }
    }

    fn signed_in(&self, request: RequestBuilder) -> RequestBuilder {
        let (user, secret) = self.account.credentials();
        request.basic_auth(user, secret.map(ExposeSecret::expose_secret))
    }

    fn client(&self) -> Result<Client, ProviderError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let client =
            http::build_client().map_err(|cause| ProviderError::Unreachable { server: "Twilio".to_owned(), cause })?;
        Ok(self.client.get_or_init(|| client).clone())
    }

    /// Returns the URL of a path below the account; an absolute path, as in a list's next page, is kept.
    fn url(&self, path: &str) -> String {
        let api_url = &self.account.api_url;
        if path.starts_with('/') { format!("{api_url}{path}") } else { format!("{api_url}{}", self.absolute(path)) }
    }

    /// Returns a path below the account as an absolute path.
    fn absolute(&self, path: &str) -> String {
        format!("/2010-04-01/Accounts/{}/{path}", segment(&self.account.sid))
    }
}

struct ApiAnswer {
    body: Bytes,
    date: Option<Timestamp>,
}

/// Reads the whole body, unless it is too long. The request's time limit includes it.
async fn body(mut answer: Response) -> Result<Bytes, ProviderError> {
    if answer.content_length().is_some_and(|length| length > MAX_ANSWER as u64) {
        return Err(failure::too_long(MAX_ANSWER));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(failure::unanswered)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(failure::too_long(MAX_ANSWER));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body).map_err(|error| failure::unreadable(&error))
}

pub(super) fn encode(form: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(form).finish()
}

/// Encodes an id as one segment of a path.
fn segment(id: &str) -> String {
    utf8_percent_encode(id, NON_ALPHANUMERIC).to_string()
}
