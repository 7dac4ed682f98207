use telephony_domain::delivery::Status;
use telephony_domain::reconcile::SearchResult;
use telephony_domain::retry::Disposition;
use telephony_store::StoreError;
use telephony_store::outbox::PartState::{Failed, Queued, Ready, Sent};
use telephony_store::outbox::{PartState, Retried};

use crate::contract::world::{ANN, RETRY, World, at, report, send_failure};

impl World {
    async fn fail_for_good(&self, now: i64) {
        let lease = self.start(at(now)).await.lease;
        self.store.part_failed(lease, send_failure(Disposition::GiveUp), 0.0, at(now)).await.unwrap();
    }
}

#[tokio::test]
async fn only_undelivered_parts_are_queued_again_and_only_once() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1", "2", "3"], at(0)).await;
    assert_eq!(world.store.retry_message(message, at(0)).await, Ok(Retried::NotFailed));
    world.hand_over("SM1", at(1)).await;
    world.fail_for_good(2).await;
    assert_eq!(world.store.retry_message(message, at(3)).await, Ok(Retried::Waits(2)));
    assert_eq!(world.states(message).await, [Sent, Ready, Queued]);
    assert_eq!(world.store.retry_message(message, at(4)).await, Ok(Retried::NotFailed));
    world.fail_for_good(5).await;
    assert_eq!(world.states(message).await, [Sent, Failed, PartState::Canceled]);
    assert_eq!(world.store.retry_message(message, at(6)).await, Ok(Retried::Waits(2)));
    world.hand_over("SM2", at(7)).await;
    world.hand_over("SM3", at(7)).await;
    assert_eq!(world.states(message).await, [Sent, Sent, Sent]);
}

#[tokio::test]
async fn a_late_report_on_the_first_attempt_does_not_affect_the_second() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    world.hand_over("SM1", at(1)).await;
    world.store.report("twilio", report("SM1", None, Status::Undelivered), at(2)).await.unwrap();
    assert_eq!(world.store.retry_message(message, at(3)).await, Ok(Retried::Waits(1)));
    world.store.report("twilio", report("SM1", None, Status::Undelivered), at(4)).await.unwrap();
    assert_eq!(world.states(message).await, [Ready]);
    world.hand_over("SM2", at(5)).await;
    let part = world.store.progress(message).await.unwrap().parts.remove(0);
    assert_eq!((part.provider_id.as_deref(), part.status), (Some("SM2"), Some(Status::Queued)));
}

#[tokio::test]
async fn reconciliation_does_not_match_the_failed_attempt() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    for attempt in 1..=2 {
        let id = format!("SM{attempt}");
        world.hand_over(&id, at(attempt)).await;
        world.store.report("twilio", report(&id, None, Status::Undelivered), at(attempt)).await.unwrap();
        assert_eq!(world.store.retry_message(message, at(attempt)).await, Ok(Retried::Waits(1)));
    }
    world.lose(at(5)).await;
    let listed = ["SM1", "SM2", "SM3"].map(str::to_owned).to_vec();
    assert_eq!(world.store.claimed("twilio", listed).await.unwrap(), ["SM1", "SM2"]);
}

#[tokio::test]
async fn opted_out_contacts_and_unknown_outcomes_are_not_retried() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    world.fail_for_good(1).await;
    let doubtful = world.send("b", ANN, &["2"], at(1)).await;
    world.lose(at(2)).await;
    assert_eq!(world.store.retry_message(doubtful, at(3)).await, Ok(Retried::Unknown));
    let lease = world.doubtful(at(3)).await.lease;
    world.store.not_found(lease, SearchResult::Unreachable, at(3)).await.unwrap();
    assert_eq!(world.store.retry_message(doubtful, at(4)).await, Ok(Retried::Unknown));
    world.says(ANN, "STOP", at(5)).await;
    assert_eq!(world.store.retry_message(message, at(6)).await, Err(StoreError::OptedOut));
    let missing = world.store.retry_message(telephony_domain::id::MessageId(99), at(6)).await;
    assert!(matches!(missing, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn a_retried_message_has_a_new_day() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    world.fail_for_good(1).await;
    let later = 3 * 86_400;
    world.store.retry_message(message, at(later)).await.unwrap();
    for attempt in 0..40 {
        let now = at(later + attempt * 600);
        let lease = world.start(now).await.lease;
        world.store.part_failed(lease, send_failure(RETRY), 0.0, now).await.unwrap();
    }
    assert_eq!(world.states(message).await, [Ready]);
}
