//! Twilio's two date formats, and the ranges of its date filters.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Formats a time for the 2010 API and call events: `Thu, 24 Aug 2023 05:01:45 +0000`.
pub(crate) fn rfc2822(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %T +0000").to_string()
}

/// Formats a time for the v1 APIs: `2015-07-30T20:00:00Z`.
pub(crate) fn iso8601(at: Timestamp) -> String {
    at.strftime("%FT%TZ").to_string()
}

/// Formats the carrier's minute of delivery in `RawDlrDoneDate`: `2611220633`.
pub(crate) fn dlr_done(at: Timestamp) -> String {
    at.strftime("%y%m%d%H%M").to_string()
}

/// The first and last moment of a range, both inclusive.
pub(crate) type Span = (Timestamp, Timestamp);

/// Returns the range of a date filter's value: a UTC day, or one second.
pub(crate) fn span(value: &str) -> Option<Span> {
    if let Ok(day) = Date::strptime("%Y-%m-%d", value) {
        return range(day.into(), day.tomorrow().ok()?.into());
    }
    let in_utc = || value.parse::<DateTime>().and_then(|time| TimeZone::UTC.to_timestamp(time));
    let second = value.parse::<Timestamp>().or_else(|_| in_utc()).ok()?;
    Some((second, second + SignedDuration::from_secs(1) - NANOSECOND))
}

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

/// Returns the time from `first` until just before `next`, both in UTC.
fn range(first: DateTime, next: DateTime) -> Option<Span> {
    let [first, next] = [first, next].map(|time| TimeZone::UTC.to_timestamp(time).ok());
    Some((first?, next? - NANOSECOND))
}
