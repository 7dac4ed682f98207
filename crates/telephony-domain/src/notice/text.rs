//! Texts of notices: each states the problem and what to do, and names the provider as people call it.

use std::fmt::{self, Display, Formatter};

use super::Notice;
use crate::call::proof::MAX_WRONG_PINS;
use crate::limit::Limit;
use crate::plural::counted;

impl Notice {
    /// Returns the text for the operator. `provider` is the company's name, such as the `company` of its
    /// [`Carrier`](crate::carrier::Carrier).
    pub fn text(&self, provider: &str) -> String {
        Text { notice: self, provider }.to_string()
    }
}

/// A notice and the name of the provider that its text needs.
struct Text<'a> {
    notice: &'a Notice,
    provider: &'a str,
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let provider = self.provider;
        match self.notice {
            Notice::NotStoring { error, hint } => {
                write!(f, "Messages cannot be stored and are rejected: {error}; {hint}")
            }
            Notice::StoringAgain { rejected } => storing_again(f, *rejected, provider),
            Notice::JournalDamaged { places, bytes, copy } => {
                journal_damaged(f, *places, *bytes, copy.as_deref(), provider)
            }
            Notice::MessageSkipped => message_skipped(f, provider),
            Notice::Tampered => tampered(f, provider),
            Notice::TunnelDown { tunnel, problem } => write!(f, "The tunnel {tunnel} is not open: {problem}"),
            Notice::TunnelUrlUnknown { webhook } => tunnel_url_unknown(f, webhook, provider),
            Notice::Undelivered { code, explanation } => undelivered(f, *code, explanation),
            Notice::AccountStopped { code, reason } => account_stopped(f, *code, reason, provider),
            Notice::GaveUpSending { message, contact, hours, reason } => write!(
                f,
                "Gave up on message out-{message} to {contact} after {} ({reason}): `openclaw telephony messages \
                 --status failed`",
                counted(hours, "hour")
            ),
            Notice::GaveUpWhileStopped => f.write_str(GAVE_UP_WHILE_STOPPED),
            Notice::SendingUnknown { message, contact } => write!(
                f,
                "It is unknown whether message out-{message} to {contact} was sent: `openclaw telephony messages \
                 out-{message}`"
            ),
            Notice::DailyLimitReached { most } => {
                let key = Limit::SegmentsPerDay.key();
                let most = counted(most, "segment");
                write!(f, "limits.{key} is reached ({most} in 24 hours): messages wait, none is lost")
            }
            Notice::ContactLimitReached { most, contact, is_approved } => {
                contact_limit_reached(f, *most, contact, *is_approved)
            }
            Notice::ReplyLimitReached { most, contact } => {
                let key = Limit::RepliesPerContactPer30s.key();
                write!(f, "limits.{key} is reached ({most} in 30 s to {contact}): replies wait")
            }
            Notice::ProviderCapReached { reason } => {
                write!(f, "{provider} accepts no more messages for now, so they wait: {reason}")
            }
            Notice::QueueFull { sender, segments, .. } => queue_full(f, sender, *segments),
            Notice::Paused { contact, is_approved, .. } => paused(f, contact, *is_approved),
            Notice::Unanswered { contact, reason } => {
                write!(f, "No reply to {contact} for 10 minutes; still retrying: {reason}")
            }
            Notice::GaveUpAnswering { contact, reason } => {
                write!(f, "Gave up on a message from {contact} ({reason}): `openclaw telephony messages --dead`")
            }
            Notice::PairingRequested { contact, code } => {
                write!(f, "{contact} asks to talk to the assistant: APPROVE {code}, or REJECT {code} BLOCK")
            }
            Notice::PairingLimitReached { sent } => write!(
                f,
                "limits.strangerRepliesPerDay is reached ({sent} in 24 hours): further strangers get no code until the \
                 limit allows it"
            ),
            Notice::SenderUnanswerable { sender, is_short_code, is_several } => {
                sender_unanswerable(f, sender, *is_short_code, *is_several)
            }
            Notice::MoreSendersUnanswerable => f.write_str(MORE_SENDERS_UNANSWERABLE),
            Notice::ChannelUnsupported { channel, sender, is_several } => {
                channel_unsupported(f, channel, sender, *is_several, provider)
            }
            Notice::MoreChannelsUnsupported => f.write_str(MORE_CHANNELS_UNSUPPORTED),
            Notice::OptedOutByChannel { contact, channel } => write!(
                f,
                "{contact} sent STOP by {channel}. It counts for texts too: they get none until they text START. See: \
                 openclaw telephony optouts"
            ),
            Notice::MoreOptedOutByChannel => f.write_str(MORE_OPTED_OUT_BY_CHANNEL),
            Notice::CommandNotGenuine => command_not_genuine(f, provider),
            Notice::CommandUnchecked => command_unchecked(f, provider),
            Notice::WrongPins => wrong_pins(f),
            Notice::CallNotPlaced { call, reason } => {
                let reason = reason.trim_end_matches('.');
                write!(f, "Call {call} was not placed: {reason}. Place it again if you still want it.")
            }
            Notice::CallUnknown { call } => write!(
                f,
                "Call {call} may have been placed: {provider} did not answer the request, and its list of calls cannot \
                 be read. The gateway does not dial it again. Check {provider}'s console before you place it again."
            ),
        }
    }
}

const GAVE_UP_WHILE_STOPPED: &str = "Messages that waited for 24 hours while sending was stopped have failed: \
    `openclaw telephony messages --retry --failed --since 2d` sends them again";

const MORE_SENDERS_UNANSWERABLE: &str = "Texts from more short codes and names arrived. They may be login codes. Read \
    them: openclaw telephony messages --status refused";

const MORE_CHANNELS_UNSUPPORTED: &str = "Messages arrived on more unsupported channels, so their senders get no \
    answer. Read them: openclaw telephony messages --status refused";

const MORE_OPTED_OUT_BY_CHANNEL: &str = "More contacts sent STOP on an unsupported channel. It counts for texts too. \
    See: openclaw telephony optouts";

fn message_skipped(f: &mut Formatter<'_>, provider: &str) -> fmt::Result {
    write!(
        f,
        "An incoming message could not be stored and got no answer, which is a bug in this program. Find it in the log and in {provider}'s console; if it was a STOP, record it with `openclaw telephony optouts add`. Please report it with the log"
    )
}

fn tampered(f: &mut Formatter<'_>, provider: &str) -> fmt::Result {
    write!(
        f,
        "A webhook with {provider}'s genuine signature was rejected because its fields were rearranged. Another party has seen a signed request: check who can read the logs of your proxy or tunnel."
    )
}

fn command_not_genuine(f: &mut Formatter<'_>, provider: &str) -> fmt::Result {
    write!(
        f,
        "A command by SMS was not executed: {provider} has no such message from your number. If you did not send one, change your Auth Token; otherwise send it again."
    )
}

fn command_unchecked(f: &mut Formatter<'_>, provider: &str) -> fmt::Result {
    write!(
        f,
        "A command by SMS was not executed: {provider} does not let this key read messages, so it could not be checked. Use `openclaw pairing approve`, or give the key the permission to read messages."
    )
}

fn storing_again(f: &mut Formatter<'_>, rejected: u64, provider: &str) -> fmt::Result {
    f.write_str("Messages could not be stored for a while, and ")?;
    write!(f, "{} {}", counted(rejected, "webhook"), if rejected == 1 { "was" } else { "were" })?;
    write!(f, " rejected; the gateway is fetching the messages from {provider}")
}

fn journal_damaged(
    f: &mut Formatter<'_>,
    places: usize,
    bytes: u64,
    copy: Option<&str>,
    provider: &str,
) -> fmt::Result {
    let (places, bytes) = (counted(places, "place"), counted(bytes, "byte"));
    let copy = copy.map(|copy| format!("; a copy is in {copy}")).unwrap_or_default();
    write!(
        f,
        "The journal of incoming messages is damaged in {places} ({bytes}). The gateway is recovering lost \
         messages from {provider}; check the disk{copy}"
    )
}

fn tunnel_url_unknown(f: &mut Formatter<'_>, webhook: &str, provider: &str) -> fmt::Result {
    write!(
        f,
        "The tunnel's URL is {webhook}, but {provider} has a different one: run `openclaw telephony webhook sync`, \
         or set tunnel.syncWebhooks"
    )
}

fn undelivered(f: &mut Formatter<'_>, code: u32, explanation: &str) -> fmt::Result {
    write!(
        f,
        "Messages are not delivered (error {code}): {explanation} Afterwards, `openclaw telephony messages --retry \
         --failed --since 1d` sends them again"
    )
}

fn account_stopped(f: &mut Formatter<'_>, code: Option<u32>, reason: &str, provider: &str) -> fmt::Result {
    let code = code.map(|code| format!(" (error {code})")).unwrap_or_default();
    write!(
        f,
        "Sending is stopped because {provider} rejects the account{code}: {reason} Messages wait for up to 24 hours \
         and are sent automatically, in order, once this is fixed"
    )
}

fn contact_limit_reached(f: &mut Formatter<'_>, most: u32, contact: &str, is_approved: bool) -> fmt::Result {
    let (key, end) = (Limit::SegmentsPerContactPerDay.key(), end_of(contact, is_approved));
    let most = counted(most, "segment");
    write!(f, "limits.{key} is reached ({most} in 24 hours to {contact}): messages wait, none is lost; {end} ends it")
}

fn queue_full(f: &mut Formatter<'_>, sender: &str, segments: u32) -> fmt::Result {
    let segments = counted(segments, "segment");
    write!(
        f,
        "The queue of {sender} is full ({segments}, as many as it sends in 10 hours): answers wait for capacity, and \
         `send` is rejected. `openclaw telephony status` shows until when; set sms.segmentsPerSecond if the number can \
         send faster"
    )
}

fn paused(f: &mut Formatter<'_>, contact: &str, is_approved: bool) -> fmt::Result {
    let end = end_of(contact, is_approved);
    write!(
        f,
        "The conversation with {contact} looks like two machines answering each other: it is paused for an hour and \
         incoming messages wait; `openclaw telephony conversation {contact} --resume` resumes it at once; {end} ends it"
    )
}

/// Returns the command that ends contact: a stranger can be blocked by SMS, an approved contact only deliberately.
fn end_of(contact: &str, is_approved: bool) -> String {
    if is_approved {
        format!("`openclaw pairing reject telephony {contact} --block`")
    } else {
        format!("REJECT {contact} BLOCK")
    }
}

fn sender_unanswerable(f: &mut Formatter<'_>, sender: &str, is_short_code: bool, is_several: bool) -> fmt::Result {
    let kind = if is_short_code { "short code" } else { "sender" };
    let (shown, read) = (shown(sender), read_command(sender));
    if is_several {
        write!(f, "Texts from {kind} {shown} arrived. They may be login codes. Read them: {read}")
    } else {
        write!(f, "A text from {kind} {shown} arrived. It may be a login code. Read it: {read}")
    }
}

fn channel_unsupported(
    f: &mut Formatter<'_>,
    channel: &str,
    sender: &str,
    is_several: bool,
    provider: &str,
) -> fmt::Result {
    let arrived = if is_several { "Messages arrived, the last" } else { "A message arrived" };
    let (shown, read) = (shown(sender), read_command(sender));
    write!(
        f,
        "{arrived} by {channel} from {shown}. This channel is not supported, so the sender gets no answer. Read it: \
         {read}. Remove this webhook from your {channel} sender at {provider}, or answer by hand."
    )
}

fn wrong_pins(f: &mut Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "Callers entered {MAX_WRONG_PINS} wrong PINs within 24 hours. For 24 hours, only callers whose number the \
         network vouches for can call. If these callers were strangers, change voice.pin."
    )
}

/// Returns the command that lists the texts of a sender.
fn read_command(sender: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | ':' | '-' | '_' | '.' | '@');
    let is_known = !sender.is_empty() && sender.chars().all(|c| is_plain(c) || matches!(c, ' ' | '&'));
    match (is_known, sender.chars().all(is_plain)) {
        (false, _) => "openclaw telephony messages --status refused".to_owned(),
        (true, true) => format!("openclaw telephony messages --contact {sender}"),
        (true, false) => format!("openclaw telephony messages --contact '{sender}'"),
    }
}

/// Escapes a sender for a text that people read, because carriers pass on any characters.
fn shown(sender: &str) -> String {
    let is_harmless = |c: char| c.is_ascii_graphic() || c == ' ';
    match sender.trim() {
        "" => "(hidden)".to_owned(),
        sender => sender.chars().take(40).map(|c| if is_harmless(c) { c } else { '?' }).collect(),
    }
}
