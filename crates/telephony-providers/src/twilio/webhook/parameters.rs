//! Twilio's documented parameters by kind of webhook. Others are accepted too, because Twilio adds some without notice.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::twilio::form::FormParameters;

/// The subject of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WebhookKind {
    /// A message from a contact, or a report on one of ours.
    Message,
    /// A call, or something that belongs to one.
    Call,
    /// An error or warning about the account.
    Alert,
}

/// Parameters that are read; none of them occurs twice.
pub(super) const READ: [&str; 21] = [
    "AccountSid",
    "AnsweredBy",
    "CallbackSource",
    "MessageSid",
    "SmsMessageSid",
    "SmsSid",
    "CallSid",
    "MessagingServiceSid",
    "From",
    "To",
    "Body",
    "OptOutType",
    "MessageStatus",
    "SmsStatus",
    "CallStatus",
    "Confidence",
    "Digits",
    "ErrorCode",
    "ChannelPrefix",
    "SpeechResult",
    "StirVerstat",
];

/// Names followed by a number from 0.
const NUMBERED: [&str; 3] = ["MediaUrl", "MediaContentType", "OtherRecipients"];

/// Parameters of messages that may hold anything.
const FREE_TEXTS: [&str; 13] = [
    "AddOns",
    "Address",
    "Body",
    "ButtonPayload",
    "ButtonText",
    "ChannelMetadata",
    "ChannelStatusMessage",
    "ErrorMessage",
    "ErrorUrl",
    "FlowData",
    "InteractiveData",
    "Label",
    "ProfileName",
];

/// Parameters of incoming messages, of reports on ours, and of both at a fallback URL.
const MESSAGE: [&str; 58] = [
    "AccountSid",
    "AddOns",
    "Address",
    "ApiVersion",
    "Body",
    "ButtonPayload",
    "ButtonText",
    "ButtonType",
    "ChannelInstallSid",
    "ChannelMetadata",
    "ChannelPrefix",
    "ChannelStatusMessage",
    "ErrorCode",
    "ErrorMessage",
    "ErrorUrl",
    "EventType",
    "FlowData",
    "Forwarded",
    "FrequentlyForwarded",
    "From",
    "FromCity",
    "FromCountry",
    "FromState",
    "FromZip",
    "InteractiveData",
    "Label",
    "Latitude",
    "Longitude",
    "MessageSid",
    "MessageStatus",
    "MessageType",
    "MessagingServiceSid",
    "NumMedia",
    "NumSegments",
    "OptOutType",
    "OriginalRepliedMessageSender",
    "OriginalRepliedMessageSid",
    "ProfileName",
    "RawDlrDoneDate",
    "ReferralBody",
    "ReferralCtwaClid",
    "ReferralHeadline",
    "ReferralMediaContentType",
    "ReferralMediaId",
    "ReferralMediaUrl",
    "ReferralNumMedia",
    "ReferralSourceId",
    "ReferralSourceType",
    "ReferralSourceUrl",
    "SmsMessageSid",
    "SmsSid",
    "SmsStatus",
    "To",
    "ToCity",
    "ToCountry",
    "ToState",
    "ToZip",
    "WaId",
];

/// Parameters of calls and their reports, recordings and media streams.
const CALL: [&str; 69] = [
    "AccountSid",
    "AddOns",
    "AnsweredBy",
    "ApiVersion",
    "ApplicationSid",
    "CallDuration",
    "CallSid",
    "CallStatus",
    "CallToken",
    "CallbackSource",
    "Called",
    "CalledCity",
    "CalledCountry",
    "CalledState",
    "CalledZip",
    "Caller",
    "CallerCity",
    "CallerCountry",
    "CallerName",
    "CallerState",
    "CallerZip",
    "Confidence",
    "Digits",
    "Direction",
    "Duration",
    "ErrorCode",
    "ErrorMessage",
    "ErrorUrl",
    "FinishedOnKey",
    "ForwardedFrom",
    "From",
    "FromCity",
    "FromCountry",
    "FromState",
    "FromZip",
    "HandoffData",
    "Language",
    "MachineDetectionDuration",
    "ParentCallSid",
    "RecordingChannels",
    "RecordingDuration",
    "RecordingSid",
    "RecordingSource",
    "RecordingStartTime",
    "RecordingStatus",
    "RecordingTrack",
    "RecordingUrl",
    "SequenceNumber",
    "SessionDuration",
    "SessionId",
    "SessionStatus",
    "SipResponseCode",
    "SpeechResult",
    "Stability",
    "StirPassportToken",
    "StirStatus",
    "StirVerstat",
    "StreamError",
    "StreamEvent",
    "StreamName",
    "StreamSid",
    "Timestamp",
    "To",
    "ToCity",
    "ToCountry",
    "ToState",
    "ToZip",
    "UnstableSpeechResult",
    "msg",
];

const ALERT: [&str; 7] = ["AccountSid", "Level", "ParentAccountSid", "Payload", "PayloadType", "Sid", "Timestamp"];

/// Names with their searches, prepared once for all webhooks.
type Searches = Vec<(&'static str, Finder<'static>)>;

static LONGER_IN_MESSAGES: LazyLock<Searches> = LazyLock::new(|| longer(WebhookKind::Message));
static LONGER_IN_CALLS: LazyLock<Searches> = LazyLock::new(|| longer(WebhookKind::Call));
static LONGER_IN_ALERTS: LazyLock<Searches> = LazyLock::new(|| longer(WebhookKind::Alert));

/// Returns the subject of a form.
pub(super) fn kind(form: &FormParameters<'_>) -> WebhookKind {
    if form.filled("CallSid").is_some() {
        WebhookKind::Call
    } else if form.get("PayloadType").is_some() && form.get("Sid").is_some() {
        WebhookKind::Alert
    } else {
        WebhookKind::Message
    }
}

/// Returns the status in a report. An incoming message has the status `received`, although it has the same parameters.
pub(super) fn reported_state<'f>(form: &'f FormParameters<'_>) -> Option<&'f str> {
    let state = form.filled("MessageStatus").or(form.filled("SmsStatus"));
    state.filter(|word| !["received", "receiving"].iter().any(|state| word.eq_ignore_ascii_case(state)))
}

/// Returns true if Twilio documents a parameter with this name.
pub(super) fn is_documented(kind: WebhookKind, name: &str) -> bool {
    documented(kind).binary_search(&name).is_ok() || (kind == WebhookKind::Message && is_numbered(name))
}

/// Returns the documented names for webhooks of this kind, sorted; without the numbered ones.
pub(super) fn documented(kind: WebhookKind) -> &'static [&'static str] {
    match kind {
        WebhookKind::Message => &MESSAGE,
        WebhookKind::Call => &CALL,
        WebhookKind::Alert => &ALERT,
    }
}

/// Returns the names that a number follows, in webhooks of this kind.
pub(super) fn numbered(kind: WebhookKind) -> &'static [&'static str] {
    if kind == WebhookKind::Message { &NUMBERED } else { &[] }
}

/// Returns the documented names of several words, because one word may stand anywhere, and the numbered ones.
pub(super) fn longer_names(kind: WebhookKind) -> &'static Searches {
    match kind {
        WebhookKind::Message => &LONGER_IN_MESSAGES,
        WebhookKind::Call => &LONGER_IN_CALLS,
        WebhookKind::Alert => &LONGER_IN_ALERTS,
    }
}

fn longer(kind: WebhookKind) -> Searches {
    let has_several_words = |name: &&&str| name.bytes().filter(u8::is_ascii_uppercase).count() > 1;
    let names = documented(kind).iter().filter(has_several_words).chain(numbered(kind));
    names.map(|name| (*name, Finder::new(*name))).collect()
}

/// Returns true for the parameters of messages whose values people, businesses or other programs write.
pub(super) fn is_free_text(name: &str) -> bool {
    FREE_TEXTS.contains(&name) || name.starts_with("Referral") || is_numbered(name)
}

fn is_numbered(name: &str) -> bool {
    let number = NUMBERED.iter().find_map(|start| name.strip_prefix(start));
    number.is_some_and(|number| (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(MESSAGE.is_sorted() && CALL.is_sorted() && ALERT.is_sorted());
    }

    /// Otherwise a search would skip a name that begins within the one before.
    #[test]
    fn no_name_begins_with_its_own_end() {
        for name in MESSAGE.into_iter().chain(CALL).chain(ALERT).chain(NUMBERED) {
            assert!((1..name.len()).all(|place| !name.starts_with(&name[place..])), "{name}");
        }
    }
}
