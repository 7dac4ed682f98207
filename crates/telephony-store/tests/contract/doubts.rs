//! Parts in doubt: they may or may not have been sent.

use telephony_domain::delivery::Status;
use telephony_domain::reconcile::{DoubtStep as Then, SearchResult};
use telephony_domain::retry::{Disposition, PartFate};
use telephony_store::outbox::{ATTEMPT_LEASE, PartState, SendFailure};
use telephony_store::{LeaseHolder, Next, StoreError};

use super::world::{ANN, World, at, number, receipt, report, send_failure, sender, terms};

#[tokio::test]
async fn a_part_missing_from_the_list_is_resent() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1", "2"], at(0)).await;
    let part = world.lose(at(0)).await;
    assert_eq!(world.states(message).await, [PartState::Unknown, PartState::Queued]);
    assert_eq!(world.parts_idle(at(5)).await, None, "nothing is sent again blindly, and nothing overtakes it");
    let doubt = world.doubtful(at(1)).await;
    assert_eq!((doubt.lease, doubt.text.as_str(), doubt.attempted), (part.lease, "1", at(0)));
    assert_eq!((doubt.to, doubt.from), (number(ANN), vec![super::world::LINE.to_owned()]));
    let look = async |now| world.store.not_found(part.lease, SearchResult::Absent, at(now)).await.unwrap();
    assert_eq!(look(2).await, Then::LookAgainAt(at(15)));
    assert!(
        matches!(world.store.doubtful_part("twilio", at(3)).await.unwrap(), Next::Idle(Some(due)) if due == at(15))
    );
    world.doubtful(at(15)).await;
    assert_eq!(look(16).await, Then::SendAgain);
    let again = world.start(at(16)).await;
    assert_eq!((again.lease.part, again.lease.attempt), (part.lease.part, 2));
    assert_eq!(again.correlation_id, part.correlation_id);
    let late = world.store.not_found(part.lease, SearchResult::Absent, at(17)).await;
    assert_eq!(late, Err(StoreError::LeaseLost));
}

#[tokio::test]
async fn a_part_lost_twice_stays_unknown_and_the_next_is_sent() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1", "2"], at(0)).await;
    for attempt in 1..=2 {
        let start = i64::from(attempt) * 100;
        let lease = world.lose(at(start)).await.lease;
        world.store.not_found(lease, SearchResult::Absent, at(start + 1)).await.unwrap();
        let then = world.store.not_found(lease, SearchResult::Absent, at(start + 30)).await.unwrap();
        assert_eq!(then, if attempt == 1 { Then::SendAgain } else { Then::FinallyUnknown });
    }
    assert_eq!(world.states(message).await, [PartState::FinallyUnknown, PartState::Ready]);
    assert_eq!(world.start(at(300)).await.text, "2");
}

#[tokio::test]
async fn a_part_is_resent_for_minutes_and_late_attempts_are_recognized() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    let refused = SendFailure { was_answered: true, ..send_failure(Disposition::Unknown) };
    let mut start = 0;
    for wait in [15, 30, 60, 120, 240, 240] {
        let lease = world.start(at(start)).await.lease;
        world.store.part_failed(lease, refused.clone(), 0.0, at(start)).await.unwrap();
        assert_eq!(world.doubtful(at(start)).await.attempted, at(0), "any of them may turn up");
        world.store.not_found(lease, SearchResult::Absent, at(start)).await.unwrap();
        let early = world.store.not_found(lease, SearchResult::Absent, at(start + wait - 1)).await.unwrap();
        assert_eq!(early, Then::LookAgainAt(at(start + wait)));
        let then = world.store.not_found(lease, SearchResult::Absent, at(start + wait)).await.unwrap();
        assert_eq!(then, Then::SendAgain, "after {wait} s");
        start += wait;
    }
    world.hand_over("SM1", at(start)).await;
    // After a request that may still be running there is one more attempt, whatever came before.
    world.send("b", ANN, &["2"], at(start)).await;
    let story =
        [(true, Then::SendAgain), (false, Then::SendAgain), (true, Then::SendAgain), (false, Then::FinallyUnknown)];
    for (start, (was_answered, expected)) in (1000..).step_by(200).zip(story) {
        let lease = world.start(at(start)).await.lease;
        let failure = SendFailure { was_answered, ..refused.clone() };
        world.store.part_failed(lease, failure, 0.0, at(start)).await.unwrap();
        world.store.not_found(lease, SearchResult::Absent, at(start)).await.unwrap();
        assert_eq!(world.store.not_found(lease, SearchResult::Absent, at(start + 150)).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_late_first_answer_after_a_resend_counts() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    let first_part = world.lose(at(0)).await;
    let first = first_part.lease;
    world.store.not_found(first, SearchResult::Absent, at(1)).await.unwrap();
    world.store.not_found(first, SearchResult::Absent, at(20)).await.unwrap();
    let second = world.start(at(20)).await.lease;
    world.store.part_sent(first, receipt("SM1", Status::Queued), at(21)).await.unwrap();
    world.store.part_sent(second, receipt("SM2", Status::Queued), at(22)).await.unwrap();
    let progress = world.store.progress(message).await.unwrap();
    assert_eq!(progress.parts[0].provider_id.as_deref(), Some("SM1"));
    assert_eq!(world.parts_idle(at(1000)).await, None);
    let name = Some(first_part.correlation_id.as_str());
    world.store.report("twilio", report("SM3", name, Status::Sent), at(23)).await.unwrap();
    let listed = ["SM1", "SM2", "SM3", "SM4"].map(str::to_owned).to_vec();
    let claimed = world.store.claimed("twilio", listed).await.unwrap();
    assert_eq!(claimed, ["SM1", "SM2", "SM3"], "the same words later are none of these");
}

#[tokio::test]
async fn an_unreachable_list_keeps_the_doubt() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    let lease = world.lose(at(0)).await.lease;
    for now in [20, 40, 4_000, 40_000] {
        let then = world.store.not_found(lease, SearchResult::Unreachable, at(now)).await.unwrap();
        assert!(matches!(then, Then::LookAgainAt(due) if due > at(now)), "{then:?}");
    }
}

#[tokio::test]
async fn a_single_denial_after_an_outage_is_retried() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    let lease = world.lose(at(0)).await.lease;
    let look = async |finding, now| world.store.not_found(lease, finding, at(now)).await.unwrap();
    for denied in [4_000, 4_599, 5_000] {
        assert!(matches!(look(SearchResult::Denied, denied).await, Then::LookAgainAt(_)), "after {denied} s");
        if denied == 4_599 {
            look(SearchResult::Unreachable, 4_600).await;
        }
    }
    assert!(matches!(look(SearchResult::Denied, 5_599).await, Then::LookAgainAt(_)));
    assert_eq!(look(SearchResult::Denied, 5_600).await, Then::FinallyUnknown, "ten minutes without another word");
    assert_eq!(world.states(message).await, [PartState::FinallyUnknown]);
}

#[tokio::test]
async fn an_attempt_is_looked_for_since_it_began_by_the_providers_clock() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    let (terms, ours) = (terms(telephony_domain::pace::Pacing::Unlimited), at(3600));
    let started = world.store.start_parts(&super::world::gateway(), terms, None, 1, Some(at(5)), ours).await.unwrap();
    let Next::Taken(parts) = started else { panic!("nothing is due") };
    world.store.part_failed(parts[0].lease, send_failure(Disposition::Unknown), 0.0, ours).await.unwrap();
    assert_eq!(world.doubtful(ours).await.attempted, at(5), "our clock is an hour ahead");
}

#[tokio::test]
async fn a_match_must_not_be_another_part_with_the_same_text() {
    let world = World::new().await;
    world.send("a", ANN, &["same"], at(0)).await;
    world.hand_over("SM1", at(0)).await;
    let other = world.store.claim_line("twilio", sender("+15550003333"), at(0)).await.unwrap();
    world.store.enqueue(other, super::world::draft("b", ANN, &["same"]), at(0)).await.unwrap();
    world.hand_over("SM2", at(1)).await;
    world.send("c", super::world::BOB, &["same"], at(0)).await;
    world.hand_over("SM3", at(1)).await;
    world.send("d", ANN, &["same"], at(1)).await;
    world.lose(at(2)).await;
    let listed = ["SM0", "SM1", "SM2", "SM3", "SM4"].map(str::to_owned).to_vec();
    let claimed = world.store.claimed("twilio", listed).await.unwrap();
    assert_eq!(claimed, ["SM1", "SM2", "SM3"], "whenever, to whom and on which line it was sent");
}

#[tokio::test]
async fn a_part_of_a_dead_process_is_in_doubt() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    let part = world.start(at(0)).await;
    let soon = at(0) + ATTEMPT_LEASE;
    assert_eq!(world.doubt_overdue(soon - super::world::seconds(1)).await, 0);
    assert_eq!(world.doubt_overdue(soon).await, 1);
    assert_eq!(world.states(message).await, [PartState::Unknown]);
    assert_eq!(world.doubtful(soon).await.attempted, at(0));
    let last_word = send_failure(Disposition::GiveUp);
    let fate = world.store.part_failed(part.lease, last_word, 0.0, soon).await.unwrap();
    assert_eq!(fate, PartFate::Failed, "it lived after all, and knows better");
}

#[tokio::test]
async fn an_attempt_that_ended_meanwhile_is_not_doubted() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1", "2"], at(0)).await;
    let first = world.start(at(0)).await.lease;
    world.store.part_failed(first, send_failure(Disposition::Retry { after: None }), 0.0, at(1)).await.unwrap();
    assert_eq!(world.store.doubt_attempts(vec![first], at(1)).await.unwrap(), 0, "it waits for another attempt");
    let second = world.start(at(600)).await.lease;
    assert_eq!(world.store.doubt_attempts(vec![first], at(600)).await.unwrap(), 0, "another attempt is in flight");
    assert_eq!(world.states(message).await, [PartState::Starting, PartState::Queued]);
    assert_eq!(world.store.doubt_attempts(vec![first, second], at(601)).await.unwrap(), 1);
    assert_eq!(world.store.doubt_attempts(vec![second], at(602)).await.unwrap(), 0, "it is in doubt already");
    world.store.part_sent(second, receipt("SM1", Status::Sent), at(603)).await.unwrap();
    assert_eq!(world.store.doubt_attempts(vec![second], at(604)).await.unwrap(), 0, "it is sent");
    assert_eq!(world.states(message).await, [PartState::Sent, PartState::Ready]);
}

#[tokio::test]
async fn an_attempt_that_began_after_the_clock_was_read_is_not_overdue() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    world.start(at(1)).await;
    assert_eq!(world.doubt_overdue(at(0)).await, 0, "the caller read the clock, and waited for the store");
    assert_eq!(world.doubt_overdue(at(-60)).await, 1, "the clock was set back");
}

#[tokio::test]
async fn a_request_that_ends_after_the_doubt_restarts_it() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    let lease = world.start(at(0)).await.lease;
    assert_eq!(world.doubt_overdue(at(60)).await, 1);
    world.store.not_found(lease, SearchResult::Absent, at(60)).await.unwrap();
    let failure = SendFailure { was_answered: true, ..send_failure(Disposition::Unknown) };
    assert_eq!(world.store.part_failed(lease, failure, 0.0, at(70)).await.unwrap(), PartFate::Unknown);
    let look = async |now| world.store.not_found(lease, SearchResult::Absent, at(now)).await.unwrap();
    assert_eq!(
        look(75).await,
        Then::LookAgainAt(at(85)),
        "15 s after the request was over, and not after it was doubted"
    );
    assert_eq!(look(85).await, Then::SendAgain);
}

#[tokio::test]
async fn a_new_gateway_doubts_parts_of_the_dead_one_but_not_of_commands() {
    let world = World::new().await;
    let dead = world.send("a", ANN, &["1"], at(0)).await;
    let alive = world.send("b", super::world::BOB, &["2"], at(0)).await;
    world.start(at(0)).await;
    let command = LeaseHolder("cli-7".to_owned());
    let only = telephony_domain::pace::Pacing::Unlimited;
    assert!(matches!(world.next_part_of(alive, &command, only, at(0)).await, Next::Taken(_)));
    let next = LeaseHolder("gateway-2".to_owned());
    let jumped = at(3600);
    assert_eq!(world.store.take_over_attempts(&next, jumped).await.unwrap(), 1, "however old the others seem");
    assert_eq!(world.states(dead).await, [PartState::Unknown]);
    assert_eq!(world.states(alive).await, [PartState::Starting]);
}

#[tokio::test]
async fn a_new_gateway_resumes_reconciliation_at_once() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    let lease = world.lose(at(0)).await.lease;
    world.doubtful(at(1)).await;
    let due = at(1) + ATTEMPT_LEASE;
    assert!(matches!(world.store.doubtful_part("twilio", at(2)).await.unwrap(), Next::Idle(Some(then)) if then == due));
    let next = LeaseHolder("gateway-2".to_owned());
    assert_eq!(world.store.take_over_attempts(&next, at(2)).await.unwrap(), 0);
    assert_eq!(world.doubtful(at(2)).await.lease, lease);
    let then = world.store.not_found(lease, SearchResult::Absent, at(3)).await.unwrap();
    assert_eq!(then, Then::LookAgainAt(at(15)), "it is not sent again any sooner");
}
