//! Endless responses and endless lists.

use serde_json::json;
use telephony_domain::retry::Disposition;
use telephony_domain::time::{Clock, SystemClock, Timestamp};
use telephony_providers::provider::{Provider, ProviderError};
use telephony_providers::twilio::Twilio;

use crate::messages::{contact, send};
use crate::stand_in::{Api, Reaction};

const MIB: usize = 1024 * 1024;

fn minutes_ago(minutes: i64) -> Timestamp {
    Timestamp(SystemClock.now().0 - minutes * 60_000)
}

/// Sends one of all kinds of requests, chosen by `number`.
async fn ask(twilio: &Twilio, number: usize) -> Result<(), ProviderError> {
    let rest = twilio.rest();
    match number {
        0 => send(twilio).await.map(drop),
        1 => twilio.fetch("SM1").await.map(drop),
        2 => twilio.recent(&contact(), minutes_ago(5)).await.map(drop),
        3 => twilio.received("+15550001234", minutes_ago(5)).await.map(drop),
        4 => twilio.billed(minutes_ago(5)).await.map(drop),
        5 => twilio.messages_with(&contact(), 100).await.map(drop),
        6 => twilio.balance().await.map(drop),
        7 => twilio.owns("+15550001234").await.map(drop),
        8 => twilio.delete("SM1", false).await.map(drop),
        9 => rest.phone_numbers().await.map(drop),
        10 => rest.account_state().await.map(drop),
        _ => rest.verified_numbers().await.map(drop),
    }
}

const KINDS: usize = 12;

#[tokio::test]
async fn an_endless_answer_is_cut_and_leaves_the_outcome_unknown() {
    for kind in 0..KINDS {
        let api = Api::start([Reaction::NeverEnds]).await;
        let error = ask(&api.twilio(), kind).await.unwrap_err();
        assert!(matches!(error, ProviderError::Unreadable { .. }), "{kind}: {error:?}");
        assert_eq!(error.disposition(), Disposition::Unknown, "{kind}");
        assert!(error.to_string().contains("longer than 1048576 bytes"), "{kind}: {error}");
    }
}

#[tokio::test]
async fn an_answer_with_a_large_content_length_is_not_read() {
    for status in [200, 201, 400, 404, 429, 500, 503] {
        let api = Api::start([Reaction::Answer(status, "", " ".repeat(MIB + 1))]).await;
        let error = send(&api.twilio()).await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::Unknown, "{status}: {error}");
    }
    let body = format!("{}{}", json!({"sid": "SM1"}), " ".repeat(MIB - 13));
    assert_eq!(body.len(), MIB);
    let api = Api::start([Reaction::Answer(201, "", body)]).await;
    assert_eq!(send(&api.twilio()).await.map(drop), Ok(()));
}

fn page(next: &str) -> Reaction {
    let created = jiff::Timestamp::now().strftime("%a, %d %b %Y %T +0000").to_string();
    let message =
        json!({"sid": "SM1", "direction": "inbound", "status": "received", "body": "x", "date_created": created});
    let page = json!({
        "messages": [message.clone()], "incoming_phone_numbers": [{"sid": "PN1"}], "next_page_uri": next,
    });
    Reaction::Answer(200, "", page.to_string())
}

/// Requests that follow pages.
const LISTS: [usize; 4] = [2, 3, 5, 9];

#[tokio::test]
async fn a_list_that_links_to_itself_is_incomplete() {
    let base = "/2010-04-01/Accounts/AC1/Messages.json";
    let circles = [
        vec![format!("{base}?Page=1&PageToken=A"); 9],
        vec![format!("{base}?PageToken=A"), format!("{base}?PageToken=A&x=1"), format!("{base}?x=2&PageToken=A")],
        (0..9).map(|turn| format!("{base}?PageToken={}", turn % 3)).collect(),
        (0..9).map(|turn| format!("{base}?Page={}", turn % 2)).collect(),
    ];
    for kind in LISTS {
        for links in &circles {
            let api = Api::start(links.iter().map(|link| page(link))).await;
            let error = ask(&api.twilio(), kind).await.unwrap_err();
            assert!(error.to_string().contains("links to itself"), "{kind}: {error}");
            assert!(api.asked().len() <= 4, "{kind}: {}", api.asked().len());
        }
    }
}

#[tokio::test]
async fn an_endless_list_is_cut_and_incomplete() {
    let links = |count: usize| (1..=count).map(|number| page(&format!("/x?Page={number}&PageToken={number}")));
    for (kind, pages) in [(2, 80), (3, 80), (5, 4), (9, 10)] {
        let api = Api::start(links(200)).await;
        let error = ask(&api.twilio(), kind).await.unwrap_err();
        assert!(error.to_string().contains(&format!("goes on after {pages} pages")), "{kind}: {error}");
        assert_eq!(api.asked().len(), pages, "{kind}");
    }
    let api = Api::start(links(200)).await;
    assert_eq!(ask(&api.twilio(), 4).await, Ok(()), "each price stands alone");
    assert_eq!(api.asked().len(), 80);
}
