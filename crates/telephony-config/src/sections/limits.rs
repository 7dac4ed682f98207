//! `limits`: spending limits.

use std::fmt;

use jiff::tz::TimeZone;
use telephony_domain::dialing::Country;
use telephony_domain::dialing::quiet_hours::QuietHours;
use telephony_domain::number::PhoneNumber;

use crate::form::OrNull;
use crate::form::lists::ListForm;
use crate::form::numbers::LimitForm;
use crate::form::texts::Parsed;
use crate::keys::ObjectKeys;

/// Spending limits; `None` is unlimited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Carrier segments per answer; the rest is cut off and marked.
    pub segments_per_reply: Option<u32>,
    /// Carrier segments to one contact per day.
    pub segments_per_contact_per_day: Option<u32>,
    /// Carrier segments to all contacts per day.
    pub segments_per_day: Option<u32>,
    /// Replies to all unapproved contacts together per day.
    pub stranger_replies_per_day: Option<u32>,
    /// Replies to one contact within 30 seconds.
    pub replies_per_contact_per_30s: Option<u32>,
    /// Outgoing calls per hour.
    pub calls_per_hour: Option<u32>,
    /// Minutes of outgoing calls per day.
    pub call_minutes_per_day: Option<u32>,
    /// Countries that may be called.
    pub call_countries: Option<Vec<Country>>,
    /// Hours without outgoing calls.
    pub quiet_hours: Option<QuietHours>,
    time_zone: Option<NamedZone>,
}

/// A time zone that was found by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NamedZone(TimeZone);

impl LimitsConfig {
    /// Returns the time zone of the quiet hours.
    pub fn time_zone(&self) -> TimeZone {
        self.time_zone.as_ref().map_or_else(TimeZone::system, |zone| zone.0.clone())
    }

    /// Reads the section; `line` is the number that calls.
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>, line: Option<&PhoneNumber>) -> Self {
        let countries = OrNull { form: ListForm(country()), meaning: "all countries" };
        let own_country = line.and_then(Country::of).into_iter().collect();
        let at_night = "21:00-08:00".parse().ok();
        let mut limit = |name, doc, default| keys.key(name, doc, LimitForm).or(Some(default));
        Self {
            segments_per_reply: limit(
                "segmentsPerReply",
                "Carrier segments per answer; the rest is cut off and marked.",
                30,
            ),
            segments_per_contact_per_day: limit(
                "segmentsPerContactPerDay",
                "Carrier segments to one contact per day.",
                300,
            ),
            segments_per_day: limit("segmentsPerDay", "Carrier segments to all contacts per day.", 3000),
            stranger_replies_per_day: limit(
                "strangerRepliesPerDay",
                "Pairing replies to all unapproved contacts together per day.",
                50,
            ),
            replies_per_contact_per_30s: limit(
                "repliesPerContactPer30s",
                "Replies to one contact within 30 seconds, so that two machines do not talk forever.",
                12,
            ),
            calls_per_hour: limit("callsPerHour", "Outgoing calls per hour.", 10),
            call_minutes_per_day: limit(
                "callMinutesPerDay",
                "Minutes of outgoing calls per day; the last call ends when they are used up.",
                120,
            ),
            call_countries: keys
                .key(
                    "callCountries",
                    "Countries that may be called. Emergency and premium numbers are never called.",
                    countries,
                )
                .or_by_rule("the country of `fromNumber`", Some(own_country)),
            quiet_hours: keys.key("quietHours", "Local hours without outgoing calls.", quiet_hours()).or(at_night),
            time_zone: keys
                .key("timeZone", "The time zone of `quietHours`.", time_zone())
                .optional_by_rule("the system's", None),
        }
    }
}

impl fmt::Display for NamedZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or_default())
    }
}

fn country() -> Parsed<Country> {
    Parsed {
        expected: "a country by its ISO code of two capital letters, such as \"GB\"",
        pattern: Some("^[A-Z]{2}$"),
        parse: |text| text.parse().ok(),
    }
}

fn quiet_hours() -> OrNull<Parsed<QuietHours>> {
    let form = Parsed {
        expected: "a daily span such as \"21:00-08:00\"",
        pattern: Some("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"),
        parse: |text| text.parse().ok(),
    };
    OrNull { form, meaning: "calls at any hour" }
}

fn time_zone() -> Parsed<NamedZone> {
    Parsed {
        expected: "the name of a time zone such as \"Europe/Berlin\"",
        pattern: None,
        parse: |text| TimeZone::get(text).ok().map(NamedZone),
    }
}
