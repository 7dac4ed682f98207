//! The output of a program as text, limited to the longest answer with reasoning, so that an endless one does not fill
//! the memory.

use super::process::EndlessOutput;
use crate::answer_limit::{Capacity, MAX_PICTURES};

/// Output (bytes) after which a program is killed: the longest answer with reasoning.
const MAX_OUTPUT: usize = MAX_PICTURES + 1024 * 1024;

/// The beginning of a program's output.
pub(super) struct Printed {
    text: String,
    capacity: Capacity,
    bytes: usize,
    /// Beginning of an incomplete character.
    half: Vec<u8>,
}

impl Printed {
    pub(super) fn new() -> Self {
        Self { text: String::new(), capacity: Capacity::with_reasoning(), bytes: 0, half: Vec::new() }
    }

    /// Adds the next bytes; fails once nothing more would be kept.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), EndlessOutput> {
        self.bytes += bytes.len();
        let mut next = std::mem::take(&mut self.half);
        next.extend_from_slice(bytes);
        let mut chunks = next.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.text.push_str(&self.capacity.take(chunk.valid()));
            match chunk.invalid() {
                [] => {}
                half if chunks.peek().is_none() && is_beginning(half) => self.half = half.to_vec(),
                _ => self.text.push_str(&self.capacity.take("\u{FFFD}")),
            }
        }
        if self.is_endless() { Err(EndlessOutput) } else { Ok(()) }
    }

    pub(super) fn is_endless(&self) -> bool {
        self.capacity.is_full() || self.bytes >= MAX_OUTPUT
    }

    pub(super) fn into_text(mut self) -> String {
        if !self.half.is_empty() {
            self.text.push_str(&self.capacity.take("\u{FFFD}"));
        }
        self.text
    }
}

/// Returns true if more bytes may complete a character.
fn is_beginning(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn endless_text_is_cut_at_the_limit_of_answer_and_reasoning() {
        let mut printed = Printed::new();
        let piece = b"<think>\n".repeat(1024);
        let taken = (1..).find(|_| printed.take(&piece).is_err()).unwrap();
        assert!(taken * piece.len() <= 1024 * 1024 + piece.len(), "{taken}");
        assert!(printed.text.len() <= 1024 * 1024 && printed.text.capacity() <= 2 * 1024 * 1024);
    }

    #[test]
    fn an_endless_picture_is_cut() {
        let mut printed = Printed::new();
        assert!(printed.take(b"![](data:image/png;base64,").is_ok());
        let taken = (1..).find(|_| printed.take(&[b'A'; 1024]).is_err()).unwrap();
        assert!(taken * 1024 <= MAX_OUTPUT);
        assert!(printed.is_endless() && printed.into_text().len() <= MAX_OUTPUT);
    }

    proptest! {
        #[test]
        fn chunk_boundaries_do_not_matter(
            bytes in prop::collection::vec(prop::sample::select("aé€💬\u{7f}".bytes().chain([0, 0xFF, 0xC3, 0xF0]).collect::<Vec<_>>()), 0..40),
            size in 1_usize..7,
        ) {
            let mut printed = Printed::new();
            for piece in bytes.chunks(size) {
                prop_assert!(printed.take(piece).is_ok());
            }
            prop_assert_eq!(printed.into_text(), String::from_utf8_lossy(&bytes));
        }
    }
}
