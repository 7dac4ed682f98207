use std::sync::Arc;
use std::time::Duration;

use telephony_agents::{AgentError, Turn};
use telephony_domain::call::Prompt;
use telephony_domain::call::afterwards::SummaryRecipient;
use telephony_domain::policy::{InboundPolicy, Policy};
use telephony_gateway::calls::CALLS_BELOW;
use telephony_store::calls::{CallDetail, CallEntry, CallState, CallTurn, CallTurnOutcome};
use tokio::sync::Semaphore;
use twilio_simulator::{CallRecord, CallStatus, Side, SimulatorConfig};

use crate::stage::{ALICE, BOB, Plan, SOON, Scripted, Stage};

const GREETING: &str = "Hello, this is your assistant.";
const FILLER: &str = "One moment, please.";
const OTHER_CALL: &str = "CAffffffffffffffffffffffffffffffff";

fn plan() -> Plan {
    Plan { takes_calls: true, ..Plan::default() }
}

/// One word for each thing that was said: `> ` by the phone, `< ` by the assistant.
fn transcript(call: &CallRecord) -> Vec<String> {
    let mark = |side| if side == Side::Phone { ">" } else { "<" };
    call.transcript.iter().map(|said| format!("{} {}", mark(said.by), said.text)).collect()
}

impl Stage {
    /// Alice calls; returns the SID of the call once the greeting is said.
    async fn rings(&self) -> String {
        let delivery = self.twilio.call(ALICE, self.bot()).await.unwrap();
        assert_eq!(delivery.status, Some(200), "{}", delivery.body);
        self.twilio.calls().last().unwrap().sid.clone()
    }

    async fn says(&self, sid: &str, words: &str) {
        tokio::time::timeout(SOON, self.twilio.say(sid, words)).await.expect("the call does not listen").unwrap();
    }

    fn at_twilio(&self, sid: &str) -> CallRecord {
        self.twilio.calls().into_iter().find(|call| call.sid == sid).unwrap()
    }

    async fn expect_call(&self, sid: &str, is_wanted: impl Fn(&CallRecord) -> bool) -> CallRecord {
        let is_there = |calls: &[CallRecord]| calls.iter().any(|call| call.sid == sid && is_wanted(call));
        let waited = self.twilio.wait_for_calls(is_there, SOON).await;
        assert!(
            waited.is_ok(),
            "{:?} the call stays {:?}: {:?}",
            self.twilio.alerts(),
            self.at_twilio(sid).status,
            transcript(&self.at_twilio(sid))
        );
        self.at_twilio(sid)
    }

    /// Waits until Twilio has heard the assistant say this.
    async fn hears(&self, sid: &str, words: &str) -> CallRecord {
        self.expect_call(sid, |call| call.transcript.iter().any(|said| said.by == Side::Number && said.text == words))
            .await
    }

    /// Waits until the call is stored as it is wanted.
    async fn expect_stored(&self, sid: &str, is_wanted: impl Fn(&CallDetail) -> bool) -> CallDetail {
        let mut last = None;
        let found = tokio::time::timeout(SOON, async {
            loop {
                let calls = self.store().calls(None, u32::MAX).await.unwrap();
                let is_it = |call: &&CallEntry| call.provider_id.as_deref() == Some(sid);
                if let Some(entry) = calls.iter().find(is_it) {
                    let call = self.store().call(entry.id).await.unwrap().unwrap();
                    if is_wanted(&call) {
                        return call;
                    }
                    last = Some(call);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        found.await.unwrap_or_else(|_| panic!("the call is stored as {last:?}"))
    }
}

fn words_of(turn: &CallTurn) -> &str {
    turn.prompt.words().map_or("", |words| words.as_str())
}

fn is_over(call: &CallDetail) -> bool {
    call.entry.state == CallState::Over
}

#[tokio::test]
async fn the_agent_answers_turn_by_turn_and_the_transcript_is_kept() {
    let mut agent = Scripted::repeating();
    agent.history_turns = 10;
    let stage = plan().with_agent(agent.clone()).start().await;
    stage.text(ALICE, "a text").await;
    stage.expect(ALICE, &["a text"]).await;
    let sid = stage.rings().await;
    stage.says(&sid, "What time is it?").await;
    stage.hears(&sid, "What time is it?").await;
    stage.says(&sid, "Thank you.").await;
    stage.hears(&sid, "Thank you.").await;
    stage.twilio.hang_up(&sid).unwrap();
    let call = stage.expect_stored(&sid, is_over).await;
    let said: Vec<_> = call.turns.iter().map(|turn| (words_of(turn), turn.outcome)).collect();
    assert_eq!(
        said,
        [("What time is it?", Some(CallTurnOutcome::Answered)), ("Thank you.", Some(CallTurnOutcome::Answered))]
    );
    let heard = transcript(&stage.at_twilio(&sid));
    assert_eq!(heard.iter().filter(|line| **line == format!("< {GREETING}")).count(), 1, "{heard:?}");
    let conversation = agent.histories.lock().unwrap().last().unwrap().clone();
    assert_eq!(conversation, ["a text", "a text", "What time is it?", "What time is it?"]);
    assert!(stage.twilio.alerts().is_empty(), "{:?}", stage.twilio.alerts());
}

#[tokio::test]
async fn a_slow_answer_is_announced_and_spoken_once() {
    let gate = Arc::new(Semaphore::new(0));
    let stage = plan().with_agent(Scripted::repeating().gated(gate.clone())).start().await;
    let sid = stage.rings().await;
    stage.says(&sid, "Think hard.").await;
    stage.hears(&sid, FILLER).await;
    gate.add_permits(1);
    let call = stage.hears(&sid, "Think hard.").await;
    let answers = transcript(&call).into_iter().filter(|line| line == "< Think hard.").count();
    assert_eq!(answers, 1);
}

#[tokio::test]
async fn the_answer_is_texted_when_the_caller_hangs_up_while_the_agent_works() {
    let gate = Arc::new(Semaphore::new(0));
    let stage = plan().with_agent(Scripted::repeating().gated(gate.clone())).start().await;
    let sid = stage.rings().await;
    stage.says(&sid, "Think hard.").await;
    stage.hears(&sid, FILLER).await;
    stage.twilio.hang_up(&sid).unwrap();
    stage.expect_stored(&sid, is_over).await;
    gate.add_permits(1);
    stage.expect(ALICE, &["Think hard."]).await;
}

#[tokio::test]
async fn a_call_is_taken_over_after_a_crash_and_its_answer_is_not_lost() {
    let gate = Arc::new(Semaphore::new(0));
    let mut stage = plan().with_agent(Scripted::repeating().gated(gate.clone())).start().await;
    let sid = stage.rings().await;
    stage.says(&sid, "Think hard.").await;
    stage.expect_stored(&sid, |call| call.turns.len() == 1).await;
    stage.cut_off_gateway();
    stage.expect_call(&sid, |call| call.status.is_final()).await;
    gate.add_permits(10);
    stage.start_gateway().await;
    stage.expect_stored(&sid, |call| is_over(call) && call.turns[0].outcome == Some(CallTurnOutcome::Texted)).await;
    stage.expect(ALICE, &["Think hard."]).await;
}

/// A second of a call takes longer than a test: Twilio does not end calls by itself.
fn slow_twilio() -> SimulatorConfig {
    SimulatorConfig { step_delay: Duration::ZERO, call_second: Duration::from_secs(60), ..SimulatorConfig::default() }
}

#[tokio::test]
async fn an_open_call_goes_on_when_calls_are_turned_off_at_a_restart() {
    let mut stage = Plan { simulator: slow_twilio(), ..plan() }.start().await;
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    let sid = stage.twilio.calls().last().unwrap().sid.clone();
    stage.stop_gateway().await;
    stage.plan.takes_calls = false;
    stage.start_gateway().await;
    let request = format!("{}&SpeechResult=One+last+thing.", document_request(&stage, &sid));
    let document = stage.post_signed(&document_path(&delivery.body), request).await.text().await.unwrap();
    assert!(document.contains("One last thing.") && document.contains("<Gather"), "{document}");
    let call = stage.expect_stored(&sid, |call| call.turns.len() == 1).await;
    assert_eq!(words_of(&call.turns[0]), "One last thing.");
    let new = stage.twilio.call(BOB, stage.bot()).await.unwrap();
    assert!(new.body.contains("cannot take calls yet"), "{}", new.body);
}

/// Returns the path, below the webhook, of the document that follows this one.
fn document_path(document: &str) -> String {
    let (_, after) = document.split_once(&format!("/{CALLS_BELOW}/")).unwrap();
    format!("/{CALLS_BELOW}/{}", after.get(..32).unwrap())
}

/// Returns the form of a request for a document of a call.
fn document_request(stage: &Stage, sid: &str) -> String {
    let account = stage.twilio.account_sid();
    format!("AccountSid={account}&CallSid={sid}&CallStatus=in-progress&From=%2B15550005678")
}

#[tokio::test]
async fn a_call_is_ended_at_its_deadline_whatever_twilio_does() {
    let stage = Plan { simulator: slow_twilio(), ..plan() }.start().await;
    let sid = stage.rings().await;
    stage.hears(&sid, GREETING).await;
    stage.expect_call(&sid, |call| call.time_limit == Duration::from_secs(300)).await;
    stage.clock.advance(Duration::from_secs(301));
    let call = stage.expect_call(&sid, |call| call.status.is_final()).await;
    assert_eq!(call.status, CallStatus::Completed);
    stage.expect_stored(&sid, is_over).await;
}

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

#[tokio::test]
async fn a_caller_hears_an_apology_when_all_permits_are_taken() {
    let stage = Plan { webhooks_in_flight: 0, ..plan() }.start().await;
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert_eq!(delivery.status, Some(200));
    assert!(delivery.body.contains("something went wrong") && delivery.body.contains("<Hangup/>"), "{}", delivery.body);
    assert!(stage.store().calls(None, 1).await.unwrap().is_empty());
    let text = stage.twilio.text(ALICE, stage.bot(), "hello").await.unwrap();
    assert_eq!(text.status, Some(503));
}

#[tokio::test]
async fn a_caller_hears_an_apology_when_the_call_cannot_be_stored() {
    const REFUSES: &str = "CREATE TRIGGER refuses BEFORE INSERT ON call BEGIN SELECT RAISE(ABORT, 'on purpose'); END";
    let stage = plan().start().await;
    let database = rusqlite::Connection::open(stage.state.path().join("telephony.sqlite")).unwrap();
    database.execute_batch(REFUSES).unwrap();
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert_eq!(delivery.status, Some(200));
    assert!(delivery.body.contains("something went wrong") && delivery.body.contains("<Hangup/>"), "{}", delivery.body);
}

#[tokio::test]
async fn a_document_is_only_for_its_own_call() {
    let stage = plan().start().await;
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    let own = stage.twilio.calls().last().unwrap().sid.clone();
    let path = document_path(&delivery.body);
    let request = |sid: &str| document_request(&stage, sid);
    let foreign = stage.post_signed(&path, request(OTHER_CALL)).await;
    assert_eq!(foreign.status(), 403);
    assert_eq!(foreign.text().await.unwrap(), "the document belongs to another call\n");
    let unknown = stage.post_signed(&format!("/{CALLS_BELOW}/{}", "0".repeat(32)), request(&own)).await;
    assert_eq!(unknown.status(), 200);
    assert!(unknown.text().await.unwrap().contains("<Response><Hangup/></Response>"));
    let document = stage.post_signed(&path, request(&own)).await;
    assert!(document.text().await.unwrap().contains("Are you still there?"));
}

#[tokio::test]
async fn a_document_is_only_for_signed_requests_with_post() {
    let stage = plan().start().await;
    let url = format!("{}/{CALLS_BELOW}/{}", stage.webhook_url(), "0".repeat(32));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    assert_eq!(client.post(&url).body("CallSid=CA1").send().await.unwrap().status(), 403);
    assert_eq!(client.get(&url).send().await.unwrap().status(), 405);
}

/// The number of the operator's phone.
const OPERATOR: &str = "+15550001111";

#[tokio::test]
async fn a_summary_is_texted_to_whom_the_operator_wants() {
    for (summary, phone) in [(SummaryRecipient::Contact, ALICE), (SummaryRecipient::Operator, OPERATOR)] {
        let agent = Scripted::new(|turn: &Turn| {
            let is_summary = turn.text().contains("Summarize");
            Ok::<_, AgentError>(if is_summary { "They asked for the time." } else { "It is noon." }.to_owned())
        });
        let plan = Plan { summary: Some(summary), operator: Some(OPERATOR), ..plan() };
        let stage = plan.with_agent(agent).start().await;
        let sid = stage.rings().await;
        stage.says(&sid, "What time is it?").await;
        stage.hears(&sid, "It is noon.").await;
        stage.twilio.hang_up(&sid).unwrap();
        stage.expect(phone, &["They asked for the time."]).await;
        let call = stage.expect_stored(&sid, |call| call.turns.len() == 2).await;
        assert_eq!((call.turns[1].prompt.clone(), call.entry.turns), (Prompt::Summarize, 1));
    }
}

#[tokio::test]
async fn a_caller_who_says_nothing_or_finds_the_line_busy_gets_a_text() {
    let plan = Plan { missed_call_text: Some("Sorry, I missed you."), max_sessions: 1, ..plan() };
    let stage = plan.start().await;
    let first = stage.rings().await;
    let delivery = stage.twilio.call(BOB, stage.bot()).await.unwrap();
    assert!(delivery.body.contains("<Reject reason=\"busy\"/>"), "{}", delivery.body);
    stage.expect(BOB, &["Sorry, I missed you."]).await;
    stage.twilio.hang_up(&first).unwrap();
    stage.expect(ALICE, &["Sorry, I missed you."]).await;
}

#[tokio::test]
async fn a_caller_while_the_gateway_is_down_gets_a_text_once() {
    let plan = Plan { missed_call_text: Some("Sorry, I missed you."), ..plan() };
    let mut stage = plan.start().await;
    stage.text(BOB, "hello").await;
    stage.expect(BOB, &["hello"]).await;
    stage.stop_gateway().await;
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert_ne!(delivery.status, Some(200));
    let is_over = |calls: &[CallRecord]| calls.iter().all(|call| call.status.is_final());
    stage.twilio.wait_for_calls(is_over, SOON).await.unwrap();
    stage.start_gateway().await;
    stage.expect(ALICE, &["Sorry, I missed you."]).await;
    stage.stop_gateway().await;
    stage.start_gateway().await;
    stage.text(BOB, "again").await;
    stage.expect(BOB, &["hello", "again"]).await;
    assert_eq!(stage.bodies(ALICE), ["Sorry, I missed you."]);
}

#[tokio::test]
async fn an_answer_that_a_finished_call_owes_comes_after_a_restart() {
    let gate = Arc::new(Semaphore::new(0));
    let mut stage = plan().with_agent(Scripted::repeating().gated(gate.clone())).start().await;
    let sid = stage.rings().await;
    stage.says(&sid, "Think hard.").await;
    stage.hears(&sid, FILLER).await;
    stage.twilio.hang_up(&sid).unwrap();
    stage.expect_stored(&sid, is_over).await;
    stage.cut_off_gateway();
    gate.add_permits(10);
    stage.start_gateway().await;
    stage.expect(ALICE, &["Think hard."]).await;
}
