//! The provider's previous settings are kept until they are restored.

use telephony_store::routes::RouteChange;

use super::world::{World, at};

fn change(name: &str, before: &str, after: &str) -> RouteChange {
    let (route, address) = ("PN1".to_owned(), "+15550001234".to_owned());
    RouteChange { route, address, name: name.to_owned(), before: before.to_owned(), after: after.to_owned() }
}

#[tokio::test]
async fn a_change_is_stored_before_it_is_made() {
    let world = World::new().await;
    let changes = vec![change("SmsUrl", "https://old", "https://new"), change("VoiceUrl", "", "https://new")];
    world.store.changing_routes(changes.clone(), at(1)).await.unwrap();
    assert_eq!(world.restarted().store.route_changes().await.unwrap(), changes);
}

#[tokio::test]
async fn alternating_tunnel_urls_do_not_fill_the_store() {
    let world = World::new().await;
    for second in 0..10 {
        let changes = vec![change("SmsUrl", "a", "b"), change("SmsUrl", "b", "a")];
        world.store.changing_routes(changes, at(second)).await.unwrap();
    }
    assert_eq!(world.store.route_changes().await.unwrap().len(), 2);
}

#[tokio::test]
async fn undone_changes_are_deleted_and_others_kept() {
    let world = World::new().await;
    let changes = vec![change("SmsUrl", "a", "b"), change("SmsUrl", "b", "c"), change("VoiceUrl", "a", "b")];
    world.store.changing_routes(changes, at(1)).await.unwrap();
    world.store.route_restored("PN1", "SmsUrl").await.unwrap();
    world.store.route_restored("PN2", "VoiceUrl").await.unwrap();
    assert_eq!(world.store.route_changes().await.unwrap(), [change("VoiceUrl", "a", "b")]);
}
