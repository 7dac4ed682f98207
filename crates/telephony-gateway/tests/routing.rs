//! The webhook at the provider is changed, with a power failure at every point in between.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;

use telephony_domain::line::Sender;
use telephony_domain::time::Timestamp;
use telephony_gateway::routing::{self, RouteTarget, RoutingPlan};
use telephony_providers::route::{CallbackUrls, Routes};
use telephony_providers::twilio::Twilio;
use telephony_providers::twilio::account::TwilioAccount;
use telephony_store::routes::RouteChanges;
use telephony_store::sqlite::{Mode, SqliteStore};
use twilio_simulator::{DEFAULT_NUMBER, Number, Service, Simulator, SimulatorConfig};

const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn twilio(simulator: &Simulator) -> Twilio {
    Twilio::new(TwilioAccount {
        sid: simulator.account_sid().to_owned(),
        auth_tokens: vec![simulator.auth_token().into()],
        shared_keys: Default::default(),
        api_key: None,
        api_url: simulator.base_url().to_owned(),
        product_urls: Default::default(),
        connection_overrides: String::new(),
        skips_signatures: false,
    })
}

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("store.db"), Mode::Gateway).unwrap()
}

fn callbacks(host: &str) -> CallbackUrls {
    CallbackUrls { webhook: format!("https://{host}/w"), status: format!("https://{host}/s") }
}

/// Returns the current SmsUrl, VoiceUrl and InboundRequestUrl of our number and service.
async fn state(twilio: &Twilio, sender: &Sender) -> [String; 3] {
    let routes = twilio.routes(sender, None).await.unwrap();
    let value = |route: usize, name| routes[route].setting(name).unwrap().value.clone();
    [value(0, "SmsUrl"), value(0, "VoiceUrl"), value(1, "InboundRequestUrl")]
}

/// Makes changes until the process dies after this many `steps`: first storing them, then each route.
async fn die_after(steps: usize, store: &SqliteStore, twilio: &Twilio, plan: &RoutingPlan) {
    if steps > 0 {
        store.changing_routes(plan.changes.clone(), NOW).await.unwrap();
    }
    for changes in plan.changes.chunk_by(|a, b| a.route == b.route).take(steps.saturating_sub(1)) {
        let settings: Vec<_> = changes.iter().map(|change| (change.name.clone(), change.after.clone())).collect();
        twilio.set_route(&changes[0].route, &settings).await.unwrap();
    }
}

#[tokio::test]
async fn changes_interrupted_by_a_power_failure_can_all_be_undone() {
    for first in 0..=3 {
        for second in 0..=3 {
            let number = Number::new(DEFAULT_NUMBER).sms_url("https://old/sms").voice_url("https://demo.twilio.com/x");
            let service = Service {
                use_inbound_webhook_on_number: false,
                inbound_request_url: Some("https://old/service".to_owned()),
                ..Service::new(SERVICE, &[])
            };
            let config =
                SimulatorConfig { numbers: vec![number], services: vec![service], ..SimulatorConfig::default() };
            let simulator = Simulator::start(config).await.unwrap();
            let twilio = twilio(&simulator);
            let sender = Sender { number: DEFAULT_NUMBER.parse().ok(), messaging_service: Some(SERVICE.to_owned()) };
            let before = state(&twilio, &sender).await;
            let folder = tempfile::tempdir().unwrap();
            for (host, steps) in [("one", first), ("two", second)] {
                let store = open(folder.path());
                let target = RouteTarget { sender: &sender, callbacks: &callbacks(host), takes_calls: true };
                let plan = routing::plan(&store, &twilio, target).await.unwrap();
                assert_eq!(plan.changes.chunk_by(|a, b| a.route == b.route).count(), 2);
                die_after(steps, &store, &twilio, &plan).await;
            }
            let store = open(folder.path());
            let plan = routing::plan_undo(&store, &twilio).await.unwrap();
            assert!(plan.left.is_empty() && plan.missing.is_empty(), "{first} {second}: {plan:?}");
            routing::undo(&store, &twilio, &plan).await.unwrap();
            assert_eq!(state(&twilio, &sender).await, before, "{first} {second}");
            assert!(store.route_changes().await.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn a_second_sync_changes_nothing() {
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    let (twilio, folder) = (twilio(&simulator), tempfile::tempdir().unwrap());
    let store = open(folder.path());
    let sender = Sender { number: DEFAULT_NUMBER.parse().ok(), messaging_service: None };
    let target = RouteTarget { sender: &sender, callbacks: &callbacks("one"), takes_calls: false };
    assert_eq!(routing::sync(&store, &twilio, target, NOW).await.unwrap().changes.len(), 3);
    assert_eq!(routing::sync(&store, &twilio, target, NOW).await.unwrap().changes.len(), 0);
    let target = RouteTarget { callbacks: &callbacks("two"), ..target };
    assert_eq!(routing::sync(&store, &twilio, target, NOW).await.unwrap().changes.len(), 3, "calls are ours now");
}
