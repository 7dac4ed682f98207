use telephony_domain::pairing::APPROVAL_TEXT;

use crate::bench::{ALICE, Bench};

async fn code_for_alice(bench: &Bench) -> String {
    bench.text(ALICE, "hello?").await;
    let challenge = bench.texts(ALICE, 1).await.remove(0);
    challenge.split_whitespace().last().unwrap().to_owned()
}

#[tokio::test]
async fn while_the_gateway_runs() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    let code = code_for_alice(&bench).await;
    let requests = bench.json(&["pairing", "list", "telephony", "--json"]).await;
    assert_eq!((&requests[0]["code"], &requests[0]["number"]), (&code.as_str().into(), &ALICE.into()));
    let typed = format!("{} {}", code[..4].to_lowercase(), &code[4..]);
    let printed = bench.done(&["pairing", "approve", "telephony", &typed]).await;
    assert!(printed.starts_with(&format!("Approved telephony sender {ALICE}.\nSent: SM")), "{printed}");
    assert_eq!(bench.texts(ALICE, 3).await[1..], [APPROVAL_TEXT, "hello?"]);
    let again = bench.run(&["pairing", "approve", "telephony", &code]).await;
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("no pending pairing request"), "{}", again.stderr);
}

#[tokio::test]
async fn while_the_gateway_is_down() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    let code = code_for_alice(&bench).await;
    assert_eq!(bench.stop_gateway().await, 0);
    let report = bench.json(&["pairing", "approve", "sms", &code, "--json"]).await;
    assert_eq!(report["number"], ALICE);
    let texts = bench.texts(ALICE, 2).await;
    assert_eq!(texts[1], APPROVAL_TEXT);
    bench.start_gateway().await;
    assert_eq!(bench.texts(ALICE, 3).await[2], "hello?");
}

#[tokio::test]
async fn a_stranger_is_rejected_or_blocked() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    let code = code_for_alice(&bench).await;
    let printed = bench.done(&["pairing", "reject", "phone", &code, "--block"]).await;
    assert_eq!(printed, format!("Blocked telephony sender {ALICE}.\n"));
    bench.text(ALICE, "let me in").await;
    let list = bench.json(&["telephony", "messages", "--json"]).await;
    assert_eq!((&list[0]["state"], &list[0]["why"]), (&"refused".into(), &"blocked".into()));
    assert_eq!(bench.texts(ALICE, 1).await.len(), 1);
}

#[tokio::test]
async fn the_channel_argument_is_optional() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    let code = code_for_alice(&bench).await;
    assert_eq!(bench.done(&["pairing", "reject", &code]).await, format!("Rejected telephony sender {ALICE}.\n"));
    let printed = bench.done(&["pairing", "approve", "+1 555 000 5678"]).await;
    assert!(printed.starts_with(&format!("Approved telephony sender {ALICE}.\n")), "{printed}");
}
