//! The parameters that Twilio documents, by kind of webhook. Others are accepted too: Twilio adds some without notice.

use crate::twilio::form::Form;

/// The subject of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message of a contact, or a report on one of ours.
    Message,
    /// A call, or what belongs to one.
    Call,
    /// An error or warning of the account.
    Alert,
}

/// Parameters that are read: none of them comes twice.
pub(super) const READ: [&str; 17] = [
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
    "ErrorCode",
    "ChannelPrefix",
];

/// Names with a number from 0 behind them.
const NUMBERED: [&str; 3] = ["MediaUrl", "MediaContentType", "OtherRecipients"];

/// Of incoming messages, of reports on ours, and of either at a fallback URL.
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

/// Of calls and their reports, recordings and media streams.
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

/// Of alerts.
const ALERT: [&str; 7] = ["AccountSid", "Level", "ParentAccountSid", "Payload", "PayloadType", "Sid", "Timestamp"];

/// Returns the subject of a form.
pub(super) fn kind(form: &Form<'_>) -> Kind {
    if form.filled("CallSid").is_some() {
        Kind::Call
    } else if form.get("PayloadType").is_some() && form.get("Sid").is_some() {
        Kind::Alert
    } else {
        Kind::Message
    }
}

/// Returns the state that a report is about. A message that came in has the state `received`; its sender has the same
/// parameters for reports.
pub(super) fn reported_state<'f>(form: &'f Form<'_>) -> Option<&'f str> {
    let state = form.filled("MessageStatus").or(form.filled("SmsStatus"));
    state.filter(|word| !["received", "receiving"].iter().any(|state| word.eq_ignore_ascii_case(state)))
}

/// Returns true if Twilio documents a parameter of this name.
pub(super) fn is_documented(kind: Kind, name: &str) -> bool {
    documented(kind).binary_search(&name).is_ok() || (kind == Kind::Message && is_numbered(name))
}

/// The names that Twilio documents for webhooks of this kind, sorted; without those with a number behind them.
pub(super) fn documented(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Message => &MESSAGE,
        Kind::Call => &CALL,
        Kind::Alert => &ALERT,
    }
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
}
