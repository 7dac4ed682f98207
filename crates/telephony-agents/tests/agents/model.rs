//! A chat completions server that misbehaves on demand.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The server's answer to every request.
#[derive(Clone)]
pub(crate) enum Says {
    /// These pieces, each written separately, and a proper end.
    Pieces(Vec<Vec<u8>>),
    /// These pieces, then a cut connection.
    Cut(Vec<Vec<u8>>),
    /// These pieces, then silence without an end.
    Hangs(Vec<Vec<u8>>),
    /// No answer, not even a status.
    Nothing,
    /// Another status.
    Status(u16, &'static [(&'static str, &'static str)], &'static str),
}

/// A request that the server received.
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

pub(crate) struct Model {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Shared = (Says, Arc<Mutex<Vec<Asked>>>);

impl Model {
    pub(crate) async fn start(says: Says) -> Self {
        let asked = Arc::default();
        let router = Router::new().fallback(answer).with_state((says, Arc::clone(&asked)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// Returns the events of a complete answer in `texts`.
pub(crate) fn events(texts: &[&str]) -> String {
    let mut all: String = texts.iter().map(|text| event(text)).collect();
    all.push_str("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    all
}

/// Returns one event with a piece of the answer.
pub(crate) fn event(text: &str) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": { "content": text } }] }))
}

pub(crate) fn answers(text: &str) -> Says {
    Says::Pieces(vec![events(&[text]).into_bytes()])
}

async fn answer(State((says, asked)): State<Shared>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap();
    asked.lock().unwrap().push(Asked { path: head.uri.path().to_owned(), headers: head.headers, body });
    respond(says).await
}

async fn respond(says: Says) -> Response {
    let whole = |pieces: Vec<Vec<u8>>| stream::iter(pieces).map(|piece| Ok::<_, io::Error>(Bytes::from(piece)));
    let body = match says {
        Says::Pieces(pieces) => Body::from_stream(whole(pieces)),
        Says::Cut(pieces) => {
            Body::from_stream(whole(pieces).chain(stream::once(async { Err(io::Error::other("cut")) })))
        }
        Says::Hangs(pieces) => Body::from_stream(whole(pieces).chain(stream::pending())),
        Says::Nothing => match std::future::pending::<Infallible>().await {},
        Says::Status(status, headers, body) => {
            let response = Response::builder().status(StatusCode::from_u16(status).unwrap());
            let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
            return response.body(Body::from(body)).unwrap();
        }
    };
    Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
}
