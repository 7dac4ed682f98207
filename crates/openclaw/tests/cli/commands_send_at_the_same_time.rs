use std::process::{Child, Stdio};
use std::time::Duration;

use telephony_domain::limit::Terms;
use telephony_domain::message::{MessageDraft, MessagePurpose, PartDraft};
use telephony_domain::pace::Pacing;
use telephony_domain::time::{Clock, SystemClock};
use telephony_gateway::lock::SendingLock;
use telephony_providers::twilio::CARRIER;
use telephony_store::outbox::PartState;
use telephony_store::sqlite::{Mode, SqliteStore};
use telephony_store::{LeaseHolder, Next, Store};
use twilio_simulator::{Fault, FaultExtent, LogEntry};

use crate::bench::{ALICE, BOB, Bench, PATIENCE};

const CAROL: &str = "+15550005680";

/// Starts a `send` in the background with an unknown outcome: it checks for abandoned attempts, then reads Twilio's
/// list.
struct Sending(Child);

impl Sending {
    async fn start(bench: &Bench, to: &str) -> Sending {
        bench.twilio.misbehave(Fault::ServerError, FaultExtent::Next(1));
        let mut command = bench.command();
        command.args(["telephony", "send", to, "news"]).stdout(Stdio::null()).stderr(Stdio::null());
        let sending = Sending(command.spawn().unwrap());
        wait_for_look(bench, to).await;
        sending
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

async fn wait_for_look(bench: &Bench, to: &str) {
    let list = format!("Messages.json?To={}", to.replace('+', "%2B"));
    let is_look = |entry: &LogEntry| entry.method == "GET" && entry.target.contains(&list);
    bench.twilio.wait_for_log(|log| log.iter().any(is_look), PATIENCE).await.unwrap();
}

/// Starts an attempt that looks an hour old, as after a change of the clock.
async fn start_an_hour_ago(store: &dyn Store) -> telephony_domain::id::MessageId {
    let (long_ago, line) = (SystemClock.now() - Duration::from_secs(3600), store.lines().await.unwrap()[0].id);
    let draft = MessageDraft {
        key: "send-1".into(),
        purpose: MessagePurpose::Send,
        to: ALICE.parse().unwrap(),
        text: "hello".into(),
        parts: vec![PartDraft { text: "hello".into(), segments: 1 }],
        media: Vec::new(),
        turn: None,
    };
    let message = store.enqueue(line, draft, long_ago).await.unwrap().message;
    let holder = LeaseHolder("cli-other".to_owned());
    let started = store
        .start_parts(&holder, Terms::unlimited(Pacing::Unlimited, &CARRIER), Some(message), 1, None, long_ago)
        .await
        .unwrap();
    assert!(matches!(started, Next::Taken(_)));
    message
}

#[tokio::test]
async fn an_attempt_in_flight_is_not_doubted_even_if_it_looks_old() {
    let bench = Bench::new().await;
    bench.done(&["telephony", "send", BOB, "first"]).await;
    let file = bench.state().join("telephony/telephony.sqlite");
    let store: Box<dyn Store> = Box::new(SqliteStore::open(&file, Mode::Command).unwrap());
    let other = SendingLock::share(&bench.state().join("telephony")).unwrap();
    let message = start_an_hour_ago(store.as_ref()).await;
    let state = async || store.progress(message).await.unwrap().parts[0].state;
    drop(Sending::start(&bench, BOB).await);
    assert_eq!(state().await, PartState::Starting);
    drop(other);
    let _looks = Sending::start(&bench, CAROL).await;
    wait_for_look(&bench, ALICE).await;
    assert_eq!(state().await, PartState::Unknown);
}
