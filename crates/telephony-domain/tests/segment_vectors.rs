//! Our segment counts match Twilio's own calculator and an independent one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use serde::Deserialize;
use telephony_domain::sms::segment::{count, segments};

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    text: String,
    encoding: String,
    segment_texts: Vec<String>,
    codepoint_model: Counts,
}

#[derive(Deserialize, PartialEq, Debug)]
struct Counts {
    segments: u32,
    units: u32,
}

fn vectors() -> Vec<Vector> {
    let file: File = serde_json::from_str(include_str!("data/segment_vectors.json")).unwrap();
    assert!(file.vectors.len() > 100);
    file.vectors
}

#[test]
fn the_count_matches_the_calculators() {
    for Vector { id, text, encoding, codepoint_model, .. } in vectors() {
        let counted = count(&text);
        assert_eq!(counted.encoding.to_string(), encoding, "{id}");
        assert_eq!(Counts { segments: counted.segments, units: counted.units }, codepoint_model, "{id}");
    }
}

#[test]
fn segments_hold_the_text_that_the_calculator_says() {
    for Vector { id, text, segment_texts, .. } in vectors() {
        let ours = segments(&text);
        assert_eq!(ours.concat(), text, "{id}");
        assert_eq!(ours.len(), count(&text).segments as usize, "{id}");
        // The calculator also keeps grapheme clusters whole, unlike networks, so only the first cut is comparable.
        if ours != segment_texts {
            let (cut, theirs) = (ours[0].len(), segment_texts[0].len());
            assert!(theirs < cut && !text[theirs..cut].is_ascii(), "{id}");
        }
    }
}
