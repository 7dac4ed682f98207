//! What a reasoning model thinks aloud before it answers (`<think>…</think>`): nobody's business but its own.
//! Where the prompt has the first tag already, as vLLM's has for some models, the answer has only the last one.

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
    /// It answers, without a thought in front as far as we saw.
    Answering,
    /// It answers behind a thought; white space in front is dropped.
    Behind {
        /// Whether anything but white space came since the thought.
        has_begun: bool,
    },
}

impl Thought {
    /// What of `text`, and of what was held back, belongs to the answer.
    pub(super) fn strip(&mut self, text: String) -> String {
        match std::mem::take(self) {
            Thought::Undecided => self.decide(text),
            Thought::Perhaps(held) => self.decide(held + &text),
            Thought::Thinking(end, held) => self.think(end, held + &text),
            Thought::Behind { has_begun: false } => self.begin(&text),
            answering => {
                *self = answering;
                text
            }
        }
    }

    /// The answer is over: what was held back belongs to it, unless it is a thought.
    pub(super) fn rest(&mut self) -> String {
        match self {
            Thought::Perhaps(held) => std::mem::take(held),
            _ => String::new(),
        }
    }

    /// The whole `answer`, as far as it was not stripped, without a thought that began in the prompt.
    pub(super) fn strip_unopened(&self, answer: String) -> String {
        match self {
            Thought::Answering => behind_unopened(&answer).map(str::to_owned).unwrap_or(answer),
            _ => answer,
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
        *self = Thought::Answering;
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
        *self = Thought::Behind { has_begun: !answer.is_empty() };
        answer.to_owned()
    }
}

/// What comes behind the first tag that ends a thought, if nothing before it begins one.
fn behind_unopened(answer: &str) -> Option<&str> {
    TAGS.iter().find_map(|(tag, end)| {
        let (thought, answer) = answer.split_once(end)?;
        (!thought.contains(tag)).then(|| answer.trim_start())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strip<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
        let mut thought = Thought::default();
        let mut answer: String = pieces.into_iter().map(|piece| thought.strip(piece.to_owned())).collect();
        answer.push_str(&thought.rest());
        thought.strip_unopened(answer)
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
            ("They want a joke.\n</think>\n\nKnock knock.", "Knock knock."),
            ("</think>Yes", "Yes"),
            ("<thing> it is </thinking> Yes", "Yes"),
            ("They are gone</think>", ""),
            ("<think>one</think>Write </think> behind it", "Write </think> behind it"),
            ("Write <think> and </think> around it", "Write <think> and </think> around it"),
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
