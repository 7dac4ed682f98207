//! Attachments: fetched, unavailable, left over after a crash, and deleted with their message.

use std::path::PathBuf;

use telephony_domain::delivery::Status;
use telephony_domain::message::{Arrival, Media, MediaToken, MessageDraft, OutboundMedia, ServedFile};
use telephony_store::StoreError;
use telephony_store::attachments::{
    Attachment, AttachmentId, AttachmentState, FileName, KeptFile, LOOSE_FOR, SERVED_FOR,
};

use super::world::{ANN, BOB, World, at, draft, number, open_to_all, receipt, report};

const BYTES: &[u8] = b"\xff\xd8\xffpicture";

fn picture(n: u32) -> Media {
    Media { url: format!("https://example.com/{n}"), content_type: "image/png".to_owned() }
}

impl World {
    /// Returns the attachments of the turn that is due, by their message's name.
    async fn has_pictures(&self, from: &str, count: u32) -> Vec<AttachmentId> {
        let media = (1..=count).map(picture).collect();
        self.accept(Arrival { media, ..self.text(from, "look") }, open_to_all(), at(0)).await;
        let message = self.lease(at(0)).await.messages.remove(0);
        let id = |attachment: &Attachment| AttachmentId { message: message.id, position: attachment.position };
        message.media.iter().map(id).collect()
    }

    /// Returns the attachments at the turn's next attempt.
    async fn pictures_again(&self) -> Vec<Attachment> {
        self.lease(at(31)).await.messages.remove(0).media
    }

    async fn file(&self, random: u8) -> (FileName, PathBuf) {
        let name = FileName::new([random; 16], "image/jpeg");
        self.store.keep_file(name.clone(), BYTES.into(), at(0)).await.unwrap();
        let path = self.store.path_of(&name);
        (name, path)
    }
}

fn kept(name: &FileName) -> KeptFile {
    KeptFile { name: name.clone(), content_type: "image/jpeg".to_owned(), size: BYTES.len() as u64 }
}

#[tokio::test]
async fn fetched_files_are_kept_for_a_retry() {
    let world = World::new().await;
    let pictures = world.has_pictures(ANN, 3).await;
    let (name, path) = world.file(1).await;
    world.store.attachment_kept(pictures[0], kept(&name)).await.unwrap();
    world.store.attachment_unavailable(pictures[1], "it is too large").await.unwrap();

    let world = world.restarted();
    let again = world.pictures_again().await;
    assert_eq!(again[0].state, AttachmentState::Kept(kept(&name)));
    assert_eq!(again[0].content_type, "image/jpeg", "what it is, and not what was said");
    assert_eq!(again[1].state, AttachmentState::Unavailable("it is too large".to_owned()));
    assert_eq!((&again[2].state, again[2].content_type.as_str()), (&AttachmentState::Elsewhere, "image/png"));
    assert_eq!(std::fs::read(&path).unwrap(), BYTES);
    world.store.remove_loose_files(at(1_000_000)).await.unwrap();
    assert!(path.exists(), "it belongs to a message");
}

#[tokio::test]
async fn files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new().await;
    let (_, path) = world.file(1).await;
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let aside = path.parent().unwrap().read_dir().unwrap().count();
    assert_eq!(aside, 1, "nothing is left beside it");
}

#[tokio::test]
async fn identical_files_are_stored_once() {
    let world = World::new().await;
    let pictures = world.has_pictures(ANN, 1).await;
    let (first, second) = (world.file(1).await, world.file(2).await);
    world.store.attachment_kept(pictures[0], kept(&first.0)).await.unwrap();
    let late = world.store.attachment_kept(pictures[0], kept(&second.0)).await;
    assert!(matches!(late, Err(StoreError::NotFound(_))));
    world.store.attachment_unavailable(pictures[0], "too late").await.unwrap();
    assert_eq!(world.pictures_again().await[0].state, AttachmentState::Kept(kept(&first.0)));

    assert_eq!(world.store.remove_loose_files(at(0) + LOOSE_FOR).await, Ok(1));
    assert!(first.1.exists() && !second.1.exists());
}

#[tokio::test]
async fn orphaned_files_are_deleted_after_a_delay() {
    let world = World::new().await;
    let (_, path) = world.file(1).await;
    let world = world.restarted();
    assert_eq!(world.store.remove_loose_files(at(60)).await, Ok(0));
    assert!(path.exists());
    assert_eq!(world.store.remove_loose_files(at(0) + LOOSE_FOR).await, Ok(1));
    assert!(!path.exists());
    assert_eq!(world.store.remove_loose_files(at(0) + 2 * LOOSE_FOR).await, Ok(0));
}

#[tokio::test]
async fn orphaned_files_are_deleted_after_the_clock_is_set_back() {
    let world = World::new().await;
    let (_, path) = world.file(1).await;
    assert_eq!(world.store.remove_loose_files(at(-1_000_000)).await, Ok(1));
    assert!(!path.exists());
}

#[tokio::test]
async fn files_are_deleted_with_their_contact_and_with_age() {
    let world = World::new().await;
    let ann = world.has_pictures(ANN, 1).await;
    let bob = world.has_pictures(BOB, 1).await;
    let (anns, bobs) = (world.file(1).await, world.file(2).await);
    world.store.attachment_kept(ann[0], kept(&anns.0)).await.unwrap();
    world.store.attachment_kept(bob[0], kept(&bobs.0)).await.unwrap();

    world.store.purge(&number(ANN), 100, at(1)).await.unwrap();
    assert_eq!(world.store.remove_loose_files(at(1)).await, Ok(1));
    assert!(!anns.1.exists() && bobs.1.exists());

    let turn = world.lease(at(31)).await;
    world.answer(&turn, "nice", at(31)).await.unwrap();
    world.store.expire(at(10), 100, at(32)).await.unwrap();
    assert_eq!(world.store.remove_loose_files(at(32)).await, Ok(1));
    assert!(!bobs.1.exists());
}

#[tokio::test]
async fn a_deleted_message_keeps_no_files() {
    let world = World::new().await;
    let pictures = world.has_pictures(ANN, 1).await;
    let (name, _) = world.file(1).await;
    world.store.purge(&number(ANN), 100, at(1)).await.unwrap();
    assert!(matches!(world.store.attachment_kept(pictures[0], kept(&name)).await, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn the_other_recipients_are_stored() {
    let world = World::new().await;
    let others = vec![BOB.to_owned(), "+15550007777".to_owned()];
    world.accept(Arrival { also_to: others.clone(), ..world.text(ANN, "all") }, open_to_all(), at(0)).await;
    assert_eq!(world.lease(at(0)).await.messages[0].also_to, others);
}

impl World {
    /// Queues a message with a file, which the provider does not have yet.
    async fn sends_a_file(&self) -> (ServedFile, PathBuf) {
        let (name, path) = self.file(3).await;
        let token = MediaToken::from_random([5; 24]);
        let file = ServedFile {
            name: name.to_string(),
            content_type: "image/jpeg".to_owned(),
            size: BYTES.len() as u64,
            token,
        };
        let with_file = MessageDraft { media: vec![OutboundMedia::File(file.clone())], ..draft("k", ANN, &["", "2"]) };
        self.store.enqueue(self.line, with_file, at(1)).await.unwrap();
        (file, path)
    }

    async fn serves(&self, file: &ServedFile, seconds: i64) -> bool {
        let served = self.store.served(&file.token.selector, at(seconds)).await.unwrap();
        assert!(served.as_ref().is_none_or(|served| served == file));
        served.is_some()
    }
}

#[tokio::test]
async fn a_file_is_served_from_sending_until_the_final_status() {
    let world = World::new().await;
    let (file, path) = world.sends_a_file().await;
    assert!(!world.serves(&file, 1).await, "the provider does not have its URL yet");
    let part = world.start(at(2)).await;
    assert_eq!(part.media, [OutboundMedia::File(file.clone())]);
    assert!(world.serves(&file, 2).await);
    assert_eq!(world.store.served("ffffffffffffffff", at(2)).await, Ok(None));

    world.store.part_sent(part.lease, receipt("MM1", Status::Queued), at(3)).await.unwrap();
    assert!(world.serves(&file, 4).await);
    world.store.report("twilio", report("MM1", None, Status::Delivered), at(5)).await.unwrap();
    assert!(!world.serves(&file, 5).await);
    world.store.remove_loose_files(at(1_000_000)).await.unwrap();
    assert!(path.exists(), "the message still has it");
}

#[tokio::test]
async fn a_file_of_a_part_in_doubt_is_served_for_a_limited_time() {
    let world = World::new().await;
    let (file, _) = world.sends_a_file().await;
    let part = world.lose(at(2)).await;
    assert_eq!(world.doubtful(at(20)).await.media, 1);
    assert!(world.serves(&file, 20).await);
    world.store.part_sent(part.lease, receipt("MM1", Status::Sent), at(30)).await.unwrap();
    let last = 30 + i64::try_from(SERVED_FOR.as_secs()).unwrap();
    assert!(world.serves(&file, last - 1).await && !world.serves(&file, last).await);
}

#[tokio::test]
async fn a_deleted_message_deletes_its_file() {
    let world = World::new().await;
    let (_, path) = world.sends_a_file().await;
    world.store.purge(&number(ANN), 100, at(2)).await.unwrap();
    assert_eq!(world.store.remove_loose_files(at(2)).await, Ok(1));
    assert!(!path.exists());
}
