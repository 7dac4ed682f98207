//! After a call: a summary, or a text to a caller who said nothing.

use serde::{Deserialize, Serialize};

use super::plan::CallPurpose;
use super::{Action, Call, Prompt};

/// The person who gets a summary of each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SummaryRecipient {
    /// The other side of the call.
    Contact,
    /// The operator.
    Operator,
}

impl Call {
    /// Asks for the summary of a call that ends, or texts a caller who said nothing clear.
    pub(super) fn follow_up(&mut self, actions: &mut Vec<Action>) {
        if self.clear_turns() == 0 {
            return self.text_missed(actions);
        }
        let has_spoken = self.clear_turns() > u32::from(self.plan.purpose.agent_opens());
        let is_summarized = self.plan.summary.is_some_and(|to| self.can_summarize_for(to));
        if is_summarized && has_spoken && !self.is_machine {
            self.turn = self.turn.saturating_add(1);
            self.summarizing = Some(self.turn);
            actions.push(Action::Ask { turn: self.turn, prompt: Prompt::Summarize });
        }
    }

    /// Returns true if the recipient of the summary can be texted.
    pub(super) fn can_summarize_for(&self, to: SummaryRecipient) -> bool {
        to == SummaryRecipient::Operator || self.can_be_texted
    }

    /// Texts a caller who said nothing clear, unless they had to prove their number and did not.
    fn text_missed(&self, actions: &mut Vec<Action>) {
        let CallPurpose::Inbound { asks_pin, .. } = self.plan.purpose else { return };
        let is_missed = self.can_be_texted && (self.is_proven || !asks_pin);
        if let Some(text) = self.plan.missed_call_text.clone().filter(|_| is_missed) {
            actions.push(Action::Text { turn: 0, text, is_answer: false });
        }
    }
}
