use serde_json::{Value, json};
use twilio_simulator::{Fault, FaultExtent, MessageStatus, SimulatorConfig};

use crate::desk::{Desk, SOON, control, control_with, instant};
use crate::receiver::Receiver;

#[tokio::test]
async fn a_429_or_500_creates_no_message() {
    for (fault, status, code) in [(Fault::TooManyRequests, 429, 20429), (Fault::ServerError, 500, 20500)] {
        let desk = Desk::open().await;
        desk.twilio.misbehave(fault, FaultExtent::Next(2));
        for _ in 0..2 {
            let answer = desk.send("Hello").await;
            assert_eq!((answer.status, answer.json["code"].as_u64()), (status, Some(code)));
        }
        assert!(desk.twilio.messages().is_empty());
        assert_eq!(desk.send("Hello").await.status, 201);
        assert_eq!(desk.twilio.creations(), 3);
    }
}

#[tokio::test]
async fn a_500_after_accepting_creates_the_message() {
    let desk = Desk::open().await;
    desk.twilio.misbehave(Fault::ServerErrorAfterAccepting, FaultExtent::All);
    assert_eq!(desk.send("Hello").await.status, 500);
    assert_eq!(desk.settled().await.len(), 1);
}

#[tokio::test]
async fn the_connection_is_cut_before_or_after_accepting() {
    for (fault, taken) in [(Fault::CutBeforeAccepting, 0), (Fault::CutAfterAccepting, 1)] {
        let desk = Desk::open().await;
        desk.twilio.misbehave(fault, FaultExtent::Next(1));
        let error = desk.try_send("Hello", &[]).await.err().expect("no answer");
        assert!(error.is_request() && !error.is_connect() && !error.is_timeout(), "{error:?}");
        assert_eq!(desk.twilio.messages().len(), taken, "{fault:?}");
        assert_eq!(desk.twilio.log()[0].status, None);
        assert_eq!(desk.send("Hello").await.status, 201);
    }
}

#[tokio::test]
async fn a_request_hangs_before_or_after_accepting() {
    for (fault, taken) in [(Fault::HangBeforeAccepting, 0), (Fault::HangAfterAccepting, 1)] {
        let desk = Desk::open().await;
        desk.twilio.misbehave(fault, FaultExtent::Next(1));
        let asked = desk.twilio.wait_for_log(|log| !log.is_empty(), SOON);
        tokio::select! {
            answer = desk.try_send("Hello", &[]) => panic!("an answer: {:?}", answer.map(|a| a.status)),
            log = async {
                asked.await.unwrap();
                if taken == 1 {
                    desk.reaches(MessageStatus::Delivered).await;
                }
                desk.twilio.log()
            } => assert_eq!(log[0].status, None),
        }
        assert_eq!(desk.twilio.messages().len(), taken, "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_comes_late() {
    let desk = Desk::open().await;
    desk.twilio.misbehave(Fault::DelayAnswer { milliseconds: 3_600_000 }, FaultExtent::Next(1));
    tokio::select! {
        answer = desk.try_send("Hello", &[]) => panic!("an answer: {:?}", answer.map(|a| a.status)),
        log = desk.twilio.wait_for_log(|log| !log.is_empty(), SOON) => assert_eq!(log.unwrap()[0].status, None),
    }
    assert!(desk.twilio.messages().is_empty());
    desk.twilio.misbehave(Fault::DelayAnswer { milliseconds: 1 }, FaultExtent::Next(1));
    assert_eq!(desk.send("Hello").await.status, 201);
}

#[tokio::test]
async fn callbacks_arrive_before_the_response() {
    let desk = Desk::open().await;
    let mut us = Receiver::open().await;
    desk.twilio.misbehave(Fault::CallbackBeforeAnswer, FaultExtent::All);
    let callback = us.url("/status");
    let answer = desk.send_with("Hello", &[("StatusCallback", &callback)]).await;
    assert_eq!((answer.status, answer.text("status")), (201, "queued"));
    let before: Vec<_> = std::iter::from_fn(|| us.pending()).map(|hook| hook.get("MessageStatus").to_owned()).collect();
    assert_eq!(before, ["sending", "sent", "delivered"]);
}

#[tokio::test]
async fn callbacks_are_lost_duplicated_and_swapped() {
    let cases = [
        (Fault::LoseCallback, vec!["sent", "delivered"]),
        (Fault::DuplicateCallback, vec!["sending", "sending", "sent", "delivered"]),
        (Fault::ReorderCallback, vec!["sent", "sending", "delivered"]),
        (Fault::DelayCallback { milliseconds: 1 }, vec!["sending", "sent", "delivered"]),
    ];
    for (fault, expected) in cases {
        let desk = Desk::open().await;
        let mut us = Receiver::open().await;
        desk.twilio.misbehave(fault, FaultExtent::Next(1));
        let callback = us.url("/status");
        desk.send_with("Hello", &[("StatusCallback", &callback)]).await;
        assert_eq!(us.statuses(expected.len()).await, expected, "{fault:?}");
    }
}

#[tokio::test]
async fn a_callback_without_a_successor_is_not_lost() {
    let desk = Desk::open().await;
    let mut us = Receiver::open().await;
    desk.twilio.misbehave(Fault::ReorderCallback, FaultExtent::All);
    let callback = us.url("/status");
    desk.send_with("Hello", &[("StatusCallback", &callback)]).await;
    assert_eq!(us.statuses(3).await, ["sent", "sending", "delivered"]);
}

#[tokio::test]
async fn a_bad_answer_to_a_callback_raises_an_alert() {
    let desk = Desk::open().await;
    let mut us = Receiver::open().await;
    us.answers(404, "text/plain", "");
    desk.twilio.misbehave(Fault::CallbackBeforeAnswer, FaultExtent::All);
    let callback = us.url("/status");
    let answer = desk.send_with("Hello", &[("StatusCallback", &callback)]).await;
    assert_eq!(us.statuses(3).await.len(), 3);
    let alerts = desk.twilio.alerts();
    assert_eq!((alerts.len(), alerts[0].error_code), (1, 15003));
    assert_eq!(alerts[0].resource_sid, answer.text("sid"));
}

#[tokio::test]
async fn lists_cannot_be_read() {
    let desk = Desk::open().await;
    desk.twilio.misbehave(Fault::ReadsUnavailable, FaultExtent::All);
    let answer = desk.get(&desk.account("/Messages.json")).await;
    assert_eq!((answer.status, answer.json["code"].as_u64()), (503, Some(20503)));
    assert_eq!(desk.send("Hello").await.status, 201);
    desk.twilio.behave();
    assert_eq!(desk.get(&desk.account("/Messages.json")).await.status, 200);
}

#[tokio::test]
async fn one_list_hangs_and_the_next_one_answers() {
    let desk = Desk::open().await;
    desk.twilio.misbehave(Fault::ReadsHang, FaultExtent::Next(1));
    let list = desk.account("/Messages.json");
    let asked = desk.twilio.wait_for_log(|log| !log.is_empty(), SOON);
    tokio::select! {
        answer = desk.get(&list) => panic!("an answer: {}", answer.status),
        asked = asked => drop(asked.unwrap()),
    }
    assert_eq!(desk.get(&list).await.status, 200);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults() {
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let desk = Desk::with(SimulatorConfig { seed: 7, ..instant() }).await;
        desk.twilio.misbehave(Fault::TooManyRequests, FaultExtent::Percent(50));
        let mut statuses = Vec::new();
        for _ in 0..20 {
            statuses.push(desk.send("Hello").await.status);
        }
        assert!(statuses.contains(&201) && statuses.contains(&429));
        outcomes.push(statuses);
    }
    assert_eq!(outcomes[0], outcomes[1]);
}

#[tokio::test]
async fn an_outage_affects_every_request_until_it_ends() {
    let desk = Desk::open().await;
    control(&desk, "/misbehave", json!({"fault": "outage", "extent": "all"})).await;
    control(&desk, "/misbehave", json!({"fault": {"delay-answer": {"milliseconds": 1}}, "extent": {"next": 2}})).await;
    assert_eq!(desk.send("Hello").await.status, 503);
    assert_eq!(desk.get(&desk.account("/Messages.json")).await.status, 503);
    assert!(desk.twilio.messages().is_empty());
    let (_, in_force) = control_with(&desk, reqwest::Method::GET, "/misbehave", Value::Null).await;
    let delay = json!({"fault": {"delay-answer": {"milliseconds": 1}}, "extent": {"next": 2}});
    assert_eq!(in_force, json!([{"fault": "outage", "extent": "all"}, delay]));
    control(&desk, "/misbehave", json!({"fault": "outage", "extent": {"next": 0}})).await;
    assert_eq!(control_with(&desk, reqwest::Method::GET, "/misbehave", Value::Null).await.1, json!([delay]));
    assert_eq!(desk.send("Hello").await.status, 201);
}
