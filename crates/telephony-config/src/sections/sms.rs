//! `sms`: splitting and pace of messages.

use std::time::Duration;

use telephony_domain::pace::Pacing;
use telephony_domain::sms::split::{ChunkMode, MAX_LENGTH, MIN_LENGTH};

use crate::form::numbers::{SegmentsPerSecond, Whole};
use crate::form::{ChoiceForm, Switch};
use crate::keys::ObjectKeys;

/// Splitting and pace of messages.
#[derive(Debug, Clone)]
pub struct Sms {
    /// Way to split an answer.
    pub chunk_mode: ChunkMode,
    /// UTF-16 units per part, including its number.
    pub max_length: u16,
    /// True if parts start with `[1/3] ` when there are several.
    pub segment_numbering: bool,
    /// Pace of each line.
    pub pacing: Pacing,
    /// Time for which texts of one contact are merged into one turn; zero turns merging off.
    pub coalesce: Duration,
}

const MODES: &[(&str, ChunkMode)] =
    &[("auto", ChunkMode::Auto), ("single", ChunkMode::Single), ("multi", ChunkMode::Multi)];

impl Sms {
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>) -> Self {
        let mode = "`auto`: as few messages as Twilio accepts, split at paragraphs, sentences or words; `single`: one \
            message, the rest cut off; `multi`: one message per carrier segment (160 or 70 characters).";
        let length = "The longest message in UTF-16 units, including its number.";
        let pace = "Segments per second and line; `null` for no pacing.";
        let coalesce = "Texts of one contact within this many milliseconds become one turn; 0 turns merging off.";
        Self {
            chunk_mode: keys.key("chunkMode", mode, ChoiceForm(MODES)).or(ChunkMode::Auto),
            max_length: keys.key("maxLength", length, Whole { from: MIN_LENGTH, to: MAX_LENGTH }).or(MAX_LENGTH),
            segment_numbering: keys
                .key("segmentNumbering", "Puts `[1/3] ` in front of each message if there are several.", Switch)
                .or(true),
            pacing: keys
                .key("segmentsPerSecond", pace, SegmentsPerSecond)
                .optional_by_rule("1, or 3 toll-free, 10 for a sender id, or 100 for a short code", None)
                .unwrap_or_default(),
            coalesce: Duration::from_millis(
                keys.key("coalesceMs", coalesce, Whole { from: 0, to: 60_000_u32 }).or(1500).into(),
            ),
        }
    }
}
