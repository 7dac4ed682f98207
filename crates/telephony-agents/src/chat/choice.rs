//! The content of one JSON object from a chat-completions server.

use serde_json::Value;

use super::reply::Broken;

/// A piece of an answer, or a whole one.
pub(super) struct AnswerPiece {
    /// Text of a piece.
    pub(super) delta: Option<String>,
    /// Text of the whole answer.
    pub(super) message: Option<String>,
    /// Finish reason, if the answer ends here.
    pub(super) finish_reason: Option<String>,
}

impl AnswerPiece {
    /// Parses `json`; none if it is not about the answer, such as usage statistics.
    pub(super) fn read(json: &str) -> Result<Option<Self>, Broken> {
        let said: Value = serde_json::from_str(json).map_err(|_| Broken::Unreadable)?;
        let choice = &said["choices"][0];
        if [&said, choice].into_iter().any(has_error) {
            return Err(Broken::Error(error_word(&said).or_else(|| error_word(choice))));
        }
        if !said.is_object() {
            return Err(Broken::Unreadable);
        }
        let text =
            |place: &str| choice.get(place).filter(|place| place.is_object()).map(|said| text_of(&said["content"]));
        let finish_reason = choice["finish_reason"].as_str().filter(|reason| !reason.is_empty()).map(str::to_owned);
        let choice = Self { delta: text("delta"), message: text("message"), finish_reason };
        Ok(said["choices"].get(0).map(|_| choice))
    }
}

/// Returns true for a model's error, which OpenRouter reports within its choice.
fn has_error(said: &Value) -> bool {
    said.get("error").is_some_and(|error| !error.is_null()) || said["finish_reason"] == "error"
}

/// Returns the text of a content, which is a text or a list of parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// Returns the server's error code, such as `model_not_found`. Its sentences are left out, because they may quote
/// messages.
pub(super) fn error_word(body: &Value) -> Option<String> {
    let error = &body["error"];
    let mut words = [&error["code"], &error["type"], &body["code"], &body["type"]].into_iter();
    words.find_map(|word| word.as_str().filter(|word| is_word(word)).map(str::to_owned))
}

/// Returns true for a code, which never quotes messages.
pub(super) fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> Option<String> {
        match AnswerPiece::read(json) {
            Err(Broken::Error(word)) => word,
            _ => panic!("no error: {json}"),
        }
    }

    #[test]
    fn an_error_shows_the_servers_code_but_not_its_message() {
        assert_eq!(error(r#"{"error":{"message":"secret","type":"a_type","code":"a_code"}}"#), Some("a_code".into()));
        let api_error = r#"{"error":{"message":"secret","type":"api_error","code":null}}"#;
        assert_eq!(error(api_error), Some("api_error".into()));
        assert_eq!(error(r#"{"error":"you said: call my wife"}"#), None);
        assert_eq!(error(r#"{"error":{"code":"you said: no"}}"#), None);
    }

    #[test]
    fn an_error_within_a_choice_is_an_error() {
        for text in [r#""delta":{}"#, r#""message":{"content":""}"#, r#""message":{"content":"half of"}"#] {
            let reason = format!(r#"{{"choices":[{{{text},"finish_reason":"error"}}]}}"#);
            assert_eq!(error(&reason), None);
            let answer = reason.replace("}]", r#","error":{"message":"secret","code":"server_error"}}]"#);
            assert_eq!(error(&answer), Some("server_error".into()));
            assert_eq!(error(&answer.replace(r#","finish_reason":"error""#, "")), Some("server_error".into()));
        }
    }
}
