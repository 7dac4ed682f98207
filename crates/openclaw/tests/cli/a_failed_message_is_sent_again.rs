use twilio_simulator::DeliveryOutcome;

use crate::bench::{ALICE, BOB, Bench};

fn sent(bench: &Bench, phone: &str) -> usize {
    bench.twilio.messages().iter().filter(|message| message.is_outbound() && message.to == phone).count()
}

/// Makes Twilio accept a text but fail to deliver it.
async fn fail(bench: &Bench, phone: &str, text: &str, code: u32) {
    bench.twilio.set_outcome(phone, DeliveryOutcome::Undelivered(code));
    let ran = bench.run(&["telephony", "send", phone, text, "--wait"]).await;
    assert!(ran.code == 1 && ran.stderr.contains(&format!("error {code}")), "{ran:?}");
    bench.twilio.set_outcome(phone, DeliveryOutcome::Delivered);
}

async fn retry(bench: &Bench, arguments: &[&str]) -> String {
    bench.done(&[&["telephony", "messages", "--retry"], arguments].concat()).await
}

#[tokio::test]
async fn an_undelivered_message_is_resent_once() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    for (code, id) in [30002, 30034, 30003].into_iter().zip(["out-1", "out-2", "out-3"]) {
        fail(&bench, ALICE, &format!("hello {code}"), code).await;
        let before = sent(&bench, ALICE);
        assert_eq!(retry(&bench, &[id]).await, format!("{id} will be sent again.\n"));
        bench.texts(ALICE, before + 1).await;
        bench.wait_for(|status| status["outbox"]["queued"] == 0 && status["outbox"]["sending"] == 0).await;
        assert_eq!(retry(&bench, &[id]).await, format!("{id} has not failed, so it is not sent again.\n"));
        assert_eq!(sent(&bench, ALICE), before + 1);
    }
}

#[tokio::test]
async fn all_failures_since_a_time_are_resent_in_order() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    for text in ["one", "two", "three"] {
        fail(&bench, ALICE, text, 30034).await;
    }
    fail(&bench, BOB, "for Bob", 30008).await;
    bench.text(BOB, "STOP").await;
    bench.wait_for(|status| status["inbox"]["receivedToday"] == 1).await;
    let all = bench.run(&["telephony", "messages", "--retry", "--failed", "--since", "2h"]).await;
    assert_eq!((all.code, all.stdout.as_str()), (0, "3 messages will be sent again.\n"), "{all:?}");
    assert!(all.stderr.contains("out-4 is not sent again: the contact has opted out"), "{all:?}");
    assert_eq!(bench.texts(ALICE, 6).await[3..], ["one", "two", "three"]);
    let to_bob = bench.texts(BOB, 1).await;
    assert_eq!(to_bob.iter().filter(|text| *text == "for Bob").count(), 1, "{to_bob:?}");
    bench.wait_for(|status| status["outbox"]["queued"] == 0 && status["outbox"]["sending"] == 0).await;
    assert_eq!(retry(&bench, &["--failed", "--since", "2h"]).await, "0 messages will be sent again.\n");
}

#[tokio::test]
async fn without_a_gateway_a_retry_waits_and_bad_ids_are_rejected() {
    let mut bench = Bench::new().await;
    let ran = bench.run(&["telephony", "send", "+15005550001", "nowhere"]).await;
    assert_eq!(ran.code, 1);
    let ran = bench.run(&["telephony", "messages", "--retry", "out-1"]).await;
    assert!(ran.code == 0 && ran.stderr.contains("once the gateway is running"), "{ran:?}");
    let creations = bench.twilio.creations();
    bench.start_gateway().await;
    bench.wait_for(|status| status["outbox"]["failedToday"] == 1 && status["outbox"]["queued"] == 0).await;
    assert_eq!(bench.twilio.creations(), creations + 1);
    for nonsense in [&["--retry"][..], &["--retry", "--failed"], &["--failed"], &["--retry", "out-1", "--since", "2h"]]
    {
        let ran = bench.run(&[&["telephony", "messages"], nonsense].concat()).await;
        assert_eq!(ran.code, 2, "{nonsense:?}: {ran:?}");
    }
    assert_eq!(bench.run(&["telephony", "messages", "--retry", "out-99"]).await.code, 1);
}
