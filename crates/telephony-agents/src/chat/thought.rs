//! What a reasoning model thinks aloud before it answers (`<think>…</think>`): nobody's business but its own.

const TAGS: [(&str, &str); 2] = [("<think>", "</think>"), ("<thinking>", "</thinking>")];

/// Takes the thought at the beginning of an answer out of it, in whatever pieces the answer comes.
#[derive(Default)]
pub(super) enum Thought {
    /// Whether the answer begins with one is not known yet; this is what came.
    #[default]
    Undecided,
    /// Undecided, with what came so far.
    Perhaps(String),
    /// It thinks until this tag; this came, of which the tag may be a part.
    Thinking(&'static str, String),
    /// It answers; white space in front is dropped behind a thought.
    Answering {
        /// Whether nothing but white space came since the thought.
        is_behind_thought: bool,
    },
}

impl Thought {
    /// What of `text`, and of what was held back, belongs to the answer.
    pub(super) fn strip(&mut self, text: String) -> String {
        match std::mem::take(self) {
            Thought::Undecided => self.decide(text),
            Thought::Perhaps(held) => self.decide(held + &text),
            Thought::Thinking(end, held) => self.think(end, held + &text),
            Thought::Answering { is_behind_thought: false } => {
                *self = Thought::Answering { is_behind_thought: false };
                text
            }
            Thought::Answering { is_behind_thought: true } => self.begin(&text),
        }
    }

    /// The answer is over: what was held back belongs to it, unless it is a thought.
    pub(super) fn rest(&mut self) -> String {
        match std::mem::replace(self, Thought::Answering { is_behind_thought: false }) {
            Thought::Perhaps(held) => held,
            _ => String::new(),
        }
    }

    fn decide(&mut self, text: String) -> String {
        let start = text.trim_start();
        if let Some((tag, end)) = TAGS.iter().find(|(tag, _)| start.starts_with(tag)) {
            let thought = start[tag.len()..].to_owned();
            return self.think(end, thought);
        }
        if TAGS.iter().any(|(tag, _)| tag.starts_with(start)) {
            *self = Thought::Perhaps(text);
            return String::new();
        }
        *self = Thought::Answering { is_behind_thought: false };
        text
    }

    fn think(&mut self, end: &'static str, thought: String) -> String {
        if let Some((_, answer)) = thought.split_once(end) {
            return self.begin(answer);
        }
        // Only as much is held back as may be the beginning of the tag.
        let kept = (0..end.len()).rev().find(|kept| thought.ends_with(&end[..*kept])).unwrap_or(0);
        *self = Thought::Thinking(end, end[..kept].to_owned());
        String::new()
    }

    fn begin(&mut self, answer: &str) -> String {
        let answer = answer.trim_start();
        *self = Thought::Answering { is_behind_thought: answer.is_empty() };
        answer.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strip<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
        let mut thought = Thought::default();
        let mut answer: String = pieces.into_iter().map(|piece| thought.strip(piece.to_owned())).collect();
        answer.push_str(&thought.rest());
        answer
    }

    #[test]
    fn a_thought_in_front_goes_and_everything_else_stays() {
        for (said, answer) in [
            ("<think>They want a joke.</think>\n\nKnock knock.", "Knock knock."),
            ("\n<thinking>a < b </think> still</thinking>Yes", "Yes"),
            ("<think>\n\n</think>\n\nHello", "Hello"),
            ("I think <think>this</think> stays", "I think <think>this</think> stays"),
            ("<thin", "<thin"),
            ("<thinly sliced", "<thinly sliced"),
            ("  hello", "  hello"),
            ("<think>it never ends", ""),
            ("", ""),
        ] {
            assert_eq!(strip([said]), answer, "{said}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_it_comes_in_change_nothing(
            said in "(\n|<|<think>|<thinking>)?[a-z<>/ ]{0,12}(</think>|</thinking>|</th)?[a-z \n]{0,8}",
            cuts in proptest::collection::vec(0usize..40, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(said.len())).chain([0, said.len()]).collect();
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|pair| &said[pair[0]..pair[1]]);
            prop_assert_eq!(strip(pieces), strip([said.as_str()]));
        }
    }
}
