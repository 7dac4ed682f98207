//! Translates failed requests: never sent, unknown, or rejected by Twilio with a reason.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde::Deserialize;
use telephony_domain::number::mask;
use telephony_domain::retry::Disposition;

use super::http::root_cause;
use crate::provider::ProviderError;
use crate::twilio::codes::{self, Code};

/// The fields read from Twilio's error answer; old and new products use the same names.
#[derive(Deserialize, Default)]
struct ErrorBody {
    code: Option<u32>,
    message: Option<String>,
}

/// Translates a request without an answer. It was certainly not sent only if it failed before the connection was open.
pub(super) fn unanswered(error: reqwest::Error) -> ProviderError {
    let was_not_sent = error.is_connect() || error.is_builder();
    let (server, cause) = (server(&error), root_cause(&error));
    if was_not_sent { ProviderError::Unreachable { server, cause } } else { ProviderError::NoAnswer { server, cause } }
}

/// Returns the host and the port of a request. The rest of its URL may contain a phone number.
fn server(error: &reqwest::Error) -> String {
    let url = error.url();
    let host = url.and_then(|url| url.host_str()).unwrap_or("Twilio");
    match url.and_then(|url| url.port()) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Translates a successful answer that is not readable: the outcome is unknown.
pub(super) fn unreadable(error: &serde_json::Error) -> ProviderError {
    ProviderError::Unreadable { cause: format!("it is not the expected JSON: {error}") }
}

/// Translates an answer that does not end: the request may have been executed.
pub(super) fn too_long(at_most: usize) -> ProviderError {
    ProviderError::Unreadable { cause: format!("it is longer than {at_most} bytes") }
}

pub(super) fn refused(http_status: u16, retry_after: Option<Duration>, body: &[u8]) -> ProviderError {
    let ErrorBody { code, message } = serde_json::from_slice(body).unwrap_or_default();
    let (sentence, hint) = match code.and_then(codes::find) {
        Some(Code { happened, action, .. }) => (with_server_error(happened, http_status), (*action).to_owned()),
        None => (unknown_refusal(http_status, code, message.as_deref()), unknown_hint(http_status, code)),
    };
    let disposition = waiting(codes::disposition(http_status, code), retry_after);
    let is_opt_out = code == Some(codes::OPTED_OUT);
    ProviderError::Refused { http_status, code, sentence, hint, disposition, is_opt_out }
}

/// Adds the HTTP status of a server error, which says more than the code alone.
fn with_server_error(happened: &str, http_status: u16) -> String {
    if http_status < 500 {
        return happened.to_owned();
    }
    format!("{} (HTTP status {http_status}).", happened.trim_end_matches('.'))
}

/// Returns the wait that the answer requests, in whole seconds.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Returns the longer of the code's wait and the requested one.
fn waiting(disposition: Disposition, retry_after: Option<Duration>) -> Disposition {
    match disposition {
        Disposition::Retry { after } => Disposition::Retry { after: after.max(retry_after) },
        other => other,
    }
}

/// Describes the rejection by the code's range, with Twilio's own words.
fn unknown_refusal(http_status: u16, code: Option<u32>, message: Option<&str>) -> String {
    if code.is_none() && !is_plausible(http_status) {
        return format!(
            "an answer with HTTP status {http_status} does not come from Twilio's API: it has no error code"
        );
    }
    let answered = match message {
        Some(message) => format!("Twilio answered with HTTP status {http_status}: {}", without_numbers(message)),
        None => format!("Twilio answered with HTTP status {http_status}"),
    };
    match code.and_then(codes::by_range) {
        Some(subject) => format!("{subject}. {answered}"),
        None => answered,
    }
}

fn unknown_hint(http_status: u16, code: Option<u32>) -> String {
    match code {
        Some(code) => codes::see(code),
        None if http_status == 429 => "Twilio accepts no more requests at the moment; retrying".to_owned(),
        None if is_plausible(http_status) => {
            "see https://status.twilio.com and check twilio.apiBaseUrl, region and edge".to_owned()
        }
        None => "check what may answer in Twilio's place, such as a proxy, a firewall or a captive portal, and \
            twilio.apiBaseUrl; it is retried"
            .to_owned(),
    }
}

/// Returns true if Twilio may have answered so without an error code: too busy, or broken.
fn is_plausible(http_status: u16) -> bool {
    matches!(http_status, 408 | 429 | 500..)
}

/// Masks every phone number in the text, including those in groups: at least seven digits with only the usual
/// separators between them.
fn without_numbers(text: &str) -> String {
    let is_of_number = |c: char| c.is_ascii_digit() || "+-(). ".contains(c);
    let mut shown = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_number = is_of_number(first);
        let end = rest.find(|c| is_of_number(c) != is_number).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let digits: String = run.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        if digits.bytes().filter(u8::is_ascii_digit).count() < 7 {
            shown.push_str(run);
        } else {
            let (start, end) = (run.len() - run.trim_start().len(), run.trim_end().len());
            shown.extend([&run[..start], &mask(&digits), &run[end..]]);
        }
        rest = after;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, retry_after: Option<u64>, body: &str) -> ProviderError {
        refused(status, retry_after.map(Duration::from_secs), body.as_bytes())
    }

    #[test]
    fn numbers_in_twilios_messages_are_masked_in_every_format() {
        for number in ["+15553000000", "+1 555 300 0000", "(555) 300-0000", "1.555.300.0000"] {
            let shown = without_numbers(&format!("Send 3 to {number} at 10 o'clock"));
            assert!(shown.contains('•') && !shown.contains("300"), "{shown}");
            assert!(shown.starts_with("Send 3 to ") && shown.ends_with(" at 10 o'clock"), "{shown}");
        }
    }

    #[test]
    fn an_unknown_code_is_explained_by_its_range_and_twilios_message() {
        let error = refusal(400, None, r#"{"code":21999,"message":"Weird thing","status":400}"#);
        let text = "Twilio rejected an operation on the number or the message. Twilio answered with HTTP status 400: \
            Weird thing; see https://www.twilio.com/docs/api/errors/21999";
        assert_eq!(error.with_hint(), text);
    }

    #[test]
    fn a_known_code_is_explained_in_our_words() {
        let error = refusal(400, None, r#"{"code":21610,"message":"Attempt to send to +15550005678","status":400}"#);
        assert_eq!((error.code(), error.disposition()), (Some(21610), Disposition::GiveUp));
        assert!(error.to_string().contains("opted out") && error.hint().contains("START"));
    }

    #[test]
    fn the_error_shows_opt_outs_and_whether_twilio_answered() {
        let over = |status: u16, body: &str| {
            let error = refusal(status, None, body);
            (error.is_opt_out(), error.was_answered())
        };
        assert_eq!(over(400, r#"{"code":21610}"#), (true, true));
        assert_eq!(over(500, r#"{"code":20500}"#), (false, true));
        assert_eq!((over(504, ""), over(408, "")), ((false, false), (false, false)));
        assert!(!ProviderError::NoAnswer { server: "api.twilio.com".into(), cause: "cut".into() }.was_answered());
    }

    #[test]
    fn twilios_message_is_shown_without_the_number() {
        let error = refusal(400, None, r#"{"code":29999,"message":"The number +15550005678 is odd.","status":400}"#);
        assert_eq!(error.to_string(), "Twilio answered with HTTP status 400: The number +1555•••5678 is odd.");
        assert!(error.hint().ends_with("errors/29999"));
    }

    #[test]
    fn a_rejection_without_a_code_is_not_from_twilio_and_is_retried() {
        let later = Disposition::Retry { after: Some(Duration::from_secs(10 * 60)) };
        for status in [302, 401, 403, 404, 407, 413, 421] {
            let error = refusal(status, None, "<html>Access denied to +15550005678</html>");
            assert_eq!((error.disposition(), error.was_answered()), (later, true), "{status}");
            let text = error.with_hint();
            assert!(text.contains("does not come from Twilio's API") && text.contains("proxy"), "{text}");
            assert!(text.contains("twilio.apiBaseUrl") && text.contains(&status.to_string()), "{text}");
        }
        assert_eq!(
            refusal(403, Some(900), "").disposition(),
            Disposition::Retry { after: Some(Duration::from_secs(900)) }
        );
        assert!(refusal(503, None, "").to_string().starts_with("Twilio answered"));
    }

    #[test]
    fn too_many_requests_wait_as_long_as_twilio_asks() {
        let seconds = |error: ProviderError| match error.disposition() {
            Disposition::Retry { after } => after.map(|after| after.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(seconds(refusal(429, None, r#"{"code":20429}"#)), None);
        assert_eq!(seconds(refusal(429, Some(7), r#"{"code":20429}"#)), Some(7));
        assert_eq!(seconds(refusal(429, Some(7), "slow down")), Some(7));
        assert!(refusal(429, None, "").hint().contains("retrying"));
        assert_eq!(seconds(refusal(429, Some(7), r#"{"code":63038}"#)), Some(3600));
    }

    #[test]
    fn a_server_error_leaves_the_outcome_unknown() {
        for body in ["<html>502</html>", "", r#"{"code":20503,"message":"x"}"#] {
            let error = refusal(503, Some(1), body);
            assert_eq!(error.disposition(), Disposition::Unknown, "{body}");
            assert!(error.to_string().contains("HTTP status 503"), "{error}");
        }
    }

    #[test]
    fn a_wait_that_is_not_in_seconds_is_ignored() {
        let wait = |text: &'static str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]));
        assert_eq!(wait(" 12 "), Some(Duration::from_secs(12)));
        assert_eq!(wait("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(wait("-1"), None);
    }
}
