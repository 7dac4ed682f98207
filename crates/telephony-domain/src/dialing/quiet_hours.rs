//! Hours without outgoing calls, in the operator's local time.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::time::Timestamp;

/// A daily span of local time, such as 21:00-08:00; it may run past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    to: Time,
}

/// An error: the text is not a daily span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a daily span such as 21:00-08:00")]
pub struct InvalidQuietHours(String);

impl FromStr for QuietHours {
    type Err = InvalidQuietHours;

    /// Parses `HH:MM-HH:MM`; equal ends are an error, because they could mean all day or never.
    fn from_str(text: &str) -> Result<Self, InvalidQuietHours> {
        let span = text.split_once('-').and_then(|(from, to)| Some(Self { from: time(from)?, to: time(to)? }));
        span.filter(|span| span.from != span.to).ok_or_else(|| InvalidQuietHours(text.to_owned()))
    }
}

fn time(text: &str) -> Option<Time> {
    let digits = |part: &str| (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok());
    let (hour, minute) = text.split_once(':')?;
    Time::new(digits(hour)??, digits(minute)??, 0, 0).ok()
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.hour(), from.minute(), to.hour(), to.minute())
    }
}

impl QuietHours {
    /// Returns the end of the quiet hours, if `now` is within them in this time zone.
    pub fn end(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = zone.to_datetime(jiff::Timestamp::from_millisecond(now.0).ok()?);
        let (time, is_overnight) = (local.time(), self.from > self.to);
        let is_quiet =
            if is_overnight { time >= self.from || time < self.to } else { self.from <= time && time < self.to };
        if !is_quiet {
            return None;
        }
        let date = if is_overnight && time >= self.from { local.date().tomorrow().ok()? } else { local.date() };
        // An end that falls into the gap in spring is the moment after it.
        let end = zone.to_timestamp(date.to_datetime(self.to)).ok()?;
        Some(Timestamp(end.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Central Europe, with its summer time.
    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn nights_are_quiet_by_local_time_in_summer_and_winter() {
        let night: QuietHours = "21:00-08:00".parse().unwrap();
        for (now, end) in [
            ("2026-12-01T19:59:59Z", None),
            ("2026-12-01T20:00:00Z", Some("2026-12-02T07:00:00Z")),
            ("2026-12-02T06:59:59Z", Some("2026-12-02T07:00:00Z")),
            ("2026-12-02T07:00:00Z", None),
            ("2026-07-01T18:59:59Z", None),
            ("2026-07-01T19:00:00Z", Some("2026-07-02T06:00:00Z")),
            // The night when summer time starts is an hour shorter.
            ("2026-03-28T20:00:00Z", Some("2026-03-29T06:00:00Z")),
        ] {
            assert_eq!(night.end(at(now), &berlin()), end.map(at), "{now}");
        }
    }

    #[test]
    fn a_span_may_lie_within_a_day_or_end_in_a_gap() {
        let noon: QuietHours = "12:00-14:30".parse().unwrap();
        assert_eq!(noon.end(at("2026-12-01T12:00:00Z"), &berlin()), Some(at("2026-12-01T13:30:00Z")));
        assert_eq!(noon.end(at("2026-12-01T13:30:00Z"), &berlin()), None);
        let gap: QuietHours = "22:00-02:30".parse().unwrap();
        assert_eq!(gap.end(at("2026-03-28T23:00:00Z"), &berlin()), Some(at("2026-03-29T01:30:00Z")));
    }

    #[test]
    fn spans_are_read_strictly() {
        for text in ["00:00-23:59", "21:00-08:00"] {
            assert_eq!(text.parse::<QuietHours>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "21-8",
            "21:00",
            "9:00-10:00",
            "24:00-08:00",
            "21:60-08:00",
            "08:00-08:00",
            "+1:00-02:00",
            "21:00-08:00 ",
        ] {
            assert!(text.parse::<QuietHours>().is_err(), "{text}");
        }
    }
}
