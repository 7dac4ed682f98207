//! Status reports arrive before the response, late, twice, in any order, and about unknown messages.

use telephony_domain::delivery::{Advance, Receipt, Status, StatusReport};
use telephony_domain::retry::Disposition;
use telephony_store::outbox::{PartState, Reported};
use telephony_store::{Next, StoreError};

use super::world::{ANN, World, at, draft, receipt, report, seconds, send_failure};

async fn status(world: &World, message: telephony_domain::id::MessageId) -> Option<Status> {
    world.store.progress(message).await.unwrap().parts[0].status
}

#[tokio::test]
async fn reports_never_move_a_part_backwards() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(1)).await;
    let part = world.hand_over("SM1", at(1)).await.lease.part;
    let story = [
        (Status::Sent, Advance::Forward),
        (Status::Sent, Advance::Stale),
        (Status::Queued, Advance::Stale),
        (Status::Delivered, Advance::Forward),
        (Status::Sent, Advance::Stale),
        (Status::Undelivered, Advance::Conflict),
        (Status::Read, Advance::Forward),
    ];
    for (i, (news, change)) in (2..).zip(story) {
        let reported = world.store.report("twilio", report("SM1", None, news), at(i)).await.unwrap();
        assert_eq!(reported, Reported::Known(part, change), "{news:?}");
    }
    let part = world.store.progress(message).await.unwrap().parts.remove(0);
    assert_eq!((part.status, part.conflict), (Some(Status::Read), Some(Status::Undelivered)));
}

#[tokio::test]
async fn a_report_arrives_before_the_response() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1", "2"], at(1)).await;
    let part = world.start(at(1)).await;
    let early = report("SM1", Some(&part.correlation_id), Status::Sent);
    let reported = world.store.report("twilio", early, at(2)).await.unwrap();
    assert_eq!(reported, Reported::Known(part.lease.part, Advance::Forward));
    assert_eq!(world.states(message).await, [PartState::Sent, PartState::Ready], "the next part need not wait");
    world.store.part_sent(part.lease, receipt("SM1", Status::Queued), at(3)).await.unwrap();
    world.store.part_sent(part.lease, receipt("SM1", Status::Queued), at(3)).await.unwrap();
    assert_eq!(status(&world, message).await, Some(Status::Sent));
    let failed = world.store.part_failed(part.lease, send_failure(Disposition::Unknown), 0.0, at(3)).await;
    assert_eq!(failed, Err(StoreError::LeaseLost), "the provider has it");
}

#[tokio::test]
async fn a_report_resolves_a_doubt() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(1)).await;
    let part = world.lose(at(1)).await;
    let doubt = world.doubtful(at(1)).await;
    world.store.report("twilio", report("SM1", Some(&part.correlation_id), Status::Delivered), at(2)).await.unwrap();
    assert_eq!(world.states(message).await, [PartState::Sent]);
    let finding = telephony_domain::reconcile::SearchResult::Absent;
    assert_eq!(world.store.not_found(doubt.lease, finding, at(20)).await, Err(StoreError::LeaseLost));
    assert!(matches!(world.store.doubtful_part("twilio", at(1000)).await.unwrap(), Next::Idle(None)));
    world.store.part_sent(doubt.lease, receipt("SM1", Status::Sent), at(21)).await.unwrap();
    assert_eq!(status(&world, message).await, Some(Status::Delivered));
}

#[tokio::test]
async fn a_response_after_the_timeout_counts() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(1)).await;
    let part = world.lose(at(1)).await;
    world.store.part_sent(part.lease, receipt("SM1", Status::Queued), at(5)).await.unwrap();
    assert_eq!(world.states(message).await, [PartState::Sent]);
}

#[tokio::test]
async fn a_message_that_is_not_ours_is_foreign() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(1)).await;
    let part = world.hand_over("SM1", at(1)).await;
    for foreign in [
        report("SM9", None, Status::Delivered),
        report("SM9", Some("0123"), Status::Delivered),
        report("SM9", Some(&part.correlation_id), Status::Delivered),
    ] {
        assert_eq!(world.store.report("twilio", foreign, at(2)).await.unwrap(), Reported::Foreign);
    }
    let known = world.store.report("twilio", report("SM1", Some("0123"), Status::Sent), at(3)).await.unwrap();
    assert_eq!(known, Reported::Known(part.lease.part, Advance::Forward));
}

#[tokio::test]
async fn one_provider_id_never_belongs_to_two_parts() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["same", "same"], at(1)).await;
    world.hand_over("SM1", at(1)).await;
    let twin = world.lose(at(2)).await;
    assert!(world.store.part_sent(twin.lease, receipt("SM1", Status::Sent), at(3)).await.is_err());
    assert_eq!(world.states(message).await, [PartState::Sent, PartState::Unknown]);
}

#[tokio::test]
async fn a_failure_is_stored_with_its_code_and_billed_segments() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(1)).await;
    let part = world.start(at(1)).await;
    let billed = Receipt { segments: Some(0), ..receipt("SM1", Status::Accepted) };
    world.store.part_sent(part.lease, billed, at(1)).await.unwrap();
    assert_eq!(world.store.progress(message).await.unwrap().parts[0].segments, 1, "not counted yet");
    let bad = StatusReport { error_code: Some(30_003), segments: Some(2), ..report("SM1", None, Status::Undelivered) };
    world.store.report("twilio", bad, at(2)).await.unwrap();
    let progress = world.store.progress(message).await.unwrap();
    assert_eq!((progress.parts[0].code, progress.parts[0].segments), (Some(30_003), 2));
    assert_eq!(progress.parts[0].provider_id.as_deref(), Some("SM1"));
    let summary = world.store.summary(at(3)).await.unwrap();
    assert_eq!((summary.failed_today, summary.sent_today, summary.delivered_today), (1, 1, 0));
}

#[tokio::test]
async fn a_report_says_that_the_contact_had_opted_out() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(1)).await;
    world.hand_over("SM1", at(1)).await;
    let refused = StatusReport { error_code: Some(21_610), is_opt_out: true, ..report("SM1", None, Status::Failed) };
    world.store.report("twilio", refused, at(2)).await.unwrap();
    let opted_out = world.store.opt_outs().await.unwrap();
    assert_eq!((opted_out.len(), opted_out[0].at), (1, at(1)), "they had when it was sent");
    let next = world.store.enqueue(world.line, draft("b", ANN, &["2"]), at(3)).await;
    assert_eq!(next.unwrap_err(), StoreError::OptedOut);
}

#[tokio::test]
async fn a_late_report_of_an_opt_out_does_not_undo_an_opt_in() {
    for says in [["STOP", "START"].as_slice(), &["START"]] {
        let world = World::new().await;
        world.send("a", ANN, &["1"], at(1)).await;
        world.hand_over("SM1", at(1)).await;
        for word in says {
            world.says(ANN, word, at(200)).await;
        }
        let refused =
            StatusReport { error_code: Some(21_610), is_opt_out: true, ..report("SM1", None, Status::Failed) };
        world.store.report("twilio", refused, at(300)).await.unwrap();
        assert!(world.store.opt_outs().await.unwrap().is_empty(), "{says:?}");
        assert!(world.store.enqueue(world.line, draft("b", ANN, &["2"]), at(301)).await.unwrap().is_new);
    }
}

#[tokio::test]
async fn parts_without_reports_are_polled_less_and_less_often() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    let part = world.hand_over("SM1", at(0)).await.lease.part;
    let ask = async |now| world.store.silent_parts("twilio", seconds(60), 10, at(now)).await.unwrap();
    let (minute, hour) = (60, 3600);
    let mut asked = Vec::new();
    for now in (0..=80 * hour).step_by(30) {
        let silent = ask(now).await;
        if let [only] = silent.as_slice() {
            assert_eq!((only.part, only.provider_id.as_str()), (part, "SM1"));
            asked.push(now);
        }
    }
    let days = [12, 24, 36, 48, 60, 72].map(|hours| hours * hour);
    assert_eq!(asked, [[minute, 5 * minute, 15 * minute, hour].as_slice(), &days].concat());
}

#[tokio::test]
async fn without_a_status_url_polling_starts_sooner_and_ends_with_a_final_status() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    world.hand_over("SM1", at(0)).await;
    let ask = async |now| world.store.silent_parts("twilio", seconds(5), 10, at(now)).await.unwrap().len();
    assert_eq!((ask(4).await, ask(5).await, ask(6).await, ask(60).await, ask(299).await), (0, 1, 0, 0, 0));
    assert_eq!((ask(300).await, ask(301).await), (1, 0));
    world.store.report("twilio", report("SM1", None, Status::Delivered), at(302)).await.unwrap();
    assert_eq!(ask(100_000).await, 0);
}
