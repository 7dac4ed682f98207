use telephony_domain::delivery::Status;
use telephony_domain::notice::name;
use telephony_domain::pace::Pacing;
use telephony_domain::retry::{Disposition, PartFate};
use telephony_store::Next;
use telephony_store::account_stops::ProbeOutcome;
use telephony_store::outbox::PartState::{Failed, Ready, Sent};

use crate::contract::world::{ANN, BOB, RETRY, World, at, receipt, send_failure};

const HELD: Disposition = Disposition::AwaitOperator;

fn refused() -> ProbeOutcome {
    ProbeOutcome::Refused { code: Some(20003), reason: "wrong token".to_owned() }
}

impl World {
    async fn fail(&self, why: Disposition, now: i64) -> PartFate {
        let lease = self.start(at(now)).await.lease;
        self.store.part_failed(lease, send_failure(why), 0.0, at(now)).await.unwrap()
    }

    async fn probe(&self, outcome: ProbeOutcome, now: i64) {
        assert!(matches!(self.store.begin_probe(at(now)).await.unwrap(), Next::Taken(())), "at {now}");
        self.store.end_probe(outcome, at(now)).await.unwrap();
    }

    async fn is_stopped(&self) -> bool {
        self.store.account_stop().await.unwrap().is_some()
    }
}

#[tokio::test]
async fn a_stop_holds_every_line_until_a_part_is_accepted_after_a_probe() {
    let world = World::new().await;
    let first = world.send("a", ANN, &["1"], at(0)).await;
    world.send("b", BOB, &["2"], at(1)).await;
    assert_eq!(world.fail(HELD, 5).await, PartFate::Held);
    assert_eq!(world.states(first).await, [Ready]);
    assert_eq!(world.parts_idle(at(6)).await, None);
    assert_eq!(world.notices(at(6)).await, [name::ACCOUNT_STOPPED]);
    world.probe(refused(), 7).await;
    assert_eq!(world.parts_idle(at(8)).await, None);
    world.probe(ProbeOutcome::NoAnswer, 11).await;
    assert_eq!(world.parts_idle(at(11)).await, None);
    world.probe(ProbeOutcome::Served, 19).await;
    let part = world.start(at(19)).await;
    assert_eq!(part.text, "2", "another conversation is tried first");
    assert_eq!(world.parts_idle(at(19)).await, None, "one at a time");
    world.store.part_failed(part.lease, send_failure(HELD), 0.0, at(20)).await.unwrap();
    assert_eq!(world.parts_idle(at(20)).await, None);
    world.probe(ProbeOutcome::Served, 40).await;
    assert!(world.is_stopped().await);
    world.hand_over("SM1", at(40)).await;
    assert_eq!((world.states(first).await, world.is_stopped().await), (vec![Sent], false));
    assert!(world.notices(at(40)).await.is_empty());
    assert_eq!(world.start(at(40)).await.text, "2");
}

#[tokio::test]
async fn probes_become_rare_and_a_restart_makes_one_due() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    world.fail(HELD, 0).await;
    let mut now = 0;
    for wait in [2, 4, 8, 16, 32, 60, 60] {
        let idle = world.store.begin_probe(at(now + wait - 1)).await.unwrap();
        assert!(matches!(idle, Next::Idle(Some(due)) if due == at(now + wait)), "{idle:?}");
        now += wait;
        world.probe(refused(), now).await;
    }
    world.store.probe_soon(at(now + 1)).await.unwrap();
    world.probe(refused(), now + 1).await;
}

#[tokio::test]
async fn a_rejection_of_one_message_ends_the_stop() {
    for (why, is_stopped) in [(Disposition::GiveUp, false), (RETRY, true), (Disposition::Unknown, true)] {
        let world = World::new().await;
        world.send("a", ANN, &["1"], at(0)).await;
        world.fail(HELD, 0).await;
        world.probe(ProbeOutcome::Served, 2).await;
        world.fail(why, 2).await;
        assert_eq!(world.is_stopped().await, is_stopped, "{why:?}");
    }
}

#[tokio::test]
async fn an_answer_to_an_earlier_part_does_not_end_the_stop() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    world.send("b", BOB, &["2"], at(0)).await;
    let early = world.start(at(0)).await;
    world.fail(HELD, 0).await;
    let receipt = receipt("SM1", Status::Queued);
    world.store.part_sent(early.lease, receipt, at(1)).await.unwrap();
    assert!(world.is_stopped().await);
}

#[tokio::test]
async fn a_part_fails_after_its_own_day_despite_an_older_stop() {
    const DAY: i64 = 86_400;
    let world = World::new().await;
    let old = world.send("a", ANN, &["1", "2"], at(0)).await;
    world.fail(HELD, 0).await;
    for probe in 1..40 {
        world.probe(refused(), 61 * probe).await;
    }
    let young = world.send("b", BOB, &["3"], at(60_000)).await;
    world.probe(refused(), DAY - 1).await;
    assert_eq!(world.states(old).await[0], Ready);
    world.probe(refused(), DAY + 60).await;
    assert_eq!((world.states(old).await[0], world.states(young).await[0]), (Failed, Ready));
    assert_eq!(world.notices(at(DAY + 60)).await, [name::ACCOUNT_STOPPED, "given-up"]);
    assert!(matches!(world.next_part(Pacing::Unlimited, at(DAY + 60)).await, Next::Idle(_)));
}

#[tokio::test]
async fn a_part_fails_after_a_day_if_only_sends_are_rejected() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    world.fail(HELD, 0).await;
    for hour in 1..30 {
        world.probe(ProbeOutcome::Served, hour * 3600).await;
        world.fail(HELD, hour * 3600).await;
        assert_eq!(world.states(message).await, [Ready], "after {hour} h");
    }
    world.probe(ProbeOutcome::Served, 30 * 3600).await;
    world.fail(HELD, 30 * 3600).await;
    assert_eq!(world.states(message).await, [Failed]);
    assert!(world.notices(at(30 * 3600)).await.contains(&"given-up".to_owned()));
}

#[tokio::test]
async fn each_rejected_part_delays_others_by_one_probe() {
    let world = World::new().await;
    let held = [("a", ANN, "1"), ("b", BOB, "2")];
    for (key, to, text) in held {
        world.send(key, to, &[text], at(0)).await;
    }
    let good = world.send("c", "+15550001111", &["3"], at(0)).await;
    world.fail(HELD, 0).await;
    world.probe(ProbeOutcome::Served, 2).await;
    let second = world.start(at(2)).await;
    assert_eq!(second.text, "2");
    world.store.part_failed(second.lease, send_failure(HELD), 0.0, at(2)).await.unwrap();
    world.probe(ProbeOutcome::Served, 10).await;
    world.hand_over("SM3", at(10)).await;
    assert_eq!((world.states(good).await, world.is_stopped().await), (vec![Sent], false));
}

#[tokio::test]
async fn a_single_rejected_part_stops_the_lines_once_and_fails_after_a_day() {
    let world = World::new().await;
    let alone = world.send("a", ANN, &["1"], at(0)).await;
    world.send("b", BOB, &["2"], at(0)).await;
    world.fail(HELD, 0).await;
    world.probe(ProbeOutcome::Served, 2).await;
    world.hand_over("SM2", at(2)).await;
    for attempt in 1..40 {
        let fate = world.fail(HELD, attempt * 600).await;
        assert!(matches!(fate, PartFate::RetryAt(_)), "{fate:?}");
        assert!(!world.is_stopped().await && world.notices(at(attempt * 600)).await.is_empty());
    }
    assert_eq!(world.fail(HELD, 86_400).await, PartFate::Failed);
    assert_eq!(world.states(alone).await, [Failed]);
    world.send("c", ANN, &["3"], at(90_000)).await;
    assert_eq!(world.fail(HELD, 90_000).await, PartFate::Held, "the next message may meet a real stop");
}
