use std::time::Duration;

use telephony_agents::{AgentError, Turn};
use telephony_domain::call::plan::{CallPlan, CallPurpose, Dialing, MachineRule};
use telephony_domain::call::report::CallStatus as Reported;
use telephony_domain::dialing::DialingRules;
use telephony_domain::id::CallId;
use telephony_store::calls::{CallDetail, CallState};
use telephony_store::outgoing_calls::{CallDraft, DialState, OutgoingRules, Placed};
use twilio_simulator::{CallOutcome, CallRecord, Fault, FaultExtent, Side, SimulatedCallStatus};

use crate::stage::{ALICE, Plan, SOON, Scripted, Stage};

const MESSAGE: &str = "The parcel is here.";

fn plan() -> Plan {
    Plan { takes_calls: true, ..Plan::default() }
}

fn dialing(machine: MachineRule) -> Dialing {
    // Longer than a gateway's restart takes on a busy machine: the simulated Twilio stops ringing after that time.
    Dialing { ring: Duration::from_secs(600), machine }
}

fn notify(machine: MachineRule) -> CallPurpose {
    CallPurpose::Notify { message: MESSAGE.into(), dialing: dialing(machine) }
}

fn conversation() -> CallPurpose {
    CallPurpose::Conversation { message: None, has_task: true, dialing: dialing(MachineRule::LeaveMessage) }
}

impl Stage {
    async fn places(&self, purpose: CallPurpose) -> CallId {
        let plan = CallPlan {
            greeting: "".into(),
            max_duration: Duration::from_secs(300),
            filler_after: Duration::from_millis(300),
            answer_within: Duration::from_secs(25),
            fillers: Vec::new(),
            summary: None,
            missed_call_text: None,
            purpose,
        };
        let draft = CallDraft {
            key: "k".to_owned(),
            from: self.bot().parse().unwrap(),
            to: ALICE.parse().unwrap(),
            plan,
            task: Some("Ask when the parcel comes.".into()),
            keys: Some("12#".to_owned()),
        };
        let dialing = DialingRules { countries: None, calls_per_hour: None, minutes_per_day: None, quiet_hours: None };
        let rules = OutgoingRules { dialing, most_calls: 5 };
        match self.store().place_call(draft, rules, self.now()).await.unwrap() {
            Placed::Waiting(call) => call,
            other => panic!("not placed: {other:?}"),
        }
    }

    /// Waits until the call is stored as it is wanted.
    async fn expect_placed(&self, call: CallId, is_wanted: impl Fn(&CallDetail) -> bool) -> CallDetail {
        let mut last = None;
        let found = tokio::time::timeout(SOON, async {
            loop {
                let detail = self.store().call(call).await.unwrap().unwrap();
                if is_wanted(&detail) {
                    return detail;
                }
                last = Some(detail);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        found.await.unwrap_or_else(|_| panic!("{:?} the call is stored as {last:?}", self.twilio.alerts()))
    }

    async fn expect_over(&self, call: CallId) -> CallDetail {
        self.expect_placed(call, |detail| detail.entry.state == CallState::Over).await
    }

    async fn expect_at_twilio(&self, is_wanted: impl Fn(&CallRecord) -> bool) -> CallRecord {
        let waited = self.twilio.wait_for_calls(|calls| calls.iter().any(&is_wanted), SOON).await;
        assert!(waited.is_ok(), "{:?}", self.twilio.calls().iter().map(spoken).collect::<Vec<_>>());
        self.twilio.calls().into_iter().find(is_wanted).unwrap()
    }

    fn requests_for_calls(&self) -> usize {
        let is_request = |target: &str| target.ends_with("/Calls.json");
        self.twilio.log().iter().filter(|entry| entry.method == "POST" && is_request(&entry.target)).count()
    }
}

/// Returns what our side said and pressed.
fn spoken(call: &CallRecord) -> Vec<&str> {
    call.transcript.iter().filter(|said| said.by == Side::Number).map(|said| said.text.as_str()).collect()
}

fn dial_state(detail: &CallDetail) -> DialState {
    detail.outgoing.as_ref().unwrap().state
}

#[tokio::test]
async fn a_message_is_said_once_and_the_call_ends() {
    let stage = plan().start().await;
    let call = stage.places(notify(MachineRule::LeaveMessage)).await;
    let detail = stage.expect_over(call).await;
    assert_eq!((detail.entry.status, dial_state(&detail)), (Some(Reported::Completed), DialState::Dialed));
    let calls = stage.twilio.calls();
    assert_eq!((calls.len(), spoken(&calls[0])), (1, vec!["12#", MESSAGE]));
    let limits = (calls[0].time_limit, calls[0].status, calls[0].answered_by.as_deref());
    assert_eq!(limits, (Duration::from_secs(300), SimulatedCallStatus::Completed, Some("human")));
    assert!(stage.twilio.alerts().is_empty(), "{:?}", stage.twilio.alerts());
}

#[tokio::test]
async fn the_agent_opens_the_call_for_its_task_and_talks() {
    let agent = Scripted::new(|turn: &Turn| {
        Ok::<_, AgentError>(match turn.text().as_str() {
            "At noon." => "Thank you.\nend call".to_owned(),
            _ => "When does the parcel come?".to_owned(),
        })
    });
    let stage = plan().with_agent(agent.clone()).start().await;
    let call = stage.places(conversation()).await;
    let ringing = stage.expect_at_twilio(|call| spoken(call).contains(&"When does the parcel come?")).await;
    tokio::time::timeout(SOON, stage.twilio.say(&ringing.sid, "At noon.")).await.unwrap().unwrap();
    stage.expect_over(call).await;
    let task = agent.calls.lock().unwrap().iter().map(|call| call.task.clone()).collect::<Vec<_>>();
    assert_eq!(task, vec![Some("Ask when the parcel comes.".to_owned()); 2]);
    assert!(agent.calls.lock().unwrap().iter().all(|call| !call.is_inbound && call.is_proven && call.can_be_texted));
    assert_eq!(spoken(&stage.twilio.calls()[0])[1..], ["When does the parcel come?", "Thank you."]);
}

#[tokio::test]
async fn a_call_without_an_answer_to_its_request_is_found_and_goes_on() {
    let stage = plan().start().await;
    // No report and no request for a document comes before the phone is answered.
    stage.twilio.misbehave(Fault::LoseCallback, FaultExtent::All);
    stage.twilio.set_call_outcome(ALICE, CallOutcome::Rings);
    stage.twilio.misbehave(Fault::ServerErrorAfterAccepting, FaultExtent::Next(1));
    let call = stage.places(notify(MachineRule::Off)).await;
    let found = stage.expect_placed(call, |detail| detail.entry.provider_id.is_some()).await;
    assert_eq!(dial_state(&found), DialState::Dialed);
    stage.twilio.answer(&found.entry.provider_id.unwrap()).unwrap();
    stage.expect_at_twilio(|call| spoken(call).contains(&MESSAGE)).await;
    assert_eq!((stage.twilio.calls().len(), stage.requests_for_calls()), (1, 1));
}

#[tokio::test]
async fn a_call_that_twilio_does_not_have_is_not_dialed_again() {
    let stage = plan().start().await;
    stage.twilio.misbehave(Fault::CutBeforeAccepting, FaultExtent::Next(1));
    let call = stage.places(notify(MachineRule::Off)).await;
    stage.expect_placed(call, |detail| dial_state(detail) == DialState::Doubtful).await;
    let looks = |count: usize| {
        move |log: &[twilio_simulator::LogEntry]| {
            let is_look = |entry: &&twilio_simulator::LogEntry| {
                entry.method == "GET" && entry.target.contains("/Calls.json") && entry.status == Some(200)
            };
            log.iter().filter(is_look).count() >= count
        }
    };
    stage.twilio.wait_for_log(looks(1), SOON).await.unwrap();
    stage.clock.advance(Duration::from_secs(31));
    let over = stage.expect_over(call).await;
    assert_eq!(dial_state(&over), DialState::NotDialed);
    let notices = stage.store().notices(stage.now()).await.unwrap();
    assert!(notices.iter().any(|notice| notice.text("Twilio").contains("was not placed")), "{notices:?}");
    assert_eq!((stage.twilio.calls().len(), stage.requests_for_calls()), (0, 1));
}

#[tokio::test]
async fn a_refused_request_is_not_repeated_and_its_reason_is_kept() {
    let stage = plan().start().await;
    for fault in [Fault::TooManyRequests, Fault::RefuseAccount { code: 20003 }] {
        stage.twilio.misbehave(fault, FaultExtent::Next(1));
    }
    let call = stage.places(notify(MachineRule::Off)).await;
    let over = stage.expect_over(call).await;
    assert_eq!(dial_state(&over), DialState::NotDialed);
    assert!(over.outgoing.unwrap().failure.is_some_and(|reason| !reason.is_empty()));
    assert!(stage.twilio.calls().is_empty());
}

#[tokio::test]
async fn an_unanswered_call_ends_with_twilios_reason() {
    for (outcome, status) in [
        (CallOutcome::Busy, Reported::Busy),
        (CallOutcome::Failed, Reported::Failed),
        (CallOutcome::Rings, Reported::NoAnswer),
    ] {
        let stage = plan().start().await;
        stage.twilio.set_call_outcome(ALICE, outcome);
        let call = stage.places(conversation()).await;
        let over = stage.expect_over(call).await;
        assert_eq!((over.entry.status, over.turns.len()), (Some(status), 0));
    }
}

#[tokio::test]
async fn a_machine_hears_the_message_after_its_greeting_or_nothing() {
    for (machine, expected) in [(MachineRule::LeaveMessage, vec!["12#", MESSAGE]), (MachineRule::HangUp, vec!["12#"])] {
        let stage = plan().start().await;
        stage.twilio.set_call_outcome(ALICE, CallOutcome::Machine);
        let call = stage.places(notify(machine)).await;
        stage.expect_over(call).await;
        stage.expect_at_twilio(|call| call.status == SimulatedCallStatus::Completed).await;
        let record = stage.twilio.calls().remove(0);
        assert_eq!((spoken(&record), record.answered_by.as_deref()), (expected, Some("machine_end_beep")));
    }
}

#[tokio::test]
async fn a_machine_hears_one_sentence_of_the_agent() {
    let agent = Scripted::new(|turn: &Turn| {
        let is_machine = turn.text().contains("answering machine");
        Ok::<_, AgentError>(if is_machine { "Please call back." } else { "Hello, this is the assistant." }.to_owned())
    });
    let stage = plan().with_agent(agent).start().await;
    stage.twilio.set_call_outcome(ALICE, CallOutcome::Machine);
    let call = stage.places(conversation()).await;
    stage.expect_over(call).await;
    let record = stage.expect_at_twilio(|call| call.status == SimulatedCallStatus::Completed).await;
    assert_eq!(spoken(&record).last(), Some(&"Please call back."), "{:?}", spoken(&record));
}

#[tokio::test]
async fn a_call_while_calls_are_off_names_the_key_and_the_restart() {
    let stage = Plan::default().start().await;
    let call = stage.places(notify(MachineRule::Off)).await;
    let failed =
        stage.expect_placed(call, |detail| detail.outgoing.as_ref().is_some_and(|o| o.failure.is_some())).await;
    let failure = failed.outgoing.and_then(|outgoing| outgoing.failure).unwrap();
    assert!(failure.contains("voice.enabled") && failure.contains("restart the gateway"), "{failure}");
    assert!(stage.twilio.calls().is_empty());
}

#[tokio::test]
async fn a_fax_is_hung_up_on() {
    let stage = plan().start().await;
    stage.twilio.set_call_outcome(ALICE, CallOutcome::Fax);
    let call = stage.places(notify(MachineRule::LeaveMessage)).await;
    stage.expect_over(call).await;
    let record = stage.expect_at_twilio(|call| call.status == SimulatedCallStatus::Completed).await;
    assert_eq!(spoken(&record), ["12#"]);
}

#[tokio::test]
async fn a_killed_gateway_dials_nothing_again_and_the_next_one_takes_the_call_over() {
    let mut stage = plan().prepare().await;
    stage.twilio.set_call_outcome(ALICE, CallOutcome::Rings);
    stage.start_gateway().await;
    stage.twilio.misbehave(Fault::HangAfterAccepting, FaultExtent::Next(1));
    let call = stage.places(notify(MachineRule::Off)).await;
    let ringing = stage.expect_at_twilio(|call| call.status == SimulatedCallStatus::Ringing).await;
    stage.cut_off_gateway();
    stage.start_gateway().await;
    let found = stage.expect_placed(call, |detail| detail.entry.provider_id.is_some()).await;
    assert_eq!(found.entry.provider_id.as_deref(), Some(ringing.sid.as_str()));
    stage.twilio.hang_up(&ringing.sid).unwrap();
    stage.expect_over(call).await;
    assert_eq!((stage.twilio.calls().len(), stage.requests_for_calls()), (1, 1));
}
