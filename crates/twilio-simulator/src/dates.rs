//! Twilio's two date formats, and the ranges of its date filters.

use time::format_description::well_known::{Iso8601, Rfc2822};
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

/// Formats a time for the 2010 API and call events: `Thu, 24 Aug 2023 05:01:45 +0000`.
pub(crate) fn rfc2822(at: OffsetDateTime) -> String {
    at.format(&Rfc2822).unwrap_or_default()
}

/// Formats a time for the v1 APIs: `2015-07-30T20:00:00Z`.
pub(crate) fn iso8601(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z")).unwrap_or_default()
}

/// Formats the carrier's minute of delivery in `RawDlrDoneDate`: `2611220633`.
pub(crate) fn dlr_done(at: OffsetDateTime) -> String {
    at.format(format_description!("[year repr:last_two][month][day][hour][minute]")).unwrap_or_default()
}

/// The first and last moment of a range, both inclusive.
pub(crate) type Span = (OffsetDateTime, OffsetDateTime);

/// Returns the range of a date filter's value: a UTC day, or one second.
pub(crate) fn span(value: &str) -> Option<Span> {
    if let Ok(day) = Date::parse(value, format_description!("[year]-[month]-[day]")) {
        let end = day.next_day()?.midnight().assume_utc() - time::Duration::NANOSECOND;
        return Some((day.midnight().assume_utc(), end));
    }
    let second = OffsetDateTime::parse(value, &Iso8601::PARSING)
        .or_else(|_| PrimitiveDateTime::parse(value, &Iso8601::PARSING).map(PrimitiveDateTime::assume_utc))
        .ok()?;
    Some((second, second + time::Duration::SECOND - time::Duration::NANOSECOND))
}
