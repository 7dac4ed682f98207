//! Times and durations, formatted for people and programs.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal};
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use telephony_domain::time::{Clock, SystemClock, Timestamp};
use telephony_gateway::views::time::iso;

/// A time as commands print it on stdout: local on a terminal, UTC elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Time(pub Timestamp);

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(self.0, &io::stdout()))
    }
}

/// Formats a time for a message on stderr: local on a terminal, UTC elsewhere.
pub fn said(time: Timestamp) -> String {
    shown(time, &io::stderr())
}

fn shown(time: Timestamp, stream: &impl IsTerminal) -> String {
    let zone = if stream.is_terminal() { TimeZone::system() } else { TimeZone::UTC };
    in_zone(time, &zone)
}

/// Formats a time as the clocks of `zone` show it, `2026-11-22 10:30:00`; in ISO format if that is UTC or unknown.
fn in_zone(time: Timestamp, zone: &TimeZone) -> String {
    if zone.is_unknown() || *zone == TimeZone::UTC || zone.iana_name() == Some("Etc/UTC") {
        return iso(time);
    }
    zone.to_datetime(to_the_second(time)).strftime("%F %T").to_string()
}

/// Formats the UTC day as `2026-11-22`.
pub fn day(time: Timestamp) -> String {
    TimeZone::UTC.to_datetime(to_the_second(time)).date().to_string()
}

fn to_the_second(time: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(time.0.div_euclid(1000)).unwrap_or_default()
}

/// Parses a time: an age (`90s`, `30m`, `2h`, `3d`), an RFC 3339 time, or a local time as commands print it.
pub fn moment(word: &str) -> Result<Timestamp, String> {
    moment_in(word, &TimeZone::system())
}

fn moment_in(word: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    if let Some(ago) = ago(word) {
        return Ok(SystemClock.now() - ago);
    }
    let local = || zone.to_timestamp(word.parse::<DateTime>()?);
    let time = word.parse::<jiff::Timestamp>().or_else(|_| local()).map_err(|_| {
        "expected an age (30m, 2h, 3d), a local time such as \"2026-11-22 09:30\", or one such as 2026-11-22T09:30:00Z"
    })?;
    Ok(Timestamp(time.as_millisecond()))
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

    const MOMENT: Timestamp = Timestamp(1_795_339_800_250);

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    #[test]
    fn a_moment_is_accepted_as_a_time_or_an_age() {
        for word in ["2026-11-22T09:30:00.250Z", "2026-11-22T10:30:00.25+01:00", "2026-11-22 10:30:00.25"] {
            assert_eq!(moment_in(word, &berlin()), Ok(MOMENT), "{word}");
        }
        assert_eq!(moment_in("2026-11-22", &berlin()), moment_in("2026-11-21T23:00:00Z", &berlin()));
        for (word, seconds) in [("90s", 90), ("30m", 1800), ("2h", 7200), ("3d", 259_200)] {
            assert_eq!(ago(word), Some(Duration::from_secs(seconds)), "{word}");
        }
        for word in ["", "h", "2 h", "-2h", "2w", "yesterday", "2026-11-32", "2é"] {
            assert!(moment(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_time_is_local_unless_the_zone_is_utc_or_unknown() {
        assert_eq!(in_zone(MOMENT, &berlin()), "2026-11-22 10:30:00");
        assert_eq!(in_zone(Timestamp(1_784_712_600_000), &berlin()), "2026-07-22 11:30:00");
        for zone in [TimeZone::UTC, TimeZone::unknown(), TimeZone::get("Etc/UTC").unwrap()] {
            assert_eq!(in_zone(MOMENT, &zone), "2026-11-22T09:30:00Z", "{zone:?}");
        }
        assert_eq!(day(MOMENT), "2026-11-22");
    }
}
