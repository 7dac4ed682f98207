//! The chat-completions protocol: one HTTP request, its answer as text. The agents that use it provide URL, body and
//! headers.

mod choice;
mod client;
mod failure;
mod models;
mod output;
mod prompt;
mod reply;
mod sse;
mod surrogates;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::{RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::agent::{AgentError, AnswerStream, Past, Role, Turn};
use crate::answer_limit::MAX_PICTURES;
use client::LazyClient;
pub(crate) use prompt::ContactMessages;
use reply::ChatReply;

/// Header with turn and attempt (`17;attempt=2`), so that a server can recognize a repeated question.
const TURN: HeaderName = HeaderName::from_static("x-openclaw-turn");

/// Time limit for a test connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Largest part of an error's body that is read (bytes).
const MAX_ERROR: usize = 64 * 1024;

/// Longest event or JSON document (bytes): the longest answer with its pictures, with a reserve for escapes and other
/// fields.
const MAX_DOCUMENT: usize = MAX_PICTURES + 1024 * 1024;

/// Longest response (bytes): each of the many pieces of a long answer is an event with other fields.
const MAX_RESPONSE: usize = 128 * 1024 * 1024;

/// Statuses that servers use for a question that is too long for their model, among others.
const TOO_LONG: [StatusCode; 3] =
    [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY];

/// A server with the chat-completions API.
pub(crate) struct Chat {
    endpoint: Arc<ChatEndpoint>,
    client: LazyClient,
}

/// The server's address and the operator's names for its settings.
pub(crate) struct ChatEndpoint {
    /// Full URL, `…/chat/completions`.
    pub(crate) url: String,
    pub(crate) credential: Option<SecretString>,
    /// Settings that the credential may come from.
    pub(crate) credential_settings: &'static str,
    /// Time limit of the whole answer.
    pub(crate) timeout: Duration,
    /// Longest pause once the text has begun.
    pub(crate) pause: Duration,
    /// Hint for a path or model that does not exist.
    pub(crate) not_found: String,
    /// Hint for a rejected request.
    pub(crate) not_taken: String,
}

impl Chat {
    /// Creates it without connecting.
    pub(crate) fn new(endpoint: ChatEndpoint) -> Self {
        Self { endpoint: Arc::new(endpoint), client: LazyClient::default() }
    }

    /// Returns true if the server accepts connections.
    pub(crate) async fn is_reachable(&self) -> bool {
        let Ok(url) = Url::parse(&self.endpoint.url) else { return false };
        let Some(host) = url.host_str().map(|host| host.trim_matches(['[', ']'])) else { return false };
        let connection = TcpStream::connect((host, url.port_or_known_default().unwrap_or_default()));
        timeout(CONNECT_TIMEOUT, connection).await.is_ok_and(|connected| connected.is_ok())
    }

    /// Sends the contact's messages and `history`; `request` builds the body. Retries without rejected pictures, and
    /// with less history if it may be too long, because an answer without them is better than none.
    pub(crate) async fn ask_with(
        &self,
        turn: &Turn,
        history: &[Past],
        request: impl Fn(&ContactMessages, &[Past]) -> Value,
        headers: HeaderMap,
    ) -> Result<AnswerStream, AgentError> {
        let (mut words, mut shown) = (ContactMessages::of(turn).await?, history);
        loop {
            match self.ask(turn, &request(&words, shown), headers.clone()).await {
                Err(FailedRequest { error: AgentError::Refused(reason), .. }) if words.has_pictures() => {
                    tracing::info!(reason, "the agent rejected a picture; retrying without it");
                    words = ContactMessages::without_pictures(turn).await?;
                }
                Err(FailedRequest { error, may_be_too_long: true }) if !shown.is_empty() => {
                    shown = if shown.len() == history.len() { newer_half(history) } else { &[] };
                    let lines = shown.len();
                    tracing::info!(%error, lines, "the request may be too long for the agent; \
                        retrying with less history");
                }
                answer => return answer.map_err(|failure| failure.error),
            }
        }
    }

    /// Sends one request with body `request` and extra `headers`.
    async fn ask(&self, turn: &Turn, request: &Value, headers: HeaderMap) -> Result<AnswerStream, FailedRequest> {
        let endpoint = Arc::clone(&self.endpoint);
        let deadline = Instant::now() + endpoint.timeout;
        let response = timeout_at(deadline, self.send(turn, request, headers))
            .await
            .map_err(|_| AgentError::TimedOut(endpoint.timeout.as_secs()))??;
        let reading = ReceivedAnswer { endpoint, deadline, response, reply: ChatReply::default() };
        Ok(stream::once(reading.whole()).boxed())
    }

    async fn send(&self, turn: &Turn, request: &Value, headers: HeaderMap) -> Result<Response, FailedRequest> {
        let endpoint = &self.endpoint;
        let request = self
            .client
            .get(&endpoint.url)?
            .post(&endpoint.url)
            .headers(headers)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(TURN, format!("{};attempt={}", turn.id, turn.attempt))
            .body(request.to_string());
        let response = self.shown_credential(request).send().await.map_err(|error| endpoint.unanswered(&error))?;
        match response.status() {
            status if status.is_success() => Ok(response),
            status => {
                let may_be_too_long = TOO_LONG.contains(&status);
                Err(FailedRequest { error: endpoint.explain(response).await, may_be_too_long })
            }
        }
    }

    fn shown_credential(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.endpoint.credential {
            Some(credential) => request.bearer_auth(credential.expose_secret()),
            None => request,
        }
    }
}

#[derive(Debug)]
struct FailedRequest {
    error: AgentError,
    /// True if a shorter request might succeed.
    may_be_too_long: bool,
}

impl From<AgentError> for FailedRequest {
    fn from(error: AgentError) -> Self {
        Self { error, may_be_too_long: false }
    }
}

/// Returns about the newer half of the history; it does not begin with the agent.
fn newer_half(history: &[Past]) -> &[Past] {
    let (_, newer) = history.split_at(history.len().div_ceil(2));
    let begin = newer.iter().position(|past| past.role != Role::Agent).unwrap_or(newer.len());
    &newer[begin..]
}

impl ChatEndpoint {
    /// Returns the server's name for errors: without path, and without secrets in the URL.
    fn server(&self) -> String {
        Url::parse(&self.url).map_or_else(|_| "agent.baseUrl".to_owned(), |url| url.origin().ascii_serialization())
    }

    async fn explain(&self, mut response: Response) -> AgentError {
        let mut body = Vec::new();
        while let Ok(Some(bytes)) = response.chunk().await {
            body.extend_from_slice(&bytes);
            if body.len() > MAX_ERROR {
                break;
            }
        }
        self.refused(response.status(), response.headers(), &body)
    }
}

/// An answer being received.
struct ReceivedAnswer {
    endpoint: Arc<ChatEndpoint>,
    deadline: Instant,
    response: Response,
    reply: ChatReply,
}

impl ReceivedAnswer {
    /// Reads the whole answer, which is only valid once it has ended.
    async fn whole(mut self) -> Result<String, AgentError> {
        while !self.reply.is_complete() {
            let read = match self.bytes().await {
                Ok(Some(bytes)) => self.reply.feed(&bytes),
                Ok(None) => self.reply.end(),
                Err(AgentError::TimedOut(_)) if self.reply.is_enough() => break,
                Err(error) => return Err(error),
            };
            read.map_err(|broken| self.endpoint.broken(&broken))?;
        }
        self.reply.into_answer().map_err(|broken| self.endpoint.broken(&broken))
    }

    /// Returns the next bytes; none at the end. After a finish reason, the end need not be clean.
    async fn bytes(&mut self) -> Result<Option<Bytes>, AgentError> {
        match self.chunk().await {
            Err(_) if self.reply.is_finished() => Ok(None),
            chunk => chunk,
        }
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, AgentError> {
        let pause_ends = Instant::now() + self.endpoint.pause;
        let (until, limit) = match self.reply.has_begun() && pause_ends < self.deadline {
            true => (pause_ends, self.endpoint.pause),
            false => (self.deadline, self.endpoint.timeout),
        };
        let chunk =
            timeout_at(until, self.response.chunk()).await.map_err(|_| AgentError::TimedOut(limit.as_secs()))?;
        chunk.map_err(|error| self.endpoint.unanswered(&error))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;
    use telephony_domain::id::TurnId;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const HALF: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n";
    const WHOLE: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"whole\"},\"finish_reason\":\"stop\"}]}\n\n";

    #[tokio::test]
    async fn a_stalled_stream_fails_before_the_time_limit() {
        assert_eq!(ask(HALF, Then::Silence).await, Err(AgentError::TimedOut(1)));
    }

    #[tokio::test]
    async fn a_complete_answer_needs_no_end_marker() {
        for then in [Then::Silence, Then::Cut] {
            assert_eq!(ask(WHOLE, then).await, Ok(vec!["whole".to_owned()]));
        }
        assert!(matches!(ask(HALF, Then::Cut).await, Err(AgentError::Unavailable(_))));
    }

    /// The test server's behavior after its output.
    enum Then {
        Silence,
        Cut,
    }

    async fn ask(said: &'static str, then: Then) -> Result<Vec<String>, AgentError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/chat/completions", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut question = [0; 16 * 1024];
            assert!(connection.read(&mut question).await.unwrap() > 0);
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{said}");
            connection.write_all(answer.as_bytes()).await.unwrap();
            match then {
                Then::Silence => std::future::pending::<()>().await,
                Then::Cut => connection.shutdown().await.unwrap(),
            }
        });
        let contact = "+15550001111".parse().unwrap();
        let turn = Turn {
            id: TurnId(1),
            attempt: 1,
            contact,
            line: None,
            on_call: None,
            said: Vec::new(),
            history: Vec::new(),
        };
        chat(url).ask(&turn, &Value::Null, HeaderMap::new()).await.unwrap().try_collect().await
    }

    fn chat(url: String) -> Chat {
        let (timeout, pause) = (Duration::from_secs(3600), Duration::from_secs(1));
        let (not_found, not_taken) = (String::new(), String::new());
        Chat::new(ChatEndpoint { url, credential: None, credential_settings: "", timeout, pause, not_found, not_taken })
    }
}
