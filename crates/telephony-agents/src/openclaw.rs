//! The `openclaw` agent: a running OpenClaw over HTTP, with one session per phone number. OpenClaw keeps the
//! conversation, so only new messages and the operator's texts are sent.

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use telephony_config::OpenClawAgentConfig;

use crate::agent::{Agent, AgentError, AnswerStream, Past, Role, Turn};
use crate::chat::{Chat, ChatEndpoint, ContactMessages};
use crate::prompt;

/// Header with the session: the one that OpenClaw's own channels use for a direct message.
const SESSION: HeaderName = HeaderName::from_static("x-openclaw-session-key");

/// Header with the channel that the turn comes from.
const CHANNEL: HeaderName = HeaderName::from_static("x-openclaw-message-channel");

/// OpenClaw's placeholder when its agent chose to say nothing (2026.9.6).
const NOTHING_SAID: &str = "No response from OpenClaw.";

/// An agent of a running OpenClaw.
pub struct OpenClawAgent {
    chat: Chat,
    agent_id: Option<String>,
}

#[async_trait]
impl Agent for OpenClawAgent {
    fn name(&self) -> &'static str {
        "openclaw"
    }

    async fn models(&self) -> Result<Option<Vec<String>>, AgentError> {
        self.chat.models().await
    }

    fn hears_operator(&self) -> bool {
        true
    }

    async fn is_reachable(&self) -> Option<bool> {
        Some(self.chat.is_reachable().await)
    }

    async fn answer(&self, turn: Turn) -> Result<AnswerStream, AgentError> {
        let model = format!("openclaw/{}", self.agent_id.as_deref().unwrap_or("default"));
        let texted: Vec<Past> = turn.history.iter().filter(|past| past.role == Role::Operator).cloned().collect();
        let request = |words: &ContactMessages, texted: &[Past]| {
            let lines: Vec<String> = texted.iter().map(prompt::line).chain([words.text.clone()]).collect();
            let messages = [json!({ "role": "user", "content": words.content(&lines.join("\n")) })];
            json!({ "model": model, "stream": true, "messages": messages })
        };
        let answer = self.chat.ask_with(&turn, &texted, request, self.headers(&turn)?).await?;
        Ok(answer.map_ok(silence).boxed())
    }
}

impl OpenClawAgent {
    /// Creates it from `settings`.
    pub fn new(settings: OpenClawAgentConfig) -> Self {
        let base_url = settings.base_url.trim_end_matches('/').trim_end_matches("/v1");
        let chat = Chat::new(ChatEndpoint {
            url: format!("{base_url}/v1/chat/completions"),
            credential: settings.token,
            credential_settings: "agent.token, or OpenClaw's own gateway.auth (token, or password where that is its mode)",
            timeout: settings.timeout,
            // It says something, uses its tools, and then says more.
            pause: settings.timeout,
            not_found: "set gateway.http.endpoints.chatCompletions.enabled to true in OpenClaw's configuration, \
                        and check agent.baseUrl"
                .to_owned(),
            not_taken: "set agent.agentId to one of the agents that OpenClaw has".to_owned(),
        });
        Self { chat, agent_id: settings.agent_id }
    }

    fn headers(&self, turn: &Turn) -> Result<HeaderMap, AgentError> {
        let agent = self.agent_id.as_deref().unwrap_or("main");
        let session = HeaderValue::try_from(format!("agent:{agent}:telephony:direct:{}", turn.contact))
            .map_err(|_| AgentError::Refused("agent.agentId is not a valid agent name".to_owned()))?;
        Ok(HeaderMap::from_iter([(SESSION, session), (CHANNEL, HeaderValue::from_static("telephony"))]))
    }
}

fn silence(piece: String) -> String {
    if piece == NOTHING_SAID { String::new() } else { piece }
}
