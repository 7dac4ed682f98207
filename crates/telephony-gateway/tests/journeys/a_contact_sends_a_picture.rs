use std::sync::Arc;

use telephony_agents::{Availability, Turn, TurnAttachment};
use telephony_domain::pairing::APPROVAL_TEXT;
use telephony_store::attachments::AttachmentState;
use telephony_store::contacts::Who;
use telephony_store::history::{EntryId, Filter, MessageDetail, MessageReference};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use twilio_simulator::{Fault, FaultExtent, InboundText, LogKind};

use crate::a_stranger_texts::{approve, code_of};
use crate::stage::{ALICE, BOB, Plan, Scripted, Stage};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a cat";
const WEB_PAGE: &[u8] = b"<!DOCTYPE html><title>Sign in</title>";

/// An agent that reports each attachment's type and content.
fn describing() -> Scripted {
    Scripted::new(|turn: &Turn| {
        let media = turn.said.iter().flat_map(|said| &said.media);
        Ok(media.map(describe).collect::<Vec<_>>().join("; "))
    })
}

fn describe(attachment: &TurnAttachment) -> String {
    match &attachment.held {
        Availability::File { path, size } => {
            let bytes = std::fs::read(path).unwrap();
            assert_eq!(bytes.len() as u64, *size);
            format!("{} {}", attachment.content_type, String::from_utf8_lossy(&bytes[bytes.len() - 5..]))
        }
        Availability::Unavailable(reason) => format!("no {}: {reason}", attachment.content_type),
    }
}

impl Stage {
    /// Returns the number of requests to Twilio's file storage.
    fn fetches(&self) -> usize {
        self.twilio.log().iter().filter(|entry| entry.kind == LogKind::Cdn).count()
    }

    /// Returns the only incoming message.
    async fn arrived(&self) -> MessageDetail {
        let filter = Filter { limit: 10, ..Filter::default() };
        let entries = self.store().messages(filter).await.unwrap();
        let id = entries.iter().map(|entry| entry.id).find(|id| matches!(id, EntryId::In(_))).unwrap();
        self.store().message(MessageReference::Entry(id)).await.unwrap().unwrap()
    }
}

fn picture(from: &str, stage: &Stage) -> InboundText {
    InboundText::new(from, stage.bot(), "").with_file("image/jpeg", JPEG)
}

#[tokio::test]
async fn the_agent_gets_the_picture_and_it_is_kept() {
    let stage = Plan::default().with_agent(describing()).start().await;
    let card = b"BEGIN:VCARD\nFN:Ann\nEND:VCARD";
    stage.receive(picture(ALICE, &stage).with_file("text/x-vcard", card)).await;
    stage.expect(ALICE, &["image/jpeg a cat; text/vcard VCARD"]).await;
    let kept = stage.arrived().await.media;
    assert!(matches!(&kept[0].state, AttachmentState::Kept(file) if file.size == JPEG.len() as u64));
}

#[tokio::test]
async fn a_picture_that_twilio_has_not_stored_yet_is_fetched_later() {
    let stage = Plan::default().with_agent(describing()).start().await;
    stage.twilio.misbehave(Fault::MediaLate, FaultExtent::Next(1));
    stage.twilio.misbehave(Fault::MediaLinkExpired, FaultExtent::Next(1));
    stage.receive(picture(ALICE, &stage)).await;
    stage.expect(ALICE, &["image/jpeg a cat"]).await;
}

#[tokio::test]
async fn a_picture_waits_until_a_rejected_account_is_fixed() {
    let stage = Plan::default().with_agent(describing()).start().await;
    stage.twilio.misbehave(Fault::RefuseAccount { code: 20005 }, FaultExtent::All);
    stage.receive(picture(ALICE, &stage)).await;
    stage.expect_summary(|summary| summary.retrying == 1).await;
    stage.twilio.behave();
    stage.clock.advance(std::time::Duration::from_secs(60));
    stage.expect(ALICE, &["image/jpeg a cat"]).await;
}

#[tokio::test]
async fn the_type_of_a_picture_comes_from_its_bytes() {
    let stage = Plan::default().with_agent(describing()).start().await;
    let text =
        InboundText::new(ALICE, stage.bot(), "look").with_file("image/png", WEB_PAGE).with_file("image/png", JPEG);
    stage.receive(text).await;
    stage.expect(ALICE, &["no image/png: it is not image/png, although declared so; image/jpeg a cat"]).await;
    let kept = stage.arrived().await.media;
    assert!(matches!(&kept[0].state, AttachmentState::Unavailable(reason) if reason.contains("declared")));
}

#[tokio::test]
async fn a_picture_on_a_foreign_host_is_not_fetched() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stage = Plan::default().with_agent(describing()).start().await;
    let url = format!("http://{}/2010-04-01/Accounts/x", elsewhere.local_addr().unwrap());
    let text = InboundText::new(ALICE, stage.bot(), "look").with_parameter("NumMedia", "1");
    stage.receive(text.with_parameter("MediaUrl0", &url).with_parameter("MediaContentType0", "image/jpeg")).await;
    stage.expect(ALICE, &["no image/jpeg: it is not where Twilio keeps attachments of this message"]).await;
    let connection = tokio::time::timeout(std::time::Duration::from_millis(1), elsewhere.accept()).await;
    assert!(connection.is_err(), "the other host got a connection");
}

#[tokio::test]
async fn nothing_is_fetched_for_a_stranger_until_they_are_approved() {
    let stage = Plan::pairing().with_agent(describing()).start().await;
    stage.receive(picture(BOB, &stage)).await;
    stage.expect_summary(|summary| summary.kept == 1).await;
    let rest = stage.twilio.log().iter().filter(|entry| entry.target.contains("/Media/")).count();
    assert_eq!(rest, 0, "nothing was asked for");
    let code = code_of(&stage, BOB).await;
    approve(&stage, Who::Code(code)).await;
    let challenge = stage.bodies(BOB).remove(0);
    stage.expect(BOB, &[&challenge, APPROVAL_TEXT, "image/jpeg a cat"]).await;
}

#[tokio::test]
async fn a_fetched_picture_is_not_fetched_again_after_a_crash() {
    let gate = Arc::new(Semaphore::new(0));
    let agent = describing().gated(gate.clone());
    let mut stage = Plan::default().with_agent(agent.clone()).start().await;
    stage.receive(picture(ALICE, &stage)).await;
    stage.expect_summary(|_| agent.questions().len() == 1).await;
    stage.cut_off_gateway();
    stage.start_gateway().await;
    stage.expect_summary(|_| agent.questions().len() == 2).await;
    // The interrupted turn may still hold a permit.
    gate.add_permits(2);
    stage.expect(ALICE, &["image/jpeg a cat"]).await;
    assert_eq!(stage.fetches(), 1);
}

#[tokio::test]
async fn a_purge_deletes_the_pictures() {
    let stage = Plan::default().with_agent(describing()).start().await;
    stage.receive(picture(ALICE, &stage)).await;
    stage.expect(ALICE, &["image/jpeg a cat"]).await;
    stage.expect_rest().await;
    let folder = stage.state.path().join("media");
    assert_eq!(folder.read_dir().unwrap().count(), 1);
    stage.store().purge(&ALICE.parse().unwrap(), 100, stage.now()).await.unwrap();
    stage.store().remove_loose_files(stage.now()).await.unwrap();
    assert_eq!(folder.read_dir().unwrap().count(), 0);
}
