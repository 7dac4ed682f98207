//! Dates of Twilio's 2010 API: answers have `Sun, 22 Nov 2026 06:33:00 +0000`, filters `2026-11-22T06:33:00Z`.

use http::HeaderMap;
use http::header::DATE;
use jiff::fmt::rfc2822::DateTimeParser;
use telephony_domain::time::Timestamp;

/// Parses an RFC 2822 date; `None` if it is invalid.
pub fn parse(text: &str) -> Option<Timestamp> {
    let date = DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp(date.as_millisecond()))
}

/// Returns the time of an answer, by the server's clock.
pub fn of(headers: &HeaderMap) -> Option<Timestamp> {
    parse(headers.get(DATE)?.to_str().ok()?)
}

/// Formats the time for a list filter, to the second.
pub fn iso(time: Timestamp) -> String {
    jiff::Timestamp::from_second(time.0.div_euclid(1000)).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_the_api_is_read_to_the_second() {
        assert_eq!(parse("Sun, 22 Nov 2026 06:33:00 +0000"), Some(Timestamp(1_795_329_180_000)));
        assert_eq!(parse("Sun, 22 Nov 2026 08:33:00 +0200"), Some(Timestamp(1_795_329_180_000)));
    }

    #[test]
    fn a_filter_gets_whole_seconds() {
        assert_eq!(iso(Timestamp(1_795_329_180_999)), "2026-11-22T06:33:00Z");
    }

    #[test]
    fn an_invalid_date_is_rejected() {
        for text in ["", "null", "2026-11-22T06:33:00Z", "22 Nov"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
