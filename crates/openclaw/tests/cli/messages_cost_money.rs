use serde_json::json;
use twilio_simulator::{Fault, FaultExtent};

use crate::bench::{ALICE, BOB, Bench, run};

const LONDON: &str = "+445550001111";

#[tokio::test]
async fn the_price_is_estimated_before_a_text_is_sent() {
    let bench = Bench::new().await;
    let long = "x".repeat(161);
    let plan = bench.json(&["telephony", "send", ALICE, &long, "--dry-run", "--json"]).await;
    let price = json!({"price": {"amount": "0.0158", "currency": "USD"}, "basis": "price-list"});
    assert_eq!(plan["estimate"], price);
    let shown = bench.done(&["telephony", "send", LONDON, "hi", "--dry-run"]).await;
    assert!(shown.ends_with("The cost is unknown: no message to that country has been paid for yet.\n"), "{shown}");
    assert_eq!(bench.twilio.creations(), 0);
    // Works without a configuration too, because the price list is built in.
    let counted = run(&["telephony", "segments", &long, "--to", ALICE]).stdout;
    assert!(counted.contains("2 segments") && counted.contains("Estimated cost: 0.0158 USD"), "{counted}");
}

#[tokio::test]
async fn charged_and_estimated_prices_are_listed_separately() {
    let bench = Bench::new().await;
    bench.done(&["telephony", "send", ALICE, "one", "--wait"]).await;
    bench.done(&["telephony", "send", BOB, "two"]).await;
    let costs = bench.json(&["telephony", "costs", "--by", "contact", "--json"]).await;
    let usd = |amount: &str| json!([{"amount": amount, "currency": "USD"}]);
    let row = |contact: &str, actual, estimated| {
        json!({
            "name": contact, "sent": 1, "received": 0, "segments": 1, "calls": 0, "callMinutes": 0, "actual": actual,
            "estimated": estimated, "unknown": 0,
        })
    };
    assert_eq!(costs["rows"], json!([row(ALICE, usd("0.0079"), json!([])), row(BOB, json!([]), usd("0.0079"))]));
    assert_eq!(costs["balance"], json!({"amount": "15.50", "currency": "USD"}));
    let detail = bench.json(&["telephony", "messages", "out-1", "--json"]).await;
    assert_eq!(detail["parts"][0]["price"], usd("0.0079")[0]);
    // Past prices predict the cost of the next message to the same country.
    bench.done(&["telephony", "send", LONDON, "three", "--wait"]).await;
    let plan = bench.json(&["telephony", "send", LONDON, &"y".repeat(200), "--dry-run", "--json"]).await;
    assert_eq!(plan["estimate"]["basis"], "own-prices");
    assert_eq!(plan["estimate"]["price"]["amount"], "0.0158");
}

#[tokio::test]
async fn costs_are_shown_without_the_balance_if_twilio_withholds_it() {
    let bench = Bench::new().await;
    bench.done(&["telephony", "send", ALICE, "one", "--wait"]).await;
    bench.twilio.misbehave(Fault::ReadsUnavailable, FaultExtent::All);
    let ran = bench.run(&["telephony", "costs"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[1].starts_with("sent") && lines[1].contains("0.0079 USD"), "{}", ran.stdout);
    assert!(lines[3].starts_with("Balance: unknown: "), "{}", ran.stdout);
    for by in ["day", "line"] {
        let shown = bench.done(&["telephony", "costs", "--by", by, "--since", "1h"]).await;
        assert!(shown.contains("total"), "{shown}");
    }
}
