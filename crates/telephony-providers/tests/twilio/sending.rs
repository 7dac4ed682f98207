//! Sending through Twilio's API: the request, and the receipt in its answer.

use secrecy::SecretString;
use serde_json::json;
use telephony_domain::delivery::Status;
use telephony_providers::provider::{Outgoing, Provider};
use telephony_providers::twilio::Twilio;

use crate::messages::{contact, created, message, ok, send, sender};
use crate::stand_in::{ACCOUNT, Api, account_at};

#[tokio::test]
async fn a_message_is_sent_with_all_parameters() {
    let api = Api::start([created()]).await;
    let (from, to) = (sender(None), contact());
    let media = ["https://a.b/1.png".to_owned(), "https://a.b/2.png".to_owned()];
    let status_url = Some("https://a.b/telephony/status");
    let part = Outgoing { from: &from, to: &to, text: "Grüße", media: &media, correlation_id: "p1", status_url };
    let receipt = api.twilio().send(part).await.unwrap();
    assert_eq!((receipt.provider_id.as_str(), receipt.status, receipt.segments), ("SM1", Status::Queued, Some(2)));

    let asked = &api.asked()[0];
    let head = asked.head.to_ascii_lowercase();
    assert!(asked.head.starts_with(&format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1")));
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
    assert!(head.contains("authorization: basic "), "{head}");
    let pairs: Vec<_> = form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("To", "+15550005678"),
        ("From", "+15550001234"),
        ("Body", "Grüße"),
        ("MediaUrl", "https://a.b/1.png"),
        ("MediaUrl", "https://a.b/2.png"),
        ("StatusCallback", "https://a.b/telephony/status?part=p1#rc=3"),
    ];
    assert_eq!(pairs, expected);
}

#[tokio::test]
async fn an_answer_with_a_sid_means_sent() {
    for body in [json!({"sid": "SM1"}), json!({"sid": "SM1", "status": "new", "num_segments": 2, "num_media": 0})] {
        let api = Api::start([ok(201, body)]).await;
        let receipt = send(&api.twilio()).await.unwrap();
        assert_eq!((receipt.provider_id.as_str(), receipt.status), ("SM1", Status::Accepted));
    }
}

#[tokio::test]
async fn a_message_that_has_already_failed_is_accepted_and_a_report_says_why() {
    for status in ["failed", "undelivered", "canceled"] {
        let mut failed = message("SM1", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000");
        failed["status"] = json!(status);
        failed["error_code"] = json!(21610);
        let api = Api::start([ok(201, failed.clone()), ok(200, failed)]).await;
        let receipt = send(&api.twilio()).await.unwrap();
        assert_eq!(receipt.status, Status::Accepted, "a final status without its code would be the last word");
        let listed = api.twilio().fetch("SM1").await.unwrap();
        assert!(listed.status.is_failure() && listed.is_opt_out);
    }
}

#[tokio::test]
async fn a_messaging_service_wins_over_the_number() {
    let api = Api::start([created()]).await;
    let (from, to) = (sender(Some("MG1")), contact());
    let part = Outgoing { from: &from, to: &to, text: "x", media: &[], correlation_id: "p1", status_url: None };
    api.twilio().send(part).await.unwrap();
    assert_eq!(api.asked()[0].body, "To=%2B15550005678&MessagingServiceSid=MG1&Body=x");
}

#[tokio::test]
async fn an_api_key_signs_in_instead_of_the_token() {
    let api = Api::start([created()]).await;
    let mut account = account_at(&api.url());
    account.api_key = Some(("SK1".to_owned(), SecretString::from("key secret")));
    send(&Twilio::new(account)).await.unwrap();
    let head = api.asked()[0].head.clone();
    assert!(head.contains("Basic U0sxOmtleSBzZWNyZXQ="), "{head}");
    assert!(head.contains(ACCOUNT), "the account stays in the path: {head}");
}
