//! The provider's requests for the next document, with the other side's speech or keys.

use super::plan::{CallPurpose, MachineRule};
use super::report::AnsweredBy;
use super::script::{Input, Script, Step};
use super::words::Words;
use super::{Action, Call, DocumentState, Heard, Phase, Prompt, phrases};
use crate::time::Timestamp;

/// Consecutive documents without intelligible input after which the call ends.
const MAX_IN_A_ROW: u8 = 3;

/// Wrong PINs after which the call ends.
const MAX_WRONG_PINS_PER_CALL: u8 = 3;

/// Speech recognized with less confidence is only kept, and asked for again. Some models always report 0.
const LEAST_CONFIDENCE: f32 = 0.3;

impl Call {
    pub(super) fn request(&mut self, step: u32, heard: Option<Heard>, now: Timestamp, actions: &mut Vec<Action>) {
        let goes_on = !matches!(self.phase, Phase::Closing(_) | Phase::Over);
        let is_next = step == self.step && self.document != DocumentState::Awaited;
        if is_next && !goes_on {
            self.keep_last_words(heard, actions);
            return self.repeat_document(actions);
        }
        if !is_next {
            return self.repeat_document(actions);
        }
        self.step = self.step.saturating_add(1);
        self.document = DocumentState::Awaited;
        match &mut self.phase {
            Phase::Ringing => self.answer(now, actions),
            Phase::Verifying(wrong) => {
                let wrong = *wrong;
                self.take_pin(wrong, heard, now, actions);
            }
            Phase::Thinking(thinking) => {
                thinking.hold(now);
                // A machine was recognized while its words were on the way.
                if let Some(words) = spoken(heard) {
                    self.keep(words, actions);
                }
                self.give_ready(now, actions);
            }
            Phase::Greeting | Phase::Listening | Phase::Speaking => self.take_input(heard, now, actions),
            Phase::Closing(_) | Phase::Over => {}
        }
    }

    /// Keeps what the other side said while the call was ending. A repeated request is ignored.
    fn keep_last_words(&mut self, heard: Option<Heard>, actions: &mut Vec<Action>) {
        if let Some(words) = spoken(heard) {
            self.step = self.step.saturating_add(1);
            self.keep(words, actions);
        }
    }

    /// Answers a repeated request with the same document, and one from an old step with the current one.
    fn repeat_document(&mut self, actions: &mut Vec<Action>) {
        match &self.document {
            DocumentState::Given(script) => actions.push(Action::Respond(script.clone())),
            // It is answered together with the first.
            DocumentState::Awaited => {}
            DocumentState::Unasked => actions.push(Action::Respond(Script::hang_up())),
        }
    }

    /// Handles that the other side answered and hears us.
    fn answer(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        self.begin_time(now, actions);
        match self.plan.purpose.clone() {
            CallPurpose::Inbound { asks_pin: true, .. } => {
                self.phase = Phase::Verifying(0);
                self.give(Script::listen(phrases::ENTER_PIN, Input::Keys), actions);
            }
            _ if self.is_machine => self.leave_message(now, actions),
            CallPurpose::Notify { message, .. } => self.close(message, now, actions),
            CallPurpose::Conversation { message: Some(message), .. } => {
                let words = [self.plan.greeting.as_str(), message.as_str()].join(" ");
                self.say_repeatable(words.trim().into(), Phase::Greeting, actions);
            }
            purpose if purpose.agent_opens() => {
                self.ask(Prompt::Open, now, actions);
                if !self.plan.greeting.is_empty() {
                    self.give(Script(vec![Step::Say(self.plan.greeting.clone()), Step::Continue]), actions);
                }
            }
            CallPurpose::Inbound { .. } | CallPurpose::Conversation { .. } => self.greet(actions),
        }
    }

    fn greet(&mut self, actions: &mut Vec<Action>) {
        self.say_repeatable(self.plan.greeting.clone(), Phase::Greeting, actions);
    }

    /// Starts the maximum duration when the call is answered.
    pub(super) fn begin_time(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if self.answered.is_none() {
            self.answered = Some(now);
            actions.extend(self.time_limit());
        }
    }

    /// Returns the action that limits the duration of an answered call at the provider. Outgoing calls have the limit
    /// from the start.
    pub fn time_limit(&self) -> Option<Action> {
        let is_open = self.answered.is_some() && self.phase != Phase::Over;
        (is_open && self.is_inbound())
            .then(|| Action::LimitTime(u32::try_from(self.plan.max_duration.as_secs()).unwrap_or(u32::MAX)))
    }

    fn take_pin(&mut self, wrong: u8, heard: Option<Heard>, now: Timestamp, actions: &mut Vec<Action>) {
        match heard {
            Some(Heard::Pin { is_correct: true }) => {
                self.silences = 0;
                self.is_proven = true;
                self.greet(actions);
            }
            Some(_) => {
                actions.push(Action::CountWrongPin);
                if wrong + 1 >= MAX_WRONG_PINS_PER_CALL {
                    return self.close(phrases::NO_MORE_TRIES.into(), now, actions);
                }
                self.phase = Phase::Verifying(wrong + 1);
                self.give(Script::listen(phrases::WRONG_PIN, Input::Keys), actions);
            }
            None => {
                self.silences += 1;
                if self.silences >= MAX_IN_A_ROW {
                    return self.close(phrases::GOODBYE.into(), now, actions);
                }
                self.give(Script::listen(phrases::ENTER_PIN, Input::Keys), actions);
            }
        }
    }

    fn take_input(&mut self, heard: Option<Heard>, now: Timestamp, actions: &mut Vec<Action>) {
        match heard {
            Some(Heard::Speech(words, confidence)) if !words.is_empty() => {
                self.silences = 0;
                self.take_speech(words, confidence, now, actions);
            }
            Some(Heard::Keys(keys)) if !keys.is_empty() => {
                self.silences = 0;
                self.unclear = 0;
                self.take_keys(keys, now, actions);
            }
            _ => {
                self.silences += 1;
                self.ask_again(self.silences, phrases::STILL_THERE, now, actions);
            }
        }
    }

    fn take_speech(&mut self, words: Words, confidence: Option<f32>, now: Timestamp, actions: &mut Vec<Action>) {
        if confidence.is_some_and(|confidence| confidence > 0.0 && confidence < LEAST_CONFIDENCE) {
            self.unclear += 1;
            self.unclear_turns = self.unclear_turns.saturating_add(1);
            self.keep(words.noted(phrases::UNCLEAR), actions);
            return self.ask_again(self.unclear, phrases::NOT_UNDERSTOOD, now, actions);
        }
        self.unclear = 0;
        let are_screened = self.plan.purpose.dialing().is_some_and(|dialing| dialing.machine != MachineRule::Off);
        let is_first = self.clear_turns() == u32::from(self.plan.purpose.agent_opens());
        if is_first && are_screened && phrases::are_of_a_machine(words.as_str()) {
            return self.answered_by(AnsweredBy::MachineEnd, now, actions);
        }
        self.ask(Prompt::Speech(words), now, actions);
    }

    fn take_keys(&mut self, keys: Words, now: Timestamp, actions: &mut Vec<Action>) {
        match keys.as_str() {
            "0" => self.say(self.last_said.clone(), Phase::Speaking, actions),
            "*" => self.close(phrases::GOODBYE.into(), now, actions),
            _ => self.ask(Prompt::Keys(keys), now, actions),
        }
    }

    fn ask_again(&mut self, in_a_row: u8, question: &str, now: Timestamp, actions: &mut Vec<Action>) {
        if in_a_row >= MAX_IN_A_ROW {
            self.close(phrases::GOODBYE.into(), now, actions);
        } else {
            self.say(question.into(), Phase::Listening, actions);
        }
    }
}

/// Returns the words of speech.
fn spoken(heard: Option<Heard>) -> Option<Words> {
    match heard {
        Some(Heard::Speech(words, _)) => Some(words).filter(|words| !words.is_empty()),
        _ => None,
    }
}
