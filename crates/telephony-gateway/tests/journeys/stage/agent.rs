//! An agent with prepared answers.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use telephony_agents::{Agent, AgentError, AnswerStream, OnCall, Turn};

type Script = dyn Fn(&Turn) -> Result<String, AgentError> + Send + Sync;

/// An agent that gives prepared answers and records the turns.
#[derive(Clone)]
pub struct Scripted {
    script: Arc<Script>,
    pub asked: Arc<Mutex<Vec<(u32, String)>>>,
    /// The history of each question.
    pub histories: Arc<Mutex<Vec<Vec<String>>>>,
    /// The calls that questions belonged to.
    pub calls: Arc<Mutex<Vec<OnCall>>>,
    pub gate: Option<Arc<tokio::sync::Semaphore>>,
    pub history_turns: u32,
}

impl Scripted {
    pub fn new(script: impl Fn(&Turn) -> Result<String, AgentError> + Send + Sync + 'static) -> Self {
        Self {
            script: Arc::new(script),
            asked: Arc::default(),
            histories: Arc::default(),
            calls: Arc::default(),
            gate: None,
            history_turns: 0,
        }
    }

    pub fn repeating() -> Self {
        Self::new(|turn| Ok(turn.text()))
    }

    /// Returns an agent whose answers each wait for a permit.
    pub fn gated(self, gate: Arc<tokio::sync::Semaphore>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    pub fn questions(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(_, text)| text.clone()).collect()
    }
}

#[async_trait]
impl Agent for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn history_turns(&self) -> u32 {
        self.history_turns
    }

    async fn answer(&self, turn: Turn) -> Result<AnswerStream, AgentError> {
        self.asked.lock().unwrap().push((turn.attempt, turn.text()));
        self.histories.lock().unwrap().push(turn.history.iter().map(|past| past.text.clone()).collect());
        self.calls.lock().unwrap().extend(turn.on_call.clone());
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        let text = (self.script)(&turn)?;
        Ok(stream::once(async move { Ok(text) }).boxed())
    }
}
