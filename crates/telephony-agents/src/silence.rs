//! The token with which OpenClaw's agents, and others that know it, choose to say nothing.

use serde_json::Value;

const TOKEN: &str = "NO_REPLY";

/// Returns the answer without the token: empty if it is nothing else, and without lines at the start and end that only
/// contain the token. Within a sentence it stays.
pub(crate) fn without_token(answer: &str) -> &str {
    if is_token(answer) || is_action(answer) {
        return "";
    }
    let mut rest = answer;
    while let Some((before, _)) = rest.trim_end().rsplit_once('\n').filter(|(_, last)| is_token(last)) {
        rest = before.trim_end();
    }
    while let Some((_, behind)) = rest.trim_start().split_once('\n').filter(|(first, _)| is_token(first)) {
        rest = behind.trim_start();
    }
    if is_token(rest) { "" } else { rest }
}

/// Returns true if `text` is the token once or repeatedly, in any case and with any Markdown or punctuation around it.
fn is_token(text: &str) -> bool {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("```") || is_word(line));
    let words: Vec<&str> =
        lines.flat_map(str::split_whitespace).filter(|word| word.contains(char::is_alphanumeric)).collect();
    !words.is_empty() && words.into_iter().all(is_word)
}

fn is_word(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    bare.eq_ignore_ascii_case(TOKEN) || bare.eq_ignore_ascii_case(r"NO\_REPLY")
}

/// Returns true for the token written as an action: `{"action": "NO_REPLY"}`.
fn is_action(answer: &str) -> bool {
    if !answer.trim_start().starts_with('{') {
        return false;
    }
    let action: Option<Value> = serde_json::from_str(answer).ok();
    let keys = action.as_ref().and_then(Value::as_object).filter(|keys| keys.len() == 1);
    keys.and_then(|keys| keys.get("action")?.as_str()).is_some_and(is_token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn the_token_within_a_sentence_is_ordinary_text() {
        for said in [
            "Answer NO_REPLY if you have nothing to say.",
            "The word is NO_REPLY",
            "NO_REPLY is the word",
            "NO_REPLY: it means silence",
            "NO_REPLYING",
            "no reply",
            "one\nNO_REPLY\ntwo",
            "{\"action\": \"NO_REPLY\", \"text\": \"hi\"}",
        ] {
            assert_eq!(without_token(said), said);
        }
        for said in [
            "{ \"action\": \"NO_REPLY\" }",
            "```text\nNO_REPLY\n```",
            "NO_REPLY **NO_REPLY**",
            "\u{FEFF}NO_REPLY\u{200B}",
        ] {
            assert_eq!(without_token(said), "", "{said}");
        }
        assert_eq!(without_token("It is:\n```text\nNO_REPLY\n```"), "It is:\n```text\nNO_REPLY\n```");
    }

    fn token() -> impl Strategy<Value = String> {
        let marks = select(vec!["", "*", "**", "***", "_", "`", "```", "\"", "(", "~~", "["]);
        let token = select(vec!["NO_REPLY", "no_reply", "No_Reply", r"NO\_REPLY"]);
        let end = select(vec!["", ".", "!", " "]);
        (marks, token, end).prop_map(|(marks, token, end)| {
            let closing = marks.replace('(', ")").replace('[', "]");
            format!("{marks}{token}{end}{closing}")
        })
    }

    proptest! {
        #[test]
        fn the_token_alone_is_silence(token in token(), before in "[ \n]{0,3}", behind in "[ \n]{0,3}", times in 1usize..3) {
            let said = format!("{before}{}{behind}", vec![token; times].join("\n"));
            prop_assert_eq!(without_token(&said), "");
        }

        #[test]
        fn a_first_or_last_line_with_the_token_is_removed(token in token(), said in "[A-Z][a-z ,\n]{0,30}[a-z.]", gap in "[ ]{0,2}\n{1,3}[ ]{0,2}") {
            let (last, first) = (format!("{said}{gap}{token}\n"), format!("{token}{gap}{said}"));
            prop_assert_eq!(without_token(&last), &said);
            prop_assert_eq!(without_token(&first), &said);
        }
    }
}
