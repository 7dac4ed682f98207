//! Divides an answer into parts, each one request to the provider; leaves what a part costs to `segment`.

use serde::{Deserialize, Serialize};

use crate::sms::breaks::{Break, breaks};
use crate::sms::segment::{Encoding, Size, count};

/// How an answer becomes parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChunkMode {
    /// As few parts as the provider takes.
    #[default]
    Auto,
    /// One part; what does not fit is cut off.
    Single,
    /// One part for each carrier segment: 160 septets in GSM-7, 70 UTF-16 units otherwise.
    Multi,
}

/// The operator's wishes for parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitRules {
    /// How an answer becomes parts.
    pub chunk_mode: ChunkMode,
    /// UTF-16 units a part may have, its number included; [`MIN_LENGTH`] when lower, [`MAX_LENGTH`] when higher.
    pub max_length: u16,
    /// Whether parts start with `[1/3] ` when there are several.
    pub numbering: bool,
    /// Carrier segments all parts may have together, at least one; `None` lifts the limit.
    pub max_segments: Option<u32>,
}

/// An answer in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// What to send, in order; empty for a blank answer.
    pub parts: Vec<String>,
    /// Whether the end was cut off and a mark put in its place.
    pub truncated: bool,
}

/// The lowest `max_length`: less leaves no room for words.
pub const MIN_LENGTH: u16 = 20;

/// The highest `max_length`: more the provider refuses (Twilio's error 21617).
pub const MAX_LENGTH: u16 = 1600;

/// Digits up to which parts are numbered: with more, the number leaves too little room in the shortest parts.
const MAX_DIGITS: u32 = 5;

/// Stands for what was cut off while parts are laid out.
const MARK: &str = "...";

/// Takes the place of [`MARK`] where the part has characters outside GSM-7 anyway.
const UCS2_MARK: &str = "…";

/// Divides an answer by the operator's rules.
///
/// An answer that fits one part stays byte for byte. Otherwise it is cut into as few parts as possible, at the
/// strongest places that allow so few (paragraph, line, sentence, space, and only then inside a word), and the
/// whitespace at the cuts and around the answer is dropped.
pub fn split(answer: &str, rules: &SplitRules) -> Split {
    let parts = lay_out(answer, rules);
    if rules.allow(&parts) {
        Split { parts, truncated: false }
    } else {
        Split { parts: truncate(answer, rules), truncated: true }
    }
}

/// The longest beginning of the answer whose parts are allowed, with a mark at its end.
fn truncate(answer: &str, rules: &SplitRules) -> Vec<String> {
    let mut ends = breaks(answer, |word| word.utf16 <= u32::from(MIN_LENGTH));
    ends.pop();
    let end_at = |end: &Break| lay_out(&[&answer[..end.before.at], MARK].concat(), rules);
    let allowed = ends.partition_point(|end| rules.allow(&end_at(end)));
    // The mark is not divided either.
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

/// The parts of a text, numbered where that is wanted, however many they are.
fn lay_out(text: &str, rules: &SplitRules) -> Vec<String> {
    let room = rules.room(0);
    if room.fits(Size::of(text)) && !text.trim().is_empty() {
        return vec![text.to_owned()];
    }
    let plain = divide(text, &room);
    let numbered = if rules.numbering && plain.len() > 1 { divide_and_number(text, rules, plain.len()) } else { None };
    numbered.unwrap_or_else(|| plain.into_iter().map(str::to_owned).collect())
}

/// Makes room for as many digits as the total turns out to have, and at least for those of `plain`, the total without.
fn divide_and_number(text: &str, rules: &SplitRules, plain: usize) -> Option<Vec<String>> {
    (plain.ilog10() + 1..=MAX_DIGITS).find_map(|digits| {
        let pieces = divide(text, &rules.room(digits));
        let total = pieces.len();
        let has_room = total < 10_usize.pow(digits);
        has_room.then(|| (1..).zip(pieces).map(|(n, piece)| number(n, total) + piece).collect())
    })
}

fn number(n: usize, total: usize) -> String {
    format!("[{n}/{total}] ")
}

/// The fewest pieces of a text that each fit the room, cut at the strongest places that allow so few.
fn divide<'a>(text: &'a str, room: &Room) -> Vec<&'a str> {
    let breaks = breaks(text, |size| room.fits(size));
    let ways = plan(&breaks, room);
    let mut pieces = Vec::new();
    let mut from = 0;
    while from + 1 < breaks.len() {
        let Way { furthest, .. } = ways[from];
        let to = (from + 1..=furthest)
            .rev()
            .take_while(|&to| ways[to].pieces == ways[furthest].pieces)
            .reduce(|best, to| if breaks[to].strength > breaks[best].strength { to } else { best })
            .unwrap_or(furthest);
        pieces.push(&text[breaks[from].after.at..breaks[to].before.at]);
        from = to;
    }
    pieces
}

/// The way on from a break: how far one piece reaches, and how few pieces the rest of the text needs.
#[derive(Debug, Clone, Copy)]
struct Way {
    furthest: usize,
    pieces: usize,
}

fn plan(breaks: &[Break], room: &Room) -> Vec<Way> {
    let last = breaks.len().saturating_sub(1);
    let mut ways = vec![Way { furthest: last, pieces: 0 }; breaks.len()];
    let mut furthest = last;
    for from in (0..last).rev() {
        let fits = |to: usize| room.fits(breaks[to].before.size - breaks[from].after.size);
        while furthest > from + 1 && !fits(furthest) {
            furthest -= 1;
        }
        ways[from] = Way { furthest, pieces: ways[furthest].pieces + 1 };
    }
    ways
}

/// What one part may hold beside its number.
struct Room {
    max_length: u32,
    is_one_segment: bool,
    number: Size,
}

impl Room {
    fn fits(&self, text: Size) -> bool {
        let part = self.number + text;
        part.utf16 <= self.max_length && (!self.is_one_segment || part.is_one_segment())
    }
}

impl SplitRules {
    /// The room in a part whose number and total have so many digits; 0 for none.
    fn room(&self, digits: u32) -> Room {
        let highest = 10_usize.pow(digits) - 1;
        Room {
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
