//! Pictures to a phone: fetched from us as Twilio does it, or the message fails as it does at Twilio.

use serde_json::{Value, json};
use twilio_simulator::{LogKind, MessageStatus};

use crate::desk::{Desk, PHONE};
use crate::receiver::Receiver;
use crate::shelf::Shelf;

async fn send(desk: &Desk, urls: &[&str]) -> Value {
    let mut form = vec![("To", PHONE), ("From", desk.twilio.number())];
    form.extend(urls.iter().map(|url| ("MediaUrl", *url)));
    let answer = desk.post(&desk.account("/Messages.json"), &form).await;
    assert_eq!(answer.status, 201);
    answer.json
}

#[tokio::test]
async fn every_file_is_fetched_with_head_and_get_and_then_listed() {
    let desk = Desk::open().await;
    let shelf = Shelf::open().await;
    let picture = shelf.put("/a.png", "image/png", b"picture".to_vec());
    let card = shelf.put("/b", "text/vcard; charset=utf-8", b"card".to_vec());
    let created = send(&desk, &[&picture, &card]).await;
    let sid = created["sid"].as_str().unwrap();
    assert!(sid.starts_with("MM"));
    assert_eq!(
        (&created["num_media"], &created["body"], &created["status"]),
        (&json!("2"), &json!(""), &json!("queued"))
    );
    let messages = desk.settled().await;
    assert_eq!(messages[0].status, MessageStatus::Delivered);
    assert_eq!(messages[0].media[0].bytes, "picture");
    let asked: Vec<String> = shelf.asked().iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    assert_eq!(asked, ["HEAD /a.png", "GET /a.png", "HEAD /b", "GET /b"]);
    for (_, _, headers) in shelf.asked() {
        assert_eq!(headers["user-agent"], "TwilioProxy/1.1");
        assert!(!headers.contains_key("authorization") && !headers.contains_key("x-twilio-signature"));
    }
    let list = desk.get(&desk.account(&format!("/Messages/{sid}/Media.json"))).await;
    let types: Vec<&Value> =
        list.json["media_list"].as_array().unwrap().iter().map(|file| &file["content_type"]).collect();
    assert_eq!(types, ["image/png", "text/vcard; charset=utf-8"]);
    let file = desk.client.get(format!("{}/_simulator/media/{}", desk.twilio.base_url(), messages[0].media[0].sid));
    assert_eq!(file.send().await.unwrap().bytes().await.unwrap(), "picture");
    let log = desk.twilio.log();
    let fetches: Vec<_> = log.iter().filter(|entry| entry.kind == LogKind::Fetch).collect();
    assert_eq!(fetches.len(), 4);
    assert!(fetches.iter().all(|entry| entry.status == Some(200) && entry.about.as_deref() == Some(sid)));
}

#[tokio::test]
async fn unfetchable_and_unsupported_media_fail_with_twilios_codes() {
    let shelf = Shelf::open().await;
    let mega = 1024 * 1024;
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/x", listener.local_addr().unwrap())
    };
    let half = shelf.put("/half", "image/jpeg", vec![0; 3 * mega]);
    let cases: Vec<(Vec<String>, u32)> = vec![
        (vec![shelf.url("/none")], 11200),
        (vec![closed], 11205),
        (vec![shelf.put("/page", "text/html", b"<p>".to_vec())], 12300),
        (vec![shelf.put("/large", "image/png", vec![0; 5 * mega + 1])], 11751),
        (vec![half.clone(), half], 11751),
        (vec![shelf.put("/film", "video/mp4", vec![0; mega])], 30019),
    ];
    for (urls, code) in cases {
        let mut us = Receiver::open().await;
        let desk = Desk::open().await;
        let mut form = vec![("To", PHONE), ("From", desk.twilio.number()), ("Body", "Look!")];
        let callback = us.url("/status");
        form.push(("StatusCallback", &callback));
        form.extend(urls.iter().map(|url| ("MediaUrl", url.as_str())));
        assert_eq!(desk.post(&desk.account("/Messages.json"), &form).await.status, 201);
        let failed = desk.reaches(MessageStatus::Failed).await;
        assert_eq!(failed.error_code, Some(code), "{urls:?}");
        let report = us.next().await;
        assert_eq!((report.get("MessageStatus"), report.get("ErrorCode")), ("failed", code.to_string().as_str()));
        let alert = desk.twilio.alerts().pop().unwrap();
        assert_eq!(
            (alert.error_code, &alert.resource_sid, &alert.request_url),
            (code, &failed.sid, urls.last().unwrap())
        );
        let list = desk.get(&desk.account(&format!("/Messages/{}/Media.json", failed.sid))).await;
        assert_eq!(list.json["media_list"], json!([]));
    }
}

#[tokio::test]
async fn five_megabytes_of_pictures_are_sent() {
    let desk = Desk::open().await;
    let shelf = Shelf::open().await;
    let picture = shelf.put("/a", "image/jpeg", vec![0; 5 * 1024 * 1024]);
    send(&desk, &[&picture]).await;
    assert_eq!(desk.settled().await[0].status, MessageStatus::Delivered);
}

#[tokio::test]
async fn a_reply_in_twiml_brings_its_picture() {
    let us = Receiver::open().await;
    let desk = Desk::open().await;
    let shelf = Shelf::open().await;
    let picture = shelf.put("/a.png", "image/png", b"picture".to_vec());
    desk.twilio.set_sms_url(desk.twilio.number(), &us.url("/in")).unwrap();
    us.answers(200, "text/xml", &format!("<Response><Message><Media>{picture}</Media></Message></Response>"));
    desk.twilio.text(PHONE, desk.twilio.number(), "Hello").await.unwrap();
    let messages = desk.settled().await;
    assert_eq!(messages[1].media[0].bytes, "picture");
}
