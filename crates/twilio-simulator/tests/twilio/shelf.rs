//! Our server for outbound pictures: serves files and records the requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

pub struct Shelf {
    base_url: String,
    kept: Kept,
}

#[derive(Clone, Default)]
struct Kept {
    files: Arc<Mutex<HashMap<String, (String, Bytes)>>>,
    asked: Arc<Mutex<Vec<(Method, String, HeaderMap)>>>,
}

impl Shelf {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let kept = Kept::default();
        let router = Router::new().fallback(give).with_state(kept.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base_url, kept }
    }

    /// Adds a file and returns its URL.
    pub fn put(&self, path: &str, content_type: &str, bytes: Vec<u8>) -> String {
        self.kept.files.lock().unwrap().insert(path.to_owned(), (content_type.to_owned(), bytes.into()));
        self.url(path)
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Returns the requests for files, in order.
    pub fn asked(&self) -> Vec<(Method, String, HeaderMap)> {
        self.kept.asked.lock().unwrap().clone()
    }
}

async fn give(State(kept): State<Kept>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    kept.asked.lock().unwrap().push((method.clone(), uri.path().to_owned(), headers));
    let Some((content_type, bytes)) = kept.files.lock().unwrap().get(uri.path()).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let length = bytes.len();
    let body = if method == Method::HEAD { Body::empty() } else { Body::from(bytes) };
    let response = Response::builder().header("Content-Type", content_type).header("Content-Length", length);
    response.body(body).unwrap()
}
