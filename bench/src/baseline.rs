//! Baselines for the gateway: an empty handler, and one that only checks signatures, on the gateway's own accept loop.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use clap::ValueEnum;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode, Uri};
use secrecy::SecretString;
use telephony_gateway::webhook::listener;
use telephony_providers::provider::{Unverified, Webhooks};
use telephony_providers::twilio::Twilio;
use telephony_providers::twilio::account::TwilioAccount;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::webhook::{ACCOUNT, PATH, PUBLIC_URL, TOKEN};

const TWIML: &str = "text/xml; charset=utf-8";

/// A kind of baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Answers without looking at the body.
    Empty,
    /// Checks the signature and reads the event, stores nothing.
    Signed,
    /// Answers every request with the same document, without looking at the body.
    Document,
}

/// Serves a baseline on a local port until the process ends. `document` is for [`Kind::Document`].
pub fn serve(kind: Kind, port: u16, document: String) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        listener::serve(listener, router(kind, document), CancellationToken::new()).await;
        Ok(())
    })
}

fn router(kind: Kind, document: String) -> Router {
    match kind {
        Kind::Empty => Router::new().route(PATH, post(async || answer())),
        Kind::Signed => Router::new().route(PATH, post(check)).with_state(Arc::new(Twilio::new(account()))),
        Kind::Document => Router::new().fallback(async move || ([(CONTENT_TYPE, TWIML)], document)),
    }
}

async fn check(
    State(twilio): State<Arc<Twilio>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, StatusCode> {
    let urls = [PUBLIC_URL.to_owned()];
    let query = uri.query().unwrap_or_default();
    let request = Unverified { method: &method, urls: &urls, query, headers: &headers, body: &body };
    twilio.verify(&request).map_err(|_| StatusCode::FORBIDDEN)?;
    Ok(answer())
}

fn answer() -> Response {
    ([(CONTENT_TYPE, TWIML)], "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>").into_response()
}

fn account() -> TwilioAccount {
    TwilioAccount {
        sid: ACCOUNT.to_owned(),
        auth_tokens: vec![SecretString::from(TOKEN)],
        shared_keys: BTreeMap::new(),
        api_key: None,
        api_url: String::new(),
        product_urls: Default::default(),
        connection_overrides: String::new(),
        skips_signatures: false,
    }
}
