//! Carrier billing: the encoding of a text, its units and its segments; `split` divides an answer.

use std::fmt;
use std::iter::{self, Sum};
use std::ops::{Add, Sub};

use crate::sms::gsm7;

/// The encoding of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Seven bits per character, if the alphabet of [`gsm7`] has them all; units are septets.
    Gsm7,
    /// Any other text; units are UTF-16 code units.
    Ucs2,
}

impl Encoding {
    /// Returns the units in a text of one segment: 140 octets.
    pub const fn units_alone(self) -> u32 {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Returns the units in each segment of a longer text: 140 octets less 6 for the header that joins them.
    pub const fn units_joined(self) -> u32 {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        })
    }
}

/// The size of a text sent as one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentCount {
    /// The encoding that the text needs.
    pub encoding: Encoding,
    /// Billed segments; an empty text is one.
    pub segments: u32,
    /// Septets in GSM-7, UTF-16 code units in UCS-2.
    pub units: u32,
}

/// Counts the segments of a text sent as one message, as networks do: a pair (an escape or a surrogate) stays together,
/// a grapheme cluster may not.
pub fn count(text: &str) -> SegmentCount {
    let size = Size::of(text);
    let (encoding, units) = (size.encoding(), size.units());
    let segments = if size.is_one_segment() { 1 } else { joined(text, encoding).map(|_| 1).sum() };
    SegmentCount { encoding, segments, units }
}

/// Returns the text of each segment, in order.
pub fn segments(text: &str) -> Vec<&str> {
    let size = Size::of(text);
    if size.is_one_segment() { vec![text] } else { joined(text, size.encoding()).collect() }
}

fn joined(text: &str, encoding: Encoding) -> impl Iterator<Item = &str> {
    let mut rest = text;
    iter::from_fn(move || {
        let (segment, after) = rest.split_at(first_joined(rest, encoding));
        rest = after;
        (!segment.is_empty()).then_some(segment)
    })
}

/// Returns the bytes at the start of `text` that fit one segment of several.
fn first_joined(text: &str, encoding: Encoding) -> usize {
    let mut size = Size::default();
    let overflow = text.char_indices().find(|&(_, c)| {
        size = size + Size::of_char(c);
        size.units_in(encoding) > encoding.units_joined()
    });
    overflow.map_or(text.len(), |(at, _)| at)
}

/// The size of a text in both encodings. Sizes are additive, so the size of a range is the difference of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Size {
    pub utf16: u32,
    septets: u32,
    /// Characters that GSM-7 lacks.
    foreign: u32,
}

impl Size {
    pub(crate) fn of(text: &str) -> Self {
        text.chars().map(Self::of_char).sum()
    }

    fn of_char(c: char) -> Self {
        let septets = u32::from(gsm7::septets(c));
        Self { utf16: 1 + u32::from(c > '\u{ffff}'), septets, foreign: u32::from(septets == 0) }
    }

    pub(crate) fn encoding(self) -> Encoding {
        if self.foreign == 0 { Encoding::Gsm7 } else { Encoding::Ucs2 }
    }

    pub(crate) fn is_one_segment(self) -> bool {
        self.units() <= self.encoding().units_alone()
    }

    fn units(self) -> u32 {
        self.units_in(self.encoding())
    }

    fn units_in(self, encoding: Encoding) -> u32 {
        match encoding {
            Encoding::Gsm7 => self.septets,
            Encoding::Ucs2 => self.utf16,
        }
    }
}

impl Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            utf16: self.utf16 + other.utf16,
            septets: self.septets + other.septets,
            foreign: self.foreign + other.foreign,
        }
    }
}

impl Sub for Size {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            utf16: self.utf16 - other.utf16,
            septets: self.septets - other.septets,
            foreign: self.foreign - other.foreign,
        }
    }
}

impl Sum for Size {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::{Encoding, count, segments};

    fn counted(text: &str) -> (Encoding, u32, u32) {
        let counted = count(text);
        (counted.encoding, counted.segments, counted.units)
    }

    #[test]
    fn segment_limits_are_exact() {
        assert_eq!(counted(""), (Encoding::Gsm7, 1, 0));
        assert_eq!(counted(&"a".repeat(160)), (Encoding::Gsm7, 1, 160));
        assert_eq!(counted(&"a".repeat(161)), (Encoding::Gsm7, 2, 161));
        assert_eq!(counted(&"a".repeat(306)), (Encoding::Gsm7, 2, 306));
        assert_eq!(counted(&"a".repeat(307)), (Encoding::Gsm7, 3, 307));
        assert_eq!(counted(&"я".repeat(70)), (Encoding::Ucs2, 1, 70));
        assert_eq!(counted(&"я".repeat(71)), (Encoding::Ucs2, 2, 71));
        assert_eq!(counted(&"я".repeat(135)), (Encoding::Ucs2, 3, 135));
    }

    #[test]
    fn an_escape_pair_at_the_edge_moves_to_the_next_segment_whole() {
        let text = format!("{}€{}", "a".repeat(152), "b".repeat(152));
        assert_eq!(counted(&text), (Encoding::Gsm7, 3, 306));
        assert_eq!(segments(&text)[1], format!("€{}", "b".repeat(151)));
    }

    #[test]
    fn a_surrogate_pair_at_the_edge_moves_to_the_next_segment_whole() {
        let text = format!("{}😀{}", "a".repeat(66), "b".repeat(66));
        assert_eq!(counted(&text), (Encoding::Ucs2, 3, 134));
        assert!(segments(&text)[1].starts_with('😀'));
    }
}
