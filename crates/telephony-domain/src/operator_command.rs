//! Operator commands by SMS, and how they differ from ordinary messages.

use std::time::Duration;

use crate::address::{without_marks, without_phone_prefix};
use crate::number::PhoneNumber;
use crate::pairing::PairingCode;

/// Maximum number of wrong codes accepted in [`GUESSES_FOR`].
pub const MAX_GUESSES: u32 = 5;

/// Time for which wrong codes are counted, the lifetime of a code.
pub const GUESSES_FOR: Duration = crate::pairing::CODE_VALID_FOR;

/// Maximum number of commands answered in a day; further ones are still executed.
pub const ANSWERS_PER_DAY: u32 = 100;

/// The contact that a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// The contact who got this code.
    Code(PairingCode),
    /// The contact with this number.
    Number(PhoneNumber),
}

/// A command of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorCommand {
    /// `APPROVE`: let a contact talk to the assistant.
    Approve(Whom),
    /// `REJECT`: end that, and with `BLOCK` never answer the number again.
    Reject {
        /// The contact.
        whom: Whom,
        /// True to block the number.
        block: bool,
    },
    /// `STATUS`: report the gateway's state.
    Status,
    /// Meant as a command, but without a valid code or number.
    Unreadable,
}

impl OperatorCommand {
    /// Parses a whole text of the operator; none if it is an ordinary message. A command names a code or a number, or
    /// something that can only be a mistyped one; "Approve the second one" is not a command.
    pub fn read(text: &str) -> Option<OperatorCommand> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (first, rest) = words.split_first()?;
        let is = |word: &str, said: &str| said.eq_ignore_ascii_case(word);
        match rest {
            [] if is("STATUS", first) => Some(OperatorCommand::Status),
            _ if is("APPROVE", first) => named(rest, OperatorCommand::Approve),
            [rest @ .., last] if is("REJECT", first) && is("BLOCK", last) => {
                named(rest, |whom| OperatorCommand::Reject { whom, block: true })
            }
            _ if is("REJECT", first) => named(rest, |whom| OperatorCommand::Reject { whom, block: false }),
            _ => None,
        }
    }
}

fn named(words: &[&str], order: impl FnOnce(Whom) -> OperatorCommand) -> Option<OperatorCommand> {
    match whom(words) {
        Some(whom) => Some(order(whom)),
        None => is_mistyped(words).then_some(OperatorCommand::Unreadable),
    }
}

/// Parses a code, which is one word or two halves, or a number, which may contain spaces, hyphens and brackets.
fn whom(words: &[&str]) -> Option<Whom> {
    let text = words.concat();
    let is_grouped =
        matches!(words, [_] | [_, _]) && words.iter().all(|word| word.len() % 4 == 0 || word.contains('-'));
    if let Ok(code) = text.parse()
        && is_grouped
    {
        return Some(Whom::Code(code));
    }
    without_marks(without_phone_prefix(&text))?.parse().ok().map(Whom::Number)
}

/// Returns true for an invalid number, or one word of letters and digits.
fn is_mistyped(words: &[&str]) -> bool {
    let text = words.concat();
    let has_digit = text.bytes().any(|b| b.is_ascii_digit());
    let is_code_like = words.len() == 1 && has_digit && text.bytes().all(|b| b.is_ascii_alphanumeric());
    (6..=16).contains(&text.len()) && (text.starts_with('+') || is_code_like)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> Whom {
        Whom::Code(text.parse().unwrap())
    }

    fn number() -> Whom {
        Whom::Number("+15550005678".parse().unwrap())
    }

    #[test]
    fn commands_are_read_in_any_spelling() {
        for text in ["APPROVE ABCD2345", " approve abcd2345\n", "Approve ABCD 2345", "approve abcd-2345"] {
            assert_eq!(OperatorCommand::read(text), Some(OperatorCommand::Approve(code("ABCD2345"))), "{text}");
        }
        for text in ["approve +15550005678", "APPROVE +1 (555) 000-5678"] {
            assert_eq!(OperatorCommand::read(text), Some(OperatorCommand::Approve(number())), "{text}");
        }
        assert_eq!(
            OperatorCommand::read("reject abcd2345"),
            Some(OperatorCommand::Reject { whom: code("ABCD2345"), block: false })
        );
        assert_eq!(
            OperatorCommand::read("REJECT +15550005678 block"),
            Some(OperatorCommand::Reject { whom: number(), block: true })
        );
        assert_eq!(OperatorCommand::read("Status"), Some(OperatorCommand::Status));
    }

    #[test]
    fn other_texts_are_not_commands() {
        for text in [
            "",
            "approve",
            "Approve it",
            "approve the plans",
            "approve 2",
            "approve the 2nd one",
            "reject",
            "reject all of them",
            "reject block",
            "status of my order",
            "what is the status",
            "please approve ABCD2345",
            "help",
        ] {
            assert_eq!(OperatorCommand::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_mistyped_code_or_number_is_still_a_command() {
        for text in
            ["APPROVE ABCD234", "approve ABCD23456", "APPROVE ABCD2340", "reject +0555000567", "REJECT AB12CD BLOCK"]
        {
            assert_eq!(OperatorCommand::read(text), Some(OperatorCommand::Unreadable), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "(?s).{0,60}", word in "APPROVE|reject|Status") {
            OperatorCommand::read(&text);
            OperatorCommand::read(&format!("{word} {text}"));
        }
    }
}
