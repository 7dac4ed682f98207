//! Limits on the length of an answer: stops a model that does not end, without cutting a picture in two.

/// Longest text (bytes); the rest is dropped. An SMS reply is far shorter.
const MAX_TEXT: usize = 64 * 1024;

/// Longest text including reasoning (bytes).
const MAX_REASONING: usize = 1024 * 1024;

/// Length (bytes) from which a text counts as an answer although the agent did not end in time: `segmentsPerReply`
/// allows less.
const ENOUGH: usize = 8 * 1024;

/// Largest total size of pictures in `data:` URLs (bytes): one MMS, 5 MB, in base64.
pub(crate) const MAX_PICTURES: usize = 7 * 1024 * 1024;

/// Replaces the rest of a cut picture, so that it is not mistaken for a complete one.
const CUT: char = '…';

const SCHEME: &[u8] = b"data:";

/// The remaining capacity of an answer.
#[derive(Debug)]
pub(crate) struct Capacity {
    text: usize,
    pictures: usize,
    place: AnswerPosition,
    is_full: bool,
}

/// The position in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AnswerPosition {
    /// In the text, after this many bytes of [`SCHEME`].
    Text(usize),
    /// In a `data:` URL.
    Picture,
    /// In the dropped part of a `data:` URL.
    Beyond,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { text: MAX_TEXT, pictures: MAX_PICTURES, place: AnswerPosition::Text(0), is_full: false }
    }
}

impl Capacity {
    /// Returns the capacity for all output of a model, including reasoning.
    pub(crate) fn with_reasoning() -> Self {
        Self { text: MAX_REASONING, ..Self::default() }
    }

    /// Returns true if the text is longer than any SMS reply.
    pub(crate) fn is_enough(text: &str) -> bool {
        let mut capacity = Self { text: ENOUGH, ..Self::default() };
        capacity.take(text);
        capacity.is_full
    }

    /// Returns true if nothing more of the text is kept.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Adds the next piece of the answer and returns the part that is kept.
    pub(crate) fn take(&mut self, piece: &str) -> String {
        let mut kept = String::with_capacity(piece.len());
        for next in piece.chars() {
            if self.is_full {
                break;
            }
            if matches!(self.place, AnswerPosition::Picture | AnswerPosition::Beyond) && is_of_url(next) {
                self.take_of_picture(next, &mut kept);
            } else {
                self.take_of_text(next, &mut kept);
            }
        }
        kept
    }

    fn take_of_picture(&mut self, next: char, kept: &mut String) {
        match self.pictures.checked_sub(next.len_utf8()) {
            Some(left) if self.place == AnswerPosition::Picture => {
                self.pictures = left;
                kept.push(next);
            }
            _ if self.place == AnswerPosition::Picture => {
                tracing::warn!(
                    bytes = MAX_PICTURES,
                    "the pictures in the agent's answer are too large; one is not sent"
                );
                self.place = AnswerPosition::Beyond;
                kept.push(CUT);
            }
            _ => {}
        }
    }

    fn take_of_text(&mut self, next: char, kept: &mut String) {
        let Some(left) = self.text.checked_sub(next.len_utf8()) else {
            self.is_full = true;
            return;
        };
        self.text = left;
        kept.push(next);
        self.place = self.behind(next);
    }

    /// Returns the position after `next`.
    fn behind(&self, next: char) -> AnswerPosition {
        let lower = next.to_ascii_lowercase();
        let fits = |seen: usize| SCHEME.get(seen).is_some_and(|byte| char::from(*byte) == lower);
        match self.place {
            AnswerPosition::Text(seen) if fits(seen) && seen + 1 == SCHEME.len() => AnswerPosition::Picture,
            AnswerPosition::Text(seen) if fits(seen) => AnswerPosition::Text(seen + 1),
            _ if fits(0) => AnswerPosition::Text(1),
            _ => AnswerPosition::Text(0),
        }
    }
}

/// Returns true if a `data:` URL continues with it: in Markdown it ends at a space, a quote or a closing bracket.
fn is_of_url(next: char) -> bool {
    next.is_ascii_graphic() && !matches!(next, ')' | '>' | '"' | '\'' | '`')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken<'p>(pieces: impl IntoIterator<Item = &'p str>) -> (String, Capacity) {
        let mut capacity = Capacity::default();
        let kept = pieces.into_iter().map(|piece| capacity.take(piece)).collect();
        (kept, capacity)
    }

    #[test]
    fn an_endless_answer_is_cut_between_characters() {
        let endless = "é".repeat(MAX_TEXT);
        let (kept, capacity) = taken(["x", &endless]);
        assert_eq!((kept.len(), capacity.is_full()), (MAX_TEXT - 1, true));
        assert_eq!(taken([&endless[..MAX_TEXT]]).0.len(), MAX_TEXT, "exactly as much fits");
        assert!(!taken([&endless[..MAX_TEXT]]).1.is_full());
    }

    #[test]
    fn a_picture_does_not_reduce_the_text_limit() {
        let answer = format!("Look: ![a cat](data:image/png;base64,{})\n\nDo you like it?", "A".repeat(3_000_000));
        assert_eq!(taken([answer.as_str()]).0, answer);
        let pieces: Vec<&str> = answer.split_inclusive(['d', 't', ':', 'A']).collect();
        assert_eq!(taken(pieces).0, answer, "however it is cut into pieces");
    }

    #[test]
    fn text_between_oversized_pictures_is_kept() {
        let picture = format!("![](DATA:image/png;base64,{})", "A".repeat(MAX_PICTURES / 2));
        let (kept, capacity) = taken([format!("one {picture} two {picture} three {picture} four").as_str()]);
        assert!(kept.len() < MAX_PICTURES + 200);
        assert!(kept.starts_with("one ![](DATA:image/png;base64,AAAA") && kept.contains(") two ![](DATA:"));
        assert!(kept.ends_with("A…) three ![](DATA:…) four"), "{}", &kept[kept.len() - 80..]);
        assert!(!capacity.is_full());
    }

    #[test]
    fn the_word_data_is_ordinary_text() {
        for text in ["data: it is", "ddata:x, dadata:y z", "see data:", "da"] {
            assert_eq!(taken([text]).0, text);
        }
    }
}
