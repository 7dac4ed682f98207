//! Translates failed requests to a chat-completions server for the operator.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::ChatEndpoint;
use super::choice::error_word;
use super::client::root_cause;
use super::reply::Broken;
use crate::agent::AgentError;

/// Longest wait that a server can impose on a turn.
const MAX_WAIT: Duration = Duration::from_secs(10 * 60);

impl ChatEndpoint {
    /// Translates a request without an answer, or with a broken one.
    pub(super) fn unanswered(&self, error: &reqwest::Error) -> AgentError {
        let (server, cause) = (self.server(), root_cause(error));
        if error.is_builder() {
            let settings = self.credential_settings;
            return AgentError::Refused(format!("agent.baseUrl or {settings} is not valid in a request: {cause}"));
        }
        match error.is_connect() {
            true => AgentError::Unreachable(format!("{server} cannot be reached: {cause}")),
            false => AgentError::Unavailable(format!("the connection to {server} broke: {cause}")),
        }
    }

    /// Translates an answer with an error status.
    pub(super) fn refused(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> AgentError {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let word = error_word(&body);
        let server = self.server();
        let said = match &word {
            Some(word) => format!("HTTP {}, {word}", status.as_u16()),
            None => format!("HTTP {}", status.as_u16()),
        };
        match status.as_u16() {
            401 | 403 => AgentError::Refused(self.not_let_in(&said)),
            402 => AgentError::Refused(out_of_credit(&server, &said)),
            429 if word.as_deref() == Some("insufficient_quota") => AgentError::Refused(out_of_credit(&server, &said)),
            404 | 405 => {
                AgentError::Refused(format!("{server} does not have this path or model ({said}): {}", self.not_found))
            }
            300..=399 => {
                AgentError::Refused(format!("{server} redirects ({said}): set agent.baseUrl to its final address"))
            }
            408 | 409 | 425 | 429 | 500.. => match wait(headers) {
                Some(wait) => AgentError::Busy(wait),
                None => AgentError::Unavailable(format!("{server} cannot answer now ({said})")),
            },
            _ => AgentError::Refused(format!("{server} rejects the request ({said}): {}", self.not_taken)),
        }
    }

    /// Translates a response that is not an answer.
    pub(super) fn broken(&self, broken: &Broken) -> AgentError {
        let server = self.server();
        match broken {
            Broken::Cut => AgentError::Unavailable(format!("{server} stopped before its answer was complete")),
            Broken::Error(None) => AgentError::Unavailable(format!("{server} failed while answering")),
            Broken::Error(Some(word)) => AgentError::Unavailable(format!("{server} failed while answering ({word})")),
            Broken::Empty(reason) => self.empty(reason.as_deref()),
            Broken::Endless => AgentError::Odd(format!("{server} sends an endless answer")),
            Broken::Unreadable => AgentError::Unavailable(format!(
                "{server} does not answer in the chat-completions \
                format"
            )),
            Broken::WebPage => AgentError::Refused(format!("{server} answers with a web page: {}", self.not_found)),
        }
    }

    /// Translates an empty answer. A model may answer the next time, but withheld content stays withheld.
    fn empty(&self, reason: Option<&str>) -> AgentError {
        let server = self.server();
        match reason {
            Some("content_filter") => AgentError::Refused(format!("{server} withholds its answer (content_filter)")),
            Some("length") => AgentError::Odd(format!(
                "{server} used up its tokens before the answer (length): allow more tokens, or less reasoning"
            )),
            Some(word) => AgentError::Odd(format!("{server} ended without an answer ({word})")),
            None => AgentError::Odd(format!("{server} ended without an answer")),
        }
    }

    fn not_let_in(&self, said: &str) -> String {
        let (server, settings) = (self.server(), self.credential_settings);
        match self.credential {
            Some(_) => format!("{server} rejects the secret ({said}): check {settings}"),
            None => format!("{server} requires a secret ({said}): set {settings}"),
        }
    }
}

fn out_of_credit(server: &str, said: &str) -> String {
    format!("the account at {server} has no credit left ({said}): top it up there")
}

/// Returns the wait that the server requests, in whole seconds.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}
