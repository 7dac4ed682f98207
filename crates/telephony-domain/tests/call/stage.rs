//! A call with a clock, for tests.

use std::time::Duration;

use telephony_domain::call::plan::{CallPlan, CallPurpose, Dialing, MachineRule};
use telephony_domain::call::report::AnsweredBy;
use telephony_domain::call::script::{Script, Step};
use telephony_domain::call::{Action, Call, Event, Heard, Phase, Prompt};
use telephony_domain::time::Timestamp;

pub const GREETING: &str = "Hello, how can I help?";
pub const FILLER: &str = "One moment, please.";
pub const DIALING: Dialing = Dialing { ring: Duration::from_secs(30), machine: MachineRule::LeaveMessage };

pub fn plan(purpose: CallPurpose) -> CallPlan {
    CallPlan {
        purpose,
        greeting: GREETING.into(),
        max_duration: Duration::from_secs(300),
        filler_after: Duration::from_millis(1500),
        answer_within: Duration::from_secs(25),
        fillers: vec![FILLER.into(), "Still working on it.".into()],
        summary: None,
        missed_call_text: None,
    }
}

pub fn inbound() -> CallPlan {
    plan(CallPurpose::Inbound { asks_pin: false, is_attested: false })
}

pub fn conversation(message: Option<&str>, has_task: bool) -> CallPlan {
    plan(CallPurpose::Conversation { message: message.map(Into::into), has_task, dialing: DIALING })
}

pub fn notify(message: &str) -> CallPlan {
    plan(CallPurpose::Notify { message: message.into(), dialing: DIALING })
}

/// A call and the current time.
pub struct Stage {
    pub call: Call,
    pub now: Timestamp,
}

impl Stage {
    pub fn new(plan: CallPlan) -> Stage {
        let now = Timestamp(1_000_000);
        let mut call = Call::new(plan, now);
        call.set_can_be_texted(true);
        Stage { call, now }
    }

    /// Returns an answered call and the resulting actions.
    pub fn answered(plan: CallPlan) -> (Stage, Vec<Action>) {
        let mut stage = Stage::new(plan);
        let actions = stage.request(None);
        (stage, actions)
    }

    pub fn on(&mut self, event: Event) -> Vec<Action> {
        self.call.on(event, self.now)
    }

    /// Requests the next document as the provider does.
    pub fn request(&mut self, heard: Option<Heard>) -> Vec<Action> {
        let step = self.call.step();
        self.on(Event::Request { step, heard, answered_by: None })
    }

    pub fn request_of(&mut self, answered_by: AnsweredBy) -> Vec<Action> {
        let step = self.call.step();
        self.on(Event::Request { step, heard: None, answered_by: Some(answered_by) })
    }

    pub fn hears(&mut self, words: &str) -> Vec<Action> {
        self.request(Some(Heard::Speech(words.into(), Some(0.9))))
    }

    pub fn answer(&mut self, turn: u32, text: &str) -> Vec<Action> {
        self.on(Event::Answer { turn, text: text.into() })
    }

    /// Lets time pass and returns the actions of its timers.
    pub fn pass(&mut self, time: Duration) -> Vec<Action> {
        self.now = self.now + time;
        self.on(Event::Timer)
    }

    /// Fires the next timer.
    pub fn next_timer(&mut self) -> Vec<Action> {
        self.now = self.call.next_timer().expect("a timer");
        self.on(Event::Timer)
    }

    pub fn is_over(&self) -> bool {
        *self.call.phase() == Phase::Over
    }
}

/// Returns the documents among the actions.
pub fn scripts(actions: &[Action]) -> Vec<&Script> {
    let script = |action| match action {
        &Action::Respond(ref script) | &Action::Interrupt(ref script) => Some(script),
        _ => None,
    };
    actions.iter().filter_map(script).collect()
}

/// Returns everything that the other side hears from these actions.
pub fn said(actions: &[Action]) -> String {
    let words: Vec<&str> = scripts(actions).into_iter().flat_map(Script::spoken).map(|words| words.as_str()).collect();
    words.join(" / ")
}

/// Returns true if the call ends with the document of these actions.
pub fn ends(actions: &[Action]) -> bool {
    scripts(actions).iter().any(|script| script.0.last() == Some(&Step::HangUp))
}

/// Returns true if the document of these actions listens.
pub fn listens(actions: &[Action]) -> bool {
    scripts(actions).iter().any(|script| script.0.iter().any(|step| matches!(step, Step::Listen { .. })))
}

pub fn asked(actions: &[Action]) -> Vec<(u32, &Prompt)> {
    let asked = |action| match action {
        &Action::Ask { turn, ref prompt } => Some((turn, prompt)),
        _ => None,
    };
    actions.iter().filter_map(asked).collect()
}

pub fn texts(actions: &[Action]) -> Vec<(u32, &str)> {
    let text = |action| match action {
        &Action::Text { turn, ref text, .. } => Some((turn, text.as_str())),
        _ => None,
    };
    actions.iter().filter_map(text).collect()
}

pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
