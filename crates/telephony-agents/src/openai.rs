//! The `openai` agent: any server with OpenAI's chat completions API, which gets the conversation so far.

use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use serde_json::{Value, json};
use telephony_config::OpenAiAgentConfig;

use crate::agent::{Agent, AgentError, AnswerStream, Past, Role, Turn};
use crate::chat::{Chat, ChatEndpoint, ContactMessages};
use crate::prompt;

/// Longest pause of a model once its text has begun.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// An agent backed by a model.
pub struct OpenAiAgent {
    chat: Chat,
    settings: OpenAiAgentConfig,
}

#[async_trait]
impl Agent for OpenAiAgent {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn history_turns(&self) -> u32 {
        self.settings.history_turns
    }

    async fn models(&self) -> Result<Option<Vec<String>>, AgentError> {
        self.chat.models().await
    }

    async fn is_reachable(&self) -> Option<bool> {
        Some(self.chat.is_reachable().await)
    }

    async fn answer(&self, turn: Turn) -> Result<AnswerStream, AgentError> {
        let request = |words: &ContactMessages, history: &[Past]| {
            let messages = self.messages(history, words);
            json!({ "model": self.settings.model, "stream": true, "messages": messages })
        };
        self.chat.ask_with(&turn, &turn.history, request, HeaderMap::new()).await
    }
}

impl OpenAiAgent {
    /// Creates it from `settings`.
    pub fn new(settings: OpenAiAgentConfig) -> Self {
        let base_url = settings.base_url.trim_end_matches('/').trim_end_matches("/chat/completions");
        let not_found = format!(
            "check agent.baseUrl (most end in /v1) and that it has the model `{}` (agent.model)",
            settings.model
        );
        let chat = Chat::new(ChatEndpoint {
            url: format!("{base_url}/chat/completions"),
            credential: settings.api_key.clone(),
            credential_settings: "agent.apiKey or OPENAI_API_KEY",
            timeout: settings.timeout,
            pause: MAX_PAUSE,
            not_found,
            not_taken: "check agent.model, and whether agent.systemPrompt is too long for it".to_owned(),
        });
        Self { chat, settings }
    }

    /// Returns the conversation so far. Consecutive lines of one side are one message, because some models require
    /// alternating roles.
    fn messages(&self, history: &[Past], words: &ContactMessages) -> Vec<Value> {
        let mut said: Vec<(&str, String)> = Vec::new();
        let now = ("user", words.text.clone());
        for (role, text) in history.iter().map(|past| (role_of(past), prompt::line(past))).chain([now]) {
            match said.last_mut() {
                Some((last, so_far)) if *last == role => *so_far = format!("{so_far}\n{text}"),
                _ => said.push((role, text)),
            }
        }
        let system = self.settings.system_prompt.iter().map(|text| json!({ "role": "system", "content": text }));
        let now = said.pop().map(|(_, text)| json!({ "role": "user", "content": words.content(&text) }));
        let said = said.into_iter().map(|(role, text)| json!({ "role": role, "content": text }));
        system.chain(said).chain(now).collect()
    }
}

/// Gives the operator's texts the user's role, as notes, because some models require that a user begins.
fn role_of(past: &Past) -> &'static str {
    match past.role {
        Role::Contact | Role::Operator => "user",
        Role::Agent => "assistant",
    }
}
