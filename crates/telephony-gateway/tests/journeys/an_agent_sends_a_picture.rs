use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use telephony_domain::id::MessageId;
use telephony_domain::message::{MessageDraft, MessagePurpose, OutboundMedia, PartDraft};
use twilio_simulator::{Fault, FaultExtent, LogKind, MessageRecord};

use crate::stage::{ALICE, Plan, SOON, Scripted, Stage};

/// Time limit for a message with pictures: reducing a large one takes seconds of processor time in a debug build.
const PICTURES_SOON: Duration = SOON.saturating_mul(3);

/// A one-pixel GIF.
const PIXEL: &str = "R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==";

fn showing(answer: String) -> Scripted {
    Scripted::new(move |_| Ok(answer.clone()))
}

fn pixel() -> String {
    format!("Look: ![a pixel](data:image/png;base64,{PIXEL})")
}

impl Stage {
    /// Returns the only message to Alice once its status is final.
    async fn only_message(&self) -> MessageRecord {
        let is_there = |messages: &[MessageRecord]| {
            messages.iter().any(|message| message.is_outbound() && message.status.is_final())
        };
        self.twilio.wait_for(is_there, PICTURES_SOON).await.unwrap();
        let mut sent: Vec<MessageRecord> = self.twilio.messages().into_iter().filter(|m| m.is_outbound()).collect();
        assert_eq!(sent.len(), 1);
        sent.remove(0)
    }

    /// Returns the URLs from which Twilio fetched files.
    fn fetched(&self) -> Vec<String> {
        let log = self.twilio.log();
        log.into_iter().filter(|entry| entry.kind == LogKind::Fetch).map(|entry| entry.target).collect()
    }
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn status_of(url: &str) -> u16 {
    client().get(url).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn twilio_fetches_the_picture_from_us_and_later_requests_fail() {
    let stage = Plan::default().with_agent(showing(pixel())).start().await;
    stage.text(ALICE, "hi").await;
    let message = stage.only_message().await;
    assert_eq!((message.body.as_str(), message.media.len()), ("Look:", 1));
    assert_eq!(message.media[0].content_type, "image/gif", "what it is, and not what the agent said");
    assert!(message.media[0].bytes.starts_with(b"GIF89a"));

    let fetched = stage.fetched();
    assert!(fetched[0].starts_with(&format!("{}/m/", stage.webhook_url())), "{}", fetched[0]);
    stage.expect_rest().await;
    let gone = async {
        while status_of(&fetched[0]).await != 404 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, gone).await.expect("a delivered message's file is served no longer");
}

#[tokio::test]
async fn a_wrong_media_address_is_not_found() {
    let stage = Plan::default().with_agent(showing(pixel())).start().await;
    stage.twilio.misbehave(Fault::LoseCallback, FaultExtent::All);
    stage.text(ALICE, "hi").await;
    stage.only_message().await;
    let right = stage.fetched().remove(0);
    assert_eq!(status_of(&right).await, 200, "without a report it may still be wanted");
    let flip = |digit: char| if digit == '0' { '1' } else { '0' };
    let last = right.chars().last().unwrap();
    let wrong = format!("{}{}", &right[..right.len() - 1], flip(last));
    assert_eq!(status_of(&wrong).await, 404);
    assert_eq!(status_of(&stage.url("/telephony/webhook/m/")).await, 404);
    let posted = client().post(&right).send().await.unwrap();
    assert_eq!((posted.status().as_u16(), posted.headers()["allow"].to_str().unwrap()), (405, "GET, HEAD"));
}

#[tokio::test]
async fn a_public_picture_is_fetched_by_twilio_directly() {
    let agent = showing("![x](https://example.invalid/cat.png)".to_owned());
    let stage = Plan::default().with_agent(agent).start().await;
    stage.text(ALICE, "hi").await;
    let message = stage.only_message().await;
    assert_eq!((message.body.as_str(), message.media[0].url.as_str()), ("", "https://example.invalid/cat.png"));
}

#[tokio::test]
async fn an_unsupported_file_is_dropped_and_the_text_sent() {
    let agent =
        showing("Here. ![x](data:application/zip;base64,UEsDBA==) ![y](data:image/png;base64,PGh0bWw+)".to_owned());
    let stage = Plan::default().with_agent(agent).start().await;
    stage.text(ALICE, "hi").await;
    let message = stage.only_message().await;
    assert_eq!(message.media.len(), 0);
    assert_eq!(message.body, "Here.\n\n[A picture could not be sent.]");
}

#[tokio::test]
async fn a_large_picture_is_shrunk_and_a_small_one_stays() {
    let mut state = 1_u32;
    let noise = image::RgbImage::from_fn(1300, 1300, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([(state >> 24) as u8, (state >> 16) as u8, (state >> 8) as u8])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    noise.write_to(&mut png, image::ImageFormat::Png).unwrap();
    assert!(png.get_ref().len() > 5_000_000);
    let large = BASE64_STANDARD.encode(png.into_inner());
    let agent = showing(format!("![](data:image/png;base64,{large}) {}", pixel()));
    let stage = Plan::default().with_agent(agent).start().await;
    stage.text(ALICE, "hi").await;
    let message = stage.only_message().await;
    assert_eq!((message.body.as_str(), message.media.len()), ("Look:", 2));
    let [reduced, small] = &message.media[..] else { unreachable!() };
    assert!(reduced.bytes.len() <= 2_500_000, "{}", reduced.bytes.len());
    assert_eq!((reduced.content_type.as_str(), small.content_type.as_str()), ("image/jpeg", "image/gif"));
    assert_eq!(image::load_from_memory(&reduced.bytes).unwrap().height(), 1300);
}

#[tokio::test]
async fn without_a_public_url_only_the_text_is_sent() {
    let stage = Plan { has_public_url: false, ..Plan::default() }.with_agent(showing(pixel())).start().await;
    stage.text(ALICE, "hi").await;
    assert_eq!(stage.only_message().await.body, "Look:\n\n[A picture could not be sent.]");
}

#[tokio::test]
async fn a_picture_in_doubt_is_found_in_the_list() {
    let stage = Plan::default().prepare().await;
    let mut stage = stage;
    stage.start_gateway().await;
    stage.twilio.misbehave(Fault::LoseCallback, FaultExtent::All);
    stage.twilio.misbehave(Fault::CutAfterAccepting, FaultExtent::Next(1));
    let line = stage.store().lines().await.unwrap()[0].id;
    let draft = MessageDraft {
        key: "k".to_owned(),
        purpose: MessagePurpose::Send,
        to: ALICE.parse().unwrap(),
        text: String::new(),
        parts: vec![PartDraft { text: String::new(), segments: 3 }],
        media: vec![OutboundMedia::Url("https://example.invalid/cat.png".to_owned())],
        turn: None,
    };
    let MessageId(_) = stage.store().enqueue(line, draft, stage.now()).await.unwrap().message;
    telephony_gateway::control::status::notify(stage.state.path()).await.unwrap();
    stage.expect_summary(|summary| summary.unknown + summary.queued + summary.sending == 0).await;
    assert_eq!(stage.twilio.creations(), 1);
}
