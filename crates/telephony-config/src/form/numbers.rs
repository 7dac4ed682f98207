//! Numbers: bounded integers, optional limits, and the pace of a line.

use serde_json::{Value as Json, json};
use telephony_domain::pace::{Pace, Pacing};

use super::{At, Form};
use crate::document::{Node, Value};

/// An integer within inclusive bounds.
pub(crate) struct Whole<T> {
    pub(crate) from: T,
    pub(crate) to: T,
}

impl<T: Copy + Into<u64> + TryFrom<u64>> Form for Whole<T> {
    type Value = T;

    fn expected(&self) -> String {
        let (from, to): (u64, u64) = (self.from.into(), self.to.into());
        format!("a whole number from {from} to {to}")
    }

    fn schema(&self) -> Json {
        let (from, to): (u64, u64) = (self.from.into(), self.to.into());
        json!({"type": "integer", "minimum": from, "maximum": to})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<T> {
        let bounds = self.from.into()..=self.to.into();
        match whole(node).filter(|number| bounds.contains(number)).and_then(|number| T::try_from(number).ok()) {
            Some(number) => Some(number),
            None => at.misread(node, &self.expected()),
        }
    }

    fn show(&self, value: &T) -> Json {
        let value: u64 = (*value).into();
        json!(value)
    }
}

/// A positive integer, or `null` for no limit.
pub(crate) struct LimitForm;

impl Form for LimitForm {
    type Value = Option<u32>;

    fn expected(&self) -> String {
        "a whole number, at least 1, or null for no limit".to_owned()
    }

    fn schema(&self) -> Json {
        json!({"type": ["integer", "null"], "minimum": 1, "maximum": u32::MAX})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<Option<u32>> {
        if matches!(node.value, Value::Null) {
            return Some(None);
        }
        match whole(node).and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0) {
            Some(number) => Some(Some(number)),
            None => at.misread(node, &self.expected()),
        }
    }

    fn show(&self, value: &Option<u32>) -> Json {
        json!(value)
    }
}

/// Segments per second, or `null` for as fast as the provider accepts.
pub(crate) struct SegmentsPerSecond;

impl Form for SegmentsPerSecond {
    type Value = Pacing;

    fn expected(&self) -> String {
        "a number above 0, or null for no pacing".to_owned()
    }

    fn schema(&self) -> Json {
        json!({"type": ["number", "null"], "exclusiveMinimum": 0})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<Pacing> {
        let pacing = match node.value {
            Value::Null => Some(Pacing::Unlimited),
            Value::Number(number) => Pace::new(number).map(Pacing::Fixed),
            _ => None,
        };
        pacing.or_else(|| at.misread(node, &self.expected()))
    }

    fn show(&self, value: &Pacing) -> Json {
        match value {
            Pacing::Fixed(pace) => json!(pace.per_second()),
            Pacing::ByLineKind | Pacing::Unlimited => Json::Null,
        }
    }
}

/// Returns the number of a node if it is a non-negative integer.
fn whole(node: &Node) -> Option<u64> {
    match node.value {
        Value::Number(number) if number.fract() == 0.0 && (0.0..=MAX_SAFE).contains(&number) => Some(number as u64),
        _ => None,
    }
}

/// The largest integer that a JSON5 number represents exactly: 2^53 - 1.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;
