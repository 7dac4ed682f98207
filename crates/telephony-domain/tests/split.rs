//! Properties of an answer that splitting must preserve.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use proptest::prelude::*;
use proptest::sample::select;
use telephony_domain::sms::segment::{Encoding, count};
use telephony_domain::sms::split::{ChunkMode, Split, SplitRules, split};
use unicode_segmentation::UnicodeSegmentation;

const PLAIN: SplitRules =
    SplitRules { chunk_mode: ChunkMode::Auto, max_length: 20, numbering: false, max_segments: None };
const NUMBERED: SplitRules = SplitRules { numbering: true, ..PLAIN };
const SINGLE: SplitRules = SplitRules { chunk_mode: ChunkMode::Single, ..PLAIN };
const MULTI: SplitRules = SplitRules { chunk_mode: ChunkMode::Multi, max_length: 1600, ..NUMBERED };

fn parts(text: &str, rules: SplitRules) -> Vec<String> {
    let Split { parts, truncated } = split(text, &rules);
    assert!(!truncated, "{parts:?}");
    parts
}

fn truncated(text: &str, rules: SplitRules) -> Vec<String> {
    let Split { parts, truncated } = split(text, &rules);
    assert!(truncated, "{parts:?}");
    parts
}

#[test]
fn a_text_that_fits_stays_unchanged() {
    for text in [" two  spaces\n", "twenty characters ok", "\u{feff}bom"] {
        assert_eq!(parts(text, NUMBERED), [text]);
    }
}

#[test]
fn a_blank_answer_has_no_parts() {
    for text in ["", " ", "\n\u{a0}\t", &" ".repeat(5000)] {
        assert_eq!(parts(text, NUMBERED), [""; 0]);
    }
}

#[test]
fn the_best_place_to_cut_is_chosen() {
    assert_eq!(parts("One two.\n\nThree four.\nFive.", PLAIN), ["One two.", "Three four.\nFive."]);
    assert_eq!(parts("One two.\nThree four. Five six", PLAIN), ["One two.", "Three four. Five six"]);
    assert_eq!(parts("One two. Three four five six", PLAIN), ["One two.", "Three four five six"]);
    assert_eq!(parts("One two three four five six", PLAIN), ["One two three four", "five six"]);
    assert_eq!(
        parts("今天天气很好。我们一起去公园散步吧，好不好", PLAIN),
        ["今天天气很好。", "我们一起去公园散步吧，好不好"]
    );
}

#[test]
fn a_better_cut_never_costs_another_part() {
    assert_eq!(parts("One.\n\nTwo three four five six seven", PLAIN), ["One.\n\nTwo three four", "five six seven"]);
}

#[test]
fn whitespace_inside_a_part_is_kept() {
    assert_eq!(parts("a  b\tc \n\n  d          ef", PLAIN), ["a  b\tc", "d          ef"]);
}

#[test]
fn the_number_has_space_for_every_digit_of_the_total() {
    for total in [9, 10, 99, 100, 999, 1000] {
        let rules = SplitRules { max_length: 24, ..NUMBERED };
        let parts = parts(&vec!["abcdefghij"; total].join(" "), rules);
        assert_eq!(parts.len(), total);
        assert_eq!(parts[0], format!("[1/{total}] abcdefghij"));
        assert_eq!(parts[total - 1], format!("[{total}/{total}] abcdefghij"));
        assert!(parts.iter().all(|part| part.len() <= 24));
    }
    let tight = parts(&["abcdefghijklm"; 10].join(" "), NUMBERED);
    assert!(tight.iter().all(|part| part.len() <= 20), "{tight:?}");
}

#[test]
fn each_bracket_of_the_number_counts_as_two_septets() {
    let fits = ["a"; 2].map(|a| a.repeat(160 - 8)).join(" ");
    assert_eq!(parts(&fits, MULTI).len(), 2);
    let over = ["a"; 2].map(|a| a.repeat(160 - 7)).join(" ");
    assert_eq!(parts(&over, MULTI).len(), 3);
}

#[test]
fn one_emoji_makes_only_its_own_part_unicode() {
    let text = format!("{} 😀 {}", "word ".repeat(60).trim(), "word ".repeat(60).trim());
    let encodings: Vec<_> = parts(&text, MULTI).iter().map(|part| count(part).encoding).collect();
    assert_eq!(encodings.iter().filter(|&&encoding| encoding == Encoding::Ucs2).count(), 1);
}

#[test]
fn the_mark_keeps_the_encoding() {
    assert_eq!(truncated("One two three four five", SINGLE), ["One two three..."]);
    assert_eq!(truncated("Один два три четыре пять", SINGLE), ["Один два три…"]);
    assert_eq!(truncated(&"abcdefghij".repeat(3), SINGLE), ["abcdefghijabcdefg..."]);
}

#[test]
fn the_mark_is_never_split() {
    let one_character = format!("e{}", "\u{301}".repeat(19));
    let text = format!("{}{one_character}and more", "a".repeat(18));
    let rules = SplitRules { max_segments: Some(2), ..PLAIN };
    assert_eq!(truncated(&text, rules), ["aaaaaaaaaaaaaaaaa..."]);
}

#[test]
fn a_long_answer_costs_exactly_the_allowed_segments() {
    let long = "All work and no play makes Jack a dull boy. ".repeat(300);
    for (chunk_mode, segments) in [(ChunkMode::Auto, 30), (ChunkMode::Multi, 30), (ChunkMode::Auto, 1)] {
        let rules = SplitRules { chunk_mode, max_length: 1600, max_segments: Some(segments), ..NUMBERED };
        let parts = truncated(&long, rules);
        let billed: u32 = parts.iter().map(|part| count(part).segments).sum();
        assert_eq!(billed, segments, "{parts:?}");
        assert!(parts.last().unwrap().ends_with("..."));
    }
}

#[test]
fn limits_of_zero_still_yield_a_part() {
    let rules = SplitRules { max_length: 0, max_segments: Some(0), ..MULTI };
    assert_eq!(truncated(&"word ".repeat(30), rules).len(), 1);
    assert_eq!(truncated("word ".repeat(30).trim(), SplitRules { max_length: 0, ..SINGLE }), ["word word word..."]);
}

fn texts() -> impl Strategy<Value = String> {
    let common = select(vec![
        " ",
        " ",
        " ",
        " ",
        "\n",
        "\n\n",
        "\r\n",
        "\u{a0}",
        "   ",
        "a",
        "word",
        "Sentence.",
        "wh{y}?",
        "[x]",
        "€",
        "…",
        "👨\u{200d}👩\u{200d}👧",
        "🇫🇷",
        "👍🏿",
        "e\u{301}",
        "क्षि",
        "好。",
        "漢字",
        "я",
        "1.",
        "-",
        "https://example.com/a_long_path?q=1",
        " \u{301}",
        "\u{600}",
        "...",
        "\u{200d}",
    ]);
    let fragment = prop_oneof![8 => common.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(fragment, 0..250).prop_map(|fragments| fragments.concat())
}

fn all_rules() -> impl Strategy<Value = SplitRules> {
    let mode = select(vec![ChunkMode::Auto, ChunkMode::Single, ChunkMode::Multi]);
    (mode, 20_u16..220, any::<bool>(), prop::option::of(1_u32..12)).prop_map(
        |(chunk_mode, max_length, numbering, max_segments)| SplitRules {
            chunk_mode,
            max_length,
            numbering,
            max_segments,
        },
    )
}

/// Returns the parts without numbers and mark, after checking the numbers.
fn bodies<'a>(split: &'a Split, rules: &SplitRules) -> Vec<&'a str> {
    let total = split.parts.len();
    let mut bodies: Vec<&str> = (1..=total)
        .zip(&split.parts)
        .map(|(n, part)| match rules.numbering && total > 1 {
            true => part.strip_prefix(&format!("[{n}/{total}] ")).expect("a number in front"),
            false => part,
        })
        .collect();
    if split.truncated {
        let last = bodies.last_mut().expect("the mark at least");
        *last = last.strip_suffix("...").or(last.strip_suffix("…")).expect("a mark at the end");
    }
    bodies
}

/// Returns the range of each body in the text, if only whitespace lies between them.
fn cuts(text: &str, bodies: &[&str]) -> Vec<(usize, usize)> {
    let mut end = 0;
    bodies
        .iter()
        .map(|body| {
            let rest = &text[end..];
            let is_whole = rest.starts_with(body) || body.is_empty();
            let skipped = if is_whole { 0 } else { rest.find(body).expect("the body in the text") };
            assert!(rest[..skipped].chars().all(char::is_whitespace), "lost {:?}", &rest[..skipped]);
            let start = end + skipped;
            end = start + body.len();
            (start, end)
        })
        .collect()
}

proptest! {
    #[test]
    fn no_part_breaks_a_limit(text in texts(), rules in all_rules()) {
        let Split { parts, truncated } = split(&text, &rules);
        for part in &parts {
            prop_assert!(part.encode_utf16().count() <= usize::from(rules.max_length), "{part:?}");
            prop_assert!(rules.chunk_mode != ChunkMode::Multi || count(part).segments == 1, "{part:?}");
        }
        let billed: u32 = parts.iter().map(|part| count(part).segments).sum();
        prop_assert!(rules.max_segments.is_none_or(|max| billed <= max));
        prop_assert!(rules.chunk_mode != ChunkMode::Single || parts.len() <= 1);
        prop_assert!(!truncated || rules.max_segments.is_some() || rules.chunk_mode == ChunkMode::Single);
    }

    #[test]
    fn no_text_is_lost_repeated_or_reordered(text in texts(), rules in all_rules()) {
        let split = split(&text, &rules);
        let bodies = bodies(&split, &rules);
        let cuts = cuts(&text, &bodies);
        if !split.truncated {
            prop_assert!(bodies.iter().all(|body| !body.trim().is_empty()));
            prop_assert!(text[cuts.last().map_or(0, |cut| cut.1)..].trim().is_empty());
        }
    }

    #[test]
    fn a_cluster_that_fits_a_part_is_never_cut(text in texts(), rules in all_rules()) {
        let split = split(&text, &rules);
        let cuts = cuts(&text, &bodies(&split, &rules));
        let smallest_room = 20 - "[100/100] ".len();
        let ends = cuts.iter().flat_map(|&(start, end)| [start, end]);
        for end in ends {
            for (at, cluster) in text.grapheme_indices(true) {
                let is_cut = at < end && end < at + cluster.len();
                prop_assert!(!is_cut || cluster.encode_utf16().count() > smallest_room, "{cluster:?}");
            }
        }
    }

    #[test]
    fn the_mark_never_turns_a_part_into_unicode(text in texts(), rules in all_rules()) {
        let split = split(&text, &rules);
        if let (true, Some(last)) = (split.truncated, split.parts.last()) {
            let unmarked = last.strip_suffix("...").or(last.strip_suffix("…")).unwrap();
            prop_assert_eq!(count(last).encoding, count(unmarked).encoding);
            prop_assert_eq!(last.ends_with('…'), count(last).encoding == Encoding::Ucs2);
        }
    }

    #[test]
    fn words_take_as_few_parts_as_filling_each_in_turn(words in prop::collection::vec("[a-z]{1,12}", 1..60)) {
        let mut filled = vec![String::new()];
        for word in &words {
            let last = filled.last_mut().unwrap();
            match last.len() {
                0 => last.push_str(word),
                used if used + 1 + word.len() <= 20 => *last += &format!(" {word}"),
                _ => filled.push(word.clone()),
            }
        }
        prop_assert_eq!(split(&words.join(" "), &PLAIN).parts.len(), filled.len());
    }
}
