//! A document for a call in our own words; a provider writes it in its language and adds addresses, language and voice.

use serde::{Deserialize, Serialize};

use super::words::Words;

/// The steps of a call until the provider asks for the next document. Behind its last step a call ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script(pub Vec<Step>);

/// A step of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Speak.
    Say(Words),
    /// Press keys on the call; `w` waits half a second.
    Press(String),
    /// Stay silent for so many seconds.
    Pause(u32),
    /// Listen, and come back with what was heard, or with nothing.
    Listen {
        /// Said meanwhile; the caller may interrupt it.
        prompt: Words,
        /// The kind of input that counts.
        input: Input,
    },
    /// Ask for the next document.
    Continue,
    /// End the call.
    HangUp,
    /// Turn the call away before it is answered, so that it costs nothing.
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

/// A reason for turning a call away, as the caller hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The tone of a number that is not in service.
    NotInService,
    /// The busy tone.
    Busy,
}

impl Script {
    /// A document that ends the call without a word.
    pub fn hang_up() -> Script {
        Script(vec![Step::HangUp])
    }

    /// A document that says one thing and ends the call.
    pub fn say_and_hang_up(words: impl Into<Words>) -> Script {
        Script(vec![Step::Say(words.into()), Step::HangUp])
    }

    /// A document that says something and listens meanwhile. Where nothing is heard, the call comes back for another one.
    pub fn listen(prompt: impl Into<Words>, input: Input) -> Script {
        Script(vec![Step::Listen { prompt: prompt.into(), input }, Step::Continue])
    }

    /// A document that turns the call away.
    pub fn reject(reason: Reason) -> Script {
        Script(vec![Step::Reject(reason)])
    }

    /// The texts that the document says, in order.
    pub fn spoken(&self) -> impl Iterator<Item = &Words> {
        let said = self.0.iter().filter_map(|step| match step {
            Step::Say(words) | Step::Listen { prompt: words, .. } => Some(words),
            _ => None,
        });
        said.filter(|words| !words.is_empty())
    }
}
