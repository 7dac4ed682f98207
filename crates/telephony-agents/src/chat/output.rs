//! The output of a model while it arrives, and the answer in it.

use crate::answer_limit::Capacity;
use crate::reasoning::without_reasoning;

/// All output of the model, including reasoning.
pub(super) struct Output {
    text: String,
    capacity: Capacity,
    /// Length of `text` at which it is checked again.
    next_look: usize,
    has_begun: bool,
    is_full: bool,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            text: String::new(),
            capacity: Capacity::with_reasoning(),
            next_look: 0,
            has_begun: false,
            is_full: false,
        }
    }
}

impl Output {
    /// Returns true if words of an answer have arrived.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Returns true if the rest would not be kept.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Returns true if the model reached the limit for all output.
    pub(super) fn is_endless(&self) -> bool {
        self.capacity.is_full()
    }

    /// Returns true if the answer so far is longer than any SMS reply.
    pub(super) fn is_enough(&self) -> bool {
        Capacity::is_enough(&without_reasoning(&self.text))
    }

    /// Keeps the part of `piece` that fits. The longer the output is, the less often it is checked.
    pub(super) fn keep(&mut self, piece: &str) {
        self.text.push_str(&self.capacity.take(piece));
        if self.text.len() >= self.next_look {
            self.next_look = self.text.len() + self.text.len() / 4;
            let (answer, is_cut) = self.answer();
            self.has_begun |= !answer.trim().is_empty();
            self.is_full |= is_cut;
        }
        self.is_full |= self.capacity.is_full();
    }

    /// Returns the answer without reasoning, and true if its end is cut off.
    pub(super) fn answer(&self) -> (String, bool) {
        let mut capacity = Capacity::default();
        let answer = capacity.take(&without_reasoning(&self.text));
        (answer, capacity.is_full())
    }
}
