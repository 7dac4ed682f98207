//! Split surrogate pairs: JavaScript counts in UTF-16, so an emoji may end one event and begin the next, each half a
//! JSON escape that no string can hold alone. An unpaired half becomes U+FFFD.

/// Length of an escape such as `\ud83d` (bytes).
const ESCAPE: usize = 6;

/// Second hex digits of high surrogates, and of low ones.
const FIRST: &[u8] = b"89ab";
const SECOND: &[u8] = b"cdef";

/// Replacement for an unpaired half, of the same length.
const LOST: &str = r"\ufffd";

/// A high surrogate whose low one has not arrived yet, as it was written.
#[derive(Default)]
pub(super) struct Half(Option<String>);

impl Half {
    /// Joins split surrogates in the event's JSON, keeps a half for the next event, or replaces it.
    pub(super) fn join(&mut self, mut json: String) -> String {
        if let Some(first) = self.0.take()
            && let Some(at) = find(&json, |at| begins_text(&json, at) && is_half(&json[at..], SECOND))
        {
            json.insert_str(at, &first);
        }
        if let Some(at) = find(&json, |at| is_half(&json[at..], FIRST) && json[at + ESCAPE..].starts_with('"')) {
            self.0 = Some(json[at..at + ESCAPE].to_owned());
            json.replace_range(at..at + ESCAPE, "");
        }
        without_halves(json)
    }
}

/// Replaces unpaired surrogates in the JSON.
pub(super) fn without_halves(mut json: String) -> String {
    let mut from = 0;
    while let Some(at) = next_escape(&json, from) {
        let escape = &json[at..];
        let is_first = is_half(escape, FIRST);
        if is_first && escape.get(ESCAPE..).is_some_and(|second| is_half(second, SECOND)) {
            from = at + 2 * ESCAPE;
        } else if is_first || is_half(escape, SECOND) {
            json.replace_range(at..at + ESCAPE, LOST);
            from = at + ESCAPE;
        } else {
            from = at + 2;
        }
    }
    json
}

/// Returns the position of the first escape that matches.
fn find(json: &str, is_it: impl Fn(usize) -> bool) -> Option<usize> {
    escapes(json).find(|&at| is_it(at))
}

/// Returns the positions of escapes: a backslash after another one begins none.
fn escapes(json: &str) -> impl Iterator<Item = usize> {
    std::iter::successors(next_escape(json, 0), |at| next_escape(json, at + 2))
}

fn next_escape(json: &str, from: usize) -> Option<usize> {
    let bytes = json.as_bytes().get(from..)?;
    bytes.iter().position(|byte| *byte == b'\\').map(|at| from + at)
}

fn begins_text(json: &str, at: usize) -> bool {
    json[..at].ends_with('"')
}

/// Returns true if `json` begins with the escape of a surrogate whose second digit is one of `kinds`.
fn is_half(json: &str, kinds: &[u8]) -> bool {
    let Some([b'\\', b'u', b'd' | b'D', kind, rest @ ..]) = json.as_bytes().get(..ESCAPE) else { return false };
    kinds.contains(&kind.to_ascii_lowercase()) && rest.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(events: &[&str]) -> Vec<String> {
        let mut half = Half::default();
        events.iter().map(|json| half.join((*json).to_owned())).collect()
    }

    #[test]
    fn a_character_cut_in_two_is_whole_in_the_second_event() {
        let cut = [r#"{"a":"x","content":"hi \ud83d"}"#, r#"{"a":"x","content":"\udcac!"}"#, r#"{"content":"é"}"#];
        let whole = [r#"{"a":"x","content":"hi "}"#, r#"{"a":"x","content":"\ud83d\udcac!"}"#, r#"{"content":"é"}"#];
        assert_eq!(join(&cut), whole);
    }

    #[test]
    fn characters_in_a_row_may_all_be_cut() {
        let cut = [r#"{"content":"\ud83d"}"#, r#"{"content":"\udcac\ud83d"}"#, r#"{"content":"\udcac"}"#];
        let whole = [r#"{"content":""}"#, r#"{"content":"\ud83d\udcac"}"#, r#"{"content":"\ud83d\udcac"}"#];
        assert_eq!(join(&cut), whole);
    }

    #[test]
    fn a_lone_surrogate_is_replaced() {
        let alone = [
            r#"{"reasoning":"\udcac \ud83d","content":"\ud83d!"}"#,
            r#"{"content":"\ud83d\ud83d\udcac\udcac\uD83D."}"#,
            r#"{"content":"\\\ud83d!"}"#,
        ];
        let replaced = [
            r#"{"reasoning":"\ufffd ","content":"\ufffd!"}"#,
            r#"{"content":"\ufffd\ud83d\udcac\ufffd\ufffd."}"#,
            r#"{"content":"\\\ufffd!"}"#,
        ];
        assert_eq!(join(&alone), replaced);
    }

    #[test]
    fn complete_pairs_stay_unchanged() {
        let whole = [
            r#"{"content":"\ud83d\udcac"}"#,
            r#"{"content":"\u00e9"}"#,
            r#"{"content":"\ud8"#,
            "\\ud8é5\"",
            r#""\\ud83d""#,
            r#"\é\"#,
        ];
        assert_eq!(join(&whole), whole);
    }
}
