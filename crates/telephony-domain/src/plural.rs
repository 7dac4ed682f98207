//! Counted nouns for people: "1 message", "3 messages".

use std::fmt::Display;

/// Formats a count with its noun, which gets an `s` unless the count is one.
pub fn counted(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_everything_else_plural() {
        assert_eq!(
            [0, 1, 2, 11].map(|count| counted(count, "message")),
            ["0 messages", "1 message", "2 messages", "11 messages"]
        );
    }
}
