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
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn one_is_singular_and_everything_else_plural() {
        assert_eq!(
            [0, 1, 2, 11].map(|count| counted(count, "message")),
            ["0 messages", "1 message", "2 messages", "11 messages"]
        );
    }

    #[test]
    fn no_text_has_an_optional_plural() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().path().join("src")).collect();
        let (mark, mut files) = (["(", "s", ")"].concat(), 0);
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    files += 1;
                    let text = std::fs::read_to_string(&path).unwrap();
                    let is_left = |line: &&str| follows_a_letter(&mark, line);
                    assert_eq!(text.lines().find(is_left), None, "{}", path.display());
                }
            }
        }
        assert!(files > 300, "{files}");
    }

    /// Returns true if a string in this line contains `mark` directly after a letter. Code before the first quotation mark
    /// is not searched.
    fn follows_a_letter(mark: &str, line: &str) -> bool {
        let Some((_, text)) = line.split_once('"') else { return false };
        text.match_indices(mark).any(|(at, _)| text[..at].ends_with(|c: char| c.is_ascii_lowercase()))
    }
}
