//! Twilio's error codes: what happened, what the operator does, and whether trying again makes sense.

mod table;

use std::fmt::Write;
use std::time::Duration;

use telephony_domain::retry::Disposition;

use self::table::CODES;

/// What is known about one error code of Twilio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The number, as in Twilio's error dictionary.
    pub number: u32,
    /// Whether trying again makes sense.
    pub disposition: Disposition,
    /// What happened, in one sentence.
    pub happened: &'static str,
    /// What the operator does about it.
    pub action: &'static str,
}

/// The recipient asked the sender to stop.
pub const OPTED_OUT: u32 = 21610;

/// Not done; worth another try within seconds.
const AGAIN: Disposition = Disposition::Retry { after: None };

/// Not done; queues and phones need some minutes.
const LATER: Disposition = Disposition::Retry { after: Some(Duration::from_secs(10 * 60)) };

/// Not done; a cap or block that lasts up to a day. Twilio does not say when it ends, so it is tried each hour.
const HOURLY: Disposition = Disposition::Retry { after: Some(Duration::from_secs(60 * 60)) };

/// Not done, and never will be as it is.
const FINAL: Disposition = Disposition::GiveUp;

/// Not done; nothing of the whole account is, until the operator fixes it.
const STOP: Disposition = Disposition::AwaitOperator;

/// Nobody knows whether it was done.
const ASK_FIRST: Disposition = Disposition::Unknown;

/// The code with this number, if it is one that this project can meet.
pub fn find(number: u32) -> Option<&'static Code> {
    CODES.binary_search_by_key(&number, |code| code.number).ok().map(|place| &CODES[place])
}

/// What to do when the API refused a request with this HTTP status and error code.
///
/// A server error or its time-out (408) wins over the code: whether the work was done before is open. Twilio's API gives a
/// code with each refusal: one without is somebody else's, who stands in between and may be gone in a while.
pub fn disposition(status: u16, number: Option<u32>) -> Disposition {
    match (status, number.and_then(find)) {
        (408 | 500.., _) => ASK_FIRST,
        (_, Some(code)) => code.disposition,
        (429, None) => AGAIN,
        (_, None) if number.is_none() => LATER,
        _ => FINAL,
    }
}

/// Returns true if a refusal concerns the kind of request that was made: the account may be served otherwise.
pub fn is_about_rights(number: u32) -> bool {
    matches!(number, 10_002 | 20_006 | 20_008)
}

/// Returns true if a code in a status report concerns the account or the sender, so that other messages fail too until
/// the operator fixes something.
pub fn calls_for_operator(number: u32) -> bool {
    matches!(number, 30_002 | 30_018 | 30_024 | 30_032 | 30_033 | 30_034 | 30_440)
}

/// What a code means that this project does not know: new ones appear at any time, in ranges that keep their subject.
pub fn by_range(number: u32) -> Option<&'static str> {
    RANGES.iter().find(|(first, last, _)| (*first..=*last).contains(&number)).map(|(_, _, subject)| *subject)
}

/// What Twilio says by a code, and what to do: the code's own words where we know it, else those of its range.
pub fn explain(number: u32) -> String {
    match (find(number), by_range(number)) {
        (Some(code), _) => format!("{} {}", code.happened, code.action),
        (None, subject) => format!("{}; {}", subject.unwrap_or("Twilio reports an error"), see(number)),
    }
}

/// Where Twilio explains a code.
pub fn see(number: u32) -> String {
    format!("see https://www.twilio.com/docs/api/errors/{number}")
}

const RANGES: [(u32, u32, &str); 10] = [
    (10_000, 10_999, "The Twilio account is not in a state for this"),
    (11_000, 11_999, "Twilio could not use a webhook of ours, or what it answered"),
    (12_000, 12_999, "Twilio could not read the TwiML that it was given"),
    (13_000, 13_999, "Twilio could not carry out an instruction for a call"),
    (14_000, 14_999, "Twilio could not carry out a reply to a message"),
    (20_000, 20_999, "Twilio's API refused the request: its credentials, its form, or how many there were"),
    (21_000, 21_999, "Twilio refused what was asked of the number or the message"),
    (30_000, 39_999, "The message was not delivered: the carrier, the phone or Twilio's checks stopped it"),
    (60_000, 62_999, "A Twilio product that this program does not use refused the request"),
    (63_000, 63_999, "The channel that the message was to take did not take it"),
];

/// The page of all codes, for the reference documentation.
pub fn reference_markdown() -> String {
    let mut page = String::from(REFERENCE_HEAD);
    for Code { number, disposition, happened, action } in CODES {
        let link = format!("[{number}](https://www.twilio.com/docs/api/errors/{number})");
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| {link} | {happened} | {} | {action} |", title(*disposition));
    }
    page.push_str("\n## Codes that are not listed\n\n| codes | what they are about |\n| --- | --- |\n");
    for (first, last, subject) in RANGES {
        let _ = writeln!(page, "| {first} to {last} | {subject} |");
    }
    page
}

const REFERENCE_HEAD: &str = "\
# Error codes of Twilio

Codes as they appear in the log, in `openclaw telephony messages` and in Twilio's console, with what the gateway does
and what is left to you. *Ask first* means that nobody knows whether the message went out: Twilio's own list is searched
before anything is sent a second time. *Once you have fixed it* means that Twilio refuses the whole account: all messages
wait in order, the gateway probes the account up to once a minute, and everything goes on by itself; a message that waited
for 24 hours fails, and `openclaw telephony messages --retry` sends it again. The column *sent again?* is about messages that Twilio refuses when they are handed
over. One that it took and could not deliver is not sent again, whatever its code: the carrier may have it after all.

A code that is not listed is told by its range, below, and is final. A refusal without a code does not come from Twilio's
API but from a proxy, a firewall or a captive portal, and is tried again in 10 minutes. Either is tried again in seconds
with HTTP status 429, and asked first with 408 and 500 or above.

| code | what happened | sent again? | what you can do |
| --- | --- | --- | --- |
";

fn title(disposition: Disposition) -> &'static str {
    match disposition {
        AGAIN => "in seconds",
        Disposition::Retry { after: Some(wait) } if wait >= Duration::from_secs(60 * 60) => "each hour",
        Disposition::Retry { .. } => "in 10 minutes",
        Disposition::GiveUp => "no",
        Disposition::Unknown => "ask first",
        Disposition::AwaitOperator => "once you have fixed it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_in_order_or_none_would_be_found() {
        assert!(CODES.is_sorted_by(|a, b| a.number < b.number));
        assert!(CODES.iter().all(|code| find(code.number) == Some(code)));
    }
}
