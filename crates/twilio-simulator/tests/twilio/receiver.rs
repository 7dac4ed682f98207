//! Our webhook server: records requests and returns prepared answers.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::desk::SOON;

pub struct Receiver {
    base_url: String,
    answers: Answers,
    posted: UnboundedReceiver<Hook>,
}

type Answers = Arc<Mutex<VecDeque<(u16, &'static str, String)>>>;

/// A received webhook.
pub struct Hook {
    pub target: String,
    pub headers: HeaderMap,
    pub form: Vec<(String, String)>,
}

impl Receiver {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, posted) = unbounded_channel();
        let answers = Answers::default();
        let router = Router::new().fallback(receive).with_state((sender, Arc::clone(&answers)));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base_url, answers, posted }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Prepares the answer to the next webhook. Without one, the answer is 200 and `<Response/>`.
    pub fn answers(&self, status: u16, content_type: &'static str, body: &str) {
        self.answers.lock().unwrap().push_back((status, content_type, body.to_owned()));
    }

    pub async fn next(&mut self) -> Hook {
        timeout(SOON, self.posted.recv()).await.expect("a webhook in time").unwrap()
    }

    /// Returns a webhook that has already arrived.
    pub fn pending(&mut self) -> Option<Hook> {
        self.posted.try_recv().ok()
    }

    /// Returns the statuses of the next callbacks, this many.
    pub async fn statuses(&mut self, count: usize) -> Vec<String> {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(self.next().await.get("MessageStatus").to_owned());
        }
        statuses
    }
}

async fn receive(
    State((sender, answers)): State<(UnboundedSender<Hook>, Answers)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = form_urlencoded::parse(&body).into_owned().collect();
    let _ = sender.send(Hook { target: uri.to_string(), headers, form });
    let next = answers.lock().unwrap().pop_front();
    let (status, content_type, text) = next.unwrap_or((200, "text/xml", "<Response/>".to_owned()));
    Response::builder().status(status).header("Content-Type", content_type).body(Body::from(text)).unwrap()
}

impl Hook {
    pub fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("no {name} in the webhook"))
    }

    pub fn find(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Computes the signature as a verifier does.
    pub fn signature(&self, token: &str, url: &str) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
        mac.update(url.as_bytes());
        for (name, value) in self.form.iter().collect::<BTreeSet<_>>() {
            mac.update(format!("{name}{value}").as_bytes());
        }
        base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
    }

    pub fn names(&self) -> HashMap<&str, &str> {
        self.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}
