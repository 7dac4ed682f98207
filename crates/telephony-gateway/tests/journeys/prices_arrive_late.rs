use std::collections::BTreeMap;
use std::time::Duration;

use telephony_domain::money::Amount;
use telephony_domain::tariff::BillingKind;
use telephony_domain::time::Timestamp;
use twilio_simulator::{Fault, FaultExtent, LogEntry};

use crate::stage::{ALICE, Plan, SOON, Stage};

const MINUTE: Duration = Duration::from_secs(60);

/// Waits until all prices are known and adds them up by kind.
async fn expect_prices(stage: &Stage) -> BTreeMap<BillingKind, Amount> {
    let all_known = async {
        loop {
            let spending = stage.store().spending(Timestamp(0)).await.unwrap();
            if spending.iter().all(|row| row.price.is_some()) {
                return spending;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let spending = tokio::time::timeout(SOON, all_known).await.expect("a price does not come");
    let mut sums = BTreeMap::new();
    for row in spending {
        *sums.entry(row.kind).or_default() += row.price.unwrap().amount;
    }
    sums
}

async fn expect_delivered(stage: &Stage, count: u64) {
    stage.expect_summary(|summary| summary.delivered_today == count).await;
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn lists(stage: &Stage) -> usize {
    let is_list = |entry: &&LogEntry| entry.method == "GET" && entry.target.contains("DateSent");
    stage.twilio.log().iter().filter(is_list).count()
}

#[tokio::test]
async fn prices_are_fetched_after_an_outage() {
    let stage = Plan::default().start().await;
    stage.text(ALICE, "hello").await;
    expect_delivered(&stage, 1).await;
    stage.twilio.misbehave(Fault::ReadsUnavailable, FaultExtent::All);
    stage.clock.advance(3 * MINUTE);
    let is_asked = |log: &[LogEntry]| log.iter().filter(|entry| entry.status == Some(503)).count() >= 2;
    stage.twilio.wait_for_log(is_asked, SOON).await.unwrap();
    stage.twilio.behave();
    stage.clock.advance(15 * MINUTE);
    let prices = expect_prices(&stage).await;
    assert_eq!(
        prices,
        BTreeMap::from([(BillingKind::TextOut, amount("0.0079")), (BillingKind::TextIn, amount("0.0075"))])
    );
    assert_eq!(lists(&stage), 0, "two are asked for one by one");
}

#[tokio::test]
async fn many_prices_are_fetched_with_one_list() {
    let stage = Plan::default().start().await;
    for n in 0..20 {
        stage.text(ALICE, &format!("hello {n}")).await;
    }
    expect_delivered(&stage, 20).await;
    stage.clock.advance(3 * MINUTE);
    let prices = expect_prices(&stage).await;
    assert_eq!(
        prices,
        BTreeMap::from([(BillingKind::TextOut, amount("0.158")), (BillingKind::TextIn, amount("0.15"))])
    );
    assert_eq!(lists(&stage), 1, "forty prices, one question");
}
