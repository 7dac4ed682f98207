//! Fetches a file from the account's owner: unsigned, without credentials, and up to Twilio's size limit.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use axum::http::{HeaderMap, Method, Request};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::address::WebhookAddress;
use super::request::DeliveryFailure;
use super::wire;
use crate::exchange::Exchange;
use crate::media::LARGEST_MESSAGE;

/// The result of fetching a file.
pub(crate) struct Fetched {
    pub(crate) status: u16,
    /// Empty if the answer has none.
    pub(crate) content_type: String,
    pub(crate) declared_length: Option<usize>,
    pub(crate) body: Bytes,
    /// True if the file exceeds the size limit of a message.
    pub(crate) is_cut_short: bool,
    pub(crate) headers: HeaderMap,
}

impl Exchange {
    /// Fetches a file in one attempt, without following redirects.
    pub(crate) async fn fetch(&self, method: Method, url: &str) -> Result<Fetched, DeliveryFailure> {
        let address = WebhookAddress::parse(url)?;
        timeout(self.config.webhook_timeout, fetch(self, method, &address))
            .await
            .unwrap_or(Err(DeliveryFailure::TimedOut))
    }
}

async fn fetch(exchange: &Exchange, method: Method, address: &WebhookAddress) -> Result<Fetched, DeliveryFailure> {
    let request = Request::builder()
        .method(method)
        .uri(address.target())
        .header(HOST, &address.authority)
        .header(USER_AGENT, "TwilioProxy/1.1")
        .header("Accept", "*/*")
        .body(Body::empty())
        .map_err(|error| DeliveryFailure::Url(error.to_string()))?;
    let (head, body) = wire::request(exchange, address, request).await?.into_parts();
    let (body, is_cut_short) = read(Body::new(body)).await?;
    let text = |name| header(&head.headers, name);
    Ok(Fetched {
        status: head.status.as_u16(),
        content_type: text(CONTENT_TYPE.as_str()),
        declared_length: text(CONTENT_LENGTH.as_str()).parse().ok(),
        body,
        is_cut_short,
        headers: head.headers,
    })
}

fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

async fn read(body: Body) -> Result<(Bytes, bool), DeliveryFailure> {
    let mut chunks = body.into_data_stream();
    let mut read = Vec::new();
    while let Some(chunk) = chunks.next().await {
        read.extend_from_slice(&chunk.map_err(|error| DeliveryFailure::Broken(error.to_string()))?);
        if read.len() > LARGEST_MESSAGE {
            return Ok((Bytes::new(), true));
        }
    }
    Ok((read.into(), false))
}
