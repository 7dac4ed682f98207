//! Asks the agent for its next words on a call.

use std::sync::Arc;

use telephony_agents::{AgentError, OnCall, Past, Said, Turn, collect};
use telephony_domain::call::{Event, Prompt};
use telephony_domain::id::CallId;
use telephony_store::StoreError;
use telephony_store::calls::CallQuestion;
use tracing::Instrument;

use super::CallRunner;
use crate::inbox::role;
use crate::tasks::without_panic;

/// The agent's task when the other side has said nothing yet.
const OPEN: &str = "(The call was answered. Say your first sentence.)";
const LEAVE_MESSAGE: &str = "(An answering machine took the call. Say one sentence for it.)";

/// The agent's task when the call is over.
const SUMMARIZE: &str = "(The call is over. Summarize it in at most three sentences, as a text message.)";

/// The reason why a question has no answer.
enum NoAnswer {
    Agent(AgentError),
    Store(StoreError),
}

impl CallRunner {
    /// Asks the agent, and hands its answer to the rules.
    pub(super) async fn ask(self: Arc<Self>, call: CallId, question: CallQuestion) {
        let span = tracing::error_span!("turn", turn = %question.id);
        let event = self.outcome_of(question).instrument(span).await;
        self.change(call, event).await;
    }

    async fn outcome_of(&self, question: CallQuestion) -> Event {
        let turn = question.number;
        let panicked =
            || Err(NoAnswer::Agent(AgentError::Unavailable("a bug in this program; see the log".to_owned())));
        match without_panic("a turn of a call", self.answer_to(question), panicked).await {
            Ok(text) => Event::Answer { turn, text: text.into() },
            Err(NoAnswer::Agent(error)) => {
                tracing::warn!(%error, "the agent did not answer on a call");
                Event::NoAnswer { turn }
            }
            Err(NoAnswer::Store(error)) => {
                self.storage.failed("failed to read what was said before", &error);
                Event::NoAnswer { turn }
            }
        }
    }

    async fn answer_to(&self, question: CallQuestion) -> Result<String, NoAnswer> {
        let agent = self.live.borrow().agent.clone();
        let history = match agent.hears_operator() {
            true => self.store.spoken(question.conversation, agent.history_turns()).await.map_err(NoAnswer::Store)?,
            false => Vec::new(),
        };
        let said = Said {
            provider_id: format!("call-turn-{}", question.id),
            text: text_of(&question.prompt),
            media: Vec::new(),
            also_to: Vec::new(),
            received: question.said,
        };
        let turn = Turn {
            id: question.id,
            attempt: 1,
            contact: question.contact,
            line: question.line.sender.number,
            on_call: Some(OnCall {
                is_inbound: question.is_inbound,
                is_proven: question.is_proven,
                can_be_texted: question.can_be_texted,
                time_left: question.deadline.since(self.clock.now()),
                task: question.task.map(|task| task.as_str().to_owned()),
            }),
            said: vec![said],
            history: history.into_iter().map(|line| Past { role: role(line.by), text: line.text }).collect(),
        };
        let answer = agent.answer(turn).await.map_err(NoAnswer::Agent)?;
        collect(answer).await.map_err(NoAnswer::Agent)
    }
}

fn text_of(prompt: &Prompt) -> String {
    match prompt {
        Prompt::Speech(words) => words.as_str().to_owned(),
        Prompt::Keys(keys) => format!("(The caller pressed {}.)", keys.as_str()),
        Prompt::Open => OPEN.to_owned(),
        Prompt::LeaveMessage => LEAVE_MESSAGE.to_owned(),
        Prompt::Summarize => SUMMARIZE.to_owned(),
    }
}
