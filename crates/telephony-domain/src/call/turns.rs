//! Turns: asks the agent, and says, texts or stores its answer.

use super::answer::{Control, ParsedAnswer};
use super::script::{Input, Script, Step};
use super::thinking::{Ready, Thinking};
use super::words::Words;
use super::{Action, Call, DocumentState, Phase, Prompt, phrases};
use crate::time::Timestamp;

impl Call {
    /// Starts a turn: the agent works, and the other side waits.
    pub(super) fn ask(&mut self, prompt: Prompt, now: Timestamp, actions: &mut Vec<Action>) {
        // A request that is already waiting does not wait longer for another turn.
        let fill_at = self.filler_at().map_or(now + self.plan.filler_after, |at| at.min(now + self.plan.filler_after));
        self.settle_thinking(actions);
        self.turn = self.turn.saturating_add(1);
        self.phase = Phase::Thinking(Thinking::begin(now, fill_at));
        actions.push(Action::Ask { turn: self.turn, prompt });
    }

    /// Makes a turn of words that the agent does not answer, marked if they are a machine's. The agent's question stays
    /// the same.
    pub(super) fn keep(&mut self, words: Words, actions: &mut Vec<Action>) {
        self.turn = self.turn.saturating_add(1);
        if let Phase::Thinking(thinking) = &mut self.phase {
            thinking.kept = thinking.kept.saturating_add(1);
        }
        let words = if self.is_machine { words.noted(phrases::BY_A_MACHINE) } else { words };
        actions.push(Action::Keep { turn: self.turn, words });
    }

    /// Returns the turn that the agent works on, or the last one.
    pub(super) fn question(&self) -> u32 {
        let kept = if let Phase::Thinking(thinking) = &self.phase { thinking.kept } else { 0 };
        self.turn.saturating_sub(kept)
    }

    /// Returns the number of turns whose words were clear, including the opening of the agent.
    pub(super) fn clear_turns(&self) -> u32 {
        self.turn.saturating_sub(self.unclear_turns)
    }

    /// Says the answer of the current turn, and texts an answer that is owed, or an apology if it was promised and there
    /// is none; ignores duplicates.
    pub(super) fn take_answer(&mut self, turn: u32, ready: Ready, now: Timestamp, actions: &mut Vec<Action>) {
        if let Some(place) = self.owed.iter().position(|owed| *owed == turn) {
            self.owed.swap_remove(place);
            let is_promised = self.promised.extract_if(.., |promised| *promised == turn).next().is_some();
            if is_promised && ready == Ready::NoAnswer && self.can_be_texted {
                let text = phrases::NO_TEXT_FOLLOWS.into();
                return actions.push(Action::Text { turn, text, is_answer: false });
            }
            return self.write_late(turn, ready, actions);
        }
        if self.summarizing == Some(turn) {
            self.summarizing = None;
            if let (Ready::Answer(text), Some(to)) = (ready, self.plan.summary) {
                let text = ParsedAnswer::read(text.as_str(), true).written.into();
                actions.push(match self.can_summarize_for(to) {
                    true => Action::SendSummary { turn, to, text },
                    false => Action::KeepUnheard { turn, text },
                });
            }
            return;
        }
        if turn == self.question()
            && let Phase::Thinking(thinking) = &mut self.phase
            && thinking.take(ready)
        {
            self.give_ready(now, actions);
        }
    }

    /// Says what is ready if the provider is waiting. Answering machines do not wait.
    pub(super) fn give_ready(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let turn = self.question();
        let Phase::Thinking(thinking) = &mut self.phase else { return };
        if self.document != DocumentState::Awaited && !self.is_machine {
            return;
        }
        match thinking.ready.take() {
            None => {}
            Some(Ready::Answer(text)) => {
                self.phase = Phase::Listening;
                self.say_answer(turn, &text, now, actions);
            }
            Some(Ready::NoAnswer) if self.is_machine => self.hang_up(actions),
            Some(Ready::NoAnswer) => self.say(phrases::NO_ANSWER.into(), Phase::Listening, actions),
            // The other side can no longer be texted, and waits on.
            Some(Ready::Promise) if !self.can_be_texted => {}
            Some(Ready::Promise) => {
                self.owed.push(turn);
                self.promised.push(turn);
                self.say(phrases::TEXT_FOLLOWS.into(), Phase::Listening, actions);
            }
        }
    }

    fn say_answer(&mut self, turn: u32, text: &Words, now: Timestamp, actions: &mut Vec<Action>) {
        let answer = ParsedAnswer::read(text.as_str(), self.can_be_texted);
        let mut texts = answer.speech.links.clone();
        if let Some(Control::Text(text)) = answer.control {
            texts.push(text.to_owned());
        }
        if self.can_be_texted && !texts.is_empty() {
            actions.push(Action::Text { turn, text: texts.join("\n").into(), is_answer: false });
        }
        let words = Words::from(answer.speech.words);
        match answer.control {
            _ if self.is_machine => self.close(words, now, actions),
            Some(Control::EndCall) if words.is_empty() => self.close(phrases::GOODBYE.into(), now, actions),
            Some(Control::EndCall) => self.close(words, now, actions),
            Some(Control::Press(keys)) => self.press(words, keys, actions),
            _ if words.is_empty() => self.say(phrases::ANYTHING_ELSE.into(), Phase::Speaking, actions),
            _ => self.say_repeatable(words, Phase::Speaking, actions),
        }
    }

    /// Says something, presses keys, and listens.
    fn press(&mut self, words: Words, keys: String, actions: &mut Vec<Action>) {
        self.phase = Phase::Speaking;
        let listen = Script::listen("", Input::SpeechOrKeys).0;
        let steps = [Step::Say(words.clone()), Step::Press(keys)].into_iter();
        let steps = steps.skip(usize::from(words.is_empty())).chain(listen);
        self.give(Script(steps.collect()), actions);
    }

    /// Ends the current turn: its answer is texted or stored, now or when it arrives.
    pub(super) fn settle_thinking(&mut self, actions: &mut Vec<Action>) {
        let turn = self.question();
        let Phase::Thinking(thinking) = &mut self.phase else { return };
        match thinking.ready.take() {
            Some(ready @ Ready::Answer(_)) => self.write_late(turn, ready, actions),
            Some(Ready::NoAnswer) => {}
            Some(Ready::Promise) | None => self.owed.push(turn),
        }
        self.phase = Phase::Listening;
    }

    fn write_late(&mut self, turn: u32, ready: Ready, actions: &mut Vec<Action>) {
        let Ready::Answer(text) = ready else { return };
        let answer = ParsedAnswer::read(text.as_str(), self.can_be_texted);
        let note = if let Some(Control::Text(note)) = answer.control { note } else { "" };
        let text = Words::from([answer.written, note].join("\n\n").trim());
        if text.is_empty() {
            return;
        }
        // An opening sentence is for the call only, and a text is useless to an answering machine.
        let is_opening = turn == 1 && self.plan.purpose.agent_opens();
        let is_texted = self.can_be_texted && !self.is_machine && !is_opening;
        actions.push(if is_texted {
            Action::Text { turn, text, is_answer: true }
        } else {
            Action::KeepUnheard { turn, text }
        });
    }
}
