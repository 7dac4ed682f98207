//! Times in JSON.

use serde::{Serialize, Serializer};
use telephony_domain::time::Timestamp;

/// A time, such as `2026-11-22T09:30:00Z` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeView(pub Timestamp);

impl Serialize for TimeView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&iso(self.0))
    }
}

/// Formats a time as `2026-11-22T09:30:00Z`, to the second.
pub fn iso(time: Timestamp) -> String {
    jiff::Timestamp::from_second(time.0.div_euclid(1000)).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_utc_to_the_second() {
        let json = |time: i64| serde_json::to_string(&TimeView(Timestamp(time))).unwrap();
        assert_eq!(json(1_795_339_800_250), "\"2026-11-22T09:30:00Z\"");
        assert_eq!(json(-1), "\"1969-12-31T23:59:59Z\"");
        assert_eq!(json(i64::MAX), "\"1970-01-01T00:00:00Z\"");
    }
}
