//! Suggests a similar word.

/// Maximum number of typos in a recognized word.
const MAX_TYPOS: usize = 3;

/// Returns the word of `words` nearest to `found`, if it is near enough.
pub fn nearest<'w>(found: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let found = found.to_lowercase();
    let length = found.chars().count();
    // Comparing is quadratic in the length, and a key can have any length.
    let words = words.into_iter().filter(|word| word.chars().count().abs_diff(length) <= MAX_TYPOS);
    let distances = words.map(|word| (distance(&found, &word.to_lowercase()), word));
    let (distance, word) = distances.min_by_key(|(distance, _)| *distance)?;
    // Allow one typo in a short word, two in a medium one, three in a long one.
    let allowed = (word.len().max(found.len()) / 4).clamp(1, MAX_TYPOS);
    (distance <= allowed).then_some(word)
}

/// Counts the letters to add, drop, change or swap with a neighbor.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let above = &rows[i - 1];
            let changed = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            let swapped = if is_swap { rows[i - 2][j - 2] + 1 } else { usize::MAX };
            row.push(changed.min(above[j] + 1).min(row[j - 1] + 1).min(swapped));
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_are_recognized_and_other_words_are_not() {
        let words = ["port", "bind", "path", "statusPath", "maxConcurrentSessions"];
        for (found, meant) in [
            ("prot", Some("port")),
            ("Port", Some("port")),
            ("ports", Some("port")),
            ("status_path", Some("statusPath")),
            ("maxConcurentSesions", Some("maxConcurrentSessions")),
            ("host", None),
            ("x", None),
        ] {
            assert_eq!(nearest(found, words), meant, "{found}");
        }
        assert_eq!(nearest("a", []), None);
    }

    #[test]
    fn a_key_of_a_million_letters_is_handled_quickly() {
        assert_eq!(nearest(&"x".repeat(1_000_000), ["port", "bind", "maxConcurrentSessions"]), None);
    }
}
