//! Lines change their senders, and messages arrive for unknown numbers.

use telephony_domain::keyword::Keyword;
use telephony_domain::line::Sender;
use telephony_domain::message::Arrival;
use telephony_store::inbox::Accepted;

use super::world::{ANN, BOB, LINE, World, arrival, at, draft, number, open_to_all, sender, texts};

const OTHER: &str = "+15550007777";

fn to(number: &str, provider_id: &str, text: &str) -> Arrival {
    Arrival { to: number.to_owned(), ..arrival(provider_id, ANN, text) }
}

fn service(number: Option<&str>) -> Sender {
    Sender { number: number.map(|number| number.parse().unwrap()), messaging_service: Some("MG1".to_owned()) }
}

#[tokio::test]
async fn a_line_keeps_its_history_when_its_sender_changes() {
    let world = World::new().await;
    assert_eq!(world.store.claim_line("twilio", sender(LINE), at(1)).await.unwrap(), world.line);
    assert_eq!(world.store.claim_line("twilio", service(Some(LINE)), at(2)).await.unwrap(), world.line);
    assert_eq!(world.store.claim_line("twilio", service(Some(OTHER)), at(3)).await.unwrap(), world.line);
    let lines = world.store.lines().await.unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].sender, service(Some(OTHER)));
    for (i, address) in [LINE, OTHER].into_iter().enumerate() {
        let text = to(address, &format!("SM{i}"), "hello");
        assert!(matches!(world.accept(text, open_to_all(), at(4)).await, Accepted::Waiting(_)), "{address}");
    }
    assert_eq!(world.lease(at(5)).await.messages.len(), 2, "both numbers are one conversation");
}

#[tokio::test]
async fn an_opt_out_survives_a_change_of_sender() {
    let world = World::new().await;
    world.says(ANN, "STOP", at(1)).await;
    world.store.claim_line("twilio", service(Some(LINE)), at(2)).await.unwrap();
    world.store.claim_line("twilio", service(None), at(2)).await.unwrap();
    let refused = world.store.enqueue(world.line, draft("k", ANN, &["hi"]), at(3)).await;
    assert_eq!(refused, Err(telephony_store::StoreError::OptedOut));
}

#[tokio::test]
async fn any_number_of_our_messaging_service_is_ours() {
    let world = World::new().await;
    world.store.claim_line("twilio", service(Some(LINE)), at(1)).await.unwrap();
    let pool = Arrival { messaging_service: Some("MG1".to_owned()), ..to("+15550003333", "SM1", "hello") };
    assert!(matches!(world.accept(pool, open_to_all(), at(2)).await, Accepted::Waiting(_)));
    let foreign = Arrival { messaging_service: Some("MG2".to_owned()), ..to("+15550003333", "SM2", "hello") };
    assert!(matches!(world.accept(foreign, open_to_all(), at(2)).await, Accepted::Unconfirmed(_)));
}

#[tokio::test]
async fn a_message_to_an_unknown_number_waits_until_it_is_resolved() {
    let world = World::new().await;
    for (id, text) in [("SM1", "hello"), ("SM2", "anybody there?")] {
        assert!(matches!(world.accept(to(OTHER, id, text), open_to_all(), at(1)).await, Accepted::Unconfirmed(_)));
    }
    assert_eq!(world.accept(to(OTHER, "SM1", "hello"), open_to_all(), at(1)).await, Accepted::Repeat);
    assert_eq!(world.store.unconfirmed_numbers().await.unwrap(), [OTHER]);
    assert_eq!(world.turns_idle(at(2)).await, None);
    assert_eq!(world.store.resolve_number("twilio", OTHER, true, at(3)).await.unwrap(), 2);
    let turn = world.lease(at(3)).await;
    assert_eq!(texts(&turn), ["hello", "anybody there?"]);
    assert_eq!(turn.line.sender, sender(OTHER));
    assert!(world.store.unconfirmed_numbers().await.unwrap().is_empty());
    assert_eq!(world.store.resolve_number("twilio", OTHER, true, at(4)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_number_that_is_not_ours_gets_no_answer() {
    let world = World::new().await;
    world.accept(to(OTHER, "SM1", "hello"), open_to_all(), at(1)).await;
    assert_eq!(world.store.resolve_number("twilio", OTHER, false, at(2)).await.unwrap(), 1);
    assert_eq!(world.turns_idle(at(3)).await, None);
    assert_eq!(world.store.lines().await.unwrap().len(), 1);
    assert!(matches!(world.accept(to(OTHER, "SM2", "?"), open_to_all(), at(4)).await, Accepted::Unconfirmed(_)));
}

#[tokio::test]
async fn claiming_a_line_resolves_earlier_messages_and_applies_their_stop() {
    let world = World::new().await;
    world.accept(to(OTHER, "SM1", "hello"), open_to_all(), at(1)).await;
    world.accept(to(OTHER, "SM2", "STOP"), open_to_all(), at(2)).await;
    let line = world.store.claim_line("twilio", sender(OTHER), at(3)).await.unwrap();
    assert_ne!(line, world.line);
    assert!(world.store.standing(line, &number(ANN)).await.unwrap().is_opted_out);
    assert!(!world.store.standing(world.line, &number(ANN)).await.unwrap().is_opted_out, "another line");
    assert_eq!(world.turns_idle(at(3)).await, None);
    let again = world.accept(Arrival { from: BOB.to_owned(), ..to(OTHER, "SM3", "stop") }, open_to_all(), at(4)).await;
    assert!(matches!(again, Accepted::Keyword(_, Keyword::OptOut)));
}

#[tokio::test]
async fn a_part_in_doubt_is_searched_under_all_senders_of_its_line() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    world.lose(at(1)).await;
    world.store.claim_line("twilio", service(Some(LINE)), at(2)).await.unwrap();
    world.store.claim_line("twilio", service(Some(OTHER)), at(3)).await.unwrap();
    assert_eq!(world.doubtful(at(600)).await.from, [LINE, OTHER, "MG1"]);
}
