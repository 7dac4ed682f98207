//! Failed requests to Twilio's API: their meaning for the next attempt, and secrets that they never show.

use telephony_domain::retry::Disposition;
use telephony_providers::provider::ProviderError;
use telephony_providers::route::Routes;

use crate::messages::{send, sender};
use crate::stand_in::{Api, Reaction, twilio_at};

async fn disposition_after(reaction: Reaction) -> Disposition {
    let api = Api::start([reaction]).await;
    let error = send(&api.twilio()).await.unwrap_err();
    assert_eq!(api.asked().len(), 1, "nothing may be repeated by itself");
    error.disposition()
}

#[tokio::test]
async fn a_refused_connection_means_that_nothing_was_sent() {
    let url = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let error = send(&twilio_at(&url)).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable { .. }), "{error}");
    let server = url.strip_prefix("http://").unwrap();
    assert_eq!(error.to_string(), format!("cannot reach {server}: Connection refused"));
    let error = send(&twilio_at("http://no-such-host.invalid")).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable { .. }), "{error}");
    assert_eq!(error.disposition(), Disposition::Retry { after: None });
}

#[tokio::test]
async fn nothing_is_sent_in_clear_text_to_an_https_url() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || drop(listener.accept()));
    let error = send(&twilio_at(&url)).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_answer_leaves_the_outcome_unknown() {
    for reaction in [
        Reaction::Hangs,
        Reaction::Answer(201, "", "{\"sid\":".to_owned()),
        Reaction::Answer(200, "", "<html>".to_owned()),
        Reaction::Answer(500, "", String::new()),
        Reaction::Answer(502, "", "<html>".to_owned()),
        Reaction::Answer(503, "retry-after: 1\r\n", r#"{"code":20503}"#.to_owned()),
    ] {
        assert_eq!(disposition_after(reaction).await, Disposition::Unknown);
    }
}

#[tokio::test]
async fn a_timeout_leaves_the_outcome_unknown() {
    let api = Api::start([Reaction::Sleeps]).await;
    let error = send(&api.impatient_twilio()).await.unwrap_err();
    assert!(matches!(error, ProviderError::NoAnswer { .. }), "{error}");
    assert_eq!(error.disposition(), Disposition::Unknown);
}

#[tokio::test]
async fn a_429_is_retried_after_the_requested_wait() {
    let busy = Reaction::Answer(429, "retry-after: 9\r\n", r#"{"code":20429}"#.to_owned());
    let wait = Some(std::time::Duration::from_secs(9));
    assert_eq!(disposition_after(busy).await, Disposition::Retry { after: wait });
}

#[tokio::test]
async fn a_rejection_by_twilio_is_final() {
    for body in [r#"{"code":21610}"#, r#"{"code":29999}"#] {
        assert_eq!(disposition_after(Reaction::Answer(400, "", body.to_owned())).await, Disposition::GiveUp);
    }
}

/// The disposition after a rejection that does not come from Twilio.
const IN_TEN_MINUTES: Disposition = Disposition::Retry { after: Some(std::time::Duration::from_secs(600)) };

#[tokio::test]
async fn a_rejection_by_a_proxy_is_retried_in_ten_minutes() {
    for (status, body) in
        [(403, "<html>"), (404, ""), (407, r#"{"message":"who are you?"}"#), (413, r#"{"code":null}"#)]
    {
        assert_eq!(disposition_after(Reaction::Answer(status, "", body.to_owned())).await, IN_TEN_MINUTES);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Reaction::Answer(307, "location: http://127.0.0.1:1/\r\n", String::new());
    assert_eq!(disposition_after(elsewhere).await, IN_TEN_MINUTES);
}

#[tokio::test]
async fn routes_that_a_proxy_rejects_do_not_count_as_missing() {
    for status in [401, 403, 404] {
        for service in [None, Some("MG1")] {
            let refused = || Reaction::Answer(status, "", "<html>no</html>".to_owned());
            let api = Api::start([refused(), refused(), refused()]).await;
            let routes = api.twilio().routes(&sender(service), None).await;
            assert!(
                matches!(routes, Err(ProviderError::Refused { code: None, .. })),
                "{status} {service:?}: {routes:?}"
            );
            let route = api.twilio().route(service.unwrap_or("PN1")).await;
            assert!(matches!(route, Err(ProviderError::Refused { code: None, .. })), "{status} {service:?}: {route:?}");
        }
    }
}

#[tokio::test]
async fn an_error_shows_neither_token_nor_number_nor_text() {
    for reaction in [Reaction::Hangs, Reaction::Answer(400, "", r#"{"message":"+15550005678 is bad"}"#.to_owned())] {
        let api = Api::start([reaction]).await;
        let twilio = api.twilio();
        let error = send(&twilio).await.unwrap_err();
        let shown = format!("{error} {error:?} {} {twilio:?}", error.hint());
        for secret in ["token\"", "5550005678", "goodbye"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
