//! Call events in any order, repeated and lost.

use std::collections::HashSet;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use telephony_domain::call::plan::{CallPlan, CallPurpose, MachineRule};
use telephony_domain::call::report::{AnsweredBy, CallStatus};
use telephony_domain::call::script::Step;
use telephony_domain::call::{Action, Call, Event, Heard, Phase};
use telephony_domain::time::Timestamp;

use crate::stage::{DIALING, GREETING, plan, said, scripts};

/// An event before the state of the call is known.
#[derive(Debug, Clone)]
enum Incident {
    /// The request this many steps before the current one.
    Request(u32, Option<Heard>, Option<AnsweredBy>),
    /// An answer to the turn this many before the last.
    Answer(u32, &'static str),
    NoAnswer(u32),
    AnsweredBy(AnsweredBy),
    Status(CallStatus),
    /// The next timer fires.
    Timer,
    /// From now on, the other side can be texted or not.
    Texting(bool),
}

fn any_plan() -> impl Strategy<Value = CallPlan> {
    let rule = prop_oneof![Just(MachineRule::LeaveMessage), Just(MachineRule::HangUp), Just(MachineRule::Off)];
    let purpose = (rule, any::<(bool, bool)>(), 0..3).prop_map(|(machine, (first, second), kind)| {
        let dialing = telephony_domain::call::plan::Dialing { machine, ..DIALING };
        match kind {
            0 => CallPurpose::Inbound { asks_pin: first, is_attested: second },
            1 => CallPurpose::Notify { message: "A notice.".into(), dialing },
            _ => CallPurpose::Conversation { message: first.then(|| "A message.".into()), has_task: second, dialing },
        }
    });
    (purpose, 1..400u64, 500..10_000u64, 5..120u64, any::<bool>()).prop_map(
        |(purpose, longest, filler, within, has_fillers)| {
            let mut plan = plan(purpose);
            plan.max_duration = Duration::from_secs(longest);
            plan.filler_after = Duration::from_millis(filler);
            plan.answer_within = Duration::from_secs(within);
            plan.fillers.truncate(if has_fillers { 2 } else { 0 });
            plan
        },
    )
}

fn any_heard() -> impl Strategy<Value = Heard> {
    let words = prop_oneof![Just(""), Just("Hello."), Just("Please leave a message."), Just("]]>\0")];
    let keys = prop_oneof![Just(""), Just("0"), Just("*"), Just("123")];
    prop_oneof![
        4 => (words, proptest::option::of(0.0..1.0f32)).prop_map(|(words, confidence)| Heard::Speech(words.into(), confidence)),
        1 => keys.prop_map(|keys| Heard::Keys(keys.into())),
        1 => any::<bool>().prop_map(|is_correct| Heard::Pin { is_correct }),
    ]
}

fn any_answered_by() -> impl Strategy<Value = AnsweredBy> {
    prop_oneof![Just(AnsweredBy::Human), Just(AnsweredBy::MachineEnd), Just(AnsweredBy::Fax), Just(AnsweredBy::Unknown)]
}

fn any_incident() -> impl Strategy<Value = Incident> {
    const OPEN: [&str; 4] = ["queued", "initiated", "ringing", "in-progress"];
    const OVER: [&str; 5] = ["completed", "busy", "no-answer", "failed", "canceled"];
    let status = prop_oneof![8 => proptest::sample::select(&OPEN[..]), 1 => proptest::sample::select(&OVER[..])];
    let ending = prop_oneof![6 => Just(""), 1 => Just("\nend call"), 1 => Just("\nkeys: 1"), 1 => Just("\ntext: note")];
    prop_oneof![
        6 => (prop_oneof![6 => Just(0u32), 1 => 1..3u32], proptest::option::of(any_heard())).prop_map(|(back, heard)| Incident::Request(back, heard, None)),
        1 => any_answered_by().prop_map(|who| Incident::Request(0, None, Some(who))),
        5 => (prop_oneof![4 => Just(0u32), 1 => 1..3u32], ending).prop_map(|(back, ending)| Incident::Answer(back, ending)),
        1 => (0..2u32).prop_map(Incident::NoAnswer),
        1 => any_answered_by().prop_map(Incident::AnsweredBy),
        2 => status.prop_map(|word| Incident::Status(word.parse().unwrap())),
        5 => Just(Incident::Timer),
        1 => any::<bool>().prop_map(Incident::Texting),
    ]
}

/// A call and its actions so far.
struct Observed {
    call: Call,
    now: Timestamp,
    asked: HashSet<u32>,
    kept: HashSet<u32>,
    texted: HashSet<(u32, String)>,
    can_be_texted: bool,
    /// Answers that arrived after a newer turn, to be sent as texts.
    late: HashSet<String>,
    /// The time since which the provider has been waiting for a document.
    waiting: Option<Timestamp>,
    answers: u32,
}

impl Observed {
    fn new(plan: CallPlan) -> Observed {
        let now = Timestamp(1_000_000);
        let call = Call::new(plan, now);
        let (asked, kept, texted, late) = Default::default();
        Observed { call, now, asked, kept, texted, can_be_texted: false, late, waiting: None, answers: 0 }
    }

    fn last_asked(&self) -> u32 {
        self.asked.iter().copied().max().unwrap_or(0)
    }

    fn event(&mut self, incident: &Incident) -> Event {
        match incident.clone() {
            Incident::Request(back, heard, answered_by) => {
                Event::Request { step: self.call.step().saturating_sub(back), heard, answered_by }
            }
            Incident::Answer(back, ending) => {
                self.answers += 1;
                let turn = self.last_asked().saturating_sub(back);
                let text = format!("Answer {} to a question.", self.answers);
                if back > 0 {
                    self.late.insert(text.clone());
                }
                Event::Answer { turn, text: format!("{text}{ending}").into() }
            }
            Incident::NoAnswer(back) => Event::NoAnswer { turn: self.last_asked().saturating_sub(back) },
            Incident::AnsweredBy(who) => Event::AnsweredBy(who),
            Incident::Status(status) => Event::Status(status),
            Incident::Timer => Event::Timer,
            Incident::Texting(can_be_texted) => {
                self.call.set_can_be_texted(can_be_texted);
                self.can_be_texted = can_be_texted;
                Event::Timer
            }
        }
    }

    fn on(&mut self, event: Event) -> Result<(), TestCaseError> {
        let was_over = *self.call.phase() == Phase::Over;
        let is_request = matches!(event, Event::Request { .. });
        let actions = self.call.on(event, self.now);
        let is_over = *self.call.phase() == Phase::Over;
        if was_over {
            prop_assert!(is_over, "a call came back");
            prop_assert_eq!(said(&actions), "");
            let goes_on = actions.iter().any(|action| matches!(action, Action::Ask { .. } | Action::Interrupt(_)));
            prop_assert!(!goes_on, "a call that is over goes on");
        }
        let timer = self.call.next_timer();
        prop_assert_eq!(timer.is_none(), is_over);
        prop_assert!(timer.is_none_or(|timer| timer > self.now), "a timer is left behind");
        self.check_documents(&actions)?;
        self.check_once(&actions)?;
        self.check_waiting(is_request, &actions)?;
        let stored: Call = serde_json::from_str(&serde_json::to_string(&self.call).unwrap()).unwrap();
        prop_assert_eq!(&stored, &self.call);
        Ok(())
    }

    fn check_documents(&self, actions: &[Action]) -> Result<(), TestCaseError> {
        for script in scripts(actions) {
            prop_assert!(matches!(script.0.last(), Some(Step::Continue | Step::HangUp)), "{script:?}");
        }
        let words = said(actions);
        for late in &self.late {
            prop_assert!(!words.contains(late), "{late} is said late");
        }
        Ok(())
    }

    fn check_once(&mut self, actions: &[Action]) -> Result<(), TestCaseError> {
        for action in actions {
            match action {
                Action::Ask { turn, .. } => {
                    prop_assert!(!self.kept.contains(turn) && self.asked.insert(*turn), "turn {turn} is asked twice");
                }
                Action::Keep { turn, .. } => {
                    prop_assert!(!self.asked.contains(turn) && self.kept.insert(*turn), "turn {turn} is kept twice");
                }
                Action::Text { turn, text, .. } => {
                    prop_assert!(self.can_be_texted, "a text that cannot arrive");
                    prop_assert!(self.texted.insert((*turn, text.as_str().to_owned())), "a text leaves twice");
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks that no request waits longer than 10 s for its document.
    fn check_waiting(&mut self, is_request: bool, actions: &[Action]) -> Result<(), TestCaseError> {
        if is_request && self.waiting.is_none() {
            self.waiting = Some(self.now);
        }
        if actions.iter().any(|action| matches!(action, Action::Respond(_))) {
            self.waiting = None;
        }
        if let Some(since) = self.waiting {
            let first = self.call.next_timer().unwrap_or(self.now);
            prop_assert!(first.since(since) <= Duration::from_secs(10), "nothing answers the request in time");
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_call_keeps_its_rules_and_ends(
        plan in any_plan(),
        incidents in vec((any_incident(), prop_oneof![2 => Just(0u64), 1 => 1..2000u64, 1 => 2000..40_000u64]), 0..40),
    ) {
        let mut observed = Observed::new(plan);
        for (incident, pause) in incidents {
            let timer = observed.call.next_timer().unwrap_or(observed.now);
            let next = observed.now + Duration::from_millis(pause);
            if matches!(incident, Incident::Timer) {
                observed.now = timer;
            } else {
                // A running gateway fires timers before any later event.
                while let Some(timer) = observed.call.next_timer().filter(|timer| *timer <= next) {
                    observed.now = timer;
                    observed.on(Event::Timer)?;
                }
                observed.now = next.max(observed.now);
            }
            let event = observed.event(&incident);
            observed.on(event)?;
        }
        // After this there are no more events.
        let last = observed.call.deadline().max(observed.now);
        while let Some(timer) = observed.call.next_timer() {
            observed.now = timer;
            observed.on(Event::Timer)?;
        }
        prop_assert_eq!(observed.call.phase(), &Phase::Over);
        prop_assert!(observed.now <= last, "it lasted longer than its deadline");
        prop_assert!(observed.waiting.is_none(), "a request never got a document");
    }

    #[test]
    fn a_gateway_that_slept_ends_the_call_at_once(plan in any_plan(), incidents in vec(any_incident(), 0..20)) {
        let mut observed = Observed::new(plan);
        for incident in incidents {
            let event = observed.event(&incident);
            let actions = observed.call.on(event, observed.now);
            observed.check_once(&actions)?;
        }
        let deadline = observed.call.deadline();
        let actions = observed.call.on(Event::Timer, deadline);
        prop_assert_eq!(observed.call.phase(), &Phase::Over);
        prop_assert!(!said(&actions).contains(GREETING));
    }
}
