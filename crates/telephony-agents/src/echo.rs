//! An agent that repeats messages: for first steps and tests.

use async_trait::async_trait;
use futures_util::{StreamExt, stream};

use crate::agent::{Agent, AgentError, AnswerStream, Turn};
use crate::attachment::TurnAttachment;

/// Repeats the turn's text unchanged, and lists the attachments.
#[derive(Debug, Clone, Copy, Default)]
pub struct EchoAgent;

#[async_trait]
impl Agent for EchoAgent {
    fn name(&self) -> &'static str {
        "echo"
    }

    async fn answer(&self, turn: Turn) -> Result<AnswerStream, AgentError> {
        let text = repeated(&turn);
        Ok(stream::once(async move { Ok(text) }).boxed())
    }
}

fn repeated(turn: &Turn) -> String {
    if turn.said.iter().all(|said| said.media.is_empty()) {
        return turn.text();
    }
    let lines = turn.said.iter().flat_map(|said| {
        let text = Some(said.text.clone()).filter(|text| !text.is_empty());
        text.into_iter().chain(said.media.iter().map(TurnAttachment::label))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use telephony_domain::id::TurnId;
    use telephony_domain::time::Timestamp;

    use super::*;
    use crate::agent::{Said, collect};

    #[tokio::test]
    async fn several_texts_are_repeated_on_separate_lines() {
        let said = |text: &str| Said {
            provider_id: "SM1".into(),
            text: text.into(),
            media: Vec::new(),
            also_to: Vec::new(),
            received: Timestamp(0),
        };
        let turn = Turn {
            id: TurnId(1),
            attempt: 1,
            contact: "+15550001111".parse().unwrap(),
            line: None,
            on_call: None,
            said: vec![said("one "), said("two")],
            history: Vec::new(),
        };
        let answer = EchoAgent.answer(turn).await.unwrap();
        assert_eq!(collect(answer).await.unwrap(), "one \ntwo");
    }
}
