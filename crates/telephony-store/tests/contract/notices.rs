//! The operator gets each notice once.

use futures_util::FutureExt;
use telephony_domain::id::LineId;
use telephony_domain::limit::{DAY, Limits};
use telephony_domain::message::{MessageDraft, MessagePurpose};
use telephony_domain::notice::{Notice, name};
use telephony_domain::reconcile::SearchResult;
use telephony_domain::retry::{DAILY_CAP_WAIT, DEAD_AFTER, Disposition};
use telephony_store::outbox::PartState;
use telephony_store::{Next, StoreError};

use super::world::{ANN, BOB, RETRY, World, at, draft, seconds, send_failure, sender, terms, turn_failure};

const OPERATOR: &str = "+15550004444";

fn sms(key: &str, text: &str) -> MessageDraft {
    MessageDraft { purpose: MessagePurpose::Notice, ..draft(key, OPERATOR, &[text]) }
}

impl World {
    async fn raise(&self, notice: Notice, now: i64) -> bool {
        self.store.raise_notice(notice, at(now)).await.unwrap()
    }

    async fn end(&self, name: &str, now: i64) -> bool {
        self.store.end_notice(name, at(now)).await.unwrap()
    }

    async fn texts(&self, now: i64) -> Vec<String> {
        self.store.notices(at(now)).await.unwrap().into_iter().map(|notice| notice.text("Twilio")).collect()
    }

    /// Returns the notices that are due by SMS.
    async fn unsent(&self, now: i64) -> Vec<String> {
        let unsent = self.store.unsent_notices(at(now)).await.unwrap();
        if unsent.from > at(now) { Vec::new() } else { unsent.notices.into_iter().map(|notice| notice.name).collect() }
    }

    async fn send_notices(&self, names: &[&str], now: i64) -> Result<bool, StoreError> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = format!("notice-{now}");
        self.store.send_notices(names, self.line, sms(&key, "told"), at(now)).await
    }
}

fn down(problem: &str) -> Notice {
    Notice::TunnelDown { tunnel: "ngrok".to_owned(), problem: problem.to_owned() }
}

fn full(segments: u32) -> Notice {
    Notice::QueueFull { line: LineId(1), sender: "+15550001234".to_owned(), segments }
}

fn texts_of(notices: &[Notice]) -> Vec<String> {
    notices.iter().map(|notice| notice.text("Twilio")).collect()
}

#[tokio::test]
async fn an_ongoing_notice_stays_until_it_ends_and_is_new_once() {
    let world = World::new().await;
    assert!(world.raise(down("it broke"), 1).await);
    assert!(world.raise(full(7), 2).await);
    assert!(!world.raise(down("it is busy"), 3).await);
    let world = world.restarted();
    assert_eq!(world.texts(3).await, texts_of(&[down("it is busy"), full(7)]));
    assert!(world.end("queue-full-1", 4).await);
    assert!(!world.end("queue-full-1", 5).await);
    assert_eq!(world.texts(5).await, texts_of(&[down("it is busy")]));
    assert!(world.raise(full(8), 6).await, "it is news again");
}

#[tokio::test]
async fn whatever_raises_a_notice_signals_it_and_nothing_else_does() {
    let world = World::new().await;
    let is_signaled = || world.store.raised().notified().now_or_never().is_some();
    world.says(ANN, "hello", at(0)).await;
    assert!(!is_signaled());
    world.raise(down("it broke"), 1).await;
    assert!(is_signaled());
    // The store's own: an answer given up.
    let turn = world.lease(at(1)).await;
    world.store.fail_turn(&turn.lease, turn_failure(Disposition::GiveUp), at(1)).await.unwrap();
    assert!(is_signaled() && !is_signaled());
}

#[tokio::test]
async fn an_event_is_shown_for_a_day_or_until_dismissed() {
    let world = World::new().await;
    world.raise(down("it broke"), 1).await;
    world.raise(Notice::WrongPins, 1).await;
    world.raise(Notice::Tampered, 2).await;
    assert_eq!(world.store.dismiss_notices(at(3)).await.unwrap(), 2);
    assert_eq!(world.texts(4).await, texts_of(&[down("it broke")]));
    world.raise(Notice::MessageSkipped, 5).await;
    let next_day = 5 + i64::try_from(DAY.as_secs()).unwrap();
    assert_eq!(world.texts(next_day - 1).await, texts_of(&[down("it broke"), Notice::MessageSkipped]));
    assert_eq!(world.texts(next_day).await, texts_of(&[down("it broke")]));
}

#[tokio::test]
async fn notices_are_batched_and_not_repeated_within_a_day() {
    let world = World::new().await;
    world.raise(down("it broke"), 1).await;
    assert_eq!(world.unsent(1).await, [name::TUNNEL]);
    assert_eq!(world.send_notices(&[name::TUNNEL], 1).await, Ok(true));
    assert!(matches!(world.send_notices(&[name::TUNNEL], 2).await, Err(StoreError::NotFound(_))));
    world.raise(full(7), 3).await;
    world.raise(Notice::WrongPins, 4).await;
    world.raise(Notice::ProviderCapReached { reason: "capped".to_owned() }, 4).await;
    assert_eq!(world.unsent(4).await, [""; 0], "the phone rang a moment ago");
    assert_eq!(world.unsent(61).await, ["queue-full-1", "wrong-pins"]);
    assert_eq!(world.send_notices(&["queue-full-1", "wrong-pins"], 61).await, Ok(true));
    world.end(name::TUNNEL, 70).await;
    world.raise(down("it broke again"), 80).await;
    assert_eq!(world.unsent(3600).await, [""; 0]);
    let world = world.restarted();
    let next_day = 80 + i64::try_from(DAY.as_secs()).unwrap();
    world.end(name::TUNNEL, next_day).await;
    world.store.forget_strangers(at(next_day)).await.unwrap();
    world.raise(down("it broke today"), next_day).await;
    assert_eq!(world.unsent(next_day).await, [name::TUNNEL]);
}

#[tokio::test]
async fn an_opted_out_operator_gets_no_sms() {
    let world = World::new().await;
    world.says(OPERATOR, "STOP", at(1)).await;
    world.raise(full(7), 2).await;
    assert_eq!(world.send_notices(&["queue-full-1"], 2).await, Ok(false));
    assert_eq!(world.unsent(3600).await, [""; 0]);
    assert_eq!(world.texts(3600).await, texts_of(&[full(7)]));
}

#[tokio::test]
async fn notices_are_sent_beyond_the_daily_limit() {
    let world = World::new().await;
    let limits = Limits { segments_per_day: Some(1), segments_per_contact_per_day: Some(1), ..Limits::default() };
    let started = async |now| match world.start_within(limits, at(now)).await {
        Next::Taken(part) => Some(part.text),
        Next::Idle(_) => None,
    };
    world.send("a", ANN, &["first", "second"], at(0)).await;
    assert_eq!(started(0).await.as_deref(), Some("first"));
    world.send("b", BOB, &["other"], at(1)).await;
    assert_eq!(started(1).await, None, "the day is used up");
    world.send_notices(&[], 2).await.unwrap();
    assert_eq!(started(2).await.as_deref(), Some("told"));
    assert_eq!(started(3).await, None);
}

#[tokio::test]
async fn a_notice_overtakes_parts_that_wait_for_the_operator_as_a_contact() {
    let world = World::new().await;
    let limits = Limits { segments_per_contact_per_day: Some(1), ..Limits::default() };
    world.send("a", OPERATOR, &["first"], at(0)).await;
    let first = world.hand_over("SM1", at(0)).await;
    assert_eq!(first.text, "first");
    let waiting = world.send("b", OPERATOR, &["second", "third"], at(1)).await;
    assert!(matches!(world.start_within(limits, at(1)).await, Next::Idle(_)));
    world.send_notices(&[], 2).await.unwrap();
    let Next::Taken(sent) = world.start_within(limits, at(2)).await else { panic!("the notice waits too") };
    assert_eq!(sent.text, "told");
    world
        .store
        .part_sent(sent.lease, super::world::receipt("SM2", telephony_domain::delivery::Status::Queued), at(3))
        .await
        .unwrap();
    assert!(matches!(world.start_within(limits, at(3)).await, Next::Idle(_)));
    assert_eq!(world.states(waiting).await.len(), 2);
    let Next::Taken(second) = world.start_within(limits, at(0) + 2 * DAY).await else { panic!("it never leaves") };
    assert_eq!(second.text, "second", "their order stays");
}

#[tokio::test]
async fn a_full_queue_accepts_notices() {
    let world = World::new().await;
    let slow = telephony_domain::pace::Pacing::Fixed(telephony_domain::pace::Pace::new(1.0 / 3600.0).unwrap());
    world.store.bound_queues(terms(slow)).await.unwrap();
    let mut sent = 0;
    while world.store.enqueue(world.line, draft(&format!("f{sent}"), ANN, &["x"]), at(0)).await.is_ok() {
        sent += 1;
        assert!(sent < 10_000, "the queue is never full");
    }
    assert_eq!(world.send_notices(&[], 1).await, Ok(true));
}

#[tokio::test]
async fn dead_turns_lost_parts_and_caps_raise_notices() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    let turn = world.lease(at(1)).await;
    world.store.fail_turn(&turn.lease, turn_failure(Disposition::GiveUp), at(1)).await.unwrap();
    assert_eq!(world.notices(at(2)).await, ["dead-turns"]);
    world.says(BOB, "hello", at(2)).await;
    let turn = world.lease(at(2)).await;
    world.store.fail_turn(&turn.lease, turn_failure(RETRY), at(2)).await.unwrap();
    assert_eq!(world.notices(at(3)).await, ["dead-turns"]);
    let turn = world.lease(at(605)).await;
    world.store.fail_turn(&turn.lease, turn_failure(RETRY), at(605)).await.unwrap();
    assert_eq!(world.notices(at(606)).await, ["dead-turns", "unanswered"]);
    let turn = world.lease(at(1300)).await;
    world.answer(&turn, "at last", at(1301)).await.unwrap();
    assert_eq!(world.notices(at(1302)).await, ["dead-turns"]);
    assert!(DEAD_AFTER > seconds(1302));

    let answer = world.start(at(1302)).await;
    let capped = send_failure(Disposition::Retry { after: Some(DAILY_CAP_WAIT) });
    world.store.part_failed(answer.lease, capped, 0.0, at(1302)).await.unwrap();
    assert_eq!(world.notices(at(1303)).await, ["dead-turns", "limit-daily-cap"]);
    assert_eq!(world.unsent(1303).await, ["dead-turns"], "the provider would not take it either");
}

#[tokio::test]
async fn a_message_that_stays_unknown_raises_its_own_notice() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["hello"], at(0)).await;
    world.lose(at(0)).await;
    let mut now = 1;
    loop {
        let part = match world.store.doubtful_part("twilio", at(now)).await.unwrap() {
            Next::Taken(part) => part,
            Next::Idle(Some(due)) => {
                now = (due.0 - at(0).0) / 1000 + 1;
                continue;
            }
            Next::Idle(None) => break,
        };
        // Missing from the list twice, sent again and lost again, the part stays unknown.
        if let telephony_domain::reconcile::DoubtStep::SendAgain =
            world.store.not_found(part.lease, SearchResult::Absent, at(now)).await.unwrap()
        {
            world.lose(at(now)).await;
        }
        assert!(now < 100_000, "it stays in doubt for ever");
    }
    assert_eq!(world.states(message).await, [PartState::FinallyUnknown]);
    assert_eq!(world.notices(at(now)).await, [format!("unknown-{message}")]);
    assert_eq!(world.texts(now).await.len(), 1);
    assert!(world.texts(now).await[0].contains(ANN), "the operator needs the number to send it again");
}

#[tokio::test]
async fn a_notice_is_sent_from_the_current_line() {
    let world = World::new().await;
    let other = world.store.claim_line("twilio", sender("+15550007777"), at(0)).await.unwrap();
    assert_ne!(other, world.line);
    world.store.send_notices(Vec::new(), other, sms("k", "told"), at(1)).await.unwrap();
    assert_eq!(world.start(at(1)).await.from, sender("+15550007777"));
}
