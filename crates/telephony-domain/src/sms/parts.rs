//! A text as the parts of a message, each with its segments counted.

use super::segment;
use super::split::{SplitRules, split};
use crate::message::PartDraft;
use crate::mms::MmsRules;

/// Cuts `text` into parts.
pub fn of(text: &str, rules: &SplitRules) -> Vec<PartDraft> {
    let parts = split(text, rules).parts;
    parts.into_iter().map(|text| PartDraft { segments: segment::count(&text).segments.max(1), text }).collect()
}

/// Splits a text that may have media: an MMS is not cut for segments, only if it exceeds the maximum length.
pub fn with_media(text: &str, has_media: bool, rules: &SplitRules, mms: &MmsRules) -> Vec<PartDraft> {
    if !has_media {
        return of(text, rules);
    }
    if text.encode_utf16().count() <= mms.max_text {
        return vec![PartDraft { text: text.trim().to_owned(), segments: mms.segments }];
    }
    let mut parts = of(text, rules);
    if let Some(first) = parts.first_mut() {
        first.segments = first.segments.max(mms.segments);
    }
    parts
}
