//! One webhook attempt: a new connection, one request, one answer. Leaves retries and the total timeout to `webhook`.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, TRANSFER_ENCODING, USER_AGENT};
use axum::http::{Method, Request, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::address::WebhookAddress;
use super::request::{DeliveryFailure, HttpAnswer, Webhook};
use super::signature::{sign, what_is_signed};
use crate::exchange::Exchange;
use crate::log::{LogPosition, RequestDetail};

/// The maximum number of bytes read: above Twilio's 64 kB limit, so that a longer answer is detected.
const MAX_READ: usize = 1024 * 1024;

/// Sends a webhook; if its URL has a user name and the answer is 401, sends it again with credentials.
pub(super) async fn send(
    exchange: &Exchange,
    webhook: &Webhook,
    address: &WebhookAddress,
    place: LogPosition,
) -> Result<HttpAnswer, DeliveryFailure> {
    let response = exchange_once(exchange, webhook, address, place, None).await?;
    let response = match &address.user_info {
        Some(user_info) if response.status() == StatusCode::UNAUTHORIZED => {
            let credentials = format!("Basic {}", STANDARD.encode(user_info));
            exchange_once(exchange, webhook, address, place, Some(credentials)).await?
        }
        _ => response,
    };
    read(response).await
}

async fn exchange_once(
    exchange: &Exchange,
    webhook: &Webhook,
    address: &WebhookAddress,
    place: LogPosition,
    credentials: Option<String>,
) -> Result<Response<Incoming>, DeliveryFailure> {
    let (composed, signed) = compose(exchange, webhook, address, credentials)?;
    let asked = RequestDetail::new(composed.headers(), &webhook.parameters, Some(&signed));
    exchange.state().log.note_asked(place, asked);
    request(exchange, address, composed).await
}

/// Sends a request over a new connection.
pub(super) async fn request(
    exchange: &Exchange,
    address: &WebhookAddress,
    request: Request<Body>,
) -> Result<Response<Incoming>, DeliveryFailure> {
    let stream = timeout(address.overrides.connect, connect(exchange, address))
        .await
        .unwrap_or_else(|_| Err(DeliveryFailure::Connect("took too long".to_owned())))?;
    let (mut sender, connection) =
        http1::Builder::new().title_case_headers(true).handshake(TokioIo::new(stream)).await.map_err(broken)?;
    exchange.spawn(async move {
        // The reader of the answer sees connection errors.
        let _ = connection.await;
    });
    let patience = address.overrides.read.unwrap_or(Duration::MAX);
    timeout(patience, sender.send_request(request)).await.map_err(|_| DeliveryFailure::TimedOut)?.map_err(broken)
}

async fn connect(exchange: &Exchange, address: &WebhookAddress) -> Result<TcpStream, DeliveryFailure> {
    let connected = match exchange.config.tunnel_to {
        Some(tunnel) => TcpStream::connect(tunnel).await,
        None if address.is_https() => {
            return Err(DeliveryFailure::Connect("https needs `tunnel_to`, the simulator speaks no TLS".to_owned()));
        }
        None => TcpStream::connect(address.endpoint()).await,
    };
    connected.map_err(|error| DeliveryFailure::Connect(error.to_string()))
}

/// Returns the request and the string that its signature covers.
fn compose(
    exchange: &Exchange,
    webhook: &Webhook,
    address: &WebhookAddress,
    credentials: Option<String>,
) -> Result<(Request<Body>, String), DeliveryFailure> {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&webhook.parameters).finish();
    let (mut url, mut target) = (address.signed_url(webhook.product), address.target());
    let in_query = webhook.endpoint.method == Method::GET;
    if in_query {
        let joint = if target.contains('?') { '&' } else { '?' };
        url = format!("{url}{joint}{form}");
        target = format!("{target}{joint}{form}");
    }
    let (parameters, body) = if in_query { (&[][..], String::new()) } else { (&webhook.parameters[..], form) };
    let signed = what_is_signed(&url, parameters);
    let mut request = Request::builder()
        .method(&webhook.endpoint.method)
        .uri(target)
        .header(HOST, &address.authority)
        .header(USER_AGENT, "TwilioProxy/1.1")
        .header("Accept", "*/*")
        .header("X-Home-Region", "us1")
        .header("X-Twilio-Signature", sign(&exchange.state().auth_token, &signed))
        .header("I-Twilio-Idempotency-Token", &webhook.token);
    if !in_query {
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8");
    }
    if let Some(credentials) = credentials {
        request = request.header(AUTHORIZATION, credentials);
    }
    let request =
        request.body(Body::from(body)).map_err(|_| DeliveryFailure::Url(address.signed_url(webhook.product)))?;
    Ok((request, signed))
}

async fn read(response: Response<Incoming>) -> Result<HttpAnswer, DeliveryFailure> {
    let (head, body) = response.into_parts();
    let body = to_bytes(Body::new(body), MAX_READ).await.map_err(|error| DeliveryFailure::Broken(error.to_string()))?;
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(HttpAnswer {
        status: head.status.as_u16(),
        content_type,
        body: String::from_utf8_lossy(&body).into_owned(),
        is_chunked: head.headers.contains_key(TRANSFER_ENCODING),
        headers: head.headers,
    })
}

fn broken(error: hyper::Error) -> DeliveryFailure {
    DeliveryFailure::Broken(error.to_string())
}
