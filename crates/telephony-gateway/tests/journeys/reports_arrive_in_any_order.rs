use telephony_domain::delivery::Status;
use telephony_store::history::{EntryState, Filter};
use twilio_simulator::{DeliveryOutcome, Fault, FaultExtent};

use crate::stage::{ALICE, Plan, SOON, Stage};

async fn expect_status(stage: &Stage, expected: Status, code: Option<u32>) {
    let is_there = async {
        loop {
            let entries = stage.store().messages(Filter { limit: 10, ..Filter::default() }).await.unwrap();
            let found = entries.iter().find_map(|entry| match entry.standing {
                EntryState::Out { status, code, .. } => Some((status, code)),
                EntryState::In { .. } => None,
            });
            if found == Some((Some(expected), code)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, is_there).await.expect("the status does not come");
}

#[tokio::test]
async fn a_report_arrives_before_the_response() {
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::CallbackBeforeAnswer, FaultExtent::All);
    stage.text(ALICE, "hello").await;
    expect_status(&stage, Status::Delivered, None).await;
    assert_eq!(stage.twilio.creations(), 1);
}

#[tokio::test]
async fn reports_arrive_out_of_order_and_twice() {
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::ReorderCallback, FaultExtent::All);
    stage.twilio.misbehave(Fault::DuplicateCallback, FaultExtent::All);
    stage.text(ALICE, "hello").await;
    expect_status(&stage, Status::Delivered, None).await;
}

#[tokio::test]
async fn a_report_of_a_failure_stores_its_code() {
    let stage = Plan::default().start().await;
    stage.twilio.set_outcome(ALICE, DeliveryOutcome::Undelivered(30003));
    stage.text(ALICE, "hello").await;
    expect_status(&stage, Status::Undelivered, Some(30003)).await;
}

#[tokio::test]
async fn without_a_public_url_the_status_is_polled() {
    let stage = Plan { has_public_url: false, ..Plan::default() }.start().await;
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.sent_today == 1).await;
    stage.clock.advance(std::time::Duration::from_secs(120));
    expect_status(&stage, Status::Delivered, None).await;
}

#[tokio::test]
async fn lost_reports_are_replaced_by_polling() {
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::LoseCallback, FaultExtent::All);
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.sent_today == 1).await;
    stage.clock.advance(std::time::Duration::from_secs(120));
    expect_status(&stage, Status::Delivered, None).await;
}
