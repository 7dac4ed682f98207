//! Twilio's checks of a new message, in Twilio's order. Leaves sending to `messages`.

use std::time::Duration;

use super::ApiError;
use super::parameters::Parameters;
use crate::account::AccountType;
use crate::exchange::ExchangeState;
use crate::message::LONGEST_VALIDITY;

/// A message that passed all checks.
pub(super) struct CheckedMessage {
    pub(super) to: String,
    /// `None` if the service chooses the sender.
    pub(super) from: Option<String>,
    pub(super) messaging_service_sid: Option<String>,
    pub(super) body: String,
    pub(super) media_urls: Vec<String>,
    pub(super) status_callback: Option<String>,
    /// The maximum wait for its turn.
    pub(super) validity: Duration,
}

/// The prefix of every text from a trial account.
const TRIAL_SENTENCE: &str = "Sent from your Twilio trial account - ";

/// The maximum length of a text in UTF-16 units.
const LONGEST_BODY: usize = 1600;

/// The maximum length of a callback URL in characters.
const LONGEST_CALLBACK: usize = 4000;

/// The prefix of Twilio's test numbers; see [`magic_recipient`] and [`magic_sender`].
const MAGIC: &str = "+1500555000";

impl CheckedMessage {
    pub(super) fn check(form: &Parameters, state: &ExchangeState) -> Result<Self, ApiError> {
        let (to, from, service) = parties(form)?;
        let (body, media_urls) = content(form)?;
        let validity = check_options(form)?;
        let to = normalize(to).ok_or_else(|| invalid_recipient(to))?;
        magic_recipient(&to)?;
        let from = from.map(|from| check_sender(from, &to, state)).transpose()?;
        if let Some(service) = service {
            check_service(service, from.as_deref(), state)?;
        }
        let is_trial = state.account.account_type == AccountType::Trial;
        if !state.account.reaches(&to) {
            let message = format!("The number {to} is unverified: a trial account writes to verified numbers only");
            return Err(ApiError::bad_request(21608, &message));
        }
        let scope = service.map(str::to_owned).or_else(|| from.as_deref().map(|from| state.opt_out_scope(from)));
        if scope.is_some_and(|scope| state.opted_out.contains(&(scope, to.clone()))) {
            return Err(ApiError::bad_request(21610, "The recipient unsubscribed from this sender"));
        }
        Ok(Self {
            to,
            from,
            messaging_service_sid: service.map(str::to_owned),
            body: if is_trial { format!("{TRIAL_SENTENCE}{body}") } else { body },
            media_urls,
            status_callback: form.filled("StatusCallback").map(str::to_owned),
            validity,
        })
    }
}

type Parties<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

fn parties(form: &Parameters) -> Result<Parties<'_>, ApiError> {
    let to = form.filled("To").ok_or_else(|| ApiError::bad_request(21604, "A 'To' phone number is required"))?;
    let (from, service) = (form.filled("From"), form.filled("MessagingServiceSid"));
    if from.is_none() && service.is_none() {
        return Err(ApiError::bad_request(21603, "A 'From' or a 'MessagingServiceSid' is required"));
    }
    Ok((to, from, service))
}

fn content(form: &Parameters) -> Result<(String, Vec<String>), ApiError> {
    let body = form.get("Body").unwrap_or_default().to_owned();
    let media_urls: Vec<String> = form.all("MediaUrl").filter(|url| !url.is_empty()).map(str::to_owned).collect();
    if body.is_empty() && media_urls.is_empty() {
        return Err(ApiError::bad_request(21602, "A message body or media is required"));
    }
    if body.encode_utf16().count() > LONGEST_BODY {
        return Err(ApiError::bad_request(21617, "The message body is longer than 1600 characters"));
    }
    if media_urls.len() > 10 {
        return Err(ApiError::bad_request(21623, "A message takes at most 10 media"));
    }
    if let Some(url) = media_urls.iter().find(|url| !is_web_url(url)) {
        return Err(ApiError::bad_request(21620, &format!("The media URL {url} is not valid")));
    }
    Ok((body, media_urls))
}

/// Checks the optional parameters and returns the message's validity period.
fn check_options(form: &Parameters) -> Result<Duration, ApiError> {
    if let Some(url) = form.filled("StatusCallback") {
        let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#', ':']).next()).unwrap_or_default();
        if !is_web_url(url) || host.contains('_') || url.chars().count() > LONGEST_CALLBACK {
            return Err(ApiError::bad_request(21609, "The 'StatusCallback' URL is not valid"));
        }
    }
    let validity = match form.filled("ValidityPeriod").map(str::parse) {
        None => LONGEST_VALIDITY,
        Some(Ok(seconds @ 1..=36000)) => Duration::from_secs(seconds),
        Some(_) => return Err(ApiError::bad_request(21624, "The 'ValidityPeriod' must be 1 to 36000 seconds")),
    };
    for unsupported in ["ContentSid", "SendAt"] {
        if form.filled(unsupported).is_some() {
            return Err(ApiError::bad_request(20422, &format!("The simulator does not support '{unsupported}'")));
        }
    }
    Ok(validity)
}

fn is_web_url(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

/// Returns an E.164 number without the spaces, dots, dashes and brackets that Twilio accepts.
pub(super) fn normalize(number: &str) -> Option<String> {
    let compact: String = number.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let digits = compact.strip_prefix('+')?;
    let is_number = (2..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (is_number && !digits.starts_with('0')).then_some(compact)
}

fn invalid_recipient(to: &str) -> ApiError {
    ApiError::bad_request(21211, &format!("The 'To' number {to} is not a valid phone number"))
}

/// Rejects Twilio's test recipients, each with its own error.
fn magic_recipient(to: &str) -> Result<(), ApiError> {
    match to.strip_prefix(MAGIC) {
        Some("1") => Err(invalid_recipient(to)),
        Some("2") => Err(ApiError::bad_request(21612, "There is no route to the 'To' number")),
        Some("3") => Err(ApiError::bad_request(21408, "The account may not send to the region of the 'To' number")),
        Some("4") => Err(ApiError::bad_request(21610, "The recipient unsubscribed from this sender")),
        Some("9") => Err(ApiError::bad_request(21614, "The 'To' number is not a mobile number")),
        _ => Ok(()),
    }
}

fn check_sender(from: &str, to: &str, state: &ExchangeState) -> Result<String, ApiError> {
    let invalid = || ApiError::bad_request(21212, &format!("The 'From' number {from} is not a valid phone number"));
    if is_sender_id(from) && state.account.account_type != AccountType::Trial {
        return Ok(from.to_owned());
    }
    // Short codes have no E.164 form.
    let from = if state.number(from).is_some() { from.to_owned() } else { normalize(from).ok_or_else(invalid)? };
    match from.strip_prefix(MAGIC) {
        Some("1") => return Err(invalid()),
        Some("8") => return Err(ApiError::bad_request(21611, "The queue of the 'From' number is full")),
        Some("6") => return Ok(from),
        _ => {}
    }
    if !state.number(&from).is_some_and(|number| number.capabilities.sms) {
        let message = format!("The 'From' number {from} is not a message-capable number of this account");
        return Err(ApiError::bad_request(21606, &message));
    }
    if from == to {
        return Err(ApiError::bad_request(21211, "'To' and 'From' are the same number"));
    }
    if state.queues.is_full(&from) {
        return Err(ApiError::bad_request(21611, "The queue of the 'From' number is full"));
    }
    Ok(from)
}

/// Returns true for an alphanumeric sender ID: up to eleven characters, at least one letter; for paid accounts only.
fn is_sender_id(from: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '+' | '-' | '_' | '&');
    (1..=11).contains(&from.len()) && from.chars().all(is_allowed) && from.contains(|c: char| c.is_ascii_alphabetic())
}

fn check_service(sid: &str, from: Option<&str>, state: &ExchangeState) -> Result<(), ApiError> {
    let service = state.services.iter().find(|service| service.sid == sid);
    let service =
        service.ok_or_else(|| ApiError::bad_request(21701, &format!("There is no messaging service {sid}")))?;
    if service.numbers.is_empty() {
        return Err(ApiError::bad_request(21704, "The messaging service has no phone numbers"));
    }
    match from {
        Some(from) if !service.numbers.iter().any(|number| number == from) => {
            Err(ApiError::bad_request(21703, "The 'From' number is not in the messaging service"))
        }
        _ => Ok(()),
    }
}
