//! Twilio rejects the whole account, and the operator fixes it.

use std::time::Duration;

use telephony_domain::limit::Terms;
use telephony_domain::pace::{Pace, Pacing};
use telephony_providers::twilio::CARRIER;
use telephony_store::history::{EntryState, Filter};
use telephony_store::outbox::PartState;
use twilio_simulator::{DeliveryOutcome, Fault, FaultExtent, LogEntry};

use crate::stage::{ALICE, BOB, Plan, SOON, Stage};

const CODES: [u32; 6] = [10001, 10002, 20003, 20005, 20006, 20008];

const TEXTS: usize = 6;

const PROBED: Duration = Duration::from_secs(61);

/// Returns faults that reject all requests, or only sends.
fn faults(code: u32) -> [Fault; 2] {
    [Fault::RefuseAccount { code }, Fault::RefuseSends { code }]
}

async fn wait_until(what: &str, is_so: impl AsyncFn() -> bool) {
    let look = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, look).await.unwrap_or_else(|_| panic!("{what} takes too long"));
}

async fn is_stopped(stage: &Stage) -> bool {
    stage.store().account_stop().await.unwrap().is_some()
}

async fn wait_for_stop(stage: &Stage) {
    wait_until("the stop", async || is_stopped(stage).await).await;
    stage.expect_summary(|summary| summary.sending == 0).await;
}

fn is_probe(entry: &LogEntry) -> bool {
    entry.target.contains("IncomingPhoneNumbers.json?PageSize=1")
}

fn probes(stage: &Stage) -> usize {
    stage.twilio.log().iter().filter(|entry| is_probe(entry) && entry.status.is_some()).count()
}

/// Lets the gateway probe the account this many times, each after the longest wait.
async fn be_probed(stage: &Stage, times: usize) {
    for _ in 0..times {
        let before = probes(stage);
        stage.clock.advance(PROBED);
        wait_until("a probe", async || probes(stage) > before).await;
        stage.expect_summary(|summary| summary.sending == 0).await;
    }
}

async fn notices(stage: &Stage) -> Vec<String> {
    stage.store().notices(stage.now()).await.unwrap().into_iter().map(|notice| notice.name).collect()
}

async fn states(stage: &Stage) -> Vec<(PartState, Option<u32>)> {
    let entries = stage.store().messages(Filter { limit: 1000, ..Filter::default() }).await.unwrap();
    let states = entries.into_iter().filter_map(|entry| match entry.standing {
        EntryState::Out { state, code, .. } => Some((state, code)),
        EntryState::In { .. } => None,
    });
    states.collect()
}

fn texts() -> Vec<String> {
    (0..TEXTS).map(|number| format!("text {number}")).collect()
}

/// Sends the same texts from both phones in turn; the answers leave one after the other.
async fn converse(stage: &Stage) {
    for text in texts() {
        stage.text(ALICE, &text).await;
        stage.text(BOB, &text).await;
    }
}

async fn expect_all(stage: &Stage) {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    stage.expect(ALICE, &texts).await;
    stage.expect(BOB, &texts).await;
    stage.expect_rest().await;
    assert!(states(stage).await.iter().all(|(state, _)| *state == PartState::Sent));
}

/// Waits until sending resumes; moves the clock because the next probe may be a minute away.
async fn go_on(stage: &Stage) {
    stage.clock.advance(PROBED);
    wait_until("the end of the stop", async || !is_stopped(stage).await).await;
    assert!(notices(stage).await.is_empty());
}

fn paced() -> Plan {
    let fast = Pacing::Fixed(Pace::new(50.0).unwrap());
    Plan { terms: Terms::unlimited(fast, &CARRIER), ..Plan::default() }
}

#[tokio::test]
async fn every_account_code_stops_the_lines_without_loss_or_duplicates() {
    for fault in CODES.into_iter().flat_map(faults) {
        let stage = paced().start().await;
        let cured = converse_while_refused(&stage, fault).await;
        stage.twilio.behave();
        go_on(&stage).await;
        expect_all(&stage).await;
        assert!(cured < 2 * TEXTS, "{fault:?} struck before all was sent");
    }
}

/// Returns the number of answers that left before the fault struck.
async fn converse_while_refused(stage: &Stage, fault: Fault) -> usize {
    stage.text(ALICE, "text 0").await;
    stage.twilio.wait_for(|messages| messages.len() > 1, SOON).await.unwrap();
    stage.twilio.misbehave(fault, FaultExtent::All);
    stage.text(BOB, "text 0").await;
    for text in &texts()[1..] {
        stage.text(ALICE, text).await;
        stage.text(BOB, text).await;
    }
    wait_for_stop(stage).await;
    be_probed(stage, 3).await;
    assert_eq!(notices(stage).await, ["account-stopped"], "{fault:?}");
    assert!(states(stage).await.iter().all(|(state, _)| *state != PartState::Failed), "{fault:?}");
    stage.twilio.messages().iter().filter(|message| message.is_outbound()).count()
}

#[tokio::test]
async fn rejected_sends_are_retried_without_a_second_notice() {
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::RefuseSends { code: 20006 }, FaultExtent::All);
    converse(&stage).await;
    wait_for_stop(&stage).await;
    for _ in 0..40 {
        let before = stage.twilio.creations();
        stage.clock.advance(PROBED);
        wait_until("a part that is tried", async || stage.twilio.creations() > before).await;
        stage.expect_summary(|summary| summary.sending == 0).await;
    }
    assert_eq!(notices(&stage).await, ["account-stopped"]);
    stage.twilio.behave();
    go_on(&stage).await;
    expect_all(&stage).await;
}

#[tokio::test]
async fn a_key_that_may_send_but_not_read_sends() {
    for code in [20003, 20006] {
        let stage = Plan::default().start().await;
        stage.twilio.misbehave(Fault::RefuseAccount { code }, FaultExtent::All);
        stage.text(ALICE, "hello").await;
        wait_for_stop(&stage).await;
        stage.twilio.behave();
        stage.twilio.misbehave(Fault::RefuseReads { code }, FaultExtent::All);
        wait_until("the answer", async || {
            stage.clock.advance(PROBED);
            !is_stopped(&stage).await
        })
        .await;
        stage.expect(ALICE, &["hello"]).await;
    }
}

#[tokio::test]
async fn a_restart_probes_at_once() {
    let mut stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::RefuseAccount { code: 20003 }, FaultExtent::All);
    converse(&stage).await;
    wait_for_stop(&stage).await;
    be_probed(&stage, 6).await;
    stage.stop_gateway().await;
    stage.twilio.behave();
    stage.start_gateway().await;
    expect_all(&stage).await;
    assert!(!is_stopped(&stage).await);
}

#[tokio::test]
async fn a_stop_with_an_empty_queue_ends() {
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::RefuseAccount { code: 20005 }, FaultExtent::All);
    stage.text(ALICE, "hello").await;
    wait_for_stop(&stage).await;
    stage.text(ALICE, "STOP").await;
    be_probed(&stage, 1).await;
    assert!(is_stopped(&stage).await);
    stage.twilio.behave();
    go_on(&stage).await;
    assert!(stage.bodies(ALICE).iter().all(|body| body != "hello"));
}

#[tokio::test]
async fn waiting_parts_fail_after_a_day_with_one_notice() {
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::RefuseAccount { code: 20005 }, FaultExtent::All);
    converse(&stage).await;
    wait_for_stop(&stage).await;
    // Answers created after that day get a day of their own.
    stage.expect_summary(|summary| summary.waiting + summary.answering == 0).await;
    stage.clock.advance(Duration::from_secs(23 * 60 * 60));
    be_probed(&stage, 31).await;
    assert!(states(&stage).await.iter().all(|(state, _)| *state != PartState::Failed), "it is kept for a day");
    stage.clock.advance(Duration::from_secs(60 * 60));
    // A part in flight at that moment fails at a later probe. Steps are short because past notices end after a day.
    let waits = async || {
        let summary = stage.store().summary(stage.now()).await.unwrap();
        summary.queued + summary.sending > 0
    };
    for _ in 0..60 {
        if !waits().await {
            break;
        }
        be_probed(&stage, 1).await;
    }
    assert!(!waits().await, "all of it fails within an hour");
    let states = states(&stage).await;
    assert!(states.iter().all(|state| *state == (PartState::Failed, Some(20005))), "{states:?}");
    assert_eq!(notices(&stage).await, ["account-stopped", "given-up"]);
}

#[tokio::test]
async fn a_clock_set_ahead_by_days_fails_nothing() {
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::RefuseAccount { code: 10001 }, FaultExtent::All);
    converse(&stage).await;
    wait_for_stop(&stage).await;
    stage.clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
    be_probed(&stage, 2).await;
    stage.twilio.behave();
    go_on(&stage).await;
    expect_all(&stage).await;
}

/// Starts a gateway with a part in doubt, and has Twilio reject the search for it.
async fn in_doubt(code: u32) -> Stage {
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::CutAfterAccepting, FaultExtent::Next(1));
    stage.twilio.misbehave(Fault::LoseCallback, FaultExtent::All);
    stage.twilio.misbehave(Fault::RefuseReads { code }, FaultExtent::All);
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.unknown == 1).await;
    stage
}

#[tokio::test]
async fn a_part_in_doubt_waits_while_the_account_is_rejected() {
    let stage = in_doubt(20003).await;
    for _ in 0..4 {
        stage.clock.advance(Duration::from_secs(5 * 60));
        let looks = stage.twilio.log().len();
        wait_until("a look", async || stage.twilio.log().len() > looks).await;
    }
    assert_eq!(stage.expect_summary(|_| true).await.unknown, 1);
    stage.twilio.behave();
    stage.clock.advance(PROBED);
    stage.expect(ALICE, &["hello"]).await;
    assert_eq!(stage.twilio.creations(), 1);
}

#[tokio::test]
async fn a_part_in_doubt_stays_unknown_if_the_key_cannot_read_the_list() {
    let stage = in_doubt(20006).await;
    wait_until("the end of the doubt", async || {
        stage.clock.advance(PROBED);
        stage.store().summary(stage.now()).await.unwrap().unknown == 0
    })
    .await;
    stage.text(ALICE, "again").await;
    stage.expect(ALICE, &["hello", "again"]).await;
    assert_eq!(stage.twilio.creations(), 2, "nothing is sent twice");
}

#[tokio::test]
async fn parts_that_fail_after_acceptance_raise_one_notice() {
    for code in [30002, 30034] {
        let stage = Plan::default().start().await;
        for phone in [ALICE, BOB] {
            stage.twilio.set_outcome(phone, DeliveryOutcome::Undelivered(code));
        }
        converse(&stage).await;
        stage.expect_rest().await;
        wait_until("the notice", async || !notices(&stage).await.is_empty()).await;
        assert_eq!(notices(&stage).await, [format!("undelivered-{code}")]);
        assert!(!is_stopped(&stage).await);
    }
}
