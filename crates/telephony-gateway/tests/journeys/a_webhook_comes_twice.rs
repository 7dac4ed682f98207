use crate::stage::{ALICE, Plan, Scripted};

#[tokio::test]
async fn a_repeated_webhook_gets_200_and_changes_nothing() {
    let agent = Scripted::repeating();
    let stage = Plan::default().with_agent(agent.clone()).start().await;
    let first = stage.twilio.text(ALICE, stage.bot(), "once").await.unwrap();
    stage.expect(ALICE, &["once"]).await;
    let (again, twice) = tokio::join!(stage.twilio.redeliver(&first.sid), stage.twilio.redeliver(&first.sid));
    assert_eq!((again.unwrap().status, twice.unwrap().status), (Some(200), Some(200)));
    stage.expect_rest().await;
    assert_eq!(agent.questions(), ["once"]);
    assert_eq!(stage.bodies(ALICE), ["once"]);
}
