//! Twilio's webhooks: verifies requests, reads events, and formats answers.

mod parameters;
mod tampering;

use std::borrow::Cow;

use http::{HeaderMap, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use telephony_domain::address::canonical;
use telephony_domain::call::Heard;
use telephony_domain::call::report::{AnsweredBy, CallEvent, CallRequest, CallStatus, CallStatusReport};
use telephony_domain::call::script::Script;
use telephony_domain::carrier::Carrier;
use telephony_domain::delivery::StatusReport;
use telephony_domain::id::CallId;
use telephony_domain::message::{Arrival, Media, Signed};

use self::parameters::WebhookKind;
use super::form::FormParameters;
use super::signature::{Payload, SETTINGS_HEADER, SIGNATURE_HEADER, SignedRequest};
use super::{CALL_ID, CARRIER, CORRELATION_ID, Twilio, codes, twiml};
use crate::calling::CallTerms;
use crate::provider::{
    EventOutcome, PROBE_PARAMETER, Rejection, Unverified, Verified, WebhookAnswer, WebhookEvent, Webhooks,
};

/// Message to callers while calls are not answered.
const NO_CALLS: &str = "Thank you for calling. This number cannot take calls yet, please send a text message instead.";

/// The only verdict on a caller's number that is proof: its own carrier vouches for it, and for no diverted call.
const FULL_ATTESTATION: &str = "TN-Validation-Passed-A";

const NO_TERMS: CallTerms<'static> =
    CallTerms { language: "en-US", voice: None, assistant_name: None, silence_seconds: 0, next_url: "" };

/// Twilio's JSON about a message's channel.
#[derive(Deserialize)]
struct ChannelMetadata {
    #[serde(rename = "type")]
    kind: String,
}

impl Webhooks for Twilio {
    fn carrier(&self) -> &'static Carrier {
        &CARRIER
    }

    fn is_signed(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(SIGNATURE_HEADER) || self.rest.account().skips_signatures
    }

    fn verify(&self, request: &Unverified<'_>) -> Result<Verified<WebhookEvent>, Rejection> {
        let payload = Payload::read(text(request.headers, header::CONTENT_TYPE.as_str()), request.body);
        self.check_signature(request, &payload)?;
        let Payload::Form(form) = &payload else {
            return Err(Rejection::Malformed("the body is not a form".to_owned()));
        };
        if form.get("AccountSid") != Some(&self.rest.account().sid) {
            return Err(Rejection::WrongAccount);
        }
        tampering::check(form).map_err(|tampering| Rejection::Tampered(tampering.to_string()))?;
        let event = match read_event(form, request.query)? {
            WebhookEvent::Message(arrival) => {
                WebhookEvent::Message(Arrival { signed: self.signed(request, form), ..arrival })
            }
            event => event,
        };
        Ok(Verified::new(event))
    }

    fn explain(&self, code: u32) -> String {
        codes::explain(code)
    }

    fn calls_for_operator(&self, code: u32) -> bool {
        codes::calls_for_operator(code)
    }

    fn answer(&self, outcome: EventOutcome) -> WebhookAnswer {
        let body = match outcome {
            EventOutcome::CallDeclined => Cow::Owned(twiml::document(&Script::say_and_hang_up(NO_CALLS), &NO_TERMS)),
            EventOutcome::Acknowledged => Cow::Borrowed(twiml::EMPTY_RESPONSE),
        };
        WebhookAnswer { content_type: twiml::CONTENT_TYPE, body }
    }
}

impl Twilio {
    /// Returns the signed content; none if signatures are not checked.
    fn signed(&self, request: &Unverified<'_>, form: &FormParameters<'_>) -> Option<Signed> {
        let signature = text(request.headers, SIGNATURE_HEADER).filter(|_| !self.rest.account().skips_signatures)?;
        Some(Signed { signature: signature.to_owned(), content: digest(form, request.query) })
    }

    fn check_signature(&self, request: &Unverified<'_>, payload: &Payload<'_>) -> Result<(), Rejection> {
        if self.rest.account().skips_signatures {
            return Ok(());
        }
        let signature = request.headers.get(SIGNATURE_HEADER).ok_or(Rejection::Unsigned)?;
        let signed = SignedRequest {
            urls: request.urls,
            signature: signature.as_bytes(),
            settings: text(request.headers, SETTINGS_HEADER),
            payload,
        };
        self.verifier.verify(&signed).map(|_| ()).map_err(|refusal| Rejection::BadSignature(refusal.to_string()))
    }
}

/// Reads the event; its kind depends on the parameters, not the path.
fn read_event(form: &FormParameters<'_>, query: &str) -> Result<WebhookEvent, Rejection> {
    if FormParameters::parse(query.as_bytes()).filled(PROBE_PARAMETER).is_some() {
        return Ok(WebhookEvent::Probe);
    }
    match parameters::kind(form) {
        WebhookKind::Call => return read_call(form, query).map(WebhookEvent::Call),
        WebhookKind::Alert => return Ok(WebhookEvent::Alert),
        WebhookKind::Message => {}
    }
    match parameters::reported_state(form) {
        Some(word) => read_status(form, word, query).map(WebhookEvent::MessageStatus),
        None => read_message(form).map(WebhookEvent::Message),
    }
}

fn read_message(form: &FormParameters<'_>) -> Result<Arrival, Rejection> {
    Ok(Arrival {
        provider_id: message_sid(form)?,
        from: canonical(&required(form, "From")?, channel(form).as_deref()),
        to: canonical(&required(form, "To")?, None),
        messaging_service: form.filled("MessagingServiceSid").map(str::to_owned),
        text: form.get("Body").unwrap_or_default().to_owned(),
        media: (0..).map_while(|n| read_media(form, n)).collect(),
        also_to: (0..).map_while(|n| form.filled(&format!("OtherRecipients{n}"))).map(str::to_owned).collect(),
        opt_out_type: form.filled("OptOutType").map(str::to_owned),
        provider_time: None,
        signed: None,
    })
}

/// Returns the channel of a message, if Twilio reports it beside the address.
fn channel(form: &FormParameters<'_>) -> Option<String> {
    if let Some(prefix) = form.filled("ChannelPrefix") {
        return Some(prefix.to_owned());
    }
    let metadata = form.filled("ChannelMetadata").and_then(|json| serde_json::from_str::<ChannelMetadata>(json).ok());
    metadata.map(|metadata| metadata.kind).or_else(|| form.filled("WaId").map(|_| "whatsapp".to_owned()))
}

fn read_media(form: &FormParameters<'_>, n: u32) -> Option<Media> {
    let url = form.filled(&format!("MediaUrl{n}"))?.to_owned();
    let content_type = form.get(&format!("MediaContentType{n}")).unwrap_or_default().to_owned();
    Some(Media { url, content_type })
}

fn read_status(form: &FormParameters<'_>, word: &str, query: &str) -> Result<StatusReport, Rejection> {
    let status = word.parse().map_err(|_| Rejection::Malformed(format!("`{word}` is not a message status")))?;
    let correlation_id = FormParameters::parse(query.as_bytes()).filled(CORRELATION_ID).map(str::to_owned);
    let error_code = number(form, "ErrorCode");
    Ok(StatusReport {
        provider_id: message_sid(form)?,
        correlation_id,
        status,
        error_code,
        is_opt_out: error_code == Some(codes::OPTED_OUT),
        segments: number(form, "NumSegments"),
    })
}

/// Reads a call webhook. A request for a document has the call's state, and neither the source of a report nor our id of
/// the call in its query; without a state, the report is about something that belongs to the call.
fn read_call(form: &FormParameters<'_>, query: &str) -> Result<CallEvent, Rejection> {
    let provider_id = required(form, "CallSid")?;
    let call = FormParameters::parse(query.as_bytes()).filled(CALL_ID).and_then(|id| id.parse().ok()).map(CallId);
    let Some(word) = form.filled("CallStatus") else { return Ok(read_side_report(form, provider_id, call)) };
    let status = word.parse::<CallStatus>();
    let is_change = form.filled("CallbackSource").is_some() || status.as_ref().is_ok_and(|status| status.is_final());
    // A result of machine detection may come with the call's state.
    let is_change = is_change || (call.is_some() && form.filled("AnsweredBy").is_none());
    Ok(match status {
        Ok(status) if is_change => CallEvent::Status(CallStatusReport { provider_id, call, status }),
        _ if is_change || call.is_some() => read_side_report(form, provider_id, call),
        _ => CallEvent::Request(CallRequest {
            provider_id,
            from: form.get("From").unwrap_or_default().to_owned(),
            to: form.get("To").unwrap_or_default().to_owned(),
            is_attested: form.get("StirVerstat") == Some(FULL_ATTESTATION),
            heard: heard(form),
            answered_by: form.filled("AnsweredBy").map(AnsweredBy::read),
        }),
    })
}

/// Reads the input of the other side: the action of a `<Gather>` brings speech or keys, and neither after silence.
fn heard(form: &FormParameters<'_>) -> Option<Heard> {
    let confidence = form.filled("Confidence").and_then(|number| number.parse().ok());
    let speech = form.filled("SpeechResult").map(|words| Heard::Speech(words.into(), confidence));
    speech.or_else(|| form.filled("Digits").map(|keys| Heard::Keys(keys.into())))
}

/// Reads a report about machine detection, a recording, a media stream or anything else that belongs to a call.
fn read_side_report(form: &FormParameters<'_>, provider_id: String, call: Option<CallId>) -> CallEvent {
    match form.filled("AnsweredBy").map(AnsweredBy::read) {
        Some(answered_by) => CallEvent::AnsweredBy { provider_id, call, answered_by },
        None => CallEvent::Other { provider_id },
    }
}

/// Returns a digest of the fields, each with its length, so that no two forms have the same.
fn digest(form: &FormParameters<'_>, query: &str) -> String {
    let mut pairs: Vec<_> = form.pairs().iter().collect();
    pairs.sort_unstable();
    let mut hash = Sha256::new();
    let pieces = pairs.into_iter().flat_map(|(name, value)| [name.as_ref(), value.as_ref()]);
    for piece in [query].into_iter().chain(pieces) {
        hash.update(piece.len().to_be_bytes());
        hash.update(piece);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn message_sid(form: &FormParameters<'_>) -> Result<String, Rejection> {
    let former = form.filled("SmsMessageSid").or(form.filled("SmsSid")).map(str::to_owned);
    required(form, "MessageSid").or_else(|missing| former.ok_or(missing))
}

fn required(form: &FormParameters<'_>, name: &str) -> Result<String, Rejection> {
    form.filled(name).map(str::to_owned).ok_or_else(|| Rejection::Malformed(format!("it has no {name}")))
}

fn number(form: &FormParameters<'_>, name: &str) -> Option<u32> {
    form.get(name)?.parse().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
