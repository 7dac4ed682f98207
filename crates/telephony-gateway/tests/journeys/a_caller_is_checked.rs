use std::time::Duration;

use telephony_domain::policy::{InboundPolicy, Policy};
use twilio_simulator::CallRecord;

use crate::stage::phone::{GREETING, is_over, plan, transcript, words_of};
use crate::stage::{ALICE, Plan, Scripted};

#[tokio::test]
async fn a_stranger_hears_the_code_and_gets_it_by_text() {
    let stage = Plan { policy: Policy::default(), ..plan() }.start().await;
    let sid = stage.rings().await;
    let call = stage.expect_call(&sid, |call| call.status.is_final()).await;
    let code = stage.store().pairing_requests(stage.now()).await.unwrap()[0].code.clone();
    let spelled: Vec<_> =
        transcript(&call).into_iter().filter(|line| line.contains(" as in ") || line.contains("digit")).collect();
    assert_eq!((spelled.len(), &spelled[0]), (2, &spelled[1]));
    assert!(spelled[0].contains(&code.as_str()[..1]));
    let texts = stage.expect_texts(ALICE, 1).await;
    assert!(texts[0].contains(code.as_str()));
    assert!(stage.store().calls(None, 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_caller_is_rejected_before_it_costs_anything() {
    let policy = Policy { inbound: InboundPolicy::Disabled, ..Policy::default() };
    let stage = Plan { policy, ..plan() }.start().await;
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert!(delivery.body.contains("<Reject reason=\"rejected\"/>"), "{}", delivery.body);
    let stage = Plan { max_sessions: 1, ..plan() }.start().await;
    stage.rings().await;
    let second = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert!(second.body.contains("<Reject reason=\"busy\"/>"), "{}", second.body);
    let withheld = stage.twilio.call("anonymous", stage.bot()).await.unwrap();
    assert!(withheld.body.contains("<Reject"), "{}", withheld.body);
}

#[tokio::test]
async fn the_pin_opens_a_call_and_its_digits_go_nowhere() {
    let agent = Scripted::repeating();
    let stage = Plan { pin: Some("804623"), ..plan() }.with_agent(agent.clone()).start().await;
    let sid = stage.rings().await;
    stage.hears(&sid, "Please enter your PIN, then press the pound key.").await;
    stage.twilio.press(&sid, "1111#").await.unwrap();
    stage.hears(&sid, "That PIN is not correct. Please try again, then press the pound key.").await;
    stage.twilio.press(&sid, "804623#").await.unwrap();
    stage.hears(&sid, GREETING).await;
    // A caller who enters it again does not send it to the agent.
    stage.twilio.press(&sid, "804623#").await.unwrap();
    stage.hears(&sid, "Are you still there?").await;
    stage.says(&sid, "Who am I?").await;
    stage.hears(&sid, "Who am I?").await;
    assert!(agent.calls.lock().unwrap().last().unwrap().is_proven);
    stage.twilio.hang_up(&sid).unwrap();
    let call = stage.expect_stored(&sid, is_over).await;
    assert_eq!(call.turns.iter().map(words_of).collect::<Vec<_>>(), ["Who am I?"]);
    stage.text(ALICE, "the end").await;
    stage.expect(ALICE, &["the end"]).await;
    assert!(!agent.asked.lock().unwrap().iter().any(|(_, text)| text.contains("804623")));
    for file in walk(stage.state.path()) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(6).any(|window| window == b"804623"), "{}", file.display());
    }
}

/// Returns the files below `folder`.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn an_unproven_caller_is_rejected_and_a_stranger_gets_no_code() {
    let agent = Scripted::repeating();
    let stage = Plan { requires_attestation: true, ..plan() }.with_agent(agent.clone()).start().await;
    stage.twilio.attest(ALICE, "TN-Validation-Passed-B");
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert!(delivery.body.contains("<Reject"), "{}", delivery.body);
    stage.twilio.attest(ALICE, "TN-Validation-Passed-A");
    let sid = stage.rings().await;
    stage.says(&sid, "Hello.").await;
    stage.hears(&sid, "Hello.").await;
    let call = agent.calls.lock().unwrap().last().unwrap().clone();
    assert!(call.is_inbound && call.is_proven && call.time_left <= Duration::from_secs(300), "{call:?}");
    let strangers = Plan { policy: Policy::default(), requires_attestation: true, pin: Some("8046"), ..plan() };
    let stage = strangers.start().await;
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert!(delivery.body.contains("<Reject"), "{}", delivery.body);
    assert!(stage.store().pairing_requests(stage.now()).await.unwrap().is_empty());
}

#[tokio::test]
async fn too_many_wrong_pins_lock_unproven_callers_out_and_the_operator_gets_a_notice() {
    let stage = Plan { pin: Some("804623"), ..plan() }.start().await;
    for _ in 0..4 {
        let sid = stage.rings().await;
        for _ in 0..3 {
            let is_listening = |call: &CallRecord| call.is_listening || call.status.is_final();
            if stage.expect_call(&sid, is_listening).await.status.is_final() {
                break;
            }
            let _ = stage.twilio.press(&sid, "0000#").await;
        }
        stage.expect_call(&sid, |call| call.status.is_final()).await;
        stage.expect_stored(&sid, is_over).await;
        if stage.store().notices(stage.now()).await.unwrap().iter().any(|notice| notice.name == "wrong-pins") {
            break;
        }
    }
    let notices = stage.store().notices(stage.now()).await.unwrap();
    assert!(notices.iter().any(|notice| notice.name == "wrong-pins"), "{notices:?}");
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert!(delivery.body.contains("<Reject"), "{}", delivery.body);
    stage.twilio.attest(ALICE, "TN-Validation-Passed-A");
    let sid = stage.rings().await;
    stage.twilio.press(&sid, "804623#").await.unwrap();
    stage.hears(&sid, GREETING).await;
}
