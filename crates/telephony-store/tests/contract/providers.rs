//! Each line names its provider, and ids are unique for each provider.

use telephony_domain::delivery::Status;
use telephony_domain::pace::Pacing;
use telephony_store::Next;
use telephony_store::inbox::Accepted;
use telephony_store::outbox::{PartState, Reported};

use super::world::{ANN, LINE, World, arrival, at, open_to_all, report, sender};

const OTHER: &str = "other-company";

#[tokio::test]
async fn the_same_id_at_another_provider_is_another_message() {
    let world = World::new().await;
    let rules = || std::sync::Arc::new(open_to_all());
    for provider in ["twilio", OTHER] {
        let accepted = world.store.accept(provider, arrival("SM1", ANN, provider), rules(), at(1)).await.unwrap();
        assert!(matches!(accepted, Accepted::Waiting(_)), "{provider}: {accepted:?}");
        let again = world.store.accept(provider, arrival("SM1", ANN, provider), rules(), at(2)).await.unwrap();
        assert_eq!(again, Accepted::Repeat);
    }
    assert_eq!(world.lease(at(3)).await.messages.len(), 2);
}

#[tokio::test]
async fn reports_and_prices_of_another_provider_do_not_concern_our_parts() {
    let world = World::new().await;
    world.send("k", ANN, &["hi"], at(1)).await;
    world.hand_over("SM1", at(1)).await;
    let of =
        async |provider| world.store.report(provider, report("SM1", None, Status::Delivered), at(2)).await.unwrap();
    assert_eq!(of(OTHER).await, Reported::Foreign);
    assert!(matches!(of("twilio").await, Reported::Known(..)));
    let claimed = async |provider| world.store.claimed(provider, vec!["SM1".to_owned()]).await.unwrap();
    assert_eq!((claimed("twilio").await.len(), claimed(OTHER).await.len()), (1, 0));
    let unpriced = async |provider| world.store.unpriced(provider, 10, at(100_000)).await.unwrap().len();
    assert_eq!((unpriced(OTHER).await, unpriced("twilio").await), (0, 1));
}

#[tokio::test]
async fn a_part_leaves_through_the_provider_of_its_line() {
    let world = World::new().await;
    let message = world.send("k", ANN, &["hi"], at(1)).await;
    assert_eq!(world.store.claim_line(OTHER, sender(LINE), at(2)).await.unwrap(), world.line);
    assert!(matches!(world.next_part(Pacing::Unlimited, at(3)).await, Next::Idle(None)), "it is another provider's");
    assert_eq!(world.store.claim_line("twilio", sender(LINE), at(4)).await.unwrap(), world.line);
    world.hand_over("SM1", at(5)).await;
    assert_eq!(world.states(message).await, [PartState::Sent]);
}
