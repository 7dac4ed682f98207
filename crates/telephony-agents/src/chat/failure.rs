//! What a failed request to a chat-completions server means, in words that the operator can act on.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::Endpoint;
use super::choice::error_word;
use super::client::root_cause;
use super::reply::Broken;
use crate::agent::AgentError;

/// No server makes a turn wait longer than this for its next attempt.
const WAIT_AT_MOST: Duration = Duration::from_secs(10 * 60);

impl Endpoint {
    /// The request did not get an answer, or the answer broke off.
    pub(super) fn unanswered(&self, error: &reqwest::Error) -> AgentError {
        let (server, cause) = (self.server(), root_cause(error));
        if error.is_builder() {
            let settings = self.credential_settings;
            return AgentError::Refused(format!("agent.baseUrl or {settings} cannot be used in a request: {cause}"));
        }
        match error.is_connect() {
            true => AgentError::Unreachable(format!("{server} cannot be reached: {cause}")),
            false => AgentError::Unavailable(format!("the connection to {server} broke: {cause}")),
        }
    }

    /// The server answered with another status than success.
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
                AgentError::Refused(format!("{server} knows no such path or model ({said}): {}", self.not_found))
            }
            300..=399 => {
                AgentError::Refused(format!("{server} redirects ({said}): give its final address in agent.baseUrl"))
            }
            408 | 409 | 425 | 429 | 500.. => match wait(headers) {
                Some(wait) => AgentError::Busy(wait),
                None => AgentError::Unavailable(format!("{server} cannot answer now ({said})")),
            },
            _ => AgentError::Refused(format!("{server} does not take the request ({said}): {}", self.not_taken)),
        }
    }

    /// The server began to answer, but that is not an answer.
    pub(super) fn broken(&self, broken: &Broken) -> AgentError {
        let server = self.server();
        match broken {
            Broken::Cut => AgentError::Unavailable(format!("{server} ended before its answer did")),
            Broken::Error(None) => AgentError::Unavailable(format!("{server} failed while answering")),
            Broken::Error(Some(word)) => AgentError::Unavailable(format!("{server} failed while answering ({word})")),
            Broken::Empty(reason) => self.empty(reason.as_deref()),
            Broken::Endless => AgentError::Odd(format!("{server} does not come to the end of its answer")),
            Broken::Unreadable => AgentError::Unavailable(format!("{server} does not answer as chat completions do")),
            Broken::WebPage => AgentError::Refused(format!("{server} answers with a web page: {}", self.not_found)),
        }
    }

    /// A model may come to an answer the next time, but what is withheld stays withheld.
    fn empty(&self, reason: Option<&str>) -> AgentError {
        let server = self.server();
        match reason {
            Some("content_filter") => AgentError::Refused(format!("{server} withholds its answer (content_filter)")),
            Some("length") => AgentError::Odd(format!(
                "{server} came to the end of its tokens before it said anything (length): let the model say more, or think less"
            )),
            Some(word) => AgentError::Odd(format!("{server} ended without an answer ({word})")),
            None => AgentError::Odd(format!("{server} ended without an answer")),
        }
    }

    fn not_let_in(&self, said: &str) -> String {
        let (server, settings) = (self.server(), self.credential_settings);
        match self.credential {
            Some(_) => format!("{server} does not accept the secret that it was shown ({said}): check {settings}"),
            None => format!("{server} wants to be shown a secret ({said}): set {settings}"),
        }
    }
}

fn out_of_credit(server: &str, said: &str) -> String {
    format!("the account at {server} has no credit left ({said}): top it up there")
}

/// The wait that the server asks for, in whole seconds.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(WAIT_AT_MOST))
}
