//! The interface between the gateway and an agent.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use telephony_domain::id::TurnId;
use telephony_domain::line_address::LineAddress;
use telephony_domain::number::PhoneNumber;
use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;

use crate::attachment::TurnAttachment;
use crate::reasoning::without_reasoning;
use crate::silence;

/// Attempts at a turn for which the agent has no answer.
const ODD_ATTEMPTS: u32 = 3;

/// Answers turns. It may get the same turn again, with a higher `attempt`.
#[async_trait]
pub trait Agent: Send + Sync {
    /// Returns the agent's kind, as in `agent.kind`.
    fn name(&self) -> &'static str;

    /// Returns the number of earlier turns that it wants (`Turn::history`).
    fn history_turns(&self) -> u32 {
        0
    }

    /// Returns the models that its server lists, without using any of them; none without a server or a list.
    async fn models(&self) -> Result<Option<Vec<String>>, AgentError> {
        Ok(None)
    }

    /// Returns true if it wants the operator's texts since its last answer, even if it keeps the history itself.
    fn hears_operator(&self) -> bool {
        self.history_turns() > 0
    }

    /// Returns true if its server accepts connections; none without a server. Sends no request.
    async fn is_reachable(&self) -> Option<bool> {
        None
    }

    /// Begins to answer; the text follows in the stream. An empty answer is no reply.
    async fn answer(&self, turn: Turn) -> Result<AnswerStream, AgentError>;
}

/// The answer's text, piece by piece; it ends with the stream or with its first error.
pub type AnswerStream = BoxStream<'static, Result<String, AgentError>>;

/// The messages to answer, with their context. `Debug` hides the texts.
#[derive(Clone)]
pub struct Turn {
    /// Id of the turn, the same for every attempt.
    pub id: TurnId,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Number of the contact who gets the answer.
    pub contact: PhoneNumber,
    /// Our number that the contact wrote to, if known.
    pub line: Option<LineAddress>,
    /// The call on which they were said; none for text messages.
    pub on_call: Option<OnCall>,
    /// Messages, oldest first; never empty.
    pub said: Vec<Said>,
    /// Earlier turns, oldest first.
    pub history: Vec<Past>,
}

/// The call that a turn belongs to. `Debug` hides the task.
#[derive(Clone, PartialEq, Eq)]
pub struct OnCall {
    /// True if the contact called us.
    pub is_inbound: bool,
    /// True if the other side is surely the contact. Callers can fake their numbers.
    pub is_proven: bool,
    /// True if the other side can be texted. Otherwise the agent must not promise a text.
    pub can_be_texted: bool,
    /// Time until the call ends.
    pub time_left: Duration,
    /// The task of a call that we placed.
    pub task: Option<String>,
}

/// One message of a turn.
#[derive(Clone)]
pub struct Said {
    /// Id at the provider.
    pub provider_id: String,
    /// Text as the contact wrote it; empty for attachments alone.
    pub text: String,
    /// Attachments, in the contact's order.
    pub media: Vec<TurnAttachment>,
    /// Other recipients; empty unless it was sent to a group.
    pub also_to: Vec<String>,
    /// Time when it was received.
    pub received: Timestamp,
}

/// One line of an earlier turn.
#[derive(Clone)]
pub struct Past {
    /// The side that wrote it.
    pub role: Role,
    /// Text as it was received or sent.
    pub text: String,
}

/// The author of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The person whom the agent answers.
    Contact,
    /// The agent itself, in an earlier turn.
    Agent,
    /// The operator, who texted the contact from the same number.
    Operator,
}

impl fmt::Debug for OnCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnCall")
            .field("is_inbound", &self.is_inbound)
            .field("is_proven", &self.is_proven)
            .field("can_be_texted", &self.can_be_texted)
            .field("time_left", &self.time_left)
            .finish_non_exhaustive()
    }
}

impl Turn {
    /// Returns all messages, one a line.
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.said.iter().map(|said| said.text.as_str()).collect();
        texts.join("\n")
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("id", &self.id)
            .field("attempt", &self.attempt)
            .field("contact", &self.contact)
            .field("said", &self.said.len())
            .finish_non_exhaustive()
    }
}

/// A reason why there is no answer. Never contains message texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// The server is down or overloaded: it may work later.
    #[error("the agent is unavailable: {0}")]
    Unavailable(String),
    /// No connection to the server is possible: it may be restarted.
    #[error("the agent is unavailable: {0}")]
    Unreachable(String),
    /// The server is overloaded and says when to retry.
    #[error("the agent is overloaded and asks to wait {} s", .0.as_secs())]
    Busy(Duration),
    /// It took too long.
    #[error("the agent did not answer within {0} s")]
    TimedOut(u64),
    /// It ended without an answer, or does not end: the next attempt may succeed, but usually does not.
    #[error("the agent has no answer: {0}")]
    Odd(String),
    /// It can never answer as configured: wrong key, wrong model, not installed.
    #[error("the agent rejects the request: {0}")]
    Refused(String),
}

impl AgentError {
    /// Returns the next step after attempt number `attempt`. Repeating is safe, because an answer is sent once.
    pub fn disposition(&self, attempt: u32) -> Disposition {
        match self {
            AgentError::Unavailable(_) | AgentError::Unreachable(_) | AgentError::TimedOut(_) => {
                Disposition::Retry { after: None }
            }
            AgentError::Busy(wait) => Disposition::Retry { after: Some(*wait) },
            AgentError::Odd(_) if attempt < ODD_ATTEMPTS => Disposition::Retry { after: None },
            AgentError::Odd(_) | AgentError::Refused(_) => Disposition::GiveUp,
        }
    }
}

/// Returns the contact's part of an answer: without control characters, and empty if the agent chose silence.
pub async fn collect(mut answer: AnswerStream) -> Result<String, AgentError> {
    let mut text = String::new();
    while let Some(piece) = answer.next().await {
        text.push_str(&piece?);
    }
    let text = without_controls(&text);
    let spoken = silence::without_token(&text);
    // A token may stand before reasoning that is only recognized at the beginning.
    Ok(if spoken.len() < text.len() { without_reasoning(spoken) } else { spoken.to_owned() })
}

/// Normalizes control characters: line ends become `\n`, a tab becomes a space, others are removed.
fn without_controls(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
    text.replace(|c: char| c.is_control() && c != '\n', "")
}
