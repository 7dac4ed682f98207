//! A store with one line and several contacts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use telephony_domain::carrier::{Carrier, Rates};
use telephony_domain::delivery::{Receipt, Status, StatusReport};
use telephony_domain::id::{LineId, MessageId};
use telephony_domain::limit::{Limits, Terms};
use telephony_domain::line::Sender;
use telephony_domain::message::{Arrival, MessageDraft, MessagePurpose, PartDraft};
use telephony_domain::mms::MmsRules;
use telephony_domain::money::{Amount, Currency, Price};
use telephony_domain::number::PhoneNumber;
use telephony_domain::pace::Pacing;
use telephony_domain::policy::{InboundPolicy, Policy};
use telephony_domain::retry::Disposition;
use telephony_domain::tariff::PriceList;
use telephony_domain::time::Timestamp;
use telephony_store::inbox::{Accepted, ArrivalRules, LeasedTurn, TurnEnd, TurnFailure};
use telephony_store::outbox::{DoubtfulPart, PartState, SendFailure, StartedPart};
use telephony_store::{LeaseHolder, Next, Store, StoreError};
use tempfile::TempDir;

pub const LINE: &str = "+15550001234";
pub const ANN: &str = "+15550005678";
pub const BOB: &str = "+15550009999";

pub const RETRY: Disposition = Disposition::Retry { after: None };

/// Returns the time `seconds` after an arbitrary start.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp(1_700_000_000_000 + seconds * 1000)
}

pub fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

pub fn number(text: &str) -> PhoneNumber {
    text.parse().unwrap()
}

pub fn sender(text: &str) -> Sender {
    Sender { number: Some(text.parse().unwrap()), messaging_service: None }
}

pub fn gateway() -> LeaseHolder {
    LeaseHolder("gateway-1".to_owned())
}

pub struct World {
    pub store: Arc<dyn Store>,
    pub line: LineId,
    folder: Arc<TempDir>,
    texts: AtomicU64,
}

impl World {
    pub async fn new() -> World {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let store = crate::backend::open(folder.path());
        let line = store.claim_line("twilio", sender(LINE), at(0)).await.unwrap();
        World { store, line, folder, texts: AtomicU64::new(0) }
    }

    /// Opens the same store as another process.
    pub fn beside(&self) -> World {
        let store = crate::backend::open(self.folder.path());
        World { store, line: self.line, folder: self.folder.clone(), texts: AtomicU64::new(1_000_000) }
    }

    /// Replaces the process with a new one.
    pub fn restarted(self) -> World {
        let World { store, line, folder, texts } = self;
        drop(store);
        World { store: crate::backend::open(folder.path()), line, folder, texts }
    }

    pub fn text(&self, from: &str, text: &str) -> Arrival {
        let count = self.texts.fetch_add(1, Ordering::Relaxed);
        arrival(&format!("SM-in-{count}"), from, text)
    }

    pub async fn accept(&self, arrival: Arrival, rules: ArrivalRules, now: Timestamp) -> Accepted {
        self.store.accept("twilio", arrival, Arc::new(rules), now).await.unwrap()
    }

    /// Allows every sender and makes every text due at once.
    pub async fn says(&self, from: &str, text: &str, now: Timestamp) -> Accepted {
        self.accept(self.text(from, text), open_to_all(), now).await
    }

    pub async fn next_turn(&self, now: Timestamp) -> Next<LeasedTurn> {
        self.next_turn_for(&gateway(), true, now).await
    }

    pub async fn next_turn_for(&self, holder: &LeaseHolder, merges: bool, now: Timestamp) -> Next<LeasedTurn> {
        one(self.store.lease_turns(holder, merges, 1, now).await.unwrap())
    }

    pub async fn lease(&self, now: Timestamp) -> LeasedTurn {
        match self.next_turn(now).await {
            Next::Taken(turn) => turn,
            Next::Idle(due) => panic!("no turn is due; the next is at {due:?}"),
        }
    }

    /// Returns the time when the next turn is due; panics if one is due now.
    pub async fn turns_idle(&self, now: Timestamp) -> Option<Timestamp> {
        match self.next_turn(now).await {
            Next::Idle(due) => due,
            Next::Taken(turn) => panic!("a turn is due: {turn:?}"),
        }
    }

    pub async fn answer(&self, turn: &LeasedTurn, text: &str, now: Timestamp) -> Result<(), StoreError> {
        let answer = draft(&format!("turn-{}", turn.lease.turn), turn.contact.as_str(), &[text]);
        self.store.finish_turn(&turn.lease, TurnEnd::Answered(vec![answer]), now).await
    }

    pub async fn send(&self, key: &str, to: &str, parts: &[&str], now: Timestamp) -> MessageId {
        self.store.enqueue(self.line, draft(key, to, parts), now).await.unwrap().message
    }

    pub async fn next_part(&self, pacing: Pacing, now: Timestamp) -> Next<StartedPart> {
        one(self.store.start_parts(&gateway(), terms(pacing), None, 1, None, now).await.unwrap())
    }

    pub async fn next_part_of(
        &self,
        message: MessageId,
        holder: &LeaseHolder,
        pacing: Pacing,
        now: Timestamp,
    ) -> Next<StartedPart> {
        one(self.store.start_parts(holder, terms(pacing), Some(message), 1, None, now).await.unwrap())
    }

    pub async fn start(&self, now: Timestamp) -> StartedPart {
        match self.next_part(Pacing::Unlimited, now).await {
            Next::Taken(part) => part,
            Next::Idle(due) => panic!("no part is due; the next is at {due:?}"),
        }
    }

    /// Returns the part that is due within `limits`, if there is one.
    pub async fn start_within(&self, limits: Limits, now: Timestamp) -> Next<StartedPart> {
        let terms = Terms { limits, ..terms(Pacing::Unlimited) };
        one(self.store.start_parts(&gateway(), terms, None, 1, None, now).await.unwrap())
    }

    /// Returns the names of the active notices.
    pub async fn notices(&self, now: Timestamp) -> Vec<String> {
        self.store.notices(now).await.unwrap().into_iter().map(|notice| notice.name).collect()
    }

    /// Returns the time when the next part is due; panics if one is due now.
    pub async fn parts_idle(&self, now: Timestamp) -> Option<Timestamp> {
        match self.next_part(Pacing::Unlimited, now).await {
            Next::Idle(due) => due,
            Next::Taken(part) => panic!("a part is due: {part:?}"),
        }
    }

    /// Starts the part that is due; the provider accepts it.
    pub async fn hand_over(&self, provider_id: &str, now: Timestamp) -> StartedPart {
        let part = self.start(now).await;
        self.store.part_sent(part.lease, receipt(provider_id, Status::Queued), now).await.unwrap();
        part
    }

    /// Starts the part that is due and loses the response.
    pub async fn lose(&self, now: Timestamp) -> StartedPart {
        let part = self.start(now).await;
        self.store.part_failed(part.lease, send_failure(Disposition::Unknown), 0.0, now).await.unwrap();
        part
    }

    /// Marks overdue attempts as in doubt and returns their number.
    pub async fn doubt_overdue(&self, now: Timestamp) -> usize {
        let open = self.store.open_attempts(now).await.unwrap();
        let overdue = open.into_iter().filter(|attempt| attempt.is_overdue).map(|attempt| attempt.lease).collect();
        self.store.doubt_attempts(overdue, now).await.unwrap()
    }

    pub async fn doubtful(&self, now: Timestamp) -> DoubtfulPart {
        match self.store.doubtful_part("twilio", now).await.unwrap() {
            Next::Taken(part) => part,
            Next::Idle(due) => panic!("no doubt is due; the next is at {due:?}"),
        }
    }

    pub async fn states(&self, message: MessageId) -> Vec<PartState> {
        self.store.progress(message).await.unwrap().parts.iter().map(|part| part.state).collect()
    }
}

/// Returns the only element of a result.
fn one<T>(next: Next<Vec<T>>) -> Next<T> {
    match next {
        Next::Idle(due) => Next::Idle(due),
        Next::Taken(mut taken) => {
            assert_eq!(taken.len(), 1);
            Next::Taken(taken.remove(0))
        }
    }
}

pub fn arrival(provider_id: &str, from: &str, text: &str) -> Arrival {
    Arrival {
        provider_id: provider_id.to_owned(),
        from: from.to_owned(),
        to: LINE.to_owned(),
        messaging_service: None,
        text: text.to_owned(),
        media: Vec::new(),
        also_to: Vec::new(),
        opt_out_type: None,
        provider_time: None,
        signed: None,
    }
}

pub fn rules(inbound: InboundPolicy, coalesce: u64) -> ArrivalRules {
    let policy = Policy { inbound, ..Policy::default() };
    ArrivalRules { policy, coalesce: seconds(coalesce), operator: None, line: None }
}

pub fn open_to_all() -> ArrivalRules {
    rules(InboundPolicy::Open, 0)
}

/// A provider's rules.
static CARRIER: Carrier = Carrier {
    name: "twilio",
    company: "Twilio",
    rates: Rates { long_code: 1.0, toll_free: 3.0, short_code: 100.0, sender_id: 10.0, messaging_service: 1.0 },
    longest_queue: Duration::from_secs(36_000),
    mms: MmsRules {
        max_files: 10,
        max_bytes: 5_000_000,
        bytes_as_is: 500_000,
        max_text: 1600,
        segments: 3,
        resized: &[],
        passed_on: &[],
    },
    prices: PriceList { as_of: "2026-11", text_out: FREE, text_in: FREE, media: FREE },
    unreachable_codes: &[21614, 30006],
    added_words: "Sent from a trial account",
};

const FREE: Price = Price { amount: Amount(0), currency: Currency::USD };

/// Terms without limits.
pub fn terms(pacing: Pacing) -> Terms {
    Terms::unlimited(pacing, &CARRIER)
}

pub fn parts(texts: &[&str]) -> Vec<PartDraft> {
    texts.iter().map(|text| PartDraft { text: (*text).to_owned(), segments: 1 }).collect()
}

pub fn draft(key: &str, to: &str, texts: &[&str]) -> MessageDraft {
    MessageDraft {
        key: key.to_owned(),
        purpose: MessagePurpose::Reply,
        to: number(to),
        text: texts.concat(),
        parts: parts(texts),
        media: Vec::new(),
        turn: None,
    }
}

pub fn receipt(provider_id: &str, status: Status) -> Receipt {
    Receipt { provider_id: provider_id.to_owned(), status, segments: None }
}

pub fn report(provider_id: &str, correlation_id: Option<&str>, status: Status) -> StatusReport {
    StatusReport {
        is_opt_out: false,
        provider_id: provider_id.to_owned(),
        correlation_id: correlation_id.map(str::to_owned),
        status,
        error_code: None,
        segments: None,
    }
}

pub fn turn_failure(disposition: Disposition) -> TurnFailure {
    TurnFailure { reason: "the agent is away".to_owned(), disposition, is_unreachable: false, jitter: 0.0, sorry: None }
}

pub fn send_failure(disposition: Disposition) -> SendFailure {
    let reason = "the provider is away".to_owned();
    SendFailure { disposition, code: Some(20_500), reason, is_opt_out: false, was_answered: false }
}

pub fn texts(turn: &LeasedTurn) -> Vec<&str> {
    turn.messages.iter().map(|message| message.text.as_str()).collect()
}
