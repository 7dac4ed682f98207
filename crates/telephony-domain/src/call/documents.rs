//! Documents that a call hands to the provider, and its end.

use std::time::Duration;

use super::script::{Input, Script, Step};
use super::words::Words;
use super::{Action, Call, Document, Phase, Warning, phrases};
use crate::time::Timestamp;

/// A call that was to end with its document is ended by us after that, and the time that the document takes.
const CLOSING_GRACE: Duration = Duration::from_secs(15);

/// Characters that a voice speaks in a second, at the slowest.
const SPOKEN_PER_SECOND: usize = 10;

impl Call {
    /// Hands a document over: to the request that waits, or in place of the one that the call is at.
    pub(super) fn give(&mut self, script: Script, actions: &mut Vec<Action>) {
        let script = self.with_warning(script);
        let action = match self.document {
            Document::Awaited => Action::Respond(script.clone()),
            Document::Unasked | Document::Given(_) => Action::Interrupt(script.clone()),
        };
        self.document = Document::Given(script);
        actions.push(action);
    }

    fn with_warning(&mut self, mut script: Script) -> Script {
        let goes_on = !matches!(self.phase, Phase::Closing(_) | Phase::Over);
        if self.warning == Warning::Due && goes_on && !self.is_machine {
            self.warning = Warning::Said;
            script.0.insert(0, Step::Say(phrases::LITTLE_TIME.into()));
        }
        script
    }

    /// Says something and listens.
    pub(super) fn say(&mut self, words: Words, phase: Phase, actions: &mut Vec<Action>) {
        self.phase = phase;
        self.give(Script::listen(words, Input::SpeechOrKeys), actions);
    }

    /// The same for what the caller may have repeated.
    pub(super) fn say_repeatable(&mut self, words: Words, phase: Phase, actions: &mut Vec<Action>) {
        self.last_said = words.clone();
        self.say(words, phase, actions);
    }

    /// Says a last thing and ends the call behind it.
    pub(super) fn close(&mut self, words: Words, now: Timestamp, actions: &mut Vec<Action>) {
        self.settle_thinking(actions);
        let seconds = u64::try_from(words.as_str().chars().count() / SPOKEN_PER_SECOND).unwrap_or(u64::MAX);
        self.phase = Phase::Closing(now + CLOSING_GRACE + Duration::from_secs(seconds));
        let steps = [Step::Say(words.clone()), Step::HangUp];
        let steps = steps.into_iter().filter(|step| !words.is_empty() || *step == Step::HangUp);
        self.give(Script(steps.collect()), actions);
    }

    pub(super) fn hang_up(&mut self, actions: &mut Vec<Action>) {
        self.end(actions);
        actions.push(Action::HangUp);
    }

    pub(super) fn end(&mut self, actions: &mut Vec<Action>) {
        self.settle_thinking(actions);
        self.phase = Phase::Over;
        if self.document == Document::Awaited {
            self.give(Script::hang_up(), actions);
        }
        self.document = Document::Given(Script::hang_up());
    }
}
