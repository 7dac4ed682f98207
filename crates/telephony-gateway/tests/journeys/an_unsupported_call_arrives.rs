use crate::stage::{ALICE, Plan};

#[tokio::test]
async fn a_caller_hears_a_sentence_and_the_call_ends() {
    let stage = Plan::default().start().await;
    let call = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert_eq!(call.status, Some(200));
    assert!(call.body.contains("<Say") && call.body.contains("<Hangup"), "{}", call.body);
    assert!(stage.twilio.alerts().is_empty());
}
