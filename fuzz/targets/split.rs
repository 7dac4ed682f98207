//! Splitting an answer exceeds no limit and loses nothing, and the segment count matches the division into segments.
//! The input is one byte each for mode, numbering, length and segments, then the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use telephony_domain::sms::segment::{Encoding, count, segments};
use telephony_domain::sms::split::{ChunkMode, MAX_LENGTH, MIN_LENGTH, Split, SplitRules, split};
use unicode_segmentation::UnicodeSegmentation;

fuzz_target!(|input: &[u8]| {
    let [mode, numbering, length, segments, text @ ..] = input else { return };
    let rules = SplitRules {
        chunk_mode: [ChunkMode::Auto, ChunkMode::Single, ChunkMode::Multi][usize::from(mode % 3)],
        max_length: u16::from(*length) * 7,
        numbering: numbering % 2 == 0,
        max_segments: (*segments != b' ').then_some(u32::from(*segments)),
    };
    let text = String::from_utf8_lossy(text);
    segments_are_counted(&text);
    answer_survives(&text, &rules);
});

fn segments_are_counted(text: &str) {
    let counted = count(text);
    let segments = segments(text);
    assert_eq!(segments.concat(), text);
    assert_eq!(counted.segments as usize, segments.len());
    let most = if segments.len() == 1 { counted.encoding.units_alone() } else { counted.encoding.units_joined() };
    for segment in segments {
        let units = match counted.encoding {
            Encoding::Gsm7 => count(segment).units,
            Encoding::Ucs2 => utf16(segment) as u32,
        };
        assert!(units <= most, "{segment:?}");
    }
}

fn answer_survives(text: &str, rules: &SplitRules) {
    let split = split(text, rules);
    limits_hold(&split, rules);
    let bodies = bodies(&split, rules);
    let cuts = cuts(text, &bodies);
    if !split.truncated {
        assert!(text[cuts.last().map_or(0, |cut| cut.1)..].trim().is_empty(), "the end is lost");
    }
    clusters_are_whole(text, &cuts);
}

fn limits_hold(Split { parts, truncated }: &Split, rules: &SplitRules) {
    let longest = rules.max_length.clamp(MIN_LENGTH, MAX_LENGTH);
    for part in parts {
        assert!(utf16(part) <= usize::from(longest), "{part:?}");
        assert!(rules.chunk_mode != ChunkMode::Multi || count(part).segments == 1, "{part:?}");
    }
    let billed: u32 = parts.iter().map(|part| count(part).segments).sum();
    assert!(rules.max_segments.is_none_or(|max| billed <= max.max(1)), "{billed} segments");
    assert!(rules.chunk_mode != ChunkMode::Single || parts.len() <= 1);
    assert!(!truncated || rules.max_segments.is_some() || rules.chunk_mode == ChunkMode::Single);
    assert!(!truncated || !parts.is_empty(), "cut down to nothing");
}

/// Returns the parts without their numbers and the mark, after checking both.
fn bodies<'a>(split: &'a Split, rules: &SplitRules) -> Vec<&'a str> {
    let total = split.parts.len();
    let is_numbered = rules.numbering && (2..100_000).contains(&total);
    let mut bodies: Vec<&str> = (1..=total)
        .zip(&split.parts)
        .map(|(n, part)| match is_numbered {
            true => part.strip_prefix(&format!("[{n}/{total}] ")).expect("a number in front"),
            false => part,
        })
        .collect();
    if let (true, Some(last)) = (split.truncated, bodies.last_mut()) {
        let mark = if count(last).encoding == Encoding::Gsm7 { "..." } else { "…" };
        *last = last.strip_suffix(mark).expect("a mark at the end");
    }
    bodies
}

/// Returns the range of each body in the text; only white space lies between them.
fn cuts(text: &str, bodies: &[&str]) -> Vec<(usize, usize)> {
    let mut end = 0;
    bodies
        .iter()
        .map(|body| {
            let rest = &text[end..];
            // A body may itself start with a space that carries an accent.
            let gap = rest.find(body).expect("the body in the text");
            assert!(rest[..gap].trim().is_empty(), "lost {:?}", &rest[..gap]);
            let start = end + gap;
            end = start + body.len();
            (start, end)
        })
        .collect()
}

/// Checks that no grapheme cluster is cut unless it exceeds the shortest part.
fn clusters_are_whole(text: &str, cuts: &[(usize, usize)]) {
    let smallest_room = usize::from(MIN_LENGTH) - "[99999/99999] ".len();
    let mut ends = cuts.iter().flat_map(|&(start, end)| [start, end]).peekable();
    for (at, cluster) in text.grapheme_indices(true) {
        while let Some(end) = ends.next_if(|&end| end < at + cluster.len()) {
            assert!(end <= at || utf16(cluster) > smallest_room, "{cluster:?} is cut");
        }
    }
}

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}
