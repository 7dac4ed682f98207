//! Characters that a server cut in two: JavaScript counts in UTF-16, so an emoji may end one event and begin the next,
//! each half as a JSON escape that no text can hold by itself.

/// The length of an escape such as `\ud83d` (bytes).
const ESCAPE: usize = 6;

/// The first half of a character whose second half has not come yet, as it was written.
#[derive(Default)]
pub(super) struct Half(Option<String>);

impl Half {
    /// The event's JSON with every half character made whole, or kept for the next event.
    pub(super) fn join(&mut self, mut json: String) -> String {
        if let Some(first) = self.0.take()
            && let Some(at) = find(&json, |at| begins_text(&json, at) && is_half(&json[at..], b"cdef"))
        {
            json.insert_str(at, &first);
        }
        if let Some(at) = find(&json, |at| is_half(&json[at..], b"89ab") && json[at + ESCAPE..].starts_with('"')) {
            self.0 = Some(json[at..at + ESCAPE].to_owned());
            json.replace_range(at..at + ESCAPE, "");
        }
        json
    }
}

/// Where the first escape is that `is_it`; a backslash behind another one is no escape.
fn find(json: &str, is_it: impl Fn(usize) -> bool) -> Option<usize> {
    json.match_indices(r"\ud").map(|(at, _)| at).find(|&at| !json[..at].ends_with('\\') && is_it(at))
}

fn begins_text(json: &str, at: usize) -> bool {
    json[..at].ends_with('"')
}

/// Whether `json` begins with `\ud`, one of `kinds`, and two more digits; JSON's writers use small ones.
fn is_half(json: &str, kinds: &[u8]) -> bool {
    let digits = json.as_bytes().get(3..ESCAPE);
    digits.is_some_and(|d| kinds.contains(&d[0]) && d.iter().all(u8::is_ascii_hexdigit))
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
    fn what_is_whole_stays_as_it_is() {
        let whole = [
            r#"{"content":"\ud83d\udcac"}"#,
            r#"{"content":"\u00e9"}"#,
            r#"{"content":"\ud8"#,
            "\\ud8é5\"",
            r#""\\ud83d""#,
        ];
        assert_eq!(join(&whole), whole);
    }
}
