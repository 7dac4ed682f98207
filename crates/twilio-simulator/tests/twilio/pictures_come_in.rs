//! Pictures from a phone: the webhook that announces them, and every way in which fetching them can fail.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Response;
use serde_json::json;
use twilio_simulator::{DEFAULT_NUMBER, Fault, FaultExtent, InboundText, LogKind, Simulator, SimulatorConfig, Unsent};

use crate::desk::{Desk, PHONE, control, instant};
use crate::receiver::{Hook, Receiver};

const PICTURE: &[u8] = b"\x89PNG not really";

/// Starts a simulator that has received a text with a picture and a contact card; returns it with the webhook.
async fn desk_with_a_picture(config: SimulatorConfig) -> (Desk, Hook) {
    let mut us = Receiver::open().await;
    let desk = Desk::with(config).await;
    desk.twilio.set_sms_url(DEFAULT_NUMBER, &us.url("/in")).unwrap();
    let text = InboundText::new(PHONE, DEFAULT_NUMBER, "Look!")
        .with_file("image/png", PICTURE)
        .with_file("text/vcard", b"BEGIN");
    desk.twilio.receive(text).await.unwrap();
    let hook = us.next().await;
    (desk, hook)
}

/// Sends a request without following redirects, as a careful client does.
async fn ask(desk: &Desk, url: &str, credentials: Option<&str>) -> Response {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let password = credentials.map(|password| STANDARD.encode(format!("{}:{password}", desk.twilio.account_sid())));
    let request = client.get(url);
    let request = match password {
        Some(password) => request.header("Authorization", format!("Basic {password}")),
        None => request,
    };
    request.send().await.unwrap()
}

fn location(response: &Response) -> String {
    response.headers()["location"].to_str().unwrap().to_owned()
}

fn token(twilio: &Simulator) -> Option<&str> {
    Some(twilio.auth_token())
}

#[tokio::test]
async fn the_webhook_contains_media_urls() {
    let (desk, hook) = desk_with_a_picture(instant()).await;
    let sid = hook.get("MessageSid");
    assert!(sid.starts_with("MM"));
    assert_eq!((hook.get("NumMedia"), hook.get("Body")), ("2", "Look!"));
    assert_eq!((hook.get("MediaContentType0"), hook.get("MediaContentType1")), ("image/png", "text/vcard"));
    let folder = format!("{}{}", desk.twilio.base_url(), desk.account(&format!("/Messages/{sid}/Media/ME")));
    assert!(hook.get("MediaUrl0").starts_with(&folder), "{}", hook.get("MediaUrl0"));
    let list = desk.get(&desk.account(&format!("/Messages/{sid}/Media.json"))).await;
    let list = list.json["media_list"].as_array().unwrap().clone();
    assert_eq!((list.len(), &list[0]["content_type"]), (2, &json!("image/png")));
    assert!(hook.get("MediaUrl1").ends_with(list[1]["sid"].as_str().unwrap()));
    let one = desk.get(list[1]["uri"].as_str().unwrap()).await;
    assert_eq!((one.text("content_type"), one.text("parent_sid")), ("text/vcard", sid));
}

#[tokio::test]
async fn a_media_url_needs_credentials_and_redirects_to_where_they_are_refused() {
    let (desk, hook) = desk_with_a_picture(instant()).await;
    let url = hook.get("MediaUrl0");
    assert_eq!(ask(&desk, url, None).await.status(), 401);
    assert_eq!(ask(&desk, url, Some("wrong")).await.status(), 401);
    let redirect = ask(&desk, url, token(&desk.twilio)).await;
    assert_eq!(redirect.status(), 307);
    let there = location(&redirect);
    assert!(!there.starts_with(desk.twilio.base_url()), "{there}");
    assert_eq!(ask(&desk, &there, token(&desk.twilio)).await.status(), 400);
    let file = ask(&desk, &there, None).await;
    assert_eq!((file.status().as_u16(), file.headers()["content-type"].to_str().unwrap()), (200, "image/png"));
    assert_eq!(file.bytes().await.unwrap(), PICTURE);
    let log = desk.twilio.log();
    let met: Vec<_> = log.iter().filter(|entry| entry.kind == LogKind::Cdn).map(|entry| entry.status).collect();
    assert_eq!(met, [Some(400), Some(200)]);
}

#[tokio::test]
async fn an_address_that_was_changed_or_has_expired_is_refused() {
    let (desk, hook) = desk_with_a_picture(SimulatorConfig { media_redirect: 302, ..instant() }).await;
    let redirect = ask(&desk, hook.get("MediaUrl0"), token(&desk.twilio)).await;
    assert_eq!(redirect.status(), 302);
    let there = location(&redirect);
    let other = hook.get("MediaUrl1").rsplit_once('/').unwrap().1;
    let own = hook.get("MediaUrl0").rsplit_once('/').unwrap().1;
    let longer = there.replace("Expires=1", "Expires=2");
    for changed in [there.replace(own, other), longer, there.replace("Signature=", "Signature=x")] {
        assert_ne!(changed, there);
        assert_eq!(ask(&desk, &changed, None).await.status(), 403, "{changed}");
    }
    desk.twilio.misbehave(Fault::MediaLinkExpired, FaultExtent::Next(1));
    let stale = location(&ask(&desk, hook.get("MediaUrl0"), token(&desk.twilio)).await);
    assert_eq!(ask(&desk, &stale, None).await.status(), 403);
    let fresh = location(&ask(&desk, hook.get("MediaUrl0"), token(&desk.twilio)).await);
    assert_eq!(ask(&desk, &fresh, None).await.status(), 200);
}

#[tokio::test]
async fn a_file_may_come_later_than_its_webhook() {
    let (desk, hook) = desk_with_a_picture(instant()).await;
    desk.twilio.misbehave(Fault::MediaLate, FaultExtent::Next(2));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(ask(&desk, hook.get("MediaUrl0"), token(&desk.twilio)).await.status().as_u16());
    }
    assert_eq!(statuses, [404, 404, 307]);
}

#[tokio::test]
async fn a_deleted_file_is_gone_at_its_redirect_target() {
    let (desk, hook) = desk_with_a_picture(instant()).await;
    let there = location(&ask(&desk, hook.get("MediaUrl0"), token(&desk.twilio)).await);
    let path = hook.get("MediaUrl0").strip_prefix(desk.twilio.base_url()).unwrap();
    assert_eq!(desk.delete(&format!("{path}.json")).await.status, 204);
    assert_eq!(desk.delete(&format!("{path}.json")).await.status, 404);
    assert_eq!(ask(&desk, &there, None).await.status(), 404);
    assert_eq!(ask(&desk, hook.get("MediaUrl0"), token(&desk.twilio)).await.status(), 404);
    let sid = hook.get("MessageSid");
    let list = desk.get(&desk.account(&format!("/Messages/{sid}/Media.json"))).await;
    assert_eq!(list.json["media_list"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn media_beyond_the_carrier_limit_is_rejected() {
    let desk = Desk::open().await;
    let large = vec![0; 3 * 1024 * 1024];
    let heavy =
        InboundText::new(PHONE, DEFAULT_NUMBER, "").with_file("image/png", &large).with_file("image/png", &large);
    let many = InboundText::new(PHONE, DEFAULT_NUMBER, "").with_media(11);
    for text in [heavy, many] {
        assert_eq!(desk.twilio.receive(text).await.map(|_| ()).unwrap_err(), Unsent::TooMuch);
    }
    let one = InboundText::new(PHONE, DEFAULT_NUMBER, "").with_file("image/png", &large);
    assert!(desk.twilio.receive(one).await.is_ok());
}

#[tokio::test]
async fn a_picture_can_be_sent_and_fetched_over_the_control_api() {
    let mut us = Receiver::open().await;
    let desk = Desk::open().await;
    desk.twilio.set_sms_url(DEFAULT_NUMBER, &us.url("/in")).unwrap();
    let files = json!([
        {"content_type": "image/png", "data": STANDARD.encode(PICTURE)},
        {"content_type": "image/svg+xml", "data": STANDARD.encode("<svg/>")},
    ]);
    let (status, _) =
        control(&desk, "/inbound-message", json!({"from": PHONE, "to": DEFAULT_NUMBER, "files": files})).await;
    assert_eq!((status, us.next().await.get("NumMedia")), (200, "2"));
    let shown = desk.client.get(format!("{}/_simulator/messages", desk.twilio.base_url())).send().await.unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&shown.bytes().await.unwrap()).unwrap();
    let media = shown[0]["media"].as_array().unwrap().clone();
    assert_eq!(
        (media.len(), &media[0]["content_type"], &media[0]["size"]),
        (2, &json!("image/png"), &json!(PICTURE.len()))
    );
    let mut kinds = Vec::new();
    for file in &media {
        let url = format!("{}{}", desk.twilio.base_url(), file["url"].as_str().unwrap());
        let file = desk.client.get(url).send().await.unwrap();
        let header = |name: &str| file.headers()[name].to_str().unwrap().to_owned();
        kinds.push((header("content-type"), header("content-disposition")));
        assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    }
    let own = |kind: &str, disposition: &str| (kind.to_owned(), disposition.to_owned());
    assert_eq!(kinds, [own("image/png", "inline"), own("application/octet-stream", "attachment")]);
    let broken = json!({"from": PHONE, "to": DEFAULT_NUMBER, "files": [{"content_type": "image/png", "data": "%"}]});
    assert_eq!(control(&desk, "/inbound-message", broken).await.0, 422);
}
