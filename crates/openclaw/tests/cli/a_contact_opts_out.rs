use crate::bench::{ALICE, Bench};

#[tokio::test]
async fn every_command_that_would_text_an_opted_out_contact_explains_its_refusal() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    bench.text(ALICE, "hello?").await;
    bench.texts(ALICE, 1).await;
    bench.text(ALICE, "STOP").await;
    let sent = bench.run(&["telephony", "send", ALICE, "news"]).await;
    assert_eq!(sent.code, 1);
    assert!(sent.stderr.contains("opted out") && sent.stderr.contains("hint: "), "{}", sent.stderr);
    bench.text(ALICE, "anybody?").await;
    let approved = bench.run(&["pairing", "approve", "telephony", ALICE]).await;
    assert_eq!(approved.code, 0);
    assert!(approved.stderr.contains("opted out"), "{}", approved.stderr);
    let list = bench.json(&["telephony", "messages", "--json"]).await;
    let whys: Vec<_> = list.as_array().unwrap().iter().map(|message| message["why"].as_str()).collect();
    assert_eq!(whys[..2], [Some("opted-out"), Some("opt-out")], "{list}");
    let current = bench.json(&["telephony", "optouts", "--json"]).await;
    assert_eq!((&current[0]["contact"], &current[0]["evidence"]), (&ALICE.into(), &"provider".into()));
    assert_eq!(current[0]["line"], bench.twilio.number());
    bench.text(ALICE, "START").await;
    bench.done(&["telephony", "send", ALICE, "news"]).await;
    let history = bench.json(&["telephony", "optouts", "--history", "--json"]).await;
    assert_eq!((&history[0]["wish"], &history[1]["wish"]), (&"opt-in".into(), &"opt-out".into()));
}

#[tokio::test]
async fn the_operator_enters_an_opt_out() {
    let bench = Bench::new().await;
    bench.done(&["telephony", "optouts", "add", ALICE]).await;
    assert_eq!(bench.run(&["telephony", "send", ALICE, "news"]).await.code, 1);
    assert_eq!(bench.twilio.creations(), 0);
    let removed = bench.run(&["telephony", "optouts", "remove", ALICE]).await;
    assert!(removed.code == 0 && removed.stderr.contains("START"), "{removed:?}");
    bench.done(&["telephony", "send", ALICE, "news"]).await;
    let elsewhere = bench.run(&["telephony", "optouts", "add", ALICE, "--line", "+15550009999"]).await;
    assert_eq!(elsewhere.code, 1);
    assert!(elsewhere.stderr.contains("is not a configured line") && elsewhere.stderr.contains(bench.twilio.number()));
}
