//! A test question, which the chosen agent answers before anything is written.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use telephony_agents::{Agent, AgentError, Said, Turn, collect};
use telephony_config::{ChosenBy, KeyChange, load_agent, rewrite};
use telephony_domain::id::TurnId;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::{Clock, SystemClock};

use super::super::asking::{Asking, Changes};
use super::super::files::config_file;
use super::super::secrets::SetupSecret;
use crate::failure::Failure;
use crate::{assemble, terminal};

const QUESTION: &str = "Hello! Can you hear me? Please answer in one short sentence.";

/// The contact who seems to ask: a number that belongs to no one.
const ASKER: &str = "+15550000000";

/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

impl Asking<'_> {
    /// Has the operator ask the agent something. Returns false if a different agent shall be chosen.
    pub(super) fn is_tried(&self, changes: &Changes, key: Option<&SetupSecret>) -> Result<bool, Failure> {
        loop {
            let asked =
                self.prompt.optional("Test question for the agent (empty for none)", Some(QUESTION), |_| Ok(()))?;
            let Some(question) = asked else { return Ok(true) };
            terminal::say(format!("Waiting for the answer ({} s at most).", ANSWER_TIMEOUT.as_secs()));
            match self.answer(changes, key, question) {
                Ok(answer) if answer.is_empty() => terminal::say("The agent works, but chose not to answer."),
                Ok(answer) => terminal::say(format!("The agent answers: {answer}")),
                Err(failure) => {
                    terminal::report(&failure);
                    let choices = ["ask again", "choose the agent again", "go on anyway"].map(str::to_owned);
                    match self.prompt.choice("What next?", &choices, 0)? {
                        Some(0) => continue,
                        Some(1) => return Ok(false),
                        _ => {}
                    }
                }
            }
            return Ok(true);
        }
    }

    fn answer(&self, changes: &Changes, key: Option<&SetupSecret>, question: String) -> Result<String, Failure> {
        let agent = self.chosen(changes, key)?;
        let within = assemble::runtime()?.block_on(async {
            let answer = async { collect(agent.answer(turn(question)?).await?).await };
            tokio::time::timeout(ANSWER_TIMEOUT, answer).await
        });
        Ok(within.unwrap_or(Err(AgentError::TimedOut(ANSWER_TIMEOUT.as_secs())))?)
    }

    /// Returns the agent that the configuration would have with these changes.
    fn chosen(&self, changes: &Changes, key: Option<&SetupSecret>) -> Result<Arc<dyn Agent>, Failure> {
        let location = &self.before.location;
        let file = config_file(location);
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let reference = key.map(|key| (key.kind.key, KeyChange::Set(format!("${{{}}}", key.kind.variable).into())));
        let changes: Changes = changes.iter().cloned().chain(reference).collect();
        let environment = key.iter().fold(self.before.environment.clone(), |environment, key| {
            environment.with(key.kind.variable, key.value.expose_secret())
        });
        let text = rewrite(&text, &changes, &environment)?;
        let argument = (location.chosen_by == ChosenBy::Argument).then_some(location.config.as_path());
        let loaded = load_agent(&environment, argument, Some((&file, &text))).map_err(Failure::from_problems)?;
        Ok(telephony_agents::from_config(&loaded.telephony.agent.kind, &loaded.environment))
    }
}

fn turn(question: String) -> Result<Turn, AgentError> {
    let now = SystemClock.now();
    let contact: PhoneNumber = ASKER.parse().map_err(|_| AgentError::Odd(format!("{ASKER} is not a number")))?;
    let said =
        Said { provider_id: "setup".to_owned(), text: question, media: Vec::new(), also_to: Vec::new(), received: now };
    // The id is the key of a repeated turn, so each question has its own.
    let id = TurnId(now.0);
    Ok(Turn { id, attempt: 1, contact, line: None, on_call: None, said: vec![said], history: Vec::new() })
}
