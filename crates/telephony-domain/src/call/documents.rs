//! Handing documents to the provider, and ending the call.

use std::time::Duration;

use super::script::{Input, Script, Step};
use super::words::Words;
use super::{Action, Call, DocumentState, Phase, Warning, phrases};
use crate::time::Timestamp;

/// A call that should end with its document is ended by us after the document's duration plus this time.
const CLOSING_GRACE: Duration = Duration::from_secs(15);

/// Characters that a slow voice speaks per second.
const SPOKEN_PER_SECOND: usize = 10;

/// Characters that no voice speaks per second at its usual speed. English is read at 150 to 180 words a minute, which is
/// 15 to 18 characters a second with six for a word and its blank. Twilio publishes no speed of its voices, and reports
/// only that the call ended, so this is an assumption: a faster voice makes a fully heard sentence look cut off.
const NEVER_SPOKEN_PER_SECOND: u32 = 20;

impl Call {
    /// Hands a document over, either to the waiting request or in place of the current one.
    pub(super) fn give(&mut self, script: Script, actions: &mut Vec<Action>) {
        let script = self.with_warning(script);
        self.has_spoken |= script.spoken().next().is_some();
        let action = match self.document {
            DocumentState::Awaited => Action::Respond(script.clone()),
            DocumentState::Unasked | DocumentState::Given(_) => Action::Interrupt(script.clone()),
        };
        self.document = DocumentState::Given(script);
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

    /// Says something that the caller can have repeated, and listens.
    pub(super) fn say_repeatable(&mut self, words: Words, phase: Phase, actions: &mut Vec<Action>) {
        self.last_said = words.clone();
        self.say(words, phase, actions);
    }

    /// Says a last thing and then ends the call.
    pub(super) fn close(&mut self, words: Words, now: Timestamp, actions: &mut Vec<Action>) {
        self.settle_thinking(actions);
        let seconds = u64::try_from(words.as_str().chars().count() / SPOKEN_PER_SECOND).unwrap_or(u64::MAX);
        self.phase = Phase::Closing(now + CLOSING_GRACE + Duration::from_secs(seconds));
        let steps = [Step::Say(words.clone()), Step::HangUp];
        let steps = steps.into_iter().filter(|step| !words.is_empty() || *step == Step::HangUp);
        self.give(Script(steps.collect()), actions);
    }

    /// Returns true while the provider cannot have said the whole document. It does not report how far it got.
    pub(super) fn is_speaking(&self, now: Timestamp) -> bool {
        let DocumentState::Given(script) = &self.document else { return false };
        let length: usize = script.spoken().map(|words| words.as_str().chars().count()).sum();
        let shortest = Duration::from_secs(1) * u32::try_from(length).unwrap_or(u32::MAX) / NEVER_SPOKEN_PER_SECOND;
        self.answered.is_some() && self.given.is_some_and(|given| now < given + shortest)
    }

    pub(super) fn hang_up(&mut self, actions: &mut Vec<Action>) {
        self.end(actions);
        actions.push(Action::HangUp);
    }

    pub(super) fn end(&mut self, actions: &mut Vec<Action>) {
        if self.phase == Phase::Over {
            return;
        }
        self.settle_thinking(actions);
        self.follow_up(actions);
        self.phase = Phase::Over;
        if self.document == DocumentState::Awaited {
            self.give(Script::hang_up(), actions);
        }
        self.document = DocumentState::Given(Script::hang_up());
    }
}
