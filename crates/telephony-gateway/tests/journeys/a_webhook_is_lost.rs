use std::sync::Arc;
use std::time::Duration;

use telephony_domain::consent::Wish;
use telephony_domain::message::Arrival;
use telephony_domain::time::Timestamp;
use telephony_store::history::{Direction, Filter};
use telephony_store::inbox::Accepted;
use telephony_store::sqlite::back_up;
use twilio_simulator::{Fault, FaultExtent, InboundText, LogEntry, Number, Service};

use crate::a_contact_says_stop::wait_for_ours;
use crate::stage::{ALICE, BOB, Plan, SOON, Scripted, Stage, is_look_for, phone};

#[tokio::test]
async fn a_text_sent_while_the_gateway_was_down_is_answered_at_the_next_start() {
    let agent = Scripted::repeating();
    let mut stage =
        Plan { coalesce: Duration::from_millis(1), ..Plan::default() }.with_agent(agent.clone()).start().await;
    stage.text(ALICE, "before").await;
    stage.expect(ALICE, &["before"]).await;
    stage.stop_gateway().await;
    let lost = stage.twilio.text(ALICE, stage.bot(), "hello").await.unwrap();
    assert_eq!(lost.status, None);
    stage.twilio.text(BOB, stage.bot(), "anybody there?").await.unwrap();
    stage.start_gateway().await;
    stage.expect(ALICE, &["before", "hello"]).await;
    stage.expect(BOB, &["anybody there?"]).await;
    let late = Arrival {
        provider_id: lost.sid,
        from: ALICE.to_owned(),
        to: stage.bot().to_owned(),
        messaging_service: None,
        text: "hello".to_owned(),
        media: Vec::new(),
        also_to: Vec::new(),
        opt_out_type: None,
        provider_time: None,
        signed: None,
    };
    let accepted = stage.store().accept("twilio", late, Arc::default(), stage.now()).await.unwrap();
    assert_eq!(accepted, Accepted::Repeat, "a late webhook changes nothing");
    assert_eq!(stage.expect_rest().await.received_today, 3);
    assert_eq!(agent.questions().len(), 3);
}

#[tokio::test]
async fn a_text_lost_while_the_clock_was_ahead_is_found_later() {
    let mut stage = Plan::default().start().await;
    wait_for_looks(&stage, stage.bot(), 1).await;
    stage.stop_gateway().await;
    stage.clock.advance(Duration::from_secs(3600));
    stage.start_gateway().await;
    stage.text(ALICE, "before").await;
    stage.expect(ALICE, &["before"]).await;
    wait_for_looks(&stage, stage.bot(), 2).await;
    stage.stop_gateway().await;
    stage.twilio.text(ALICE, stage.bot(), "hello").await.unwrap();
    stage.clock.set_back(Duration::from_secs(2400));
    stage.start_gateway().await;
    stage.expect(ALICE, &["before", "hello"]).await;
}

#[tokio::test]
async fn a_lost_picture_still_reaches_the_agent() {
    let agent = Scripted::new(|turn| Ok(format!("{} picture(s)", turn.said[0].media.len())));
    let mut stage = Plan::default().with_agent(agent).start().await;
    stage.stop_gateway().await;
    stage.twilio.receive(InboundText::new(ALICE, stage.bot(), "look").with_media(2)).await.unwrap();
    stage.start_gateway().await;
    stage.expect(ALICE, &["2 picture(s)"]).await;
}

#[tokio::test]
async fn a_late_webhook_adds_what_the_list_lacks() {
    let agent = Scripted::new(|turn| Ok(format!("also to {:?}", turn.said[0].also_to)));
    let mut stage = Plan::default().with_agent(agent).start().await;
    wait_for_looks(&stage, stage.bot(), 1).await;
    stage.stop_gateway().await;
    // The message does not age, however slow the machine is.
    stage.clock.stop();
    let group = InboundText::new(ALICE, stage.bot(), "hello").with_parameter("OtherRecipients0", BOB);
    let late = stage.twilio.receive(group).await.unwrap();
    assert_eq!(late.status, None);
    stage.start_gateway().await;
    wait_for_looks(&stage, stage.bot(), 2).await;
    assert_eq!(stage.twilio.redeliver(&late.sid).await.unwrap().status, Some(200));
    stage.expect(ALICE, &[&format!("also to {:?}", [BOB])]).await;
    stage.clock.advance(Duration::from_secs(5));
    assert_eq!(stage.expect_rest().await.received_today, 1);
}

#[tokio::test]
async fn texts_from_before_the_first_start_are_ignored() {
    let mut stage = Plan::default().prepare().await;
    stage.twilio.text(ALICE, stage.bot(), "years ago").await.unwrap();
    stage.clock.advance(Duration::from_secs(60));
    stage.start_gateway().await;
    stage.text(BOB, "hello").await;
    stage.expect(BOB, &["hello"]).await;
    wait_for_looks(&stage, stage.bot(), 1).await;
    assert_eq!(stage.expect_rest().await.received_today, 1);
}

#[tokio::test]
async fn a_restored_store_catches_up_although_calls_cannot_be_listed() {
    let mut stage = Plan { missed_call_text: Some("Sorry, I missed you."), ..phone::plan() }.start().await;
    stage.text(ALICE, "before").await;
    stage.expect(ALICE, &["before"]).await;
    stage.stop_gateway().await;
    let path = |name: &str| stage.state.path().join(name);
    back_up(&path("telephony.sqlite"), &path("arrivals"), &path("backup"), stage.now()).await.unwrap();
    std::fs::rename(path("backup"), path("telephony.sqlite")).unwrap();
    let missing = format!("{}/_simulator/missing", stage.twilio.base_url());
    let request = reqwest::Client::new().post(missing).header("content-type", "application/json");
    assert!(request.body(r#"["/Calls"]"#).send().await.unwrap().status().is_success());
    stage.start_gateway().await;
    stage.text(ALICE, "after").await;
    stage.expect(ALICE, &["before", "after"]).await;
}

#[tokio::test]
async fn the_gateway_runs_while_lost_texts_cannot_be_fetched() {
    let mut stage = Plan::default().start().await;
    stage.stop_gateway().await;
    stage.twilio.text(ALICE, stage.bot(), "hello").await.unwrap();
    stage.twilio.misbehave(Fault::ReadsUnavailable, FaultExtent::All);
    stage.start_gateway().await;
    stage.text(BOB, "hi").await;
    stage.expect(BOB, &["hi"]).await;
    assert!(stage.bodies(ALICE).is_empty());
    stage.twilio.behave();
    stage.stop_gateway().await;
    stage.start_gateway().await;
    stage.expect(ALICE, &["hello"]).await;
}

#[tokio::test]
async fn a_lost_text_to_a_new_number_of_the_service_is_found() {
    const POOL: &str = "MG0123456789abcdef0123456789abcdef";
    const SECOND: &str = "+15550001235";
    let mut simulator = Plan::default().simulator;
    simulator.numbers = [twilio_simulator::DEFAULT_NUMBER, SECOND].map(Number::new).to_vec();
    simulator.services = vec![Service::new(POOL, &[twilio_simulator::DEFAULT_NUMBER, SECOND])];
    let plan = Plan { simulator, messaging_service: Some(POOL), ..Plan::default() };
    let mut stage = plan.start().await;
    wait_for_looks(&stage, SECOND, 1).await;
    let unheard = stage.twilio.text(ALICE, SECOND, "hello").await.unwrap();
    assert_eq!(unheard.status, None, "it has no webhook");
    stage.stop_gateway().await;
    stage.start_gateway().await;
    stage.expect(ALICE, &["hello"]).await;
}

#[tokio::test]
async fn a_text_that_cannot_be_stored_raises_a_notice() {
    const REFUSES: &str = "CREATE TRIGGER refuses BEFORE INSERT ON inbound WHEN NEW.text = 'bad' BEGIN
                               SELECT RAISE(ABORT, 'on purpose'); END";
    let mut stage = Plan::default().start().await;
    wait_for_looks(&stage, stage.bot(), 1).await;
    stage.stop_gateway().await;
    let database = rusqlite::Connection::open(stage.state.path().join("telephony.sqlite")).unwrap();
    database.execute_batch(REFUSES).unwrap();
    for text in ["bad", "hello"] {
        stage.twilio.text(ALICE, stage.bot(), text).await.unwrap();
    }
    stage.start_gateway().await;
    stage.expect(ALICE, &["hello"]).await;
    let notices = stage.store().notices(stage.now()).await.unwrap();
    assert_eq!(notices.iter().map(|notice| notice.name.as_str()).collect::<Vec<_>>(), ["left-out"]);
}

/// Waits until the gateway has read Twilio's list of messages to `number` this many times.
async fn wait_for_looks(stage: &Stage, number: &str, times: usize) {
    let is_listed = |entry: &&LogEntry| is_look_for(entry, number) && entry.status.is_some();
    let listed = |log: &[LogEntry]| log.iter().filter(is_listed).count() >= times;
    stage.twilio.wait_for_log(listed, SOON).await.unwrap();
}

/// Returns Alice's messages in the store, oldest first: time of arrival and state.
async fn from_alice(stage: &Stage) -> Vec<(Timestamp, String)> {
    let contact = ALICE.parse().ok();
    let filter = Filter { contact, direction: Some(Direction::Inbound), limit: 100, ..Filter::default() };
    let mut entries = stage.store().messages(filter).await.unwrap();
    entries.reverse();
    entries.iter().map(|entry| (entry.time, entry.state().to_owned())).collect()
}

/// Alice texts while the gateway is down; it comes back `later` by its clock, but cannot reach Twilio yet.
async fn unheard(stage: &mut Stage, body: &str, later: Duration) {
    // Messages before the very first check would be ignored.
    wait_for_looks(stage, stage.bot(), 1).await;
    stage.stop_gateway().await;
    assert_eq!(stage.twilio.text(ALICE, stage.bot(), body).await.unwrap().status, None);
    stage.clock.advance(later);
    stage.twilio.misbehave(Fault::ReadsUnavailable, FaultExtent::All);
    stage.start_gateway().await;
}

/// Makes Twilio available again and waits until the gateway asks.
async fn found(stage: &mut Stage, texts: usize) {
    stage.twilio.behave();
    stage.stop_gateway().await;
    stage.start_gateway().await;
    let look = async {
        while from_alice(stage).await.len() < texts {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, look).await.expect("the lost text is not found");
}

async fn is_opted_out(stage: &Stage) -> bool {
    stage.store().opt_outs().await.unwrap().iter().any(|consent| consent.contact.as_str() == ALICE)
}

#[tokio::test]
async fn a_recovered_text_is_listed_at_the_time_it_was_sent() {
    let mut stage = Plan::default().start().await;
    stage.text(ALICE, "first").await;
    stage.expect(ALICE, &["first"]).await;
    let before = stage.now();
    unheard(&mut stage, "second", Duration::from_secs(3600)).await;
    stage.text(ALICE, "third").await;
    found(&mut stage, 3).await;
    let times: Vec<_> = from_alice(&stage).await.into_iter().map(|(time, _)| time).collect();
    assert!(times[1] < before + Duration::from_secs(60), "{times:?} is an hour late");
    assert!(times[2] > before + Duration::from_secs(3600), "{times:?}");
}

#[tokio::test]
async fn a_recovered_yes_does_not_undo_a_later_stop() {
    let mut stage = Plan::default().start().await;
    stage.text(ALICE, "STOP").await;
    unheard(&mut stage, "yes", Duration::from_secs(60)).await;
    stage.text(ALICE, "STOP").await;
    found(&mut stage, 3).await;
    assert!(is_opted_out(&stage).await);
    let history = stage.store().consent_history(None).await.unwrap();
    let has = |wish, is_overtaken| history.iter().any(|said| (said.wish, said.is_overtaken) == (wish, is_overtaken));
    assert!(history.len() == 2 && has(Wish::OptOut, false) && has(Wish::OptIn, true), "{history:?}");
    assert_eq!(from_alice(&stage).await.iter().filter(|(_, state)| state == "keyword").count(), 3);
}

#[tokio::test]
async fn a_recovered_stop_does_not_undo_a_later_start() {
    let mut stage = Plan::default().start().await;
    stage.text(ALICE, "STOP").await;
    stage.text(ALICE, "START").await;
    unheard(&mut stage, "STOP", Duration::from_secs(60)).await;
    stage.text(ALICE, "START").await;
    found(&mut stage, 4).await;
    assert!(!is_opted_out(&stage).await);
    stage.text(ALICE, "still there?").await;
    wait_for_ours(&stage, &["still there?"]).await;
}

#[tokio::test]
async fn a_recovered_stop_is_applied() {
    let mut stage = Plan::default().start().await;
    unheard(&mut stage, "STOP", Duration::from_secs(60)).await;
    assert!(!is_opted_out(&stage).await);
    found(&mut stage, 1).await;
    let opt_outs = stage.store().opt_outs().await.unwrap();
    assert!(opt_outs[0].at < stage.now() - Duration::from_secs(59), "it was said a minute ago: {opt_outs:?}");
    stage.text(ALICE, "hello?").await;
    assert_eq!(stage.expect_rest().await.received_today, 2);
    wait_for_ours(&stage, &[]).await;
}
