//! Timers of a call.

use std::time::Duration;

use super::script::{Input, Script, Step};
use super::thinking::Ready;
use super::{Action, Call, DocumentState, Phase, Warning, phrases};
use crate::time::Timestamp;

/// A call that the provider has not dialed by then is canceled.
const QUEUED_TIMEOUT: Duration = Duration::from_secs(60);

/// The provider limits the ringing itself; the gateway ends it this much later.
const RING_GRACE: Duration = Duration::from_secs(30);

/// The remaining time at which a caller hears that little time is left.
const WARNING: Duration = Duration::from_secs(20);

/// The remaining time at which the goodbye is said; less on short calls.
const FAREWELL: Duration = Duration::from_secs(5);

impl Call {
    /// Returns the time at which the call ends if it is not answered.
    pub fn deadline(&self) -> Timestamp {
        match (self.answered, self.plan.purpose.dialing()) {
            (Some(answered), _) => answered + self.plan.max_duration,
            (None, Some(dialing)) => self.ringing.unwrap_or(self.started + QUEUED_TIMEOUT) + dialing.ring + RING_GRACE,
            (None, None) => self.started + RING_GRACE,
        }
    }

    /// Returns the time for the next [`Event::Timer`](super::Event::Timer); none once the call is over.
    pub fn next_timer(&self) -> Option<Timestamp> {
        if self.phase == Phase::Over {
            return None;
        }
        let all = [
            self.closing_at(),
            self.check_at(),
            self.farewell_at(),
            self.warning_at(),
            self.promise_at(),
            self.filler_at(),
        ];
        all.into_iter().flatten().chain([self.deadline()]).min()
    }

    fn closing_at(&self) -> Option<Timestamp> {
        if let Phase::Closing(at) = self.phase { Some(at) } else { None }
    }

    /// Returns the time at which a call that may still be queued is checked.
    fn check_at(&self) -> Option<Timestamp> {
        let may_be_queued = self.answered.is_none() && self.ringing.is_none() && !self.is_checked;
        (may_be_queued && self.plan.purpose.dialing().is_some()).then_some(self.started + QUEUED_TIMEOUT)
    }

    fn farewell_at(&self) -> Option<Timestamp> {
        let is_open = self.answered.is_some() && !matches!(self.phase, Phase::Ringing | Phase::Closing(_));
        is_open.then(|| self.deadline() - FAREWELL.min(self.plan.max_duration / 4))
    }

    fn warning_at(&self) -> Option<Timestamp> {
        (self.warning == Warning::Ahead && self.farewell_at().is_some()).then(|| self.deadline() - WARNING)
    }

    fn promise_at(&self) -> Option<Timestamp> {
        let Phase::Thinking(thinking) = &self.phase else { return None };
        let may_promise = thinking.ready.is_none() && self.can_be_texted && !self.is_machine;
        may_promise.then(|| thinking.since + self.plan.answer_within)
    }

    pub(super) fn filler_at(&self) -> Option<Timestamp> {
        let Phase::Thinking(thinking) = &self.phase else { return None };
        (self.document == DocumentState::Awaited).then_some(thinking.hold_until)
    }

    /// Runs due timers. A timer can bring another forward, but never delay it.
    pub(super) fn fire_timers(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        while let Some(due) = self.next_timer().filter(|due| *due <= now) {
            let is_due = |timer: Option<Timestamp>| timer.is_some_and(|timer| timer <= due);
            if self.deadline() <= due || is_due(self.closing_at()) {
                self.hang_up(actions);
            } else if is_due(self.check_at()) {
                self.is_checked = true;
                actions.push(Action::Check);
            } else if is_due(self.farewell_at()) {
                self.close(phrases::TIME_IS_UP.into(), due, actions);
            } else if is_due(self.warning_at()) {
                self.warn(actions);
            } else if is_due(self.promise_at()) {
                self.take_answer(self.question(), Ready::Promise, due, actions);
            } else {
                self.say_filler(actions);
            }
        }
    }

    /// Interrupts a document that listens; otherwise the next document says it first.
    fn warn(&mut self, actions: &mut Vec<Action>) {
        let is_open = matches!(self.phase, Phase::Greeting | Phase::Listening | Phase::Speaking);
        self.warning = Warning::Due;
        if is_open && matches!(self.document, DocumentState::Given(_)) {
            self.give(Script::listen("", Input::SpeechOrKeys), actions);
        }
    }

    fn say_filler(&mut self, actions: &mut Vec<Action>) {
        let mut steps = vec![Step::Pause(1), Step::Continue];
        let count = u32::try_from(self.plan.fillers.len()).unwrap_or(u32::MAX);
        if let Some(place) = self.fillers_said.checked_rem(count).filter(|_| !self.is_machine) {
            steps.insert(0, Step::Say(self.plan.fillers[place as usize].clone()));
            self.fillers_said = self.fillers_said.wrapping_add(1);
        }
        self.give(Script(steps), actions);
    }
}
