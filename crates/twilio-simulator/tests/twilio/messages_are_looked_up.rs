use serde_json::Value;
use twilio_simulator::{DEFAULT_NUMBER, MessageStatus, QueuePacing, SimulatorConfig};

use crate::desk::{Answer, Desk, PHONE, instant};

fn bodies(answer: &Answer) -> Vec<&str> {
    answer.json["messages"].as_array().unwrap().iter().map(|message| message["body"].as_str().unwrap()).collect()
}

async fn send_to(desk: &Desk, to: &str, body: &str) -> String {
    let form = [("To", to), ("From", desk.twilio.number()), ("Body", body)];
    desk.post(&desk.account("/Messages.json"), &form).await.text("sid").to_owned()
}

#[tokio::test]
async fn filters_narrow_the_list_and_the_newest_comes_first() {
    let desk = Desk::open().await;
    for (to, body) in [(PHONE, "one"), ("+15550009999", "two"), (PHONE, "three")] {
        send_to(&desk, to, body).await;
        desk.settled().await;
    }
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "four").await.unwrap();
    let today = jiff::Timestamp::now().strftime("%F");
    let cases = [
        (String::new(), vec!["four", "three", "two", "one"]),
        ("?To=%2B15550005678".to_owned(), vec!["three", "one"]),
        ("?From=%2B15550005678".to_owned(), vec!["four"]),
        ("?To=%2B15550001234&From=%2B15550005678".to_owned(), vec!["four"]),
        (format!("?DateSent={today}"), vec!["four", "three", "two", "one"]),
        ("?DateSent=2020-01-01".to_owned(), vec![]),
        (format!("?DateSent%3E={today}"), vec!["four", "three", "two", "one"]),
        ("?DateSent%3E=2099-01-01T00:00:00Z".to_owned(), vec![]),
        ("?DateSent%3C=2020-01-01".to_owned(), vec![]),
        ("?DateSent%3C=2099-01-01T00:00:00Z".to_owned(), vec!["four", "three", "two", "one"]),
    ];
    for (query, expected) in cases {
        let answer = desk.get(&desk.account(&format!("/Messages.json{query}"))).await;
        assert_eq!(bodies(&answer), expected, "{query}");
    }
    let wrong = desk.get(&desk.account("/Messages.json?DateSent=yesterday")).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn unsent_messages_come_first_then_the_latest_sent() {
    let desk = Desk::with(SimulatorConfig { pacing: QueuePacing::SegmentsPerSecond(0.001), ..instant() }).await;
    send_to(&desk, PHONE, "sent").await;
    desk.reaches(MessageStatus::Delivered).await;
    send_to(&desk, PHONE, "waits").await;
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "received").await.unwrap();
    let answer = desk.get(&desk.account("/Messages.json")).await;
    assert_eq!(bodies(&answer), ["waits", "received", "sent"]);
}

#[tokio::test]
async fn a_message_between_two_pages_does_not_shift_them() {
    let desk = Desk::open().await;
    for body in ["one", "two", "three", "four", "five"] {
        send_to(&desk, PHONE, body).await;
        desk.settled().await;
    }
    let first = desk.get(&desk.account("/Messages.json?To=%2B15550005678&PageSize=2")).await;
    assert_eq!(bodies(&first), ["five", "four"]);
    assert_eq!((first.json["page"].as_u64(), first.json["end"].as_u64()), (Some(0), Some(1)));
    assert_eq!(first.json["previous_page_uri"], Value::Null);
    send_to(&desk, PHONE, "six").await;
    let second = desk.get(first.text("next_page_uri")).await;
    assert_eq!(bodies(&second), ["three", "two"]);
    let third = desk.get(second.text("next_page_uri")).await;
    assert_eq!(bodies(&third), ["one"]);
    assert_eq!(third.json["next_page_uri"], Value::Null);
}

#[tokio::test]
async fn a_page_of_more_than_a_thousand_is_refused() {
    let desk = Desk::open().await;
    let answer = desk.get(&desk.account("/Messages.json?PageSize=1001")).await;
    assert_eq!((answer.status, answer.json["code"].as_u64()), (400, Some(20007)));
}

#[tokio::test]
async fn a_message_is_redacted_then_deleted_then_gone() {
    let desk = Desk::open().await;
    let path = desk.account(&format!("/Messages/{}.json", send_to(&desk, PHONE, "secret").await));
    desk.settled().await;
    let redacted = desk.post(&path, &[("Body", "")]).await;
    assert_eq!((redacted.status, redacted.text("body")), (200, ""));
    assert_eq!(desk.post(&path, &[("Body", "other")]).await.status, 400);
    assert_eq!(desk.delete(&path).await.status, 204);
    let gone = desk.get(&path).await;
    assert_eq!((gone.status, gone.json["code"].as_u64()), (404, Some(20404)));
    assert_eq!(gone.text("message"), format!("The requested resource {path} was not found"));
}

#[tokio::test]
async fn a_message_in_transit_cannot_be_deleted() {
    let config = twilio_simulator::SimulatorConfig {
        step_delay: std::time::Duration::from_secs(3600),
        ..twilio_simulator::SimulatorConfig::default()
    };
    let desk = Desk::with(config).await;
    let path = desk.account(&format!("/Messages/{}.json", send_to(&desk, PHONE, "x").await));
    let answer = desk.delete(&path).await;
    assert_eq!((answer.status, answer.json["code"].as_u64()), (409, Some(20009)));
}
