//! Twilio's two ways to write a moment, and the days of its date filters.

use time::format_description::well_known::{Iso8601, Rfc2822};
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

/// `Thu, 24 Aug 2023 05:01:45 +0000`: the 2010 API and call events.
pub(crate) fn rfc2822(at: OffsetDateTime) -> String {
    at.format(&Rfc2822).unwrap_or_default()
}

/// `2015-07-30T20:00:00Z`: the v1 APIs.
pub(crate) fn iso8601(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z")).unwrap_or_default()
}

/// `2611220633`: the carrier's minute of delivery in `RawDlrDoneDate`.
pub(crate) fn dlr_done(at: OffsetDateTime) -> String {
    at.format(format_description!("[year repr:last_two][month][day][hour][minute]")).unwrap_or_default()
}

/// A first and a last moment.
pub(crate) type Span = (OffsetDateTime, OffsetDateTime);

/// The first and last moment that a date filter's value names: a whole UTC day, or one second.
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
