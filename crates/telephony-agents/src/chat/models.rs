//! Checks that a server would accept a turn, without using a model or causing costs.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use tokio::time::timeout;

use super::Chat;
use crate::agent::AgentError;

/// Time limit for the list; a slower server is too slow for text messages anyway.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest part of a list that is read (bytes): OpenAI's own has some 20 KB.
const MAX_LIST: usize = 1024 * 1024;

impl Chat {
    /// Returns the ids of the models that the server lists; none if it has no list.
    pub(crate) async fn models(&self) -> Result<Option<Vec<String>>, AgentError> {
        let within = async {
            let response = self.send_check(|client, url| client.get(models_url(url))).await?;
            match response.status().as_u16() {
                200..=299 => match read_list(response).await {
                    Some(models) => return Ok(Some(models)),
                    None => self.endpoint_answers().await,
                },
                // Many servers have no list.
                404 | 405 | 501 => self.endpoint_answers().await,
                _ => Err(self.endpoint.explain(response).await),
            }
            .map(|()| None)
        };
        let late = |_| AgentError::TimedOut(ANSWER_TIMEOUT.as_secs());
        timeout(ANSWER_TIMEOUT, within).await.map_err(late)?
    }

    /// Checks that chat completions exist: a request without model and messages gets an error from a server that has
    /// them.
    async fn endpoint_answers(&self) -> Result<(), AgentError> {
        let empty = self.send_check(|client, url| {
            client.post(url).header(http::header::CONTENT_TYPE, "application/json").body("{}")
        });
        let response = empty.await?;
        match response.status().as_u16() {
            300..=399 | 401 | 403 | 404 | 405 => Err(self.endpoint.explain(response).await),
            200..=299 => Err(AgentError::Refused(format!(
                "{} does not have chat completions: {}",
                self.endpoint.server(),
                self.endpoint.not_found
            ))),
            _ => Ok(()),
        }
    }

    async fn send_check(
        &self,
        request: impl FnOnce(&reqwest::Client, &str) -> RequestBuilder,
    ) -> Result<Response, AgentError> {
        let endpoint = &self.endpoint;
        let request = request(self.client.get(&endpoint.url)?, &endpoint.url);
        self.shown_credential(request).send().await.map_err(|error| endpoint.unanswered(&error))
    }
}

fn models_url(url: &str) -> String {
    format!("{}/models", url.trim_end_matches("/chat/completions"))
}

/// Parses `{"data": [{"id": …}]}`; none for anything else.
async fn read_list(mut response: Response) -> Option<Vec<String>> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.ok()? {
        body.extend_from_slice(&bytes);
        if body.len() > MAX_LIST {
            return None;
        }
    }
    let body: Value = serde_json::from_slice(&body).ok()?;
    let models = body.get("data")?.as_array()?;
    Some(models.iter().filter_map(|model| model.get("id")?.as_str().map(str::to_owned)).collect())
}
