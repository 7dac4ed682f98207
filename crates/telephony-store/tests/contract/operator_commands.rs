//! Commands that the operator sends by SMS are executed once.

use std::sync::Arc;

use telephony_domain::message::PartDraft;
use telephony_domain::operator_command::{ANSWERS_PER_DAY, GUESSES_FOR, MAX_GUESSES};
use telephony_domain::pairing::PairingCode;
use telephony_domain::policy::InboundPolicy;
use telephony_store::StoreError;
use telephony_store::contacts::{Challenge, Who};
use telephony_store::inbox::{Accepted, ArrivalRules};
use telephony_store::operator_commands::{CommandOutcome, Ordered, Wording};

use super::world::{ANN, BOB, World, at, number, parts, rules, terms, texts};

const OPERATOR: &str = "+15550004444";

struct Words;

impl Wording for Words {
    fn approval(&self) -> Vec<PartDraft> {
        parts(&["approved"])
    }

    fn answer(&self, outcome: &CommandOutcome) -> Vec<PartDraft> {
        parts(&[outcome.as_str()])
    }
}

fn with_operator() -> ArrivalRules {
    ArrivalRules { operator: Some(number(OPERATOR)), ..rules(InboundPolicy::Pairing, 0) }
}

impl World {
    async fn stranger(&self, from: &str, code: &str, now: i64) {
        self.accept(self.text(from, "let me in"), with_operator(), at(now)).await;
        let turn = self.lease(at(now)).await;
        let challenge = Challenge {
            code: code.parse::<PairingCode>().unwrap(),
            parts: parts(&["your code"]),
            replies_per_day: None,
        };
        self.store.challenge(&turn.lease, challenge, at(now)).await.unwrap();
        self.hand_over(&format!("SM-code-{code}"), at(now)).await;
    }

    async fn orders(&self, text: &str, now: i64) -> Ordered {
        let accepted = self.accept(self.text(OPERATOR, text), with_operator(), at(now)).await;
        assert!(matches!(accepted, Accepted::OperatorCommand(_)), "{text}: {accepted:?}");
        self.store.next_order().await.unwrap().unwrap()
    }

    async fn execute(&self, ordered: &Ordered, now: i64) -> Result<CommandOutcome, StoreError> {
        self.store.execute(ordered.id, Arc::new(Words), at(now)).await
    }

    async fn executed(&self, text: &str, now: i64) -> CommandOutcome {
        let ordered = self.orders(text, now).await;
        self.execute(&ordered, now).await.unwrap()
    }

    /// Returns the parts that are due now, in order.
    async fn leaving(&self, now: i64) -> Vec<(String, String)> {
        let mut left = Vec::new();
        while let telephony_store::Next::Taken(part) =
            self.next_part(telephony_domain::pace::Pacing::Unlimited, at(now)).await
        {
            let id = format!("SM-{}", part.correlation_id);
            let receipt = super::world::receipt(&id, telephony_domain::delivery::Status::Queued);
            self.store.part_sent(part.lease, receipt, at(now)).await.unwrap();
            left.push((part.to.to_string(), part.text));
        }
        left
    }
}

fn sent(to: &str, text: &str) -> (String, String) {
    (to.to_owned(), text.to_owned())
}

#[tokio::test]
async fn an_approval_by_sms_does_all_that_an_approval_does() {
    let world = World::new().await;
    world.stranger(ANN, "AAAABBBB", 1).await;
    assert_eq!(world.notices(at(1)).await, [format!("stranger-{ANN}")]);
    let CommandOutcome::Approved(approved) = world.executed("approve aaaa bbbb", 2).await else {
        panic!("not approved")
    };
    assert_eq!((approved.contact, approved.released), (number(ANN), 1));
    assert_eq!(world.leaving(3).await, [sent(OPERATOR, "approved"), sent(ANN, "approved")]);
    assert_eq!(texts(&world.lease(at(3)).await), ["let me in"]);
    assert_eq!(world.notices(at(3)).await, [""; 0]);
}

#[tokio::test]
async fn a_crash_between_command_and_reply_neither_loses_nor_repeats_it() {
    let world = World::new().await;
    world.stranger(ANN, "AAAABBBB", 1).await;
    let ordered = world.orders("APPROVE AAAABBBB", 2).await;
    let world = world.restarted();
    assert_eq!(world.store.next_order().await.unwrap().unwrap(), ordered);
    world.execute(&ordered, 3).await.unwrap();
    let world = world.restarted();
    assert!(matches!(world.execute(&ordered, 4).await, Err(StoreError::NotFound(_))));
    assert_eq!(world.store.next_order().await.unwrap(), None);
    assert_eq!(world.leaving(5).await.len(), 2, "one approval, one answer");
}

#[tokio::test]
async fn a_repeated_webhook_is_not_a_second_command() {
    let world = World::new().await;
    let arrival = world.text(OPERATOR, "STATUS");
    world.accept(arrival.clone(), with_operator(), at(1)).await;
    let ordered = world.store.next_order().await.unwrap().unwrap();
    world.execute(&ordered, 1).await.unwrap();
    assert_eq!(world.accept(arrival, with_operator(), at(2)).await, Accepted::Repeat);
    assert_eq!(world.store.next_order().await.unwrap(), None);
}

#[tokio::test]
async fn only_a_configured_operator_sends_commands() {
    let world = World::new().await;
    let by_ann = world.accept(world.text(ANN, "APPROVE AAAABBBB"), with_operator(), at(1)).await;
    assert!(matches!(by_ann, Accepted::Waiting(_)), "{by_ann:?}");
    let unnamed = world.accept(world.text(OPERATOR, "STATUS"), rules(InboundPolicy::Pairing, 0), at(1)).await;
    assert!(matches!(unnamed, Accepted::Waiting(_)), "{unnamed:?}");
    assert_eq!(world.store.next_order().await.unwrap(), None);
}

#[tokio::test]
async fn commands_are_executed_under_any_policy_and_stop_is_an_opt_out() {
    let world = World::new().await;
    let closed = ArrivalRules { operator: Some(number(OPERATOR)), ..rules(InboundPolicy::Disabled, 0) };
    let order = world.accept(world.text(OPERATOR, "STATUS"), closed.clone(), at(1)).await;
    assert!(matches!(order, Accepted::OperatorCommand(_)));
    let talk = world.accept(world.text(OPERATOR, "hello"), closed.clone(), at(1)).await;
    assert!(matches!(talk, Accepted::Refused(..)));
    let stop = world.accept(world.text(OPERATOR, "stop"), closed, at(1)).await;
    assert!(matches!(stop, Accepted::Keyword(..)));
    let ordered = world.store.next_order().await.unwrap().unwrap();
    assert!(
        matches!(world.execute(&ordered, 2).await, Ok(CommandOutcome::Status(..))),
        "executed, although nothing can be answered"
    );
    assert_eq!(world.leaving(3).await, []);
}

#[tokio::test]
async fn codes_cannot_be_guessed() {
    let world = World::new().await;
    world.stranger(ANN, "AAAABBBB", 1).await;
    for guess in 0..MAX_GUESSES {
        assert_eq!(world.executed("APPROVE ZZZZZZZZ", 2 + i64::from(guess)).await, CommandOutcome::UnknownCode);
    }
    assert_eq!(world.executed("APPROVE AAAABBBB", 10).await, CommandOutcome::TooManyGuesses, "not even the right one");
    assert_eq!(world.store.pairing_requests(at(10)).await.unwrap().len(), 1);
    let by_number = world.executed(&format!("REJECT {BOB} BLOCK"), 11).await;
    assert_eq!(by_number, CommandOutcome::Rejected { contact: number(BOB), block: true });
    let later = 10 + i64::try_from(GUESSES_FOR.as_secs()).unwrap();
    world.stranger(ANN, "CCCCDDDD", later).await;
    assert!(matches!(world.executed("APPROVE CCCCDDDD", later).await, CommandOutcome::Approved(_)));
}

#[tokio::test]
async fn a_rejection_that_has_nothing_to_end_says_so() {
    let world = World::new().await;
    assert_eq!(world.executed(&format!("reject {BOB}"), 1).await, CommandOutcome::NothingToEnd(number(BOB)));
    world.stranger(ANN, "AAAABBBB", 2).await;
    assert_eq!(
        world.executed("reject AAAABBBB", 3).await,
        CommandOutcome::Rejected { contact: number(ANN), block: false }
    );
    assert_eq!(world.executed("reject ABC123", 4).await, CommandOutcome::Unreadable);
}

#[tokio::test]
async fn a_full_queue_rejects_a_command_as_a_whole() {
    let world = World::new().await;
    world.stranger(ANN, "AAAABBBB", 1).await;
    let slow = telephony_domain::pace::Pacing::Fixed(telephony_domain::pace::Pace::new(1.0 / 3600.0).unwrap());
    world.store.bound_queues(terms(slow)).await.unwrap();
    let mut sent = 0;
    let fill = async |key: String| {
        world.store.enqueue(world.line, super::world::draft(&key, BOB, &["x"]), at(1)).await.is_ok()
    };
    while fill(format!("fill-{sent}")).await {
        sent += 1;
    }
    assert_eq!(world.executed("APPROVE AAAABBBB", 2).await, CommandOutcome::QueueFull);
    assert_eq!(world.store.approved_contacts().await.unwrap(), []);
    assert_eq!(world.store.pairing_requests(at(2)).await.unwrap().len(), 1);
    assert!(world.leaving(3).await.contains(&self::sent(OPERATOR, "queue-full")));
}

#[tokio::test]
async fn replies_to_commands_are_limited_per_day() {
    let world = World::new().await;
    for order in 0..=i64::from(ANSWERS_PER_DAY) {
        world.executed("STATUS", order).await;
    }
    assert_eq!(world.leaving(1000).await.len(), usize::try_from(ANSWERS_PER_DAY).unwrap());
    let forbidden = world.store.approve(Who::Number(number(BOB)), parts(&["hi"]), None, at(1000)).await;
    assert!(forbidden.is_ok(), "the terminal has no such limit");
}

#[tokio::test]
async fn a_purge_of_the_operator_resets_no_limits() {
    let world = World::new().await;
    for now in 0..i64::from(ANSWERS_PER_DAY) {
        let expected =
            if now < i64::from(MAX_GUESSES) { CommandOutcome::UnknownCode } else { CommandOutcome::TooManyGuesses };
        assert_eq!(world.executed("APPROVE AAAABBBB", now).await, expected);
    }
    while !world.store.purge(&number(OPERATOR), 10, at(200)).await.unwrap().is_done {}
    assert_eq!(world.executed("APPROVE AAAABBBB", 201).await, CommandOutcome::TooManyGuesses);
    assert_eq!(world.leaving(202).await, [], "the day's answers are used up");
}
