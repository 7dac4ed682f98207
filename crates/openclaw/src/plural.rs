//! Counted nouns for people: "1 message", "3 messages".

pub use telephony_domain::plural::counted;

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    /// Nouns that people read counts of.
    const NOUNS: [&str; 12] = [
        "segment",
        "message",
        "call",
        "character",
        "webhook",
        "place",
        "other",
        "hour",
        "file",
        "turn",
        "minute",
        "contact",
    ];

    #[test]
    fn no_text_has_an_optional_plural_or_a_plural_after_any_number() {
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
                    let is_left = |line: &&str| follows_a_letter(&mark, line) || counts_without_singular(line);
                    assert_eq!(text.lines().find(is_left), None, "{}", path.display());
                }
            }
        }
        assert!(files > 300, "{files}");
    }

    /// Returns true if a string in this line has a variable number with a plural behind it. [`counted`] writes both forms.
    fn counts_without_singular(line: &str) -> bool {
        let is_open = |text: &str| {
            let Some((before, _)) = text.rsplit_once('}') else { return false };
            let name = before.rsplit_once('{').map_or("", |(_, name)| name);
            !name.starts_with(|c: char| c.is_ascii_uppercase())
        };
        let found = NOUNS.iter().flat_map(|noun| line.match_indices(&format!("}} {noun}s")).collect::<Vec<_>>());
        let text = line.trim_start();
        !text.starts_with("//") && found.into_iter().any(|(at, _)| is_open(&line[..=at]))
    }

    /// Returns true if a string in this line contains `mark` directly after a letter. Code before the first quotation mark
    /// is not searched.
    fn follows_a_letter(mark: &str, line: &str) -> bool {
        let Some((_, text)) = line.split_once('"') else { return false };
        text.match_indices(mark).any(|(at, _)| text[..at].ends_with(|c: char| c.is_ascii_lowercase()))
    }
}
