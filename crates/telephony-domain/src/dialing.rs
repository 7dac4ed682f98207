//! Rules checked before a number is dialed. Calls cost by the minute, ring at night and reach emergency services, so no
//! command, agent or program can bypass them.

mod countries;
pub mod doubt;
pub mod quiet_hours;
mod special;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::tz::TimeZone;

use self::quiet_hours::QuietHours;
use crate::id::CallId;
use crate::number::PhoneNumber;
use crate::plural::counted;
use crate::time::Timestamp;

/// A kind of number that is never dialed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// An emergency number, or another short number of a public service.
    Emergency,
    /// A premium, shared-cost or personal number, or a satellite phone, with extra charges.
    Premium,
}

/// A country by its ISO 3166 code of two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

/// An error: the text is not a country code, or no number belongs to the country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the code of a country with phone numbers, such as US")]
pub struct InvalidCountry(String);

impl FromStr for Country {
    type Err = InvalidCountry;

    fn from_str(text: &str) -> Result<Self, InvalidCountry> {
        match text.as_bytes() {
            [first, second] if countries::is_known(text) => Ok(Self([*first, *second])),
            _ => Err(InvalidCountry(text.to_owned())),
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl Country {
    /// Returns the country of a number; none for networks that belong to no country.
    pub fn of(number: &PhoneNumber) -> Option<Country> {
        countries::find(digits(number)).and_then(|found| found.country.parse().ok())
    }
}

/// Rules for outgoing calls. By default, only special numbers are rejected.
#[derive(Debug, Clone, Default)]
pub struct DialingRules {
    /// Countries that may be called; none allows all.
    pub countries: Option<Vec<Country>>,
    /// The maximum number of calls per hour; none for no limit.
    pub calls_per_hour: Option<u32>,
    /// The maximum minutes of calls per day; none for no limit.
    pub minutes_per_day: Option<u32>,
    /// Hours without calls, if any.
    pub quiet_hours: Option<(QuietHours, TimeZone)>,
}

/// Past outgoing calls that were dialed or may have been, including deleted ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DialingUsage {
    /// Calls within the last hour.
    pub calls_this_hour: u32,
    /// Minutes within the last 24 hours: those of finished calls, and the maximum duration of the others.
    pub minutes_today: u32,
}

/// A reason for not dialing a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDialed {
    /// The number is never dialed, regardless of the rules.
    #[error("{}", special_sentence(*.0))]
    Special(Special),
    /// Its country may not be called.
    #[error("{} may not be called", .0.map_or("a number that belongs to no country".to_owned(), |country| country.to_string()))]
    Country(Option<Country>),
    /// It is within the operator's quiet hours.
    #[error("these are quiet hours ({hours})")]
    QuietHours {
        /// The operator's quiet hours, in local time.
        hours: QuietHours,
        /// The end of it.
        until: Timestamp,
    },
    /// The hourly limit on calls is used up.
    #[error("the hourly limit on calls ({most}) is used up")]
    CallsPerHour {
        /// `limits.callsPerHour` of the configuration.
        most: u32,
    },
    /// The daily limit on minutes is used up.
    #[error("the daily limit on minutes of calls ({most}) is used up")]
    MinutesPerDay {
        /// `limits.callMinutesPerDay` of the configuration.
        most: u32,
    },
    /// The number to call from is not one of ours.
    #[error("{0} is not a number of this channel")]
    NotOurs(PhoneNumber),
    /// It is one of our numbers.
    #[error("it is the assistant's own number")]
    OwnNumber,
    /// The contact has opted out of our messages.
    #[error("the contact has opted out")]
    OptedOut,
    /// The operator has blocked the contact.
    #[error("the contact is blocked")]
    Blocked,
    /// A call with the contact is open.
    #[error("call {0} with this contact is not over yet")]
    OnCall(CallId),
    /// The maximum number of calls is open.
    #[error("the maximum of {} is reached", counted(.most, "open call"))]
    AllBusy {
        /// The maximum number of calls at a time.
        most: usize,
    },
}

impl NotDialed {
    /// Returns advice for the operator.
    pub fn hint(&self) -> &'static str {
        match self {
            NotDialed::Special(Special::Emergency) => {
                "dial emergency numbers by hand, from a phone that knows where you are"
            }
            NotDialed::Special(_) => "call such numbers by hand",
            NotDialed::Country(_) => "add the country to limits.callCountries",
            NotDialed::QuietHours { .. } => "wait, pass --now, or change limits.quietHours",
            NotDialed::CallsPerHour { .. } => "wait, or raise limits.callsPerHour",
            NotDialed::MinutesPerDay { .. } => {
                "wait until earlier calls are more than 24 hours old, or raise limits.callMinutesPerDay"
            }
            NotDialed::NotOurs(_) => "leave --from out, or pass a number that the gateway answers",
            NotDialed::OwnNumber => "pass the number of a phone",
            NotDialed::OptedOut => "only the contact can change that, by texting START",
            NotDialed::Blocked => "`openclaw pairing approve` lets a blocked contact in again",
            NotDialed::OnCall(_) => "`openclaw telephony calls` lists open calls",
            NotDialed::AllBusy { .. } => "wait, or raise maxConcurrentSessions",
        }
    }
}

fn special_sentence(special: Special) -> &'static str {
    match special {
        Special::Emergency => "emergency and service numbers are never dialed",
        Special::Premium => "numbers that cost more than a call are never dialed",
    }
}

impl DialingRules {
    /// Checks if a number may be dialed now, and returns the first rule that it breaks.
    pub fn check(&self, number: &PhoneNumber, usage: DialingUsage, now: Timestamp) -> Result<(), NotDialed> {
        check_number(digits(number))?;
        let country = Country::of(number);
        if let Some(countries) = &self.countries
            && !country.is_some_and(|country| countries.contains(&country))
        {
            return Err(NotDialed::Country(country));
        }
        if let Some((hours, zone)) = &self.quiet_hours
            && let Some(until) = hours.end(now, zone)
        {
            return Err(NotDialed::QuietHours { hours: *hours, until });
        }
        if let Some(most) = self.calls_per_hour.filter(|most| usage.calls_this_hour >= *most) {
            return Err(NotDialed::CallsPerHour { most });
        }
        if let Some(most) = self.minutes_per_day.filter(|most| usage.minutes_today >= *most) {
            return Err(NotDialed::MinutesPerDay { most });
        }
        Ok(())
    }
}

impl DialingRules {
    /// Returns the maximum duration of a call that passes [`check`](DialingRules::check): `wanted`, or the rest of the
    /// day's minutes if that is less.
    pub fn duration(&self, wanted: Duration, usage: DialingUsage) -> Duration {
        let left = self.minutes_per_day.map(|most| most.saturating_sub(usage.minutes_today));
        left.map_or(wanted, |minutes| wanted.min(Duration::from_secs(60) * minutes))
    }
}

/// Rejects input that no rule allows, including numbers too short for a phone, such as 911.
pub fn check_number(dialed: &str) -> Result<(), NotDialed> {
    let digits: String = dialed.chars().filter(char::is_ascii_digit).collect();
    let code_length = countries::find(&digits).map(|found| found.code_length);
    special::find(&digits, code_length).map_or(Ok(()), |special| Err(NotDialed::Special(special)))
}

fn digits(number: &PhoneNumber) -> &str {
    number.as_str().trim_start_matches('+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn special(dialed: &str) -> Option<Special> {
        match check_number(dialed) {
            Err(NotDialed::Special(special)) => Some(special),
            _ => None,
        }
    }

    #[test]
    fn emergency_numbers_are_never_dialed() {
        for dialed in [
            "911",
            "112",
            "999",
            "110",
            "000",
            "15",
            "1122",
            "+911",
            "+112",
            "+1911",
            "1 911",
            "+1-911",
            "+44999",
            "+44 112",
            "+49110",
            "+33112",
            "+6618",
            "+921122",
            "+661669",
            "+941990",
            "+1 911 555 0100",
            "+1 411 555 0100",
            "+1 212 911 0100",
            "988",
            "",
            "+1",
        ] {
            assert_eq!(special(dialed), Some(Special::Emergency), "{dialed}");
        }
    }

    #[test]
    fn numbers_that_cost_more_than_a_call_are_never_dialed() {
        for dialed in [
            "+19005550100",
            "+12129765500",
            "+449098790000",
            "+4409098790000",
            "+447012345678",
            "+448451234567",
            "+499001234567",
            "+491805123456",
            "+33899123456",
            "+33826123456",
            "+41900123456",
            "+41848123456",
            "+39899123456",
            "+61190012345",
            "+611300123456",
            "+61131234",
            "+979123456789",
            "+80812345678",
            "+881612345678",
            "+8821234567",
        ] {
            assert_eq!(special(dialed), Some(Special::Premium), "{dialed}");
        }
    }

    #[test]
    fn ordinary_phones_may_be_dialed() {
        for dialed in [
            "+15550001234",
            "+12125550100",
            "+14165550100",
            "+18765550100",
            "+442079460123",
            "+447700900123",
            "+4930123456",
            "+4915112345678",
            "+33142345678",
            "+33612345678",
            "+46701234567",
            "+4587123456",
            "+35315201234",
            "+353851234567",
            "+573001234567",
            "+61312345678",
            "+61412345678",
            "+390612345678",
            "+393331234567",
            "+919812345678",
            "+8613812345678",
            "+6834001",
            "+6903101",
            "+2471234",
            "+18005550100",
            "+420601123456",
            "+421905123456",
            "+85290123456",
        ] {
            assert_eq!(check_number(dialed), Ok(()), "{dialed}");
        }
    }

    fn rules() -> DialingRules {
        DialingRules {
            countries: Some(vec!["US".parse().unwrap(), "GB".parse().unwrap()]),
            calls_per_hour: Some(10),
            minutes_per_day: Some(120),
            quiet_hours: Some(("21:00-08:00".parse().unwrap(), TimeZone::UTC)),
        }
    }

    /// Returns the verdict on a call at noon.
    fn verdict(rules: &DialingRules, number: &str, usage: DialingUsage) -> Result<(), NotDialed> {
        rules.check(&number.parse().unwrap(), usage, Timestamp(12 * 60 * 60 * 1000))
    }

    #[test]
    fn only_countries_of_the_list_are_called() {
        let usage = DialingUsage::default();
        let ca = "CA".parse().unwrap();
        for number in ["+15550001234", "+442079460123"] {
            assert_eq!(verdict(&rules(), number, usage), Ok(()));
        }
        // +1 covers many countries.
        assert_eq!(verdict(&rules(), "+14165550100", usage), Err(NotDialed::Country(Some(ca))));
        assert_eq!(verdict(&rules(), "+2105550123", usage), Err(NotDialed::Country(None)));
        let any = DialingRules { countries: None, ..rules() };
        assert_eq!(verdict(&any, "+14165550100", usage), Ok(()));
        // An emergency number is always rejected.
        assert_eq!(verdict(&any, "+1911", usage), Err(NotDialed::Special(Special::Emergency)));
    }

    #[test]
    fn limits_hold_from_the_first_call_too_many() {
        let number = "+15550001234";
        let used = |calls_this_hour, minutes_today| DialingUsage { calls_this_hour, minutes_today };
        assert_eq!(verdict(&rules(), number, used(9, 119)), Ok(()));
        assert_eq!(verdict(&rules(), number, used(10, 0)), Err(NotDialed::CallsPerHour { most: 10 }));
        assert_eq!(verdict(&rules(), number, used(0, 120)), Err(NotDialed::MinutesPerDay { most: 120 }));
        let free = DialingRules { calls_per_hour: None, minutes_per_day: None, ..rules() };
        assert_eq!(verdict(&free, number, used(u32::MAX, u32::MAX)), Ok(()));
    }

    #[test]
    fn a_call_lasts_no_longer_than_the_minutes_that_are_left() {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        let usage = |minutes_today| DialingUsage { calls_this_hour: 0, minutes_today };
        let rules = DialingRules { minutes_per_day: Some(10), ..rules() };
        for (used, allowed) in [(0, 5), (5, 5), (7, 3), (9, 1), (10, 0), (11, 0)] {
            assert_eq!(rules.duration(minutes(5), usage(used)), minutes(allowed), "{used} min used");
        }
        let free = DialingRules { minutes_per_day: None, ..rules };
        assert_eq!(free.duration(minutes(5), usage(u32::MAX)), minutes(5));
    }

    #[test]
    fn at_night_nothing_is_dialed_and_the_morning_is_named() {
        let night = Timestamp(22 * 60 * 60 * 1000);
        let refused = rules().check(&"+15550001234".parse().unwrap(), DialingUsage::default(), night);
        let until = Timestamp(32 * 60 * 60 * 1000);
        assert_eq!(refused, Err(NotDialed::QuietHours { hours: "21:00-08:00".parse().unwrap(), until }));
        assert_eq!(refused.unwrap_err().to_string(), "these are quiet hours (21:00-08:00)");
    }

    #[test]
    fn reasons_read_well() {
        for (reason, sentence) in [
            (NotDialed::Country("CA".parse().ok()), "CA may not be called"),
            (NotDialed::Country(None), "a number that belongs to no country may not be called"),
            (NotDialed::CallsPerHour { most: 1 }, "the hourly limit on calls (1) is used up"),
            (NotDialed::MinutesPerDay { most: 1 }, "the daily limit on minutes of calls (1) is used up"),
            (NotDialed::AllBusy { most: 1 }, "the maximum of 1 open call is reached"),
            (NotDialed::AllBusy { most: 5 }, "the maximum of 5 open calls is reached"),
            (NotDialed::Special(Special::Premium), "numbers that cost more than a call are never dialed"),
        ] {
            assert_eq!(reason.to_string(), sentence);
        }
    }

    #[test]
    fn a_country_is_one_with_phone_numbers() {
        for code in ["US", "CA", "GB", "DE", "AX"] {
            assert_eq!(code.parse::<Country>().map(|country| country.to_string()), Ok(code.to_owned()));
        }
        // The United Kingdom is GB.
        for text in ["us", "USA", "", "UK", "XX", "1"] {
            assert!(text.parse::<Country>().is_err(), "{text}");
        }
    }
}
