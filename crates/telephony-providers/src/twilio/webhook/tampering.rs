//! A signature covers names and values without delimiters, so one signed form can be split into different ones. Rejects
//! forms that Twilio cannot have sent.
//!
//! Twilio's own form names the message and its sender at the beginning of a field. If such a name and value occur
//! anywhere else in the signed text, except in text written by a person, a boundary was moved.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::parameters::{self, WebhookKind};
use crate::twilio::form::{FormParameters, Pair};

/// A sign that a form was split differently. No value is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Tampering {
    /// A field that is read occurs twice.
    #[error("{0} occurs twice")]
    Twice(&'static str),
    /// The three names of a message's SID have different values.
    #[error("MessageSid, SmsMessageSid and SmsSid do not agree")]
    SidsDiffer,
    /// A field begins within another.
    #[error("{name} occurs within {holder}")]
    Within {
        name: &'static str,
        /// Field that contains it, as far as it may be shown.
        holder: String,
    },
    /// An address or a SID goes on after its end.
    #[error("{0} holds more than its value")]
    Longer(&'static str),
}

/// The shape of an identifying field's value.
#[derive(Clone, Copy)]
enum FieldShape {
    /// An id: one of these prefixes and 32 hexadecimal digits.
    Sid(&'static [&'static str]),
    /// A number or an address with a scheme.
    Address,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The number of a file, and its URL.
    File,
    /// Text written by a person: anything.
    Text,
}

/// The part of a value that must be present.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RequiredExtent {
    Begins,
    Whole,
}

const MESSAGE: &[&str] = &["SM", "MM"];

/// Message statuses as Twilio writes them.
const MESSAGE_STATES: &[&str] = &[
    "accepted",
    "canceled",
    "delivered",
    "failed",
    "partially_delivered",
    "queued",
    "read",
    "received",
    "receiving",
    "scheduled",
    "sending",
    "sent",
    "undelivered",
];

/// Call statuses as Twilio writes them.
const CALL_STATES: &[&str] =
    &["busy", "canceled", "completed", "failed", "in-progress", "initiated", "no-answer", "queued", "ringing"];

/// Identifying fields, and those that determine the kind of webhook. Longer names come before those that they end with.
const CLAIMS: [(&str, FieldShape); 15] = [
    ("SmsMessageSid", FieldShape::Sid(MESSAGE)),
    ("MessageSid", FieldShape::Sid(MESSAGE)),
    ("SmsSid", FieldShape::Sid(MESSAGE)),
    ("CallSid", FieldShape::Sid(&["CA"])),
    ("AccountSid", FieldShape::Sid(&["AC"])),
    ("MessagingServiceSid", FieldShape::Sid(&["MG"])),
    ("From", FieldShape::Address),
    ("To", FieldShape::Address),
    ("Body", FieldShape::Text),
    ("OptOutType", FieldShape::Word(&["STOP", "START", "HELP"])),
    ("MessageStatus", FieldShape::Word(MESSAGE_STATES)),
    ("SmsStatus", FieldShape::Word(MESSAGE_STATES)),
    ("CallStatus", FieldShape::Word(CALL_STATES)),
    ("StirVerstat", FieldShape::Word(&["TN-Validation-Passed-A"])),
    ("MediaUrl", FieldShape::File),
];

/// The searches for the names of [`CLAIMS`], prepared once for all webhooks.
static CLAIM_FINDERS: LazyLock<[Finder<'static>; CLAIMS.len()]> =
    LazyLock::new(|| CLAIMS.map(|(name, _)| Finder::new(name)));

/// Schemes of addresses that are not numbers.
const SCHEMES: [&str; 6] = ["whatsapp:", "rcs:", "messenger:", "sip:", "sips:", "client:"];

/// Digits of the shortest complete E.164 number that is rejected within another field: a country code and a subscriber.
const NUMBER_DIGITS: usize = 8;

/// Length of a SID.
const SID_LENGTH: usize = 34;

/// Longest parameter name that is shown; a longer one may be text written by a person.
const MAX_SHOWN: usize = 40;

/// Fails if the form is not split as Twilio splits it.
pub(super) fn check(form: &FormParameters<'_>) -> Result<(), Tampering> {
    nothing_twice(form)?;
    sids_agree(form)?;
    let kind = parameters::kind(form);
    let text = ParameterText::of(form, kind);
    nothing_longer(form)?;
    nothing_within(&text)?;
    nothing_swallowed(&text, kind)
}

fn nothing_twice(form: &FormParameters<'_>) -> Result<(), Tampering> {
    let is_repeated = |name: &str| form.pairs().iter().filter(|(found, _)| found == name).count() > 1;
    let repeated = parameters::READ.into_iter().find(|name| is_repeated(name));
    repeated.map_or(Ok(()), |name| Err(Tampering::Twice(name)))
}

fn sids_agree(form: &FormParameters<'_>) -> Result<(), Tampering> {
    let mut sids = ["MessageSid", "SmsMessageSid", "SmsSid"].into_iter().filter_map(|name| form.filled(name));
    let first = sids.next();
    if sids.all(|sid| Some(sid) == first) { Ok(()) } else { Err(Tampering::SidsDiffer) }
}

fn nothing_longer(form: &FormParameters<'_>) -> Result<(), Tampering> {
    let is_longer = |name: &str, is_too_long: fn(&str) -> bool| form.filled(name).is_some_and(is_too_long);
    // The letters of a sender's name are its own.
    let number_with_letters = |value: &str| value.trim_start().starts_with('+') && value.contains(char::is_alphabetic);
    let addresses = ["From", "To"].into_iter().find(|name| is_longer(name, number_with_letters));
    let service = |value: &str| is_sid(value, "MG") && value.len() > SID_LENGTH;
    let longer = addresses.or_else(|| is_longer("MessagingServiceSid", service).then_some("MessagingServiceSid"));
    longer.map_or(Ok(()), |name| Err(Tampering::Longer(name)))
}

/// The signed text of the parameters, and the boundaries of its fields.
struct ParameterText {
    whole: String,
    fields: Vec<Field>,
    kind: WebhookKind,
    /// True if it has a text that could be hidden, as only a contact's message has.
    hides_text: bool,
}

struct Field {
    start: usize,
    name_end: usize,
    end: usize,
    is_documented: bool,
}

impl ParameterText {
    fn of(form: &FormParameters<'_>, kind: WebhookKind) -> ParameterText {
        let mut pairs: Vec<&Pair<'_>> = form.pairs().iter().collect();
        pairs.sort_unstable();
        pairs.dedup();
        let hides_text = kind == WebhookKind::Message && parameters::reported_state(form).is_none();
        let mut text =
            ParameterText { whole: String::new(), fields: Vec::with_capacity(pairs.len()), kind, hides_text };
        for (name, value) in pairs {
            let start = text.whole.len();
            text.whole.push_str(name);
            let name_end = text.whole.len();
            text.whole.push_str(value);
            let is_documented = parameters::is_documented(kind, name) && (name != "ApiVersion" || is_version(value));
            text.fields.push(Field { start, name_end, end: text.whole.len(), is_documented });
        }
        text
    }

    /// Returns the field that contains the byte at `place`.
    fn field_at(&self, place: usize) -> Option<&Field> {
        let index = self.fields.partition_point(|field| field.end <= place);
        self.fields.get(index)
    }

    fn name(&self, field: &Field) -> &str {
        self.whole.get(field.start..field.name_end).unwrap_or_default()
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| self.name(field) == name)
    }

    fn within(&self, name: &'static str, field: &Field) -> Tampering {
        let holder = self.name(field);
        let is_shown = field.is_documented || is_words(holder) && holder.len() <= MAX_SHOWN;
        Tampering::Within { name, holder: if is_shown { holder.to_owned() } else { "another field".to_owned() } }
    }

    /// Returns true if `field`, which is not documented, has a name of several words of which some are those of `name`,
    /// as in `BodyLanguage`: the form has `name` itself as well, so this is no part of it.
    fn extends(&self, field: &Field, name: &str, place: usize) -> bool {
        let before = self.whole.get(field.start..place).unwrap_or_default();
        let is_in_name = place + name.len() <= field.name_end;
        is_in_name && is_words(self.name(field)) && !parameters::is_documented(self.kind, before) && self.has(name)
    }
}

fn nothing_within(text: &ParameterText) -> Result<(), Tampering> {
    for ((name, shape), finder) in CLAIMS.into_iter().zip(CLAIM_FINDERS.iter()) {
        for place in finder.find_iter(text.whole.as_bytes()) {
            if let Some(field) = text.field_at(place)
                && !may_stand(text, field, name, shape, place)
            {
                return Err(text.within(name, field));
            }
        }
    }
    Ok(())
}

/// Returns true if `name` may stand at `place`: it is a field's own name or the end of a documented one, stands in a
/// person's text, or is followed by no value that it could have.
fn may_stand(text: &ParameterText, field: &Field, name: &str, shape: FieldShape, place: usize) -> bool {
    let name_end = place + name.len();
    let is_own_name = place == field.start && name_end == field.name_end && !matches!(shape, FieldShape::File);
    let ends_documented_name = field.is_documented && name_end == field.name_end;
    if is_own_name || ends_documented_name {
        return true;
    }
    let value = text.whole.get(name_end..).unwrap_or_default();
    if matches!(shape, FieldShape::Text) {
        return !text.hides_text || if field.is_documented { text.has(name) } else { text.extends(field, name, place) };
    }
    if !field.is_documented {
        return !shape.fits(value, RequiredExtent::Begins);
    }
    // A documented name that begins with another, such as FromCity.
    let is_in_name = place < field.name_end;
    if text.name(field) == "Body" {
        let is_within = shape.fits(text.whole.get(name_end..field.end).unwrap_or_default(), RequiredExtent::Whole);
        return (!is_in_name && is_within) || !shape.fits(value, RequiredExtent::Whole);
    }
    match shape {
        FieldShape::File => place == field.start || !shape.fits(value, RequiredExtent::Begins),
        FieldShape::Word(_) => !shape.fits(value, RequiredExtent::Begins),
        _ => !shape.fits(value, RequiredExtent::Whole),
    }
}

/// Fails if a field holds one of the longer documented names: an undocumented one other than at its beginning, because
/// new names extend old ones, such as FromCity, and a documented one in its value.
fn nothing_swallowed(text: &ParameterText, kind: WebhookKind) -> Result<(), Tampering> {
    let may_hold = |field: &Field, name: &str, place: usize| match field.is_documented {
        true if place < field.name_end || kind != WebhookKind::Message || text.name(field) == "Body" => true,
        true => parameters::is_free_text(text.name(field)) && !parameters::numbered(kind).contains(&name),
        false => place == field.start || text.extends(field, name, place),
    };
    for (name, finder) in parameters::longer_names(kind) {
        for place in finder.find_iter(text.whole.as_bytes()) {
            // What reaches into the next field is not in this one.
            let holder = text.field_at(place).filter(|field| place + name.len() <= field.end);
            if let Some(field) = holder.filter(|field| !may_hold(field, name, place)) {
                return Err(text.within(name, field));
            }
        }
    }
    Ok(())
}

/// Returns true if a name is made as Twilio makes names: of words with capital letters, perhaps with a number behind
/// them.
fn is_words(name: &str) -> bool {
    let words = name.trim_end_matches(|c: char| c.is_ascii_digit());
    words.starts_with(|c: char| c.is_ascii_uppercase()) && words.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_version(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

impl FieldShape {
    /// Returns true if `text` begins with a value of this shape, as far as `extent` asks.
    fn fits(self, text: &str, extent: RequiredExtent) -> bool {
        match (self, extent) {
            (FieldShape::Text, _) => true,
            (FieldShape::Word(words), extent) => {
                extent == RequiredExtent::Begins && words.iter().any(|word| text.starts_with(word))
            }
            (FieldShape::File, extent) => extent == RequiredExtent::Begins && is_file(text),
            (FieldShape::Sid(prefixes), RequiredExtent::Begins) => {
                prefixes.iter().any(|prefix| text.starts_with(prefix))
            }
            (FieldShape::Sid(prefixes), RequiredExtent::Whole) => prefixes.iter().any(|prefix| is_sid(text, prefix)),
            (FieldShape::Address, RequiredExtent::Begins) => {
                text.starts_with(|c: char| c == '+' || c.is_ascii_digit())
                    || SCHEMES.iter().any(|scheme| begins(text, scheme))
            }
            (FieldShape::Address, RequiredExtent::Whole) => {
                is_number(text)
                    || SCHEMES
                        .iter()
                        .any(|scheme| begins(text, scheme) && is_number(text.get(scheme.len()..).unwrap_or_default()))
            }
        }
    }
}

fn begins(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn is_file(text: &str) -> bool {
    let url = text.trim_start_matches(|c: char| c.is_ascii_digit());
    url.len() < text.len() && url.starts_with("http")
}

fn is_sid(text: &str, prefix: &str) -> bool {
    let digits = text.strip_prefix(prefix).and_then(|rest| rest.as_bytes().get(..32));
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').map(|rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    digits.is_some_and(|digits| digits >= NUMBER_DIGITS)
}
