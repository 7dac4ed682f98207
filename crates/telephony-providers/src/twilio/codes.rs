//! Twilio's error codes: meaning, remedy, and whether a retry makes sense.

mod table;

use std::fmt::Write;
use std::time::Duration;

use telephony_domain::retry::Disposition;

use self::table::CODES;

/// A Twilio error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Number in Twilio's error dictionary.
    pub number: u32,
    /// The next step for a message that failed with it.
    pub disposition: Disposition,
    /// Meaning, as a sentence.
    pub happened: &'static str,
    /// Remedy for the operator.
    pub action: &'static str,
}

/// The recipient opted out of the sender.
pub const OPTED_OUT: u32 = 21610;

/// Not done; worth a retry within seconds.
const AGAIN: Disposition = Disposition::Retry { after: None };

/// Not done; queues and phones need some minutes.
const LATER: Disposition = Disposition::Retry { after: Some(Duration::from_secs(10 * 60)) };

/// Not done; a cap or block that lasts up to a day. Twilio does not say when it ends, so it is retried every hour.
const HOURLY: Disposition = Disposition::Retry { after: Some(Duration::from_secs(60 * 60)) };

/// Not done, and a retry without a change cannot succeed.
const FINAL: Disposition = Disposition::GiveUp;

/// Not done; nothing on the whole account works until the operator fixes it.
const STOP: Disposition = Disposition::AwaitOperator;

/// It is unknown whether it was done.
const ASK_FIRST: Disposition = Disposition::Unknown;

/// Returns the code with this number, if this project can encounter it.
pub fn find(number: u32) -> Option<&'static Code> {
    CODES.binary_search_by_key(&number, |code| code.number).ok().map(|place| &CODES[place])
}

/// Returns the next step after the API rejected a request with this HTTP status and error code.
///
/// A server error or timeout (408) outweighs the code, because the work may have been done before. Twilio's API returns
/// a code with each rejection: one without comes from something in between, which may be gone later.
pub fn disposition(status: u16, number: Option<u32>) -> Disposition {
    match (status, number.and_then(find)) {
        (408 | 500.., _) => ASK_FIRST,
        (_, Some(code)) => code.disposition,
        (429, None) => AGAIN,
        (_, None) if number.is_none() => LATER,
        _ => FINAL,
    }
}

/// Returns true if a rejection concerns the kind of request: the account may work otherwise.
pub fn is_about_rights(number: u32) -> bool {
    matches!(number, 10_002 | 20_006 | 20_008)
}

/// Returns true if a code in a status report concerns the account or the sender, so that other messages fail too until
/// the operator fixes something.
pub fn calls_for_operator(number: u32) -> bool {
    matches!(number, 30_002 | 30_018 | 30_024 | 30_032 | 30_033 | 30_034 | 30_440)
}

/// Describes a code that this project does not know by its range: new ones appear at any time, in ranges that keep
/// their subject.
pub fn by_range(number: u32) -> Option<&'static str> {
    RANGES.iter().find(|(first, last, _)| (*first..=*last).contains(&number)).map(|(_, _, subject)| *subject)
}

/// Explains a code and its remedy, or its range if the code is unknown.
pub fn explain(number: u32) -> String {
    match (find(number), by_range(number)) {
        (Some(code), _) => format!("{} {}", code.happened, code.action),
        (None, subject) => format!("{}; {}", subject.unwrap_or("Twilio reports an error"), see(number)),
    }
}

/// Returns a reference to Twilio's page on a code.
pub fn see(number: u32) -> String {
    format!("see https://www.twilio.com/docs/api/errors/{number}")
}

const RANGES: [(u32, u32, &str); 10] = [
    (10_000, 10_999, "The Twilio account is not in a state for this"),
    (11_000, 11_999, "Twilio could not use a webhook of ours, or what it answered"),
    (12_000, 12_999, "Twilio could not read the TwiML that it was given"),
    (13_000, 13_999, "Twilio could not carry out an instruction for a call"),
    (14_000, 14_999, "Twilio could not process a reply to a message"),
    (20_000, 20_999, "Twilio's API rejected the request: its credentials, its format, or too many requests"),
    (21_000, 21_999, "Twilio rejected an operation on the number or the message"),
    (30_000, 39_999, "The message was not delivered: the carrier, the phone or Twilio's checks stopped it"),
    (60_000, 62_999, "A Twilio product that this program does not use rejected the request"),
    (63_000, 63_999, "The message's channel did not accept it"),
];

/// Generates the reference page of all codes.
pub fn reference_markdown() -> String {
    let mut page = String::from(REFERENCE_HEAD);
    for Code { number, disposition, happened, action } in CODES {
        let link = format!("[{number}](https://www.twilio.com/docs/api/errors/{number})");
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| {link} | {happened} | {} | {action} |", title(*disposition));
    }
    page.push_str("\n## Codes that are not listed\n\n| codes | meaning |\n| --- | --- |\n");
    for (first, last, subject) in RANGES {
        let _ = writeln!(page, "| {first} to {last} | {subject} |");
    }
    page
}

const REFERENCE_HEAD: &str = "\
# Error codes of Twilio

Codes that appear in the log, in `openclaw telephony messages` and in Twilio's console, with what the gateway does and
what you can do. *Ask first* means that it is unknown whether the message was sent: the gateway searches Twilio's own
list before it sends anything again. *Once you have fixed it* means that Twilio rejects the whole account: all messages
wait in order, the gateway probes the account up to once a minute, and continues by itself once it is fixed. A message
that waited for 24 hours fails, and `openclaw telephony messages --retry` sends it again. The column *sent again?* is
about messages that Twilio rejects when it gets them. A message that Twilio accepted and could not deliver is not sent
again, whatever its code, because the carrier may have it after all.

A code that is not listed is explained by its range, below, and is final. A rejection without a code does not come from
Twilio's API but from a proxy, a firewall or a captive portal, and is retried in 10 minutes. With HTTP status 429, both
are retried in seconds; with 408 and with 500 or above, the gateway asks first.

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
    fn the_rows_are_sorted_for_binary_search() {
        assert!(CODES.is_sorted_by(|a, b| a.number < b.number));
        assert!(CODES.iter().all(|code| find(code.number) == Some(code)));
    }
}
