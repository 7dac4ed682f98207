//! Turns for the tests, and ways to run them.

use telephony_agents::{Agent, AgentError, Availability, Past, Role, Said, Turn, TurnAttachment, collect};
use telephony_domain::id::TurnId;
use telephony_domain::time::Timestamp;
use tempfile::NamedTempFile;

pub(crate) fn turn(texts: &[&str]) -> Turn {
    let said = |(number, text): (usize, &&str)| Said {
        provider_id: format!("SM{number}"),
        text: (*text).to_owned(),
        media: Vec::new(),
        also_to: Vec::new(),
        received: Timestamp(1_700_000_000_000),
    };
    Turn {
        id: TurnId(17),
        attempt: 2,
        contact: "+15550001111".parse().unwrap(),
        line: Some("+15550001234".parse().unwrap()),
        on_call: None,
        said: texts.iter().enumerate().map(said).collect(),
        history: Vec::new(),
    }
}

/// Creates an attachment in its own file.
pub(crate) fn attachment(content_type: &str, bytes: &[u8]) -> (NamedTempFile, TurnAttachment) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let held = Availability::File { path: file.path().to_owned(), size: bytes.len() as u64 };
    (file, TurnAttachment { content_type: content_type.to_owned(), held })
}

pub(crate) fn unavailable_picture() -> TurnAttachment {
    TurnAttachment {
        content_type: "image/jpeg".to_owned(),
        held: Availability::Unavailable("it is too large".to_owned()),
    }
}

pub(crate) fn past(role: Role, text: &str) -> Past {
    Past { role, text: text.to_owned() }
}

pub(crate) async fn ask(agent: &dyn Agent, turn: Turn) -> Result<String, AgentError> {
    collect(agent.answer(turn).await?).await
}

/// Returns the message of an error that ends the turn.
pub(crate) fn refusal(answer: Result<String, AgentError>) -> String {
    match answer {
        Err(AgentError::Refused(sentence)) => sentence,
        other => panic!("not refused: {other:?}"),
    }
}

/// Returns the message of an error after which the turn is retried.
pub(crate) fn unavailable(answer: Result<String, AgentError>) -> String {
    match answer {
        Err(AgentError::Unavailable(sentence) | AgentError::Unreachable(sentence)) => sentence,
        other => panic!("not unavailable: {other:?}"),
    }
}

/// Returns the message of an error after which the turn is retried a few times.
pub(crate) fn odd(answer: Result<String, AgentError>) -> String {
    match answer {
        Err(AgentError::Odd(sentence)) => sentence,
        other => panic!("not odd: {other:?}"),
    }
}
