//! A contact's messages at the provider: those recorded here, and those it lists for our numbers.

use std::collections::{BTreeMap, HashSet};

use telephony_domain::number::PhoneNumber;
use telephony_providers::provider::{Deletion, StoredMessage};
use telephony_store::history::{EntryId, MessageDetail};

use crate::assemble::Channel;
use crate::failure::Failure;
use crate::plural::counted;
use crate::terminal;

/// Largest number listed per direction and run: deleting each takes a request.
const MAX_LISTED: usize = 10_000;

/// A message at the provider.
struct Message {
    is_from_contact: bool,
    has_media: bool,
}

/// Counts of deleted and remaining messages.
#[derive(Default)]
struct Deleted {
    from_contact: usize,
    to_contact: usize,
    left: Vec<String>,
}

/// Deletes all of them. After a crash or failure, the next run continues where this one ended.
pub async fn delete(channel: &Channel, contact: &PhoneNumber) -> Result<(), Failure> {
    let mut messages = known_here(channel, contact).await?;
    let ours = Ours::of(channel).await?;
    let listed = channel.provider.messages_with(contact, MAX_LISTED).await?;
    let (with_us, with_others): (Vec<_>, Vec<_>) = listed.messages.into_iter().partition(|message| ours.has(message));
    let message = |message: StoredMessage| {
        (message.provider_id, Message { is_from_contact: message.is_from_contact, has_media: message.has_media })
    };
    messages.extend(with_us.into_iter().map(message));
    let not_ours = with_others.iter().filter(|message| !messages.contains_key(&message.provider_id)).count();
    let mut deleted = Deleted::default();
    let failed = deleted.go_through(channel, messages).await;
    deleted.say();
    if not_ours > 0 {
        let kept = counted(not_ours, "message");
        terminal::say(format!("Kept: {kept} between them and other numbers of the account."));
    }
    failed?;
    deleted.check(listed.is_complete)
}

/// Returns the provider's ids of messages recorded here.
async fn known_here(channel: &Channel, contact: &PhoneNumber) -> Result<BTreeMap<String, Message>, Failure> {
    let record = channel.store.record_of(contact).await?;
    Ok(record.messages.iter().flat_map(ids_of).collect())
}

fn ids_of(detail: &MessageDetail) -> impl Iterator<Item = (String, Message)> {
    let is_from_contact = matches!(detail.entry.id, EntryId::In(_));
    let has_media = detail.entry.media > 0;
    let parts = detail.parts.iter().filter_map(|part| part.provider_id.clone());
    let ids = detail.provider_id.clone().into_iter().chain(parts);
    ids.map(move |id| (id, Message { is_from_contact, has_media }))
}

/// Our numbers and messaging services. The account may have others, whose messages are not ours to delete.
struct Ours(HashSet<String>);

impl Ours {
    async fn of(channel: &Channel) -> Result<Ours, Failure> {
        let lines = channel.store.lines().await?.into_iter().map(|line| line.sender);
        let mut names = HashSet::new();
        for sender in lines.chain([channel.sender()]) {
            names.extend(channel.provider.numbers_of(&sender).await?);
            names.extend(sender.messaging_service);
        }
        Ok(Ours(names))
    }

    fn has(&self, message: &StoredMessage) -> bool {
        message.ours.iter().chain(&message.messaging_service).any(|name| self.0.contains(name))
    }
}

impl Deleted {
    async fn go_through(&mut self, channel: &Channel, messages: BTreeMap<String, Message>) -> Result<(), Failure> {
        for (id, message) in messages {
            match channel.provider.delete(&id, message.has_media).await? {
                Deletion::Gone if message.is_from_contact => self.from_contact += 1,
                Deletion::Gone => self.to_contact += 1,
                Deletion::TooEarly => self.left.push(id),
            }
        }
        Ok(())
    }

    fn say(&self) {
        let Deleted { from_contact, to_contact, .. } = self;
        let all = from_contact + to_contact;
        let all = counted(all, "message");
        terminal::print(format!("Deleted {all} at Twilio: {from_contact} from them, {to_contact} to them."));
    }

    /// Fails if messages remain at the provider.
    fn check(self, is_complete: bool) -> Result<(), Failure> {
        if !is_complete {
            return Err(Failure::new(format!("Twilio has more than {MAX_LISTED} messages with them each way"))
                .hint("nothing was deleted here; run it again to continue"));
        }
        if !self.left.is_empty() {
            let (count, left) = (self.left.len(), self.left.join(", "));
            return Err(Failure::new(format!("Twilio is still processing {}: {left}", counted(count, "message")))
                .hint("nothing was deleted here; try again in a few minutes"));
        }
        Ok(())
    }
}
