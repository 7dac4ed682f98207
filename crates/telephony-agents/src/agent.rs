//! What the gateway asks of an agent, whatever is behind it.

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

use crate::attachment::Attachment;
use crate::silence;

/// An agent that has no answer is asked this often.
const ODD_ATTEMPTS: u32 = 3;

/// Answers turns. It may be asked the same turn again, with a higher `attempt`.
#[async_trait]
pub trait Agent: Send + Sync {
    /// The agent's kind, as in `agent.kind`.
    fn name(&self) -> &'static str;

    /// How many earlier turns it wants to be told (`Turn::history`).
    fn history_turns(&self) -> u32 {
        0
    }

    /// Which models its server has, by its own account, without asking any of them anything; none where there is no server
    /// or it does not say.
    async fn models(&self) -> Result<Option<Vec<String>>, AgentError> {
        Ok(None)
    }

    /// Returns true if it wants the operator's texts since its last answer, even if it keeps the history itself.
    fn hears_operator(&self) -> bool {
        self.history_turns() > 0
    }

    /// Returns true if a connection to its server is possible now; none where it has no server. It asks nothing.
    async fn is_reachable(&self) -> Option<bool> {
        None
    }

    /// Begins to answer; the text follows in the stream. An empty answer is no reply.
    async fn answer(&self, turn: Turn) -> Result<Answer, AgentError>;
}

/// The answer's text, piece by piece; it ends with the stream or with its first error.
pub type Answer = BoxStream<'static, Result<String, AgentError>>;

/// What a contact said, and what the agent needs to answer. `Debug` hides the texts.
#[derive(Clone)]
pub struct Turn {
    /// Which turn; the same for every attempt.
    pub id: TurnId,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Who is talking.
    pub contact: PhoneNumber,
    /// Which of our numbers they are talking to, where it is known.
    pub line: Option<LineAddress>,
    /// What they said, oldest first; never empty.
    pub said: Vec<Said>,
    /// Earlier turns, oldest first.
    pub history: Vec<Past>,
}

/// One message of a turn.
#[derive(Clone)]
pub struct Said {
    /// The provider's id of the message.
    pub provider_id: String,
    /// The text.
    pub text: String,
    /// Attachments, in order.
    pub media: Vec<Attachment>,
    /// Who else it was sent to; empty unless it came to a group.
    pub also_to: Vec<String>,
    /// When it reached us.
    pub received: Timestamp,
}

/// One line of an earlier turn.
#[derive(Clone)]
pub struct Past {
    /// Who said it.
    pub role: Role,
    /// The text.
    pub text: String,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The contact.
    Contact,
    /// The agent.
    Agent,
    /// The operator, who texted the contact from the same number.
    Operator,
}

impl Turn {
    /// Everything the contact said, a line each.
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

/// Why there is no answer. Never holds what was said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// Nobody is there, or it is overloaded: it may work later.
    #[error("the agent is unavailable: {0}")]
    Unavailable(String),
    /// No connection to it is possible: it may be started again.
    #[error("the agent is unavailable: {0}")]
    Unreachable(String),
    /// It has too much to do and says when to come back.
    #[error("the agent is overloaded and asks to wait {} s", .0.as_secs())]
    Busy(Duration),
    /// It took too long.
    #[error("the agent did not answer within {0} s")]
    TimedOut(u64),
    /// It ended without an answer, or does not end: it may do better the next time, but mostly it does the same again.
    #[error("the agent has no answer: {0}")]
    Odd(String),
    /// It will never answer this way: wrong key, wrong model, not installed.
    #[error("the agent refuses: {0}")]
    Refused(String),
}

impl AgentError {
    /// Returns the next step after attempt number `attempt`. Agents may be asked again: answers leave once.
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

/// The answer as far as it is for the contact: without control characters, and empty where the agent chose silence.
pub async fn collect(mut answer: Answer) -> Result<String, AgentError> {
    let mut text = String::new();
    while let Some(piece) = answer.next().await {
        text.push_str(&piece?);
    }
    Ok(silence::without_token(&without_controls(&text)).to_owned())
}

/// Without what no phone shows and no text has: line ends are `\n`, a tab is a space, other control characters go.
fn without_controls(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
    text.replace(|c: char| c.is_control() && c != '\n', "")
}
