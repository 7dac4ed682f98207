//! The history that the operator and the agents see.

use telephony_domain::delivery::Status;
use telephony_domain::id::{ConversationId, InboundId, MessageId, TurnId};
use telephony_domain::message::{Media, MessageDraft, MessagePurpose};
use telephony_domain::retry::Disposition;
use telephony_store::StoreError;
use telephony_store::history::{
    Direction, EntryId, EntryState, Filter, Mark, MessageEntry, MessageReference, Speaker, Spoken, WorkSummary,
};
use telephony_store::inbox::TurnEnd;
use telephony_store::outbox::PartState;

use super::world::{
    ANN, BOB, RETRY, World, at, draft, open_to_all, receipt, report, send_failure, sender, turn_failure,
};

impl World {
    async fn list(&self, filter: Filter) -> Vec<MessageEntry> {
        self.store
            .messages(Filter { limit: if filter.limit == 0 { 100 } else { filter.limit }, ..filter })
            .await
            .unwrap()
    }

    async fn exchange(&self, from: &str, question: &str, answer: &str, now: i64) -> ConversationId {
        self.says(from, question, at(now)).await;
        let turn = self.lease(at(now)).await;
        self.answer(&turn, answer, at(now)).await.unwrap();
        turn.conversation
    }

    /// Sends a text from the operator.
    async fn operator_sends(&self, key: &str, to: &str, parts: &[&str], now: i64) {
        let draft = MessageDraft { purpose: MessagePurpose::Send, text: parts.join("+"), ..draft(key, to, parts) };
        self.store.enqueue(self.line, draft, at(now)).await.unwrap();
    }
}

fn words(entries: &[MessageEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.text.as_str()).collect()
}

fn said(lines: &[Spoken]) -> Vec<(bool, &str)> {
    lines.iter().map(|line| (line.by == Speaker::Contact, line.text.as_str())).collect()
}

#[tokio::test]
async fn messages_are_listed_newest_first_and_filtered() {
    let world = World::new().await;
    let other = world.store.claim_line("twilio", sender("+15550003333"), at(0)).await.unwrap();
    world.exchange(ANN, "question", "answer", 1).await;
    world.says(BOB, "hello", at(2)).await;
    world.says("72345", "spam", at(3)).await;
    world.store.enqueue(other, draft("k", ANN, &["from elsewhere"]), at(4)).await.unwrap();
    let all = world.list(Filter::default()).await;
    assert_eq!(words(&all), ["from elsewhere", "spam", "hello", "answer", "question"]);
    let ann = Filter { contact: Some(ANN.to_owned()), ..Filter::default() };
    assert_eq!(words(&world.list(ann.clone()).await), ["from elsewhere", "answer", "question"]);
    let inbound = Filter { direction: Some(Direction::Inbound), ..ann.clone() };
    assert_eq!(words(&world.list(inbound).await), ["question"]);
    let outbound = Filter { direction: Some(Direction::Outbound), line: Some(world.line), ..ann };
    assert_eq!(words(&world.list(outbound).await), ["answer"]);
    let since = Filter { since: Some(at(3)), ..Filter::default() };
    assert_eq!(words(&world.list(since).await), ["from elsewhere", "spam"]);
    assert_eq!(words(&world.list(Filter { limit: 2, ..Filter::default() }).await), ["from elsewhere", "spam"]);
    assert!(!format!("{all:?}").contains("spam"), "texts stay out of logs");
}

#[tokio::test]
async fn messages_are_filtered_by_state_and_time() {
    let world = World::new().await;
    for n in 1..=3 {
        world.exchange(ANN, &format!("question {n}"), &format!("answer {n}"), n).await;
    }
    for n in 1..=3 {
        world.hand_over(&format!("SM{n}"), at(4)).await;
    }
    let undelivered = report("SM2", None, Status::Undelivered);
    world.store.report("twilio", undelivered, at(5)).await.unwrap();
    let states = |states: &[&str], limit| Filter {
        states: states.iter().map(|state| (*state).to_owned()).collect(),
        limit,
        ..Filter::default()
    };
    assert_eq!(words(&world.list(states(&["undelivered"], 1)).await), ["answer 2"]);
    assert_eq!(words(&world.list(states(&["queued"], 9)).await), ["answer 3", "answer 1"]);
    assert_eq!(words(&world.list(states(&["undelivered", "answered"], 2)).await), ["question 3", "answer 2"]);
    assert_eq!(words(&world.list(states(&["sent"], 9)).await), [] as [&str; 0], "the provider's word wins");
    let second = Filter { since: Some(at(2)), until: Some(at(3)), ..Filter::default() };
    assert_eq!(words(&world.list(second).await), ["answer 2", "question 2"]);
}

#[tokio::test]
async fn a_long_message_is_filtered_by_its_own_state_not_its_parts() {
    let world = World::new().await;
    world.send("k", ANN, &["1", "2"], at(1)).await;
    world.hand_over("SM1", at(2)).await;
    for (state, found) in [("ready", 1), ("queued", 0)] {
        let filter = Filter { states: vec![state.to_owned()], ..Filter::default() };
        assert_eq!(world.list(filter).await.len(), found, "{state}");
    }
}

#[tokio::test]
async fn following_shows_each_message_once_after_a_clock_set_back() {
    let world = World::new().await;
    assert_eq!(world.store.mark().await.unwrap(), Mark { inbound: InboundId(0), message: MessageId(0) });
    world.exchange(ANN, "old", "old", 100).await;
    let mark = world.store.mark().await.unwrap();
    world.exchange(ANN, "question", "answer", 50).await;
    let new = world.list(Filter { after: Some(mark), ..Filter::default() }).await;
    assert_eq!(words(&new), ["answer", "question"]);
    assert!(!new[1].is_open() && new[0].is_open());
    world.hand_over("SM1", at(101)).await;
    world.hand_over("SM2", at(102)).await;
    world.store.report("twilio", report("SM2", None, Status::Delivered), at(103)).await.unwrap();
    let ids = vec![new[0].id, EntryId::In(InboundId(99))];
    let [entry] = world.store.entries(ids).await.unwrap().try_into().unwrap();
    assert_eq!((entry.state(), entry.is_open()), ("delivered", false));
}

#[tokio::test]
async fn a_long_message_is_listed_whole_with_the_state_of_its_worst_part() {
    let world = World::new().await;
    let whole = MessageDraft {
        text: "one two".into(),
        purpose: MessagePurpose::Send,
        ..draft("k", ANN, &["[1/2] one", "[2/2] two"])
    };
    let message = world.store.enqueue(world.line, whole, at(1)).await.unwrap().message;
    world.hand_over("SM1", at(2)).await;
    let standing = |state, status, code: Option<u32>| {
        let reason = code.map(|_| "the provider is away".to_owned());
        EntryState::Out { purpose: MessagePurpose::Send, state, status, segments: 2, code, reason }
    };
    let entry = world.list(Filter::default()).await.remove(0);
    assert_eq!((entry.text.as_str(), entry.id), ("one two", EntryId::Out(message)));
    assert_eq!(entry.standing, standing(PartState::Ready, None, None));
    let part = world.start(at(3)).await;
    world.store.part_failed(part.lease, send_failure(Disposition::GiveUp), 0.0, at(3)).await.unwrap();
    assert_eq!(world.list(Filter::default()).await[0].standing, standing(PartState::Failed, None, Some(20_500)));
}

#[tokio::test]
async fn one_message_is_shown_with_every_attempt() {
    let world = World::new().await;
    let message = world.send("k", ANN, &["1", "2"], at(1)).await;
    let part = world.start(at(1)).await;
    world.store.part_failed(part.lease, send_failure(RETRY), 0.0, at(2)).await.unwrap();
    let again = world.start(at(5)).await;
    world.store.part_sent(again.lease, receipt("SM1", Status::Queued), at(6)).await.unwrap();
    world.store.report("twilio", report("SM1", None, Status::Delivered), at(7)).await.unwrap();
    for reference in [MessageReference::Provider("SM1".to_owned()), MessageReference::Entry(EntryId::Out(message))] {
        let detail = world.store.message(reference).await.unwrap().unwrap();
        let attempts: Vec<_> = detail
            .attempts
            .iter()
            .map(|attempt| (attempt.part, attempt.started, attempt.ended, attempt.outcome.as_str(), attempt.code))
            .collect();
        assert_eq!(attempts, [(1, at(1), Some(at(2)), "retried", Some(20_500)), (1, at(5), Some(at(6)), "sent", None)]);
        assert_eq!(detail.parts.len(), 2);
        assert_eq!((detail.parts[0].status, detail.parts[0].reason.as_deref()), (Some(Status::Delivered), None));
    }
    for unknown in [MessageReference::Provider("SM9".to_owned()), MessageReference::Entry(EntryId::In(InboundId(99)))] {
        assert_eq!(world.store.message(unknown).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_question_is_shown_with_every_attempt_to_answer_it() {
    let world = World::new().await;
    let picture = Media { url: "https://example.com/1".into(), content_type: "image/png".into() };
    let text = telephony_domain::message::Arrival { media: vec![picture], ..world.text(ANN, "hello") };
    world.accept(text.clone(), open_to_all(), at(1)).await;
    let turn = world.lease(at(1)).await;
    world.store.fail_turn(&turn.lease, turn_failure(RETRY), at(2)).await.unwrap();
    world.lease(at(3)).await;
    let turn = world.lease(at(40)).await;
    world.answer(&turn, "hi", at(41)).await.unwrap();
    let detail = world.store.message(MessageReference::Provider(text.provider_id.clone())).await.unwrap().unwrap();
    assert_eq!((detail.turn, detail.provider_id), (Some(turn.lease.turn), Some(text.provider_id)));
    assert_eq!((detail.entry.media, detail.entry.contact.as_str()), (1, ANN));
    assert_eq!(detail.entry.standing, EntryState::In { state: "answered".to_owned(), why: None });
    let attempts: Vec<_> = detail.attempts.iter().map(|attempt| (attempt.outcome.as_str(), attempt.ended)).collect();
    assert_eq!(attempts, [("retried", Some(at(2))), ("lost", None), ("answered", Some(at(41)))]);
}

#[tokio::test]
async fn an_agent_gets_the_last_turns_in_order() {
    let world = World::new().await;
    let conversation = world.exchange(ANN, "one", "1", 1).await;
    world.exchange(BOB, "not yours", "no", 2).await;
    world.says(ANN, "two", at(3)).await;
    world.says(ANN, "", at(3)).await;
    world.says(ANN, "and three", at(3)).await;
    let turn = world.lease(at(3)).await;
    let whole = MessageDraft { text: "2 3".into(), ..draft("k", ANN, &["[1/2] 2", "[2/2] 3"]) };
    world.store.finish_turn(&turn.lease, TurnEnd::Answered(vec![whole]), at(4)).await.unwrap();
    world.says(ANN, "waiting", at(5)).await;
    let all = world.store.spoken(conversation, 10).await.unwrap();
    assert_eq!(said(&all), [(true, "one"), (false, "1"), (true, "two"), (true, "and three"), (false, "2 3")]);
    let last = world.store.spoken(conversation, 1).await.unwrap();
    assert_eq!(said(&last), [(true, "two"), (true, "and three"), (false, "2 3")]);
}

#[tokio::test]
async fn an_agent_gets_operator_texts() {
    let world = World::new().await;
    let conversation = world.exchange(ANN, "one", "1", 1).await;
    world.hand_over("SM1", at(1)).await;
    world.operator_sends("k1", ANN, &["Doors", "open"], 2).await;
    world.hand_over("SM2", at(3)).await;
    world.hand_over("SM3", at(4)).await;
    world.exchange(ANN, "two", "2", 5).await;
    world.hand_over("SM4", at(5)).await;
    for (key, text, sid, second) in [("k2", "lost", "SM5", 6), ("k3", "Closed", "SM6", 7)] {
        world.operator_sends(key, ANN, &[text], second).await;
        world.hand_over(sid, at(second)).await;
    }
    world.store.report("twilio", report("SM5", None, Status::Undelivered), at(8)).await.unwrap();
    world.operator_sends("k4", BOB, &["not yours"], 8).await;
    world.hand_over("SM7", at(8)).await;
    world.operator_sends("k5", ANN, &["still waits"], 8).await;

    let heard = async |turns| {
        let all = world.store.spoken(conversation, turns).await.unwrap();
        all.into_iter().map(|line| (line.by, line.text)).collect::<Vec<_>>()
    };
    let line = |by, text: &str| (by, text.to_owned());
    let newest = line(Speaker::Operator, "Closed");
    let second = [line(Speaker::Contact, "two"), line(Speaker::Agent, "2"), newest.clone()];
    let doors = line(Speaker::Operator, "Doors+open");
    let first = [line(Speaker::Contact, "one"), line(Speaker::Agent, "1"), doors.clone()];
    assert_eq!(heard(10).await, [&first[..], &second[..]].concat());
    assert_eq!(heard(1).await, [&[doors][..], &second[..]].concat());
    assert_eq!(heard(0).await, [newest], "what the agent does not know yet");
}

#[tokio::test]
async fn a_reset_hides_earlier_turns_from_the_agent() {
    let world = World::new().await;
    let conversation = world.exchange(ANN, "secret", "noted", 1).await;
    world.says(ANN, "forget it", at(2)).await;
    let turn = world.lease(at(2)).await;
    let asked = turn.lease.turn;
    world.store.reset_conversation(conversation, asked).await.unwrap();
    world.answer(&turn, "forgotten", at(2)).await.unwrap();
    assert!(world.store.spoken(conversation, 10).await.unwrap().is_empty(), "nor of the turn that asked for it");
    world.exchange(ANN, "hello", "hi", 2).await;
    for earlier in [TurnId(asked.0 - 1), asked] {
        world.store.reset_conversation(conversation, earlier).await.unwrap();
        assert_eq!(said(&world.store.spoken(conversation, 10).await.unwrap()), [(true, "hello"), (false, "hi")]);
    }
    let unknown = world.store.reset_conversation(ConversationId(99), asked).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn the_summary_counts_open_work() {
    let world = World::new().await;
    assert_eq!(world.store.summary(at(0)).await.unwrap(), WorkSummary::default());
    world.exchange(ANN, "one", "1", 1).await;
    world.hand_over("SM1", at(1)).await;
    world.store.report("twilio", report("SM1", None, Status::Delivered), at(1)).await.unwrap();
    world.says(ANN, "dead", at(2)).await;
    let dead = world.lease(at(2)).await;
    world.store.fail_turn(&dead.lease, turn_failure(Disposition::GiveUp), at(2)).await.unwrap();
    world.says(ANN, "at work", at(3)).await;
    world.lease(at(3)).await;
    world.says(ANN, "waits", at(3)).await;
    world.says(BOB, "fails", at(3)).await;
    let failing = world.lease(at(3)).await;
    world.store.fail_turn(&failing.lease, turn_failure(RETRY), at(3)).await.unwrap();
    let elsewhere = telephony_domain::message::Arrival { to: "+15550003333".into(), ..world.text(ANN, "lost") };
    world.accept(elsewhere, open_to_all(), at(3)).await;
    world.send("k1", ANN, &["1", "2"], at(3)).await;
    world.send("k2", BOB, &["1"], at(3)).await;
    world.lose(at(3)).await;
    let expected = WorkSummary {
        waiting: 1,
        answering: 1,
        retrying: 1,
        dead: 1,
        unconfirmed: 1,
        queued: 2,
        unknown: 1,
        received_today: 6,
        sent_today: 1,
        delivered_today: 1,
        ..WorkSummary::default()
    };
    assert_eq!(world.store.summary(at(4)).await.unwrap(), expected);
    let next_day = world.store.summary(at(86_500)).await.unwrap();
    assert_eq!((next_day.received_today, next_day.sent_today, next_day.delivered_today), (0, 0, 0));
    assert_eq!(next_day.waiting, 1);
}
