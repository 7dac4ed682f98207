//! Notices about messages that neither agent nor contact can follow up: texts from short codes and names, and messages
//! on unsupported channels.

use telephony_domain::address::SenderOrigin;
use telephony_domain::notice::{Notice, name};
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::sqlite::engine::query::Db;
use crate::sqlite::rows::notice;

/// Senders of a kind with notices of their own; all others share one.
const MAX_SENDERS: u32 = 10;

/// Reports a text from a short code or a name, which may be a login code.
pub(super) fn text(db: &Db, sender: &str, origin: &SenderOrigin, now: Timestamp) -> Result<(), StoreError> {
    let is_short_code = *origin == SenderOrigin::ShortCode;
    let news = News {
        prefix: name::TEXT_FROM,
        one: Notice::SenderUnanswerable { sender: sender.to_owned(), is_short_code, is_several: false },
        several: Notice::SenderUnanswerable { sender: sender.to_owned(), is_short_code, is_several: true },
        others: Notice::MoreSendersUnanswerable,
    };
    raise(db, &news, now)
}

/// Reports a message on an unsupported channel.
pub(super) fn channel(db: &Db, sender: &str, channel: &str, now: Timestamp) -> Result<(), StoreError> {
    let (channel, sender) = (channel.to_owned(), sender.to_owned());
    let news = News {
        prefix: name::BY_CHANNEL,
        one: Notice::ChannelUnsupported { channel: channel.clone(), sender: sender.clone(), is_several: false },
        several: Notice::ChannelUnsupported { channel, sender, is_several: true },
        others: Notice::MoreChannelsUnsupported,
    };
    raise(db, &news, now)
}

/// Reports a STOP on an unsupported channel; it counts for our texts.
pub(super) fn opt_out(db: &Db, who: &PhoneNumber, channel: &str, now: Timestamp) -> Result<(), StoreError> {
    let one = Notice::OptedOutByChannel { contact: who.to_string(), channel: channel.to_owned() };
    let several = one.clone();
    raise(db, &News { prefix: name::STOP_BY_CHANNEL, one, several, others: Notice::MoreOptedOutByChannel }, now)
}

/// The notices about a message: `one` and `several` are about its sender, and `others` about all further senders.
struct News {
    /// Start of the names of all notices of this kind.
    prefix: &'static str,
    one: Notice,
    several: Notice,
    others: Notice,
}

/// Raises a notice. A further message is news only once the operator got an SMS about earlier ones; until then it joins
/// them.
fn raise(db: &Db, news: &News, now: Timestamp) -> Result<(), StoreError> {
    let name = news.one.name();
    if notice::is_untold(db, &name, now)? {
        return notice::raise(db, &news.several, now).map(drop);
    }
    if !notice::is_held(db, &name, now)? && notice::held_with(db, news.prefix, now)? >= MAX_SENDERS {
        return match notice::is_untold(db, &news.others.name(), now)? {
            true => notice::raise(db, &news.others, now).map(drop),
            false => notice::raise_again(db, &news.others, now),
        };
    }
    notice::raise_again(db, &news.one, now)
}
