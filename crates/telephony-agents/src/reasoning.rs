//! Removes a reasoning model's reasoning from its answer. The position of a tag decides: at the beginning of the answer
//! or of a line it marks reasoning, in the middle of a sentence or in code it is part of the answer.

mod channels;
mod tag;

use std::ops::Range;

use tag::{Name, Tag, TagKind};

/// Returns the answer without reasoning. Reasoning that does not end extends to the end.
pub(crate) fn without_reasoning(answer: &str) -> String {
    let answer = answer.trim_start_matches('\u{FEFF}');
    if !may_think(answer) {
        return answer.to_owned();
    }
    let answer = channels::last_word(answer).unwrap_or(answer);
    let answer = behind_unopened(answer).or_else(|| behind_shown(answer)).unwrap_or(answer);
    unwrapped(without_ends(&without_marked(answer))).to_owned()
}

/// Returns true if the answer contains any part of a mark: most do not.
fn may_think(answer: &str) -> bool {
    answer.contains(['<', '[', '◁'])
        || answer.starts_with("analysis")
        || answer.starts_with("assistantanalysis")
        || answer.trim_start().starts_with(SHOWN_BEGIN)
}

/// Lines around the thoughts that `ollama run` shows.
const SHOWN_BEGIN: &str = "Thinking...\n";
const SHOWN_END: &str = "\n...done thinking.\n";

/// Returns the text behind the thoughts that `ollama run` shows.
fn behind_shown(answer: &str) -> Option<&str> {
    let thoughts = answer.trim_start().strip_prefix(SHOWN_BEGIN)?;
    let (_, answer) = thoughts.split_once(SHOWN_END).or_else(|| thoughts.split_once(SHOWN_END.trim_start()))?;
    Some(answer.trim_start())
}

/// Marks with which a model ends its turn; some servers pass them on.
const ENDS: [&str; 8] =
    ["</s>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|end|>", "<|return|>", "<end_of_turn>", "<|end_of_text|>"];

fn without_ends(answer: &str) -> &str {
    let mut answer = answer;
    while let Some(rest) = ENDS.iter().find_map(|end| answer.trim_end().strip_suffix(end)) {
        answer = rest.trim_end();
    }
    answer
}

fn without_marked(answer: &str) -> String {
    let tags = tag::all(answer);
    let (mut kept, mut done, mut next) = (String::new(), 0, 0);
    while let Some((at, thought)) = next_thought(answer, &tags, next, done) {
        let before = &answer[done..thought.start];
        kept.push_str(if kept.is_empty() { before.trim_start() } else { before });
        let rest = &answer[thought.end..];
        // Whitespace after reasoning is removed with it; in the middle of an answer the line break stays.
        done = answer.len() - rest.trim_start().len();
        if !kept.trim().is_empty() && !kept.ends_with('\n') && rest.trim_start_matches(' ').starts_with(['\n', '\r']) {
            kept.push('\n');
        }
        next = at + tags[at..].iter().take_while(|tag| tag.range.start < done).count();
    }
    if done == 0 {
        return answer.to_owned();
    }
    kept.push_str(&answer[done..]);
    if done == answer.len() { kept.trim_end().to_owned() } else { kept }
}

/// Finds the next reasoning from tag `next` on, and the index of the tag that opens it. `done` is the end of the
/// previous one.
fn next_thought(answer: &str, tags: &[Tag], next: usize, done: usize) -> Option<(usize, Range<usize>)> {
    let last_end = tags.iter().rposition(|tag| tag.kind == TagKind::Closing).unwrap_or(0);
    (next..tags.len()).find_map(|at| {
        let opening = &tags[at];
        let is_first = answer[done..opening.range.start].trim().is_empty();
        if opening.kind == TagKind::Closing || !(is_first || opening.begins_line(answer)) {
            return None;
        }
        if !opening.is_known() {
            let end = end_of_like(answer, &tags[at..]).filter(|_| done == 0 && is_first)?;
            return Some((at, opening.range.start..end));
        }
        let end = match opening.kind {
            TagKind::Empty => Some(opening.range.end),
            _ if at > last_end => None,
            _ => end_of(&tags[at..]),
        };
        match end {
            Some(end) => is_thought(answer, opening, end).then_some((at, opening.range.start..end)),
            None if (is_first && !opening.is_weak) || opening.fills_line(answer) || opening.touches_word(answer) => {
                Some((at, opening.range.start..answer.len()))
            }
            None => None,
        }
    })
}

/// Returns true for real reasoning. Between two tags that are only shown, as in `<think>...</think>`, there is no word.
fn is_thought(answer: &str, opening: &Tag, end: usize) -> bool {
    let thought = answer[opening.range.end.min(end)..end].split(['<', '[', '◁']).next().unwrap_or_default().trim();
    thought.is_empty() || thought.contains(char::is_alphanumeric)
}

/// Returns the end of the reasoning that the first of `tags` opens; nested ones are closed first. A model that reasons
/// about tags may open one that it never closes: then the last matching tag ends it, or any other.
fn end_of(tags: &[Tag]) -> Option<usize> {
    let mut open: Vec<Name> = Vec::new();
    for tag in tags {
        match tag.kind {
            TagKind::Opening => open.push(tag.name),
            TagKind::Closing => {
                if let Some(at) = open.iter().rposition(|name| *name == tag.name) {
                    open.truncate(at);
                }
            }
            TagKind::Empty => {}
        }
        if open.is_empty() {
            return Some(tag.range.end);
        }
    }
    let closing = || tags.iter().filter(|tag| tag.kind == TagKind::Closing);
    let same = closing().rfind(|tag| tag.name == tags[0].name);
    same.or_else(|| closing().next()).map(|tag| tag.range.end)
}

/// Returns the end of what the first of `tags` opens, if only its name resembles those of reasoning: it has to be closed, and
/// an answer has to follow that is not a document with such elements.
fn end_of_like(answer: &str, tags: &[Tag]) -> Option<usize> {
    let closing = tags.iter().find(|tag| tag.kind == TagKind::Closing && tag.name == tags[0].name)?;
    let end = closing.range.end;
    let behind = answer[end..].trim_start();
    let is_element =
        behind.strip_prefix('<').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '/'));
    let is_marked = MARKS.iter().any(|(opening, _)| begins(behind, opening));
    let is_answer = !behind.is_empty()
        && (!is_element || is_marked || tag::all(behind).first().is_some_and(|tag| tag.range.start == 0));
    (is_answer && is_thought(answer, &tags[0], end)).then_some(end)
}

/// Returns the text after the first closing tag without an opening one, which was in the server's prompt.
fn behind_unopened(answer: &str) -> Option<&str> {
    let tags = tag::all(answer);
    let first = tags.first().filter(|tag| tag.kind == TagKind::Closing && tag.ends_thought(answer))?;
    Some(answer[first.range.end..].trim_start())
}

/// Tags around the whole answer with which some models mark it.
const MARKS: [(&str, &str); 4] = [
    ("<answer>", "</answer>"),
    ("<final>", "</final>"),
    ("<response>", "</response>"),
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
];

fn begins(text: &str, mark: &str) -> bool {
    text.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark))
}

fn unwrapped(answer: &str) -> &str {
    let whole = answer.trim();
    let inner = MARKS.iter().find_map(|(opening, closing)| {
        let rest = whole.get(opening.len()..).filter(|_| begins(whole, opening))?;
        let end = rest.len().saturating_sub(closing.len());
        let ends = rest.get(end..).is_some_and(|end| end.eq_ignore_ascii_case(closing));
        Some(if ends { rest.get(..end)? } else { rest }.trim())
    });
    inner.unwrap_or(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn reasoning_is_removed_and_everything_else_stays() {
        for (said, answer) in [
            ("<think>They want a joke.</think>\n\nKnock knock.", "Knock knock."),
            ("\n<thinking>a < b </think> still</thinking>Yes", "Yes"),
            ("<think>\n\n</think>\n\nHello", "Hello"),
            ("<think/>Hello", "Hello"),
            ("<think>it never ends", ""),
            ("They want a joke.\n</think>\n\nKnock knock.", "Knock knock."),
            ("They want a joke.</think>Knock knock.", "Knock knock."),
            ("</think>Yes", "Yes"),
            ("<thing> it is </thinking> Yes", "Yes"),
            ("They are gone</think>", ""),
            ("<think>one</think>Write </think> behind it", "Write </think> behind it"),
            ("<think>a</think><reasoning>b</reasoning>\n<THINK>c</THINK> Yes", "Yes"),
            ("<think>They say <think> and never close it.</think>Yes", "Yes"),
            ("<think>Is `</think>` a tag?</think>Yes", "Yes"),
            ("<think>one</thinking>Yes", "Yes"),
            ("Let me see.\n<think>hm\nhm</think>\nIt is 4.", "Let me see.\nIt is 4."),
            ("It is 4.\n\n<think>\nor is it", "It is 4."),
            ("◁think▷hm◁/think▷Yes", "Yes"),
            ("<|START_THINKING|>hm<|END_THINKING|>Yes", "Yes"),
            ("<|begin_of_thought|>hm<|end_of_thought|>Yes", "Yes"),
            ("<seed:think>hm</seed:think>Yes", "Yes"),
            ("[THINK]hm[/THINK]Yes", "Yes"),
            ("[THINK]hm", ""),
            ("<think>hm</think>\n<answer>\nYes\n</answer>", "Yes"),
            ("<Thought>hm</Thought>\n<Answer>Yes</ANSWER>", "Yes"),
            ("<|begin_of_thought|>hm<|end_of_thought|>\n<|begin_of_solution|>Yes<|end_of_solution|>", "Yes"),
            ("<ant_thinking>hm</ant_thinking>Yes", "Yes"),
            ("<chain-of-thought>hm</chain-of-thought>Yes", "Yes"),
            ("\u{FEFF}<think>hm</think>Yes", "Yes"),
            ("Thinking...\nThey ask.\n\n...done thinking.\n\nYes", "Yes"),
            ("Thinking...\n...done thinking.\nYes", "Yes"),
            ("<think>hm</think>Yes<|im_end|>\n", "Yes"),
            ("Yes</s><|im_end|>", "Yes"),
            ("It is 4.\n<think>or is it", "It is 4."),
            ("<start_of_thought>hm<end_of_thought>Yes", "Yes"),
            ("<unused94>thought\nhm<unused95>Yes", "Yes"),
            ("<unused94>thought\nhm", ""),
            ("hm<unused95>Yes", "Yes"),
        ] {
            assert_eq!(without_reasoning(said), answer, "{said}");
        }
    }

    #[test]
    fn reasoning_channels_are_removed_and_the_final_message_stays() {
        for (said, answer) in [
            (
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes<|return|>",
                "Yes",
            ),
            (
                "<|start|>assistant<|channel|>analysis<|message|>hm<|end|>\n<|start|>assistant<|channel|>final <|message|>Yes",
                "Yes",
            ),
            ("<|channel|>analysis<|message|>hm", ""),
            ("<|channel|>final<|message|>Yes", "Yes"),
            (
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary to=functions.f<|message|>{}<|call|>",
                "",
            ),
            ("<|channel|>commentary<|message|>I look it up.<|end|>", "I look it up."),
            ("hm, they ask<|end|><|start|>assistant<|channel|>final<|message|>Yes", "Yes"),
            ("analysisThey ask.assistantfinalYes", "Yes"),
            ("assistantanalysisThey ask.assistantfinalYes", "Yes"),
            ("analysisThey ask", ""),
            ("analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes", "Yes"),
            ("analysis<|message|>hm", ""),
            ("final<|message|>Yes<|return|>", "Yes"),
            ("<|channel>thought\nhm\n<channel|>Yes", "Yes"),
            ("<|channel>thought\n<channel|>Yes", "Yes"),
            ("<|channel>thought\nhm", ""),
            ("hm\n<channel|>Yes", "Yes"),
        ] {
            assert_eq!(without_reasoning(said), answer, "{said}");
        }
    }

    #[test]
    fn texts_about_tags_stay() {
        for said in [
            "I think <think>this</think> stays",
            "Use <think> tags around it.",
            "Close it with </think> at the end.",
            "Write `<think>` first and `</think>` last.",
            "`</think>` ends it.",
            "Write <think> and </think> around it",
            "```\n<think>hm</think>\n```\nThat is it.",
            "It is:\n```xml\n<think>\n</think>\n```",
            "Tags:\n- <think> for thoughts\n- <answer> for answers",
            "Tags:\n<think>...</think> is for thoughts",
            "Harmony has <|channel|>analysis<|message|> for thoughts and <|channel|>final<|message|> for answers",
            "Gemma has <|channel>thought and <channel|> for it",
            "Mistral has [THINK] and [/THINK] for it",
            "[Think] about it",
            "<thin",
            "<thinly sliced>",
            "a < b and [thought",
            "  hello",
            "analysis is hard",
            "Thinking... it is done.",
            "Thinking...\nI am done thinking.",
            "The mark </s> ends it.",
            "Use <|im_end|> there",
            "Tags:\n<think> for thoughts",
            "<ThinkPad> is the name",
            "<reason>Late</reason>\n<code>4</code>",
            "<analysis>It is only this.</analysis>",
            "analysis<|message|",
            "final message",
            "",
        ] {
            assert_eq!(without_reasoning(said), said);
        }
    }

    fn cased(name: &str, upper: usize) -> String {
        match upper {
            0 => name.to_owned(),
            1 => name.to_uppercase(),
            _ => name[..1].to_uppercase() + &name[1..],
        }
    }

    fn pair() -> impl Strategy<Value = (String, String)> {
        let names = select([&tag::NAMES[..], &["inner_monologue", "thought-process"]].concat());
        let attributes = select(vec!["", " ", "\n", " id=\"1\"", " type='deep' lang=en"]);
        (names, 0usize..3, attributes, any::<bool>(), any::<bool>()).prop_map(
            |(name, upper, attributes, is_square, gap)| {
                let (name, gap) = (cased(name, upper), if gap { " " } else { "" });
                match is_square {
                    true => (format!("[{name}]"), format!("[/{name}]")),
                    false => (format!("<{gap}{name}{attributes}>"), format!("<{gap}/{gap}{name}{gap}>")),
                }
            },
        )
    }

    /// Generates names that no list has, made of the words that models use for reasoning.
    fn unknown_name() -> impl Strategy<Value = String> {
        let word = select(vec!["thinking", "think", "thoughts", "reasoning", "rationale", "reflections", "analysis"]);
        (word, "[a-z]{2,7}", select(vec!["_", "-", ":", "."]), any::<bool>()).prop_map(|(word, other, gap, is_last)| {
            if is_last { format!("{other}{gap}{word}") } else { format!("{word}{gap}{other}") }
        })
    }

    proptest! {
        #[test]
        fn reasoning_under_an_unknown_name_is_removed(
            name in unknown_name(),
            is_square in any::<bool>(),
            thought in "[a-z ,.\n]{0,20}[a-z]",
            behind in select(vec!["", " ", "\n\n"]),
            answer in "[A-Z][a-z ,.]{0,20}[a-z]",
        ) {
            let (open, close) = match is_square {
                true => (format!("[{name}]"), format!("[/{name}]")),
                false => (format!("<{name}>"), format!("</{name}>")),
            };
            prop_assert_eq!(without_reasoning(&format!("{open}{thought}{close}{behind}{answer}")), &answer[..]);
            for text in [format!("{open} {answer}"), format!("{answer} {close}"), format!("{answer} {open}{thought}{close}")] {
                prop_assert_eq!(without_reasoning(&text), text);
            }
        }

        #[test]
        fn every_form_of_reasoning_is_removed(
            (open, close) in pair(),
            (inner_open, inner_close) in pair(),
            before in select(vec!["", " ", "\n", "\n\n  "]),
            thought in "[a-z ,.\n]{0,20}[a-z]",
            is_nested in any::<bool>(),
            behind in select(vec!["", " ", "\n\n"]),
            answer in "[A-Z][a-z ,.]{0,20}[a-z]",
        ) {
            let inner = if is_nested { format!("{inner_open}{thought}{inner_close} {thought}") } else { thought };
            let said = format!("{before}{open}{inner}{close}{behind}{answer}");
            prop_assert_eq!(without_reasoning(&said), answer);
        }

        #[test]
        fn a_text_about_tags_stays(
            (open, close) in pair(),
            before in "[A-Z][a-z ]{0,20}[a-z] `?",
            behind in " [a-z ,.]{0,20}[a-z]",
        ) {
            let end = if before.ends_with('`') { "`" } else { "" };
            for tag in [&open, &close] {
                let said = format!("{before}{tag}{end}{behind}");
                prop_assert_eq!(without_reasoning(&said), said);
            }
        }

        #[test]
        fn no_text_causes_a_panic(said in "(<|>|\\[|\\]|/|\\||think|channel|message|analysis|final|end|start|`|\n| |é|◁|▷|[a-z]){0,30}") {
            without_reasoning(&said);
        }
    }
}
