//! Twilio rejects the whole account, and the operator fixes that.

use twilio_simulator::{Fault, FaultExtent};

use crate::bench::{ALICE, BOB, Bench, Ran};
use crate::diagnosis::edit;
use crate::proxy::{Habits, Proxy};

const CODES: [u32; 6] = [10001, 10002, 20003, 20005, 20006, 20008];

/// Faults that reject all requests, or only sends.
fn faults(code: u32) -> [Fault; 2] {
    [Fault::RefuseAccount { code }, Fault::RefuseSends { code }]
}

fn expect_kept(ran: &Ran, code: u32) {
    assert_eq!(ran.code, 1, "{ran:?}");
    let said = format!("error: not sent yet, but kept: sending is stopped (Twilio error {code}): ");
    assert!(ran.stderr.starts_with(&said), "{ran:?}");
    assert!(ran.stderr.contains("hint: ") && !ran.stderr.contains(ALICE), "{ran:?}");
}

#[tokio::test]
async fn without_a_gateway_the_message_is_kept_and_the_next_send_ends_the_stop() {
    for fault in CODES.into_iter().flat_map(faults) {
        let (Fault::RefuseAccount { code } | Fault::RefuseSends { code }) = fault else { unreachable!() };
        let bench = Bench::new().await;
        bench.twilio.misbehave(fault, FaultExtent::All);
        for text in ["one", "two"] {
            expect_kept(&bench.run(&["telephony", "send", ALICE, text]).await, code);
        }
        let status = bench.json(&["telephony", "status", "--json"]).await;
        assert_eq!((&status["stopped"]["code"], &status["outbox"]["queued"]), (&code.into(), &2.into()), "{status}");
        bench.twilio.behave();
        bench.done(&["telephony", "send", ALICE, "three"]).await;
        assert_eq!(bench.texts(ALICE, 3).await, ["one", "two", "three"]);
        let status = bench.json(&["telephony", "status", "--json"]).await;
        assert!(status["stopped"].is_null() && status["notices"] == serde_json::json!([]), "{status}");
    }
}

#[tokio::test]
async fn a_send_over_a_slow_link_ends_the_stop() {
    let bench = Bench::new().await;
    bench.twilio.misbehave(Fault::RefuseAccount { code: 20003 }, FaultExtent::All);
    expect_kept(&bench.run(&["telephony", "send", ALICE, "one"]).await, 20003);
    bench.twilio.behave();
    let proxy = Proxy::start().await;
    let slow = |head| {
        std::thread::sleep(std::time::Duration::from_secs(1));
        head
    };
    let twilio = bench.twilio.address().to_string();
    proxy.does(Habits { target: Some(twilio), request: Box::new(slow), ..Habits::default() });
    edit(&bench, bench.twilio.base_url(), &format!("http://{}", proxy.address));
    bench.done(&["telephony", "send", ALICE, "two"]).await;
    assert_eq!(bench.texts(ALICE, 2).await, ["one", "two"]);
    assert!(bench.json(&["telephony", "status", "--json"]).await["stopped"].is_null());
}

#[tokio::test]
async fn with_a_gateway_the_message_is_kept_and_sent_once_the_stop_ends() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    bench.twilio.misbehave(Fault::RefuseAccount { code: 20005 }, FaultExtent::All);
    for text in ["one", "two"] {
        expect_kept(&bench.run(&["telephony", "send", ALICE, text]).await, 20005);
        expect_kept(&bench.run(&["telephony", "send", BOB, text]).await, 20005);
    }
    let doctor = bench.run(&["telephony", "doctor"]).await;
    assert_eq!(doctor.code, 1);
    assert!(doctor.stdout.contains("Twilio rejects the whole account"), "{}", doctor.stdout);
    let status = bench.done(&["telephony", "status"]).await;
    assert!(status.contains("Sending:   stopped since ") && status.contains("20005"), "{status}");
    bench.twilio.behave();
    assert_eq!(bench.texts(ALICE, 2).await, ["one", "two"]);
    assert_eq!(bench.texts(BOB, 2).await, ["one", "two"]);
    bench.wait_for(|status| status["stopped"].is_null() && status["notices"][0].is_null()).await;
    let errors = bench.gateway_log().matches("sending is stopped").count();
    assert_eq!(errors, 1, "{}", bench.gateway_log());
}

#[tokio::test]
async fn codes_about_one_recipient_fail_that_message_only() {
    let bench = Bench::new().await;
    // Twilio's magic numbers: invalid number, no route, no permission for the country, opted out, cannot receive SMS.
    for nowhere in ["+15005550001", "+15005550002", "+15005550003", "+15005550004", "+15005550009"] {
        let ran = bench.run(&["telephony", "send", nowhere, "hello"]).await;
        assert!(ran.stderr.starts_with("error: not sent (Twilio error 21"), "{ran:?}");
    }
    bench.done(&["telephony", "send", ALICE, "hello"]).await;
    assert!(bench.json(&["telephony", "status", "--json"]).await["stopped"].is_null());
}
