//! A document for a call, independent of the provider, which writes it as markup and adds URLs, language and voice.

use serde::{Deserialize, Serialize};

use super::phrases;
use super::words::Words;

/// The steps of a call until the provider requests the next document. After its last step a call ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script(pub Vec<Step>);

/// A step of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Speak these words to the other side.
    Say(Words),
    /// Press keys on the call; `w` waits half a second.
    Press(String),
    /// Stay silent for this many seconds.
    Pause(u32),
    /// Listen, and request the next document with the input, or without any.
    Listen {
        /// Said meanwhile; input may interrupt it.
        prompt: Words,
        /// The accepted kind of input.
        input: Input,
    },
    /// Request the next document.
    Continue,
    /// End the call.
    HangUp,
    /// Reject the call before it is answered, so that it costs nothing.
    Reject(Reason),
}

/// The kind of input that a call listens for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Speech or keys.
    SpeechOrKeys,
    /// Keys only.
    Keys,
}

/// A reason for rejecting a call, as the caller hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The tone of a number that is not in service.
    NotInService,
    /// The busy tone: the caller may try again later.
    Busy,
}

impl Script {
    /// Returns a document that ends the call silently.
    pub fn hang_up() -> Script {
        Script(vec![Step::HangUp])
    }

    /// Returns a document that says one thing and ends the call.
    pub fn say_and_hang_up(words: impl Into<Words>) -> Script {
        Script(vec![Step::Say(words.into()), Step::HangUp])
    }

    /// Returns a document for a call that cannot go on.
    pub fn apology() -> Script {
        Script::say_and_hang_up(phrases::APOLOGY)
    }

    /// Returns a document that says something and listens meanwhile. Without input, the call requests another document.
    pub fn listen(prompt: impl Into<Words>, input: Input) -> Script {
        Script(vec![Step::Listen { prompt: prompt.into(), input }, Step::Continue])
    }

    /// Returns a document that rejects the call.
    pub fn reject(reason: Reason) -> Script {
        Script(vec![Step::Reject(reason)])
    }

    /// Returns the texts that the document says, in order.
    pub fn spoken(&self) -> impl Iterator<Item = &Words> {
        let said = self.0.iter().filter_map(|step| match step {
            Step::Say(words) | Step::Listen { prompt: words, .. } => Some(words),
            _ => None,
        });
        said.filter(|words| !words.is_empty())
    }
}
