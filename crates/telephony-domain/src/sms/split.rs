//! Splits an answer into parts, each one request to the provider; `segment` computes their cost.

use serde::{Deserialize, Serialize};

use crate::sms::breaks::{Break, breaks};
use crate::sms::segment::{Encoding, Size, count};

/// The way to split an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChunkMode {
    /// As few parts as the provider accepts.
    #[default]
    Auto,
    /// One part; the rest is cut off.
    Single,
    /// One part for each carrier segment: 160 septets in GSM-7, 70 UTF-16 units otherwise.
    Multi,
}

/// The operator's rules for splitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitRules {
    /// The way to split an answer.
    pub chunk_mode: ChunkMode,
    /// Maximum number of UTF-16 units of a part, including its number; clamped to [`MIN_LENGTH`] and [`MAX_LENGTH`].
    pub max_length: u16,
    /// True if parts start with `[1/3] ` when there are several.
    pub numbering: bool,
    /// Maximum number of carrier segments of all parts together, at least one; `None` for no limit.
    pub max_segments: Option<u32>,
}

/// An answer split into parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Parts to send, in order; empty for a blank answer.
    pub parts: Vec<String>,
    /// True if the end was cut off and replaced by a mark.
    pub truncated: bool,
}

/// Lowest `max_length`; anything less leaves no space for words.
pub const MIN_LENGTH: u16 = 20;

/// Highest `max_length`; the provider rejects more (Twilio's error 21617).
pub const MAX_LENGTH: u16 = 1600;

/// Maximum number of digits of a part's number; more leave too little space in the shortest parts.
const MAX_DIGITS: u32 = 5;

/// Stands for the cut-off text while parts are laid out.
const MARK: &str = "...";

/// Replaces [`MARK`] if the part has characters outside GSM-7 anyway.
const UCS2_MARK: &str = "…";

/// Splits an answer by the operator's rules.
///
/// An answer that fits one part stays byte for byte. Otherwise it is cut into as few parts as possible, at the best
/// positions that allow so few (paragraph, line, sentence, space, and only then inside a word), and the whitespace at
/// the cuts and around the answer is dropped.
pub fn split(answer: &str, rules: &SplitRules) -> Split {
    let parts = lay_out(answer, rules);
    if rules.allow(&parts) {
        Split { parts, truncated: false }
    } else {
        Split { parts: truncate(answer, rules), truncated: true }
    }
}

/// Returns the longest beginning of the answer whose parts are allowed, with a mark at its end.
fn truncate(answer: &str, rules: &SplitRules) -> Vec<String> {
    let mut ends = breaks(answer, |word| word.utf16 <= u32::from(MIN_LENGTH));
    ends.pop();
    let end_at = |end: &Break| lay_out(&[&answer[..end.before.at], MARK].concat(), rules);
    let allowed = ends.partition_point(|end| rules.allow(&end_at(end)));
    // The mark must not be split either.
    let is_whole = |parts: &Vec<String>| parts.last().is_some_and(|last| last.ends_with(MARK));
    let mut parts = ends[..allowed].iter().rev().map(end_at).find(is_whole).unwrap_or_default();
    if let Some(last) = parts.last_mut()
        && count(last).encoding == Encoding::Ucs2
        && let Some(kept) = last.strip_suffix(MARK)
    {
        *last = [kept, UCS2_MARK].concat();
    }
    parts
}

/// Returns the parts of a text, numbered if the rules say so, however many they are.
fn lay_out(text: &str, rules: &SplitRules) -> Vec<String> {
    let capacity = rules.capacity(0);
    if capacity.fits(Size::of(text)) && !text.trim().is_empty() {
        return vec![text.to_owned()];
    }
    let plain = divide(text, &capacity);
    let numbered = if rules.numbering && plain.len() > 1 { divide_and_number(text, rules, plain.len()) } else { None };
    numbered.unwrap_or_else(|| plain.into_iter().map(str::to_owned).collect())
}

/// Reserves space for as many digits as the total turns out to have, and at least for those of `plain`, the total
/// without numbers.
fn divide_and_number(text: &str, rules: &SplitRules, plain: usize) -> Option<Vec<String>> {
    (plain.ilog10() + 1..=MAX_DIGITS).find_map(|digits| {
        let pieces = divide(text, &rules.capacity(digits));
        let total = pieces.len();
        let has_room = total < 10_usize.pow(digits);
        has_room.then(|| (1..).zip(pieces).map(|(n, piece)| number(n, total) + piece).collect())
    })
}

fn number(n: usize, total: usize) -> String {
    format!("[{n}/{total}] ")
}

/// Divides a text into as few pieces as possible, cut at the best positions that allow so few.
fn divide<'a>(text: &'a str, capacity: &PartCapacity) -> Vec<&'a str> {
    let breaks = breaks(text, |size| capacity.fits(size));
    let continuations = plan(&breaks, capacity);
    let mut pieces = Vec::new();
    let mut from = 0;
    while from + 1 < breaks.len() {
        let Continuation { furthest, .. } = continuations[from];
        let to = (from + 1..=furthest)
            .rev()
            .take_while(|&to| continuations[to].pieces == continuations[furthest].pieces)
            .reduce(|best, to| if breaks[to].strength > breaks[best].strength { to } else { best })
            .unwrap_or(furthest);
        pieces.push(&text[breaks[from].after.at..breaks[to].before.at]);
        from = to;
    }
    pieces
}

/// The best continuation from a break: the reach of one piece, and the fewest pieces for the rest of the text.
#[derive(Debug, Clone, Copy)]
struct Continuation {
    furthest: usize,
    pieces: usize,
}

fn plan(breaks: &[Break], capacity: &PartCapacity) -> Vec<Continuation> {
    let last = breaks.len().saturating_sub(1);
    let mut continuations = vec![Continuation { furthest: last, pieces: 0 }; breaks.len()];
    let mut furthest = last;
    for from in (0..last).rev() {
        let fits = |to: usize| capacity.fits(breaks[to].before.size - breaks[from].after.size);
        while furthest > from + 1 && !fits(furthest) {
            furthest -= 1;
        }
        continuations[from] = Continuation { furthest, pieces: continuations[furthest].pieces + 1 };
    }
    continuations
}

/// The capacity of a part beside its number.
struct PartCapacity {
    max_length: u32,
    is_one_segment: bool,
    number: Size,
}

impl PartCapacity {
    fn fits(&self, text: Size) -> bool {
        let part = self.number + text;
        part.utf16 <= self.max_length && (!self.is_one_segment || part.is_one_segment())
    }
}

impl SplitRules {
    /// Returns the capacity of a part whose number and total have this many digits; 0 for none.
    fn capacity(&self, digits: u32) -> PartCapacity {
        let highest = 10_usize.pow(digits) - 1;
        PartCapacity {
            max_length: self.max_length.clamp(MIN_LENGTH, MAX_LENGTH).into(),
            is_one_segment: self.chunk_mode == ChunkMode::Multi,
            number: if digits == 0 { Size::default() } else { Size::of(&number(highest, highest)) },
        }
    }

    fn allow(&self, parts: &[String]) -> bool {
        let segments = || parts.iter().map(|part| count(part).segments).sum::<u32>();
        (self.chunk_mode != ChunkMode::Single || parts.len() <= 1)
            && self.max_segments.is_none_or(|max| segments() <= max.max(1))
    }
}
