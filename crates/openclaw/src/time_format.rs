//! Times and durations, formatted for people and programs.

use std::time::Duration;

use telephony_domain::time::{Clock, SystemClock, Timestamp};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Formats a time as `2026-11-22T09:30:00Z`, to the second.
pub fn iso(time: Timestamp) -> String {
    let seconds = OffsetDateTime::from_unix_timestamp(time.0.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    seconds.format(&Rfc3339).unwrap_or_default()
}

/// Formats the UTC day as `2026-11-22`.
pub fn day(time: Timestamp) -> String {
    iso(time).chars().take("2026-11-22".len()).collect()
}

/// Parses a time: an age (`90s`, `30m`, `2h`, `3d`), or an RFC 3339 time.
pub fn moment(word: &str) -> Result<Timestamp, String> {
    if let Some(ago) = ago(word) {
        return Ok(SystemClock.now() - ago);
    }
    let time = OffsetDateTime::parse(word, &Rfc3339)
        .map_err(|_| "expected an age (30m, 2h, 3d) or a time such as 2026-11-22T09:30:00Z".to_owned())?;
    Ok(Timestamp(i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)))
}

fn ago(word: &str) -> Option<Duration> {
    let (number, unit) = word.split_at_checked(word.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    number.parse::<u32>().ok().map(|number| Duration::from_secs(u64::from(number) * seconds))
}

/// Formats a duration in the largest unit that fits: `40 s`, `5 min`, `3 h`.
pub fn span(time: std::time::Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_as_a_time_or_an_age() {
        assert_eq!(moment("2026-11-22T09:30:00.250Z"), Ok(Timestamp(1_795_339_800_250)));
        assert_eq!(moment("2026-11-22T10:30:00+01:00"), Ok(Timestamp(1_795_339_800_000)));
        for (word, seconds) in [("90s", 90), ("30m", 1800), ("2h", 7200), ("3d", 259_200)] {
            assert_eq!(ago(word), Some(Duration::from_secs(seconds)), "{word}");
        }
        for word in ["", "h", "2 h", "-2h", "2w", "yesterday", "2026-11-22", "2é"] {
            assert!(moment(word).is_err(), "{word}");
        }
    }
}
