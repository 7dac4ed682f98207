//! Message prices: requested a few times, recorded once, added up.

use telephony_domain::delivery::Status;
use telephony_domain::message::MessageDraft;
use telephony_domain::money::{Billed, Currency, Price};
use telephony_domain::tariff::BillingKind;
use telephony_store::costs::Spending;

use super::world::{ANN, BOB, World, arrival, at, draft, open_to_all, report};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

fn billed(provider_id: &str, amount: &str, segments: Option<u32>) -> Billed {
    Billed { provider_id: provider_id.to_owned(), price: usd(amount), segments }
}

fn usd(amount: &str) -> Price {
    Price { amount: amount.parse().unwrap(), currency: Currency::USD }
}

async fn asked(world: &World, now: i64) -> Vec<String> {
    let due = world.store.unpriced("twilio", 10, at(now)).await.unwrap();
    due.into_iter().map(|unpriced| unpriced.provider_id).collect()
}

async fn deliver(world: &World, provider_id: &str, to: &str, now: i64) {
    world.send(provider_id, to, &["1"], at(now)).await;
    world.hand_over(provider_id, at(now)).await;
    world.store.report("twilio", report(provider_id, None, Status::Delivered), at(now)).await.unwrap();
}

async fn spending(world: &World) -> Vec<Spending> {
    let mut spending = world.store.spending(at(0)).await.unwrap();
    spending.sort_by_key(|row| (row.contact.clone(), row.kind, row.price));
    spending
}

#[tokio::test]
async fn a_missing_price_is_requested_less_often_and_abandoned_after_a_day() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    world.hand_over("SM1", at(0)).await;
    assert!(asked(&world, 48 * HOUR).await.is_empty(), "it is still on its way");
    world.store.report("twilio", report("SM1", None, Status::Delivered), at(0)).await.unwrap();
    let mut times = Vec::new();
    for now in (0..=48 * HOUR).step_by(60) {
        if asked(&world, now).await == ["SM1"] {
            times.push(now / MINUTE);
        }
    }
    assert_eq!(times, [2, 15, 60, 6 * 60, 24 * 60]);
}

#[tokio::test]
async fn known_prices_are_stored_and_not_requested_again() {
    let world = World::new().await;
    deliver(&world, "SM1", ANN, 0).await;
    world.accept(arrival("SM2", ANN, "hi"), open_to_all(), at(1)).await;
    assert_eq!(asked(&world, 2 * MINUTE).await, ["SM1"]);
    assert_eq!(asked(&world, 3 * MINUTE).await, ["SM2"]);
    let prices = vec![billed("SM1", "0.0079", Some(1)), billed("SM2", "0.0075", None), billed("SM9", "5", None)];
    assert_eq!(world.store.note_prices("twilio", prices.clone()).await.unwrap(), 2, "the third is not ours");
    assert_eq!(world.store.note_prices("twilio", prices).await.unwrap(), 2, "and once more changes nothing");
    assert!(asked(&world, 48 * HOUR).await.is_empty());
    let rows: Vec<_> = spending(&world).await.into_iter().map(|row| (row.kind, row.price)).collect();
    assert_eq!(rows, [(BillingKind::TextOut, Some(usd("0.0079"))), (BillingKind::TextIn, Some(usd("0.0075")))]);
}

#[tokio::test]
async fn spending_is_grouped_by_contact_day_and_known_price() {
    let world = World::new().await;
    for (id, to) in [("SM1", ANN), ("SM2", ANN), ("SM3", ANN), ("SM4", BOB)] {
        deliver(&world, id, to, 0).await;
    }
    world.accept(arrival("SM5", BOB, &"long ".repeat(40)), open_to_all(), at(24 * HOUR)).await;
    world
        .store
        .note_prices("twilio", vec![billed("SM1", "0.1", None), billed("SM2", "0.000000001", Some(2))])
        .await
        .unwrap();
    let rows: Vec<_> =
        spending(&world).await.into_iter().map(|row| (row.contact, row.messages, row.segments, row.price)).collect();
    let (ann, bob) = (ANN.to_owned(), BOB.to_owned());
    assert_eq!(
        rows,
        [
            (ann.clone(), 1, 1, None),
            (ann, 2, 3, Some(usd("0.100000001"))),
            (bob.clone(), 1, 1, None),
            (bob, 1, 2, None)
        ]
    );
    let days: std::collections::BTreeSet<_> = spending(&world).await.into_iter().map(|row| row.day).collect();
    assert_eq!(days.len(), 2);
    assert!(days.iter().all(|day| day.0 % 86_400_000 == 0));
    assert!(world.store.spending(at(48 * HOUR)).await.unwrap().is_empty());
}

#[tokio::test]
async fn failed_messages_cost_nothing_unless_billed() {
    let world = World::new().await;
    for id in ["SM1", "SM2"] {
        world.send(id, ANN, &["1"], at(0)).await;
        world.hand_over(id, at(0)).await;
        world.store.report("twilio", report(id, None, Status::Failed), at(1)).await.unwrap();
    }
    assert!(spending(&world).await.is_empty());
    world.store.note_prices("twilio", vec![billed("SM2", "0.001", None)]).await.unwrap();
    assert_eq!(spending(&world).await[0].price, Some(usd("0.001")));
}

#[tokio::test]
async fn earlier_prices_of_a_country_are_per_unit() {
    let world = World::new().await;
    let (london, dublin) = ("+445550001111", "+3535550001111");
    deliver(&world, "SM1", london, 0).await;
    deliver(&world, "SM2", dublin, 0).await;
    let picture = MessageDraft {
        media: vec![telephony_domain::message::OutboundMedia::Url("https://a.b/1.png".to_owned())],
        ..draft("c", london, &["look", "there"])
    };
    world.store.enqueue(world.line, picture, at(0)).await.unwrap();
    for id in ["MM3", "SM4"] {
        world.hand_over(id, at(0)).await;
    }
    let prices = [("SM1", "0.04", 1), ("SM2", "0.07", 1), ("MM3", "0.3", 1), ("SM4", "0.15", 3)];
    let prices = prices.map(|(id, amount, segments)| billed(id, amount, Some(segments)));
    world.store.note_prices("twilio", prices.to_vec()).await.unwrap();
    let paid = async |kind, country| world.store.paid_before(kind, country).await.unwrap();
    assert_eq!(paid(BillingKind::TextOut, "44").await, [usd("0.05"), usd("0.04")], "the newest first");
    assert_eq!(paid(BillingKind::MediaOut, "44").await, [usd("0.3")]);
    assert_eq!(paid(BillingKind::TextOut, "353").await, [usd("0.07")]);
    assert_eq!(paid(BillingKind::TextIn, "44").await, []);
}
