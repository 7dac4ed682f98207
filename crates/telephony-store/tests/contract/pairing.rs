//! Strangers ask for approval, and the operator decides.

use telephony_domain::message::{Arrival, MessagePurpose};
use telephony_domain::pairing::PairingCode;
use telephony_domain::policy::{InboundPolicy, Refusal};
use telephony_store::StoreError;
use telephony_store::contacts::{Approved, Challenge, Challenged, KEPT_FOR, PairingRequest, Who};
use telephony_store::history::{EntryState, Filter};
use telephony_store::inbox::{Accepted, LeasedTurn};

use super::world::{ANN, BOB, World, at, number, parts, rules, seconds, sender, texts};

const HOUR: i64 = 3600;

fn code(letter: char) -> PairingCode {
    letter.to_string().repeat(8).parse().unwrap()
}

fn challenge(letter: char) -> Challenge {
    Challenge { code: code(letter), parts: parts(&["your code"]), replies_per_day: None }
}

impl World {
    async fn stranger_says(&self, from: &str, text: &str, now: i64) -> LeasedTurn {
        self.accept(self.text(from, text), rules(InboundPolicy::Pairing, 0), at(now)).await;
        self.lease(at(now)).await
    }

    async fn asks(&self, from: &str, text: &str, letter: char, now: i64) -> Challenged {
        let turn = self.stranger_says(from, text, now).await;
        self.store.challenge(&turn.lease, challenge(letter), at(now)).await.unwrap()
    }

    async fn requests(&self, now: i64) -> Vec<PairingRequest> {
        self.store.pairing_requests(at(now)).await.unwrap()
    }

    async fn approve(&self, who: Who, now: i64) -> Result<Approved, StoreError> {
        self.store.approve(who, parts(&["approved"]), Some(self.line), at(now)).await
    }

    async fn inbound_states(&self) -> Vec<String> {
        let all = self.store.messages(Filter { limit: 100, ..Filter::default() }).await.unwrap();
        let states = all.into_iter().filter_map(|entry| match entry.standing {
            EntryState::In { state, .. } => Some(state),
            EntryState::Out { .. } => None,
        });
        states.collect()
    }
}

#[tokio::test]
async fn a_stranger_gets_one_code_for_any_number_of_texts() {
    let world = World::new().await;
    assert_eq!(world.asks(ANN, "hello", 'A', 1).await, Challenged::Asked);
    assert_eq!(world.asks(ANN, "hello?", 'B', 2).await, Challenged::AskedBefore);
    let fetched = world.hand_over("SM1", at(3)).await;
    assert_eq!((fetched.text.as_str(), fetched.to), ("your code", number(ANN)));
    assert_eq!(world.parts_idle(at(3)).await, None);
    let requests = world.requests(3).await;
    let expected = PairingRequest {
        code: code('A'),
        contact: number(ANN),
        line: world.line,
        requested: at(1),
        expires: at(1 + HOUR),
        kept: 2,
    };
    assert_eq!(requests, [expected]);
    assert_eq!(world.turns_idle(at(3)).await, None, "kept messages get no turn");
}

#[tokio::test]
async fn an_approval_is_announced_and_kept_texts_become_one_turn() {
    let world = World::new().await;
    world.asks(ANN, "one", 'A', 1).await;
    world.asks(ANN, "two", 'B', 2).await;
    let approved = world.approve(Who::Code(code('A')), 10).await.unwrap();
    assert_eq!((approved.contact, approved.was_approved, approved.released), (number(ANN), false, 2));
    assert!(approved.message.is_some());
    let next = world.next_turn_for(&super::world::gateway(), false, at(10)).await;
    let telephony_store::Next::Taken(turn) = next else { panic!("nothing is due") };
    assert_eq!(texts(&turn), ["one", "two"], "one turn even where texts are not merged");
    assert!(turn.standing.is_approved);
    world.answer(&turn, "welcome", at(11)).await.unwrap();
    for (sid, text) in [("SM1", "your code"), ("SM2", "approved"), ("SM3", "welcome")] {
        assert_eq!(world.hand_over(sid, at(12)).await.text, text);
    }
    assert!(world.requests(12).await.is_empty());
    let listed = world.store.approved_contacts().await.unwrap();
    assert_eq!((listed.len(), listed[0].contact.clone(), listed[0].approved), (1, number(ANN), at(10)));
}

#[tokio::test]
async fn approving_twice_sends_nothing_twice() {
    let world = World::new().await;
    world.asks(ANN, "hello", 'A', 1).await;
    world.approve(Who::Code(code('A')), 2).await.unwrap();
    assert!(matches!(world.approve(Who::Code(code('A')), 3).await, Err(StoreError::NotFound(_))));
    let again = world.approve(Who::Number(number(ANN)), 4).await.unwrap();
    assert_eq!((again.was_approved, again.message, again.released), (true, None, 0));
}

#[tokio::test]
async fn a_number_can_be_approved_without_a_request() {
    let world = World::new().await;
    let approved = world.approve(Who::Number(number(ANN)), 1).await.unwrap();
    assert!(approved.message.is_some() && !approved.was_approved);
    let nowhere = world.store.approve(Who::Number(number(BOB)), parts(&["approved"]), None, at(1)).await.unwrap();
    assert_eq!(nowhere.message, None);
    assert_eq!(world.hand_over("SM1", at(2)).await.to, number(ANN));
    assert_eq!(world.parts_idle(at(2)).await, None);
}

#[tokio::test]
async fn an_opted_out_contact_gets_no_approval_text() {
    let world = World::new().await;
    world.asks(ANN, "hello", 'A', 1).await;
    world.says(ANN, "STOP", at(2)).await;
    let approved = world.approve(Who::Code(code('A')), 3).await.unwrap();
    assert_eq!((approved.message, approved.released), (None, 0));
    assert_eq!(world.parts_idle(at(3)).await, None);
}

#[tokio::test]
async fn a_code_works_for_an_hour() {
    let world = World::new().await;
    world.asks(ANN, "hello", 'A', 0).await;
    assert_eq!(world.requests(HOUR - 1).await.len(), 1);
    assert!(world.requests(HOUR).await.is_empty());
    assert!(matches!(world.approve(Who::Code(code('A')), HOUR).await, Err(StoreError::NotFound(_))));
    assert!(matches!(world.store.reject(Who::Code(code('A')), true, at(HOUR)).await, Err(StoreError::NotFound(_))));
    assert_eq!(world.asks(ANN, "hello again", 'B', HOUR + 1).await, Challenged::Asked);
    assert_eq!(world.approve(Who::Code(code('B')), HOUR + 2).await.unwrap().released, 2);
}

#[tokio::test]
async fn a_fourth_stranger_waits_until_one_of_three_requests_ends() {
    let world = World::new().await;
    for (stranger, letter) in [('1', 'A'), ('2', 'B'), ('3', 'C')] {
        let from = format!("+1555000111{stranger}");
        assert_eq!(world.asks(&from, "hello", letter, 1).await, Challenged::Asked);
    }
    assert_eq!(world.asks(ANN, "hello", 'D', 2).await, Challenged::TooManyPending);
    assert_eq!(world.inbound_states().await.iter().filter(|state| *state == "dropped").count(), 1);
    assert_eq!(world.asks("+15550001111", "hello?", 'E', 2).await, Challenged::AskedBefore);
    world.store.reject(Who::Code(code('B')), false, at(3)).await.unwrap();
    assert_eq!(world.asks(ANN, "hello?", 'D', 4).await, Challenged::Asked);
    assert_eq!(world.asks(BOB, "hello", 'F', 5).await, Challenged::TooManyPending);
    assert_eq!(world.asks(BOB, "hello", 'F', 5 + HOUR).await, Challenged::Asked, "expired requests do not count");
}

#[tokio::test]
async fn no_code_is_sent_beyond_the_strangers_budget() {
    let world = World::new().await;
    let asks = async |from, letter, now| {
        let turn = world.stranger_says(from, "hello", now).await;
        let challenge = Challenge { replies_per_day: Some(1), ..challenge(letter) };
        world.store.challenge(&turn.lease, challenge, at(now)).await.unwrap()
    };
    assert_eq!(asks(ANN, 'A', 0).await, Challenged::Asked);
    assert_eq!(asks(BOB, 'B', 2 * HOUR).await, Challenged::BudgetSpent);
    assert_eq!(asks(BOB, 'B', 24 * HOUR + 1).await, Challenged::Asked);
}

#[tokio::test]
async fn a_purge_of_a_stranger_frees_no_budget() {
    let world = World::new().await;
    let asks = async |from, letter, now| {
        let turn = world.stranger_says(from, "hello", now).await;
        let challenge = Challenge { replies_per_day: Some(1), ..challenge(letter) };
        world.store.challenge(&turn.lease, challenge, at(now)).await.unwrap()
    };
    assert_eq!(asks(ANN, 'A', 0).await, Challenged::Asked);
    world.hand_over("SM1", at(1)).await;
    while !world.store.purge(&number(ANN), 10, at(2)).await.unwrap().is_done {}
    assert_eq!(asks(ANN, 'B', 3).await, Challenged::BudgetSpent);
    assert_eq!(asks(BOB, 'C', 4).await, Challenged::BudgetSpent);
    assert_eq!(asks(BOB, 'C', 24 * HOUR + 1).await, Challenged::Asked);
}

#[tokio::test]
async fn two_strangers_never_get_the_same_code() {
    let world = World::new().await;
    world.asks(ANN, "hello", 'A', 1).await;
    let turn = world.stranger_says(BOB, "hello", 2).await;
    let taken = world.store.challenge(&turn.lease, challenge('A'), at(2)).await;
    assert_eq!(taken, Err(StoreError::CodeTaken));
    assert_eq!(world.store.challenge(&turn.lease, challenge('B'), at(2)).await.unwrap(), Challenged::Asked);
    assert_eq!(world.store.challenge(&turn.lease, challenge('C'), at(2)).await, Err(StoreError::LeaseLost));
}

#[tokio::test]
async fn no_more_than_ten_messages_of_a_stranger_are_kept() {
    let world = World::new().await;
    for count in 0..12 {
        world.asks(ANN, &format!("message {count}"), 'A', count).await;
    }
    assert_eq!(world.requests(20).await[0].kept, 10);
    let mut states = world.inbound_states().await;
    states.sort();
    assert_eq!(states, [vec!["dropped"; 2], vec!["kept"; 10]].concat());
    world.approve(Who::Number(number(ANN)), 20).await.unwrap();
    let turn = world.lease(at(20)).await;
    assert_eq!((turn.messages.len(), turn.messages[0].text.as_str()), (10, "message 0"));
}

#[tokio::test]
async fn kept_texts_are_deleted_after_a_day() {
    let world = World::new().await;
    world.asks(ANN, "early", 'A', 0).await;
    world.asks(ANN, "late", 'B', 1800).await;
    let day = at(0) + KEPT_FOR;
    assert_eq!(world.store.forget_strangers(day - seconds(1)).await.unwrap(), 0);
    assert_eq!(world.store.forget_strangers(day).await.unwrap(), 1);
    assert_eq!(world.inbound_states().await, ["kept"]);
    assert_eq!(world.store.forget_strangers(day + seconds(1800)).await.unwrap(), 1);
    assert!(world.inbound_states().await.is_empty());
}

#[tokio::test]
async fn texts_found_late_are_kept_for_a_day() {
    let world = World::new().await;
    let days_ago = Arrival { provider_time: Some(at(0)), ..world.text(ANN, "hello") };
    let now = at(0) + 3 * KEPT_FOR;
    world.accept(days_ago, rules(InboundPolicy::Pairing, 0), now).await;
    let turn = world.lease(now).await;
    assert_eq!(world.store.challenge(&turn.lease, challenge('A'), now).await.unwrap(), Challenged::Asked);
    assert_eq!(world.store.forget_strangers(now + KEPT_FOR - seconds(1)).await.unwrap(), 0);
    assert_eq!(world.store.forget_strangers(now + KEPT_FOR).await.unwrap(), 1);
}

#[tokio::test]
async fn a_rejected_stranger_is_forgotten_and_may_ask_again() {
    let world = World::new().await;
    world.asks(ANN, "hello", 'A', 1).await;
    assert_eq!(world.store.reject(Who::Code(code('A')), false, at(2)).await.unwrap(), number(ANN));
    assert!(world.requests(2).await.is_empty());
    assert!(world.inbound_states().await.is_empty());
    let nothing = world.store.reject(Who::Number(number(ANN)), false, at(3)).await;
    assert!(matches!(nothing, Err(StoreError::NotFound(_))));
    assert_eq!(world.asks(ANN, "please", 'B', 4).await, Challenged::Asked);
}

#[tokio::test]
async fn a_blocked_number_is_refused_until_it_is_approved() {
    let world = World::new().await;
    world.approve(Who::Number(number(ANN)), 1).await.unwrap();
    world.store.reject(Who::Number(number(ANN)), true, at(2)).await.unwrap();
    assert!(world.store.approved_contacts().await.unwrap().is_empty());
    assert!(matches!(world.says(ANN, "hello", at(3)).await, Accepted::Refused(_, Refusal::Blocked)));
    world.store.reject(Who::Number(number(BOB)), true, at(3)).await.unwrap();
    assert!(matches!(world.says(BOB, "hello", at(3)).await, Accepted::Refused(_, Refusal::Blocked)));
    assert!(!world.approve(Who::Number(number(ANN)), 4).await.unwrap().was_approved);
    assert!(matches!(world.says(ANN, "hello", at(5)).await, Accepted::Waiting(_)));
}

#[tokio::test]
async fn a_rejection_ends_an_approval() {
    let world = World::new().await;
    world.approve(Who::Number(number(ANN)), 1).await.unwrap();
    world.store.reject(Who::Number(number(ANN)), false, at(2)).await.unwrap();
    assert!(!world.store.standing(world.line, &number(ANN)).await.unwrap().is_approved);
}

#[tokio::test]
async fn the_operator_approves_while_the_stranger_is_being_challenged() {
    let world = World::new().await;
    let turn = world.stranger_says(ANN, "hello", 1).await;
    world.approve(Who::Number(number(ANN)), 2).await.unwrap();
    let challenged = world.store.challenge(&turn.lease, challenge('A'), at(3)).await.unwrap();
    assert_eq!(challenged, Challenged::AskedBefore);
    assert!(world.requests(3).await.is_empty());
    let again = world.lease(at(3)).await;
    assert_eq!((again.lease.turn, again.attempt, again.standing.is_approved), (turn.lease.turn, 1, true));
}

#[tokio::test]
async fn the_operator_blocks_while_the_stranger_is_being_challenged() {
    let world = World::new().await;
    let turn = world.stranger_says(ANN, "hello", 1).await;
    world.store.reject(Who::Number(number(ANN)), true, at(2)).await.unwrap();
    world.store.challenge(&turn.lease, challenge('A'), at(3)).await.ok();
    assert!(world.requests(3).await.is_empty());
    assert_eq!(world.parts_idle(at(3)).await, None);
}

#[tokio::test]
async fn a_stranger_says_stop_while_being_challenged() {
    let world = World::new().await;
    let turn = world.stranger_says(ANN, "hello", 1).await;
    world.says(ANN, "STOP", at(2)).await;
    let challenged = world.store.challenge(&turn.lease, challenge('A'), at(3)).await;
    assert_eq!(challenged, Err(StoreError::OptedOut));
    assert!(world.requests(3).await.is_empty(), "nothing of it is kept");
    assert_eq!(world.parts_idle(at(3)).await, None);
}

#[tokio::test]
async fn one_approval_counts_on_every_line() {
    let world = World::new().await;
    let other = world.store.claim_line("twilio", sender("+15550003333"), at(0)).await.unwrap();
    world.asks(ANN, "hello", 'A', 1).await;
    world.approve(Who::Code(code('A')), 2).await.unwrap();
    assert!(world.store.standing(other, &number(ANN)).await.unwrap().is_approved);
    let all = world.store.messages(Filter { limit: 10, ..Filter::default() }).await.unwrap();
    let purposes: Vec<_> = all
        .iter()
        .filter_map(|entry| match &entry.standing {
            EntryState::Out { purpose, .. } => Some(*purpose),
            EntryState::In { .. } => None,
        })
        .collect();
    assert_eq!(purposes, [MessagePurpose::Approval, MessagePurpose::Pairing], "newest first");
}
