//! Notices about messages that neither agent nor contact can follow up: texts from short codes and names, and messages
//! on unsupported channels.

use telephony_domain::address::Origin;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::notices::Notice;
use crate::sqlite::engine::query::Db;
use crate::sqlite::rows::notice;

/// Senders of a kind with notices of their own; all others share one.
const MAX_SENDERS: u32 = 10;

/// Reports a text from a short code or a name, which may be a login code.
pub(super) fn text(db: &Db, sender: &str, origin: &Origin, now: Timestamp) -> Result<(), StoreError> {
    let kind = if *origin == Origin::ShortCode { "short code" } else { "sender" };
    let shown = shown(sender);
    let read = read_command(sender);
    let one = format!("A text from {kind} {shown} arrived. It may be a login code. Read it: {read}");
    let several = format!("Texts from {kind} {shown} arrived. They may be login codes. Read them: {read}");
    let others = "Texts from more short codes and names arrived. They may be login codes. Read them: openclaw \
        telephony messages --status refused";
    raise(db, NoticeKind { prefix: "text-from-", others }, sender, [one, several], now)
}

/// Reports a message on an unsupported channel.
pub(super) fn channel(db: &Db, sender: &str, channel: &str, now: Timestamp) -> Result<(), StoreError> {
    let (shown, read) = (shown(sender), read_command(sender));
    let words = |what: &str| {
        format!(
            "{what} by {channel} from {shown}. This channel is not supported, so the sender gets no answer. Read it: {read}. \
             Remove this webhook from your {channel} sender at Twilio, or answer by hand."
        )
    };
    let others = "Messages arrived on more unsupported channels, so their senders get no answer. Read them: openclaw \
        telephony messages --status refused";
    let texts = [words("A message arrived"), words("Messages arrived, the last")];
    raise(db, NoticeKind { prefix: "by-channel-", others }, channel, texts, now)
}

/// Reports a STOP on an unsupported channel; it counts for our texts.
pub(super) fn opt_out(db: &Db, who: &PhoneNumber, channel: &str, now: Timestamp) -> Result<(), StoreError> {
    let words = format!(
        "{who} sent STOP by {channel}. It counts for texts too: they get none until they text START. See: openclaw \
        telephony optouts"
    );
    let others = "More contacts sent STOP on an unsupported channel. It counts for texts too. See: openclaw telephony \
        optouts";
    raise(db, NoticeKind { prefix: "stop-by-channel-", others }, who.as_str(), [words.clone(), words], now)
}

/// The texts for one kind of message.
struct NoticeKind {
    prefix: &'static str,
    others: &'static str,
}

/// Raises a notice. A further message is news only once the operator got an SMS about earlier ones; until then it joins
/// them.
fn raise(
    db: &Db,
    kind: NoticeKind,
    subject: &str,
    [one, several]: [String; 2],
    now: Timestamp,
) -> Result<(), StoreError> {
    let name = format!("{}{subject}", kind.prefix);
    if notice::is_untold(db, &name, now)? {
        return notice::raise(db, &Notice::event(name, several), now).map(drop);
    }
    if !notice::is_held(db, &name, now)? && notice::held_with(db, kind.prefix, now)? >= MAX_SENDERS {
        let shared = Notice::event(format!("{}*", kind.prefix), kind.others);
        return match notice::is_untold(db, &shared.name, now)? {
            true => notice::raise(db, &shared, now).map(drop),
            false => notice::raise_again(db, &shared, now),
        };
    }
    notice::raise_again(db, &Notice::event(name, one), now)
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
