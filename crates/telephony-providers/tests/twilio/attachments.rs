//! Attachments from contacts, and servers that redirect to something else.

use bytes::Bytes;
use telephony_providers::provider::{AttachmentError, Provider};
use telephony_providers::twilio::Twilio;

use crate::stand_in::{ACCOUNT, Api, Reaction};

const MAX_BYTES: usize = 1000;

fn url_at(api: &Api) -> String {
    format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1", api.url())
}

fn picture() -> Reaction {
    Reaction::Answer(200, "content-type: image/jpeg\r\n", "picture".to_owned())
}

fn redirect(to: &str) -> Reaction {
    Reaction::Answer(307, Box::leak(format!("location: {to}\r\n").into_boxed_str()), String::new())
}

async fn fetch(twilio: &Twilio, api: &Api) -> Result<Bytes, AttachmentError> {
    twilio.attachment("MM1", &url_at(api), MAX_BYTES).await
}

async fn fetch_from(reaction: Reaction) -> Result<Bytes, AttachmentError> {
    let is_silent = matches!(reaction, Reaction::Sleeps | Reaction::Stalls);
    let api = Api::start([reaction]).await;
    fetch(&if is_silent { api.impatient_twilio() } else { api.twilio() }, &api).await
}

#[tokio::test]
async fn credentials_are_sent_to_the_api_only() {
    let api = Api::start([redirect("/store/abc?Signature=x"), picture()]).await;
    assert_eq!(fetch(&api.twilio(), &api).await.unwrap(), "picture");
    let asked = api.asked();
    let path = url_at(&api).replace(&api.url(), "");
    assert!(asked[0].head.starts_with(&format!("GET {path} HTTP/1.1")), "{}", asked[0].head);
    let has_credentials = |head: &str| head.to_ascii_lowercase().contains("authorization: basic ");
    assert!(has_credentials(&asked[0].head));
    assert!(asked[1].head.starts_with("GET /store/abc?Signature=x HTTP/1.1") && !has_credentials(&asked[1].head));
}

#[tokio::test]
async fn a_redirect_to_another_place_is_not_followed() {
    let inside = Api::start([picture()]).await;
    let by_name = inside.url().replace("127.0.0.1", "localhost");
    let otherwise = inside.url().replace("127.0.0.1", "127.0.0.2");
    for location in [by_name, otherwise, inside.url().replace("http", "https"), "http://169.254.169.254/".to_owned()] {
        let api = Api::start([redirect(&location)]).await;
        assert!(matches!(fetch(&api.twilio(), &api).await, Err(AttachmentError::Never(_))), "{location}");
    }
    assert_eq!(inside.asked().len(), 0);
}

#[tokio::test]
async fn a_redirect_loop_ends() {
    let api = Api::start((0..9).map(|_| redirect("/round"))).await;
    assert!(matches!(fetch(&api.twilio(), &api).await, Err(AttachmentError::Never(_))));
    assert_eq!(api.asked().len(), 5);
}

#[tokio::test]
async fn a_url_of_another_message_is_not_fetched() {
    let api = Api::start([picture()]).await;
    let others = [
        url_at(&api).replace("MM1", "MM2"),
        url_at(&api).replace(ACCOUNT, "AC2"),
        format!("{}/anything", api.url()),
        "https://example.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1".to_owned(),
        "not a url".to_owned(),
    ];
    for url in others {
        let answer = api.twilio().attachment("MM1", &url, MAX_BYTES).await;
        assert!(matches!(answer, Err(AttachmentError::Never(_))), "{url}");
    }
    assert_eq!(api.asked().len(), 0);
}

#[tokio::test]
async fn a_large_attachment_is_not_fetched() {
    let large = Reaction::Answer(200, "", "x".repeat(MAX_BYTES + 1));
    assert_eq!(fetch_from(large).await, Err(AttachmentError::TooLarge));
    assert_eq!(fetch_from(Reaction::NeverEnds).await, Err(AttachmentError::TooLarge));
    let fits = Reaction::Answer(200, "", "x".repeat(MAX_BYTES));
    assert_eq!(fetch_from(fits).await.unwrap().len(), MAX_BYTES);
}

#[tokio::test]
async fn late_stalled_and_broken_downloads_are_retried() {
    for reaction in [
        Reaction::Answer(404, "", String::new()),
        Reaction::Answer(429, "", String::new()),
        Reaction::Answer(503, "", String::new()),
        Reaction::Sleeps,
        Reaction::Stalls,
        Reaction::Hangs,
    ] {
        assert!(matches!(fetch_from(reaction).await, Err(AttachmentError::NotYet(_))));
    }
}

#[tokio::test]
async fn a_rejected_download_is_not_retried() {
    for status in [410, 204, 206] {
        let refused = fetch_from(Reaction::Answer(status, "", String::new())).await;
        assert!(matches!(refused, Err(AttachmentError::Never(_))), "{status}");
    }
    assert!(matches!(fetch_from(Reaction::Answer(302, "", String::new())).await, Err(AttachmentError::Never(_))));
}

#[tokio::test]
async fn a_rejection_by_a_proxy_is_retried() {
    for status in [401, 403, 404, 407] {
        let refused = fetch_from(Reaction::Answer(status, "", "<html>no</html>".to_owned())).await;
        assert!(matches!(refused, Err(AttachmentError::NotYet(_))), "{status}");
    }
}
