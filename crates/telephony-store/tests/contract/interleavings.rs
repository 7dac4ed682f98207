//! In any order of events, no message is lost and no work is done by two workers at a time.

use std::collections::HashMap;

use proptest::prelude::*;
use telephony_domain::delivery::Status;
use telephony_domain::id::{ConversationId, InboundId, PartId};
use telephony_domain::reconcile::SearchResult;
use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;
use telephony_store::history::{Direction, EntryId, EntryState, Filter, MessageReference};
use telephony_store::inbox::{Accepted, LeasedTurn};
use telephony_store::outbox::{DoubtfulPart, PartState, StartedPart};
use telephony_store::{LeaseHolder, Next, StoreError};

use super::world::{RETRY, World, at, draft, receipt, report, seconds, send_failure, turn_failure};

const CONTACTS: [&str; 3] = ["+15550000001", "+15550000002", "+15550000003"];

/// An event; its numbers choose among what exists.
#[derive(Debug, Clone)]
enum Event {
    Says(usize, &'static str),
    SaysAgain(usize),
    Lease,
    Answer(usize),
    FailTurn(usize),
    HandBack(usize),
    FreeTurns,
    Enqueue(usize, usize),
    Start,
    Sent(usize),
    FailPart(usize, Disposition),
    Report(usize),
    Abandon,
    Doubt,
    NotFound(usize, SearchResult),
    TimePasses(u64),
    ClockIsSetBack(u64),
}

fn any_event() -> impl Strategy<Value = Event> {
    let text = prop_oneof![6 => Just("hello"), 1 => Just("STOP"), 1 => Just("START")];
    let why = prop_oneof![1 => Just(RETRY), 1 => Just(Disposition::GiveUp), 2 => Just(Disposition::Unknown)];
    let finding = prop_oneof![3 => Just(SearchResult::Absent), 1 => Just(SearchResult::Unreachable)];
    prop_oneof![
        4 => (0..3usize, text).prop_map(|(contact, text)| Event::Says(contact, text)),
        1 => any::<usize>().prop_map(Event::SaysAgain),
        4 => Just(Event::Lease),
        3 => any::<usize>().prop_map(Event::Answer),
        1 => any::<usize>().prop_map(Event::FailTurn),
        1 => any::<usize>().prop_map(Event::HandBack),
        1 => Just(Event::FreeTurns),
        2 => (0..3usize, 1..4usize).prop_map(|(contact, parts)| Event::Enqueue(contact, parts)),
        6 => Just(Event::Start),
        4 => any::<usize>().prop_map(Event::Sent),
        3 => (any::<usize>(), why).prop_map(|(attempt, why)| Event::FailPart(attempt, why)),
        2 => any::<usize>().prop_map(Event::Report),
        1 => Just(Event::Abandon),
        3 => Just(Event::Doubt),
        3 => (any::<usize>(), finding).prop_map(|(doubt, finding)| Event::NotFound(doubt, finding)),
        4 => (0..70u64).prop_map(Event::TimePasses),
        1 => (0..4_000u64).prop_map(Event::ClockIsSetBack),
    ]
}

/// The world, and everything that any worker saw.
struct Story {
    world: World,
    now: Timestamp,
    texts: usize,
    said: Vec<InboundId>,
    enqueued: usize,
    leases: Vec<LeasedTurn>,
    attempts: Vec<StartedPart>,
    doubts: Vec<DoubtfulPart>,
    newest_started: HashMap<String, PartId>,
}

fn pick<T>(all: &[T], number: usize) -> Option<&T> {
    all.get(number.checked_rem(all.len())?)
}

fn provider_id(part: &StartedPart) -> String {
    format!("SM-{}", part.correlation_id)
}

impl Story {
    async fn new() -> Story {
        Story {
            world: World::new().await,
            now: at(100_000),
            texts: 0,
            said: Vec::new(),
            enqueued: 0,
            leases: Vec::new(),
            attempts: Vec::new(),
            doubts: Vec::new(),
            newest_started: HashMap::new(),
        }
    }

    async fn goes_on(&mut self, event: Event) {
        let (store, now) = (self.world.store.clone(), self.now);
        match event {
            Event::Says(contact, text) => self.says(self.texts, CONTACTS[contact], text).await,
            Event::SaysAgain(text) if self.texts > 0 => {
                let text = super::world::arrival(&format!("SM-in-{}", text % self.texts), CONTACTS[0], "hello");
                let accepted = self.world.accept(text, super::world::open_to_all(), now).await;
                assert_eq!(accepted, Accepted::Repeat);
            }
            Event::SaysAgain(_) => {}
            Event::Lease => self.lease().await.map_or((), drop),
            Event::Answer(lease) => {
                if let Some(turn) = pick(&self.leases, lease) {
                    let _ = self.world.answer(turn, "answer", now).await;
                }
            }
            Event::FailTurn(lease) => {
                if let Some(turn) = pick(&self.leases, lease) {
                    let _ = store.fail_turn(&turn.lease, turn_failure(RETRY), now).await;
                }
            }
            Event::HandBack(lease) => {
                if let Some(turn) = pick(&self.leases, lease) {
                    let _ = store.hand_back_turn(&turn.lease, now).await;
                }
            }
            Event::FreeTurns => drop(store.free_turns(&LeaseHolder("gateway-2".into()), now).await.unwrap()),
            Event::Enqueue(contact, parts) => self.enqueue(CONTACTS[contact], parts).await,
            Event::Start => self.start().await.map_or((), drop),
            Event::Sent(attempt) => {
                if let Some(part) = pick(&self.attempts, attempt) {
                    store.part_sent(part.lease, receipt(&provider_id(part), Status::Queued), now).await.unwrap();
                }
            }
            Event::FailPart(attempt, why) => {
                if let Some(part) = pick(&self.attempts, attempt) {
                    let _ = store.part_failed(part.lease, send_failure(why), 0.5, now).await;
                }
            }
            Event::Report(attempt) => {
                if let Some(part) = pick(&self.attempts, attempt) {
                    let sent = report(&provider_id(part), Some(&part.correlation_id), Status::Sent);
                    store.report("twilio", sent, now).await.unwrap();
                }
            }
            Event::Abandon => drop(self.world.doubt_overdue(now).await),
            Event::Doubt => self.doubt().await,
            Event::NotFound(doubt, finding) => {
                if let Some(part) = pick(&self.doubts, doubt) {
                    let _ = store.not_found(part.lease, finding, now).await;
                }
            }
            Event::TimePasses(time) => self.now = self.now + seconds(time),
            Event::ClockIsSetBack(time) => self.now = self.now - seconds(time),
        }
        self.check_heads().await;
    }

    async fn says(&mut self, id: usize, from: &str, text: &str) {
        let text = super::world::arrival(&format!("SM-in-{id}"), from, text);
        let accepted = self.world.accept(text, super::world::open_to_all(), self.now).await;
        self.texts += 1;
        if let Accepted::Waiting(id) = accepted {
            self.said.push(id);
        }
    }

    /// Checks that a new lease invalidates all older ones of the conversation.
    async fn lease(&mut self) -> Option<LeasedTurn> {
        let Next::Taken(turn) = self.world.next_turn(self.now).await else { return None };
        for older in self.leases.iter().filter(|older| older.conversation == turn.conversation) {
            let renewed = self.world.store.renew_turn(&older.lease, self.now).await;
            assert_eq!(renewed, Err(StoreError::LeaseLost), "two turns of a conversation are at work");
        }
        assert!(!turn.messages.is_empty());
        self.check_set(turn.conversation, &turn);
        self.leases.push(turn.clone());
        Some(turn)
    }

    /// Checks that a turn always has the same messages and that no message is in two turns.
    fn check_set(&self, conversation: ConversationId, turn: &LeasedTurn) {
        for older in self.leases.iter().filter(|older| older.conversation == conversation) {
            if older.lease.turn == turn.lease.turn {
                assert_eq!(older.messages, turn.messages);
            } else {
                assert!(older.messages.iter().all(|message| !turn.messages.contains(message)));
            }
        }
    }

    async fn enqueue(&mut self, contact: &'static str, parts: usize) {
        let draft = draft(&format!("key-{}", self.enqueued), contact, &["1", "2", "3"][..parts]);
        self.enqueued += 1;
        if let Err(error) = self.world.store.enqueue(self.world.line, draft, self.now).await {
            assert_eq!(error, StoreError::OptedOut);
        }
    }

    /// Returns the states of all parts ever sent to a contact.
    async fn states(&self, contact: &str) -> Vec<PartState> {
        let (contact, direction) = (Some(contact.to_owned()), Some(Direction::Outbound));
        let sent = Filter { contact, direction, limit: 1000, ..Filter::default() };
        let mut states = Vec::new();
        for entry in self.world.store.messages(sent).await.unwrap() {
            let EntryId::Out(message) = entry.id else { panic!("{} is not outbound", entry.id) };
            states.extend(self.world.states(message).await);
        }
        states
    }

    /// Checks that parts of a conversation leave in order, and that superseded attempts have no effect.
    async fn start(&mut self) -> Option<StartedPart> {
        let next = self.world.next_part(telephony_domain::pace::Pacing::Unlimited, self.now).await;
        let Next::Taken(part) = next else { return None };
        let contact = part.to.to_string();
        let newest = self.newest_started.insert(contact, part.lease.part);
        assert!(newest.is_none_or(|newest| newest <= part.lease.part), "a part was overtaken");
        for older in self.attempts.iter().filter(|older| older.lease.part == part.lease.part) {
            assert!(older.lease.attempt < part.lease.attempt);
            let failed = self.world.store.part_failed(older.lease, send_failure(RETRY), 0.0, self.now).await;
            assert_eq!(failed, Err(StoreError::LeaseLost), "two attempts at a part are going on");
        }
        self.attempts.push(part.clone());
        Some(part)
    }

    async fn doubt(&mut self) {
        if let Next::Taken(part) = self.world.store.doubtful_part("twilio", self.now).await.unwrap() {
            self.doubts.push(part);
        }
    }

    /// Checks that at most one part of a conversation is at its head.
    async fn check_heads(&self) {
        for contact in CONTACTS {
            let is_head =
                |state: &PartState| matches!(state, PartState::Ready | PartState::Starting | PartState::Unknown);
            let states = self.states(contact).await;
            assert!(states.iter().filter(|state| is_head(state)).count() <= 1, "{contact}: {states:?}");
        }
    }

    /// Lets all workers finish and checks that nothing is left.
    async fn ends(mut self) {
        for _ in 0..500 {
            self.now = self.now + seconds(61);
            self.world.doubt_overdue(self.now).await;
            while let Some(turn) = self.lease().await {
                self.world.answer(&turn, "at last", self.now).await.unwrap();
            }
            while let Next::Taken(part) = self.world.store.doubtful_part("twilio", self.now).await.unwrap() {
                self.world.store.not_found(part.lease, SearchResult::Absent, self.now).await.unwrap();
            }
            while let Some(part) = self.start().await {
                let taken = receipt(&provider_id(&part), Status::Queued);
                self.world.store.part_sent(part.lease, taken, self.now).await.unwrap();
            }
            if self.is_idle().await {
                return self.check_that_nothing_is_lost().await;
            }
        }
        panic!("there is still work to do");
    }

    async fn is_idle(&self) -> bool {
        let store = &self.world.store;
        let summary = store.summary(self.now).await.unwrap();
        let turns = summary.waiting + summary.answering + summary.retrying + summary.parked;
        turns + summary.queued + summary.unknown == 0
    }

    async fn check_that_nothing_is_lost(&self) {
        for id in &self.said {
            let detail = self.world.store.message(MessageReference::Entry(EntryId::In(*id))).await.unwrap().unwrap();
            let EntryState::In { state, .. } = detail.entry.standing else { panic!("{id} is not inbound") };
            assert!(state == "answered" || state == "refused", "message {id} is {state}");
        }
        for contact in CONTACTS {
            let is_done = |state: &PartState| {
                use PartState::{Canceled, Failed, FinallyUnknown, Sent};
                matches!(state, Sent | Failed | Canceled | FinallyUnknown)
            };
            let states = self.states(contact).await;
            assert!(states.iter().all(is_done), "{contact}: {states:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_interleaving_loses_or_repeats_work(events in prop::collection::vec(any_event(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut story = Story::new().await;
            for event in events {
                story.goes_on(event).await;
            }
            story.ends().await;
        });
    }
}
