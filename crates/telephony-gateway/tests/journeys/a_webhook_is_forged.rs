use reqwest::{Client, Response, StatusCode};
use telephony_providers::twilio::signature;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stage::{Plan, SOON, Stage};

const FORM: &str = "application/x-www-form-urlencoded";

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new()
}

async fn post(stage: &Stage, path: &str, signature: Option<&str>, body: String) -> Response {
    let mut request = client().post(stage.url(path)).header("content-type", FORM).body(body);
    if let Some(signature) = signature {
        request = request.header(signature::SIGNATURE_HEADER, signature);
    }
    request.send().await.unwrap()
}

async fn expect_nothing_stored(stage: &Stage) {
    let summary = stage.expect_rest().await;
    assert_eq!(summary.received_today, 0);
}

#[tokio::test]
async fn an_unsigned_request_is_rejected_before_its_body_is_read() {
    let stage = Plan::default().start().await;
    let mut stream = TcpStream::connect(stage.url("").strip_prefix("http://").unwrap()).await.unwrap();
    let head = "POST /telephony/webhook HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 403");
    expect_nothing_stored(&stage).await;
}

#[tokio::test]
async fn a_wrong_signature_is_rejected_and_nothing_is_stored() {
    let stage = Plan::default().start().await;
    for signature in ["", "AAAA", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="] {
        let body = format!("MessageSid=SM1&AccountSid={}&From=%2B15550005678&Body=hi", stage.twilio.account_sid());
        let answer = post(&stage, "/telephony/webhook", Some(signature), body).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{signature}");
    }
    expect_nothing_stored(&stage).await;
}

#[tokio::test]
async fn a_body_larger_than_64_kib_is_refused() {
    let stage = Plan::default().start().await;
    let answer = post(&stage, "/telephony/webhook", Some("AAAA"), "B=".to_owned() + &"x".repeat(64 * 1024)).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off() {
    let stage = Plan::default().start().await;
    let mut stream = TcpStream::connect(stage.url("").strip_prefix("http://").unwrap()).await.unwrap();
    let head =
        "POST /telephony/webhook HTTP/1.1\r\nhost: a\r\nx-twilio-signature: a\r\ncontent-length: 100\r\n\r\nBody=";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(SOON, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn other_paths_and_methods_are_not_there() {
    let stage = Plan::default().start().await;
    for path in ["/", "/telephony", "/telephony/webhook/x", "/status", "/telephony/%77ebhook"] {
        assert_eq!(post(&stage, path, Some("AAAA"), String::new()).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/telephony/webhook/", "/telephony//webhook", "/telephony/status/", "//telephony/status"] {
        let answer = post(&stage, path, Some("AAAA"), String::new()).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "a slash more is the same path: {path}");
    }
    for path in ["/telephony/webhook", "/telephony/status"] {
        let answer = client().get(stage.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    let health = client().get(stage.url("/health")).send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert_eq!(health.text().await.unwrap(), r#"{"ok":true,"provider":"twilio"}"#);
}
