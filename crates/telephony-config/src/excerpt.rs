//! The line of a file that a problem is about, with a caret below the spot. It never shows more of a value than the
//! problem's own message does: what stands there may be a secret under a misspelled key.

/// Longest line shown (characters).
const WIDEST: usize = 90;

/// Characters shown in front of the spot if a line is longer.
const IN_FRONT: usize = 40;

/// Digits without quotes are hidden from this many on: a PIN has four or more.
const LONG_NUMBER: usize = 4;

/// Returns the line with its number, and the caret below the `column`, counted in characters from 1.
pub(crate) fn excerpt(text: &str, line: usize, column: usize, message: &str) -> Option<String> {
    let written: Vec<char> = text.lines().nth(line.checked_sub(1)?)?.chars().collect();
    let (shown, caret) = masked(&written, column.checked_sub(1)?, message);
    let (shown, caret) = cut(&shown, caret);
    let number = line.to_string();
    let (margin, gap) = (" ".repeat(number.len()), " ".repeat(caret));
    Some(format!("  {number} | {shown}\n  {margin} | {gap}^"))
}

/// Returns the line with dots for every value but the one at `spot` that the message shows, and the spot in it.
fn masked(line: &[char], spot: usize, message: &str) -> (Vec<char>, usize) {
    let (mut shown, mut caret, mut at) = (Vec::new(), None, 0);
    while at < line.len() {
        let end = end_of_token(line, at);
        if caret.is_none() && spot < end {
            caret = Some(shown.len() + (spot - at).min(end - at));
        }
        let token = &line[at..end];
        match hidden(token) {
            Some(quote) if !(is_key(line, end) || at == spot && is_in(token, message)) => {
                shown.extend(quote);
                shown.extend(['•'; 3]);
                shown.extend(quote);
            }
            _ => shown.extend(token.iter().map(|c| if c.is_control() { ' ' } else { *c })),
        }
        at = end;
    }
    let caret = caret.unwrap_or(shown.len());
    (shown, caret)
}

/// Returns the end of the text in quotes, the number, or the single character that starts at `at`.
fn end_of_token(line: &[char], at: usize) -> usize {
    let quote = line[at];
    if matches!(quote, '"' | '\'') {
        let mut end = at + 1;
        while end < line.len() {
            match line[end] {
                '\\' => end += 2,
                c if c == quote => return end + 1,
                _ => end += 1,
            }
        }
        return line.len();
    }
    let digits = line[at..].iter().take_while(|c| c.is_ascii_alphanumeric()).count();
    at + digits.max(1)
}

/// Returns the quotation mark of a token to be hidden, or none around a long number.
fn hidden(token: &[char]) -> Option<Option<char>> {
    match token.first() {
        Some(quote @ ('"' | '\'')) => Some(Some(*quote)),
        Some(first) if first.is_ascii_digit() && token.len() >= LONG_NUMBER => Some(None),
        _ => None,
    }
}

/// Returns true if a colon follows.
fn is_key(line: &[char], end: usize) -> bool {
    line[end..].iter().find(|c| !c.is_whitespace()) == Some(&':')
}

fn is_in(token: &[char], message: &str) -> bool {
    let token: String = token.iter().collect();
    let bare = token.trim_matches(['"', '\'']);
    let found = if bare == token { format!("found {bare},") } else { format!("found {bare:?}") };
    !bare.is_empty() && message.contains(&found)
}

fn cut(line: &[char], caret: usize) -> (String, usize) {
    if line.len() <= WIDEST {
        return (line.iter().collect(), caret);
    }
    let start = caret.saturating_sub(IN_FRONT);
    let mark = if start > 0 { "…" } else { "" };
    let shown: String = line.iter().skip(start).take(WIDEST).collect();
    let rest = if start + WIDEST < line.len() { "…" } else { "" };
    (format!("{mark}{shown}{rest}"), caret - start + mark.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_marks_the_column() {
        let text = "{\n  serve2: {},\n\tkind: 'ollama', }";
        assert_eq!(excerpt(text, 2, 3, "unknown key").unwrap(), "  2 |   serve2: {},\n    |   ^");
        assert_eq!(excerpt(text, 3, 8, "found \"ollama\"").unwrap(), "  3 |  kind: 'ollama', }\n    |        ^");
        assert_eq!(excerpt(text, 9, 1, ""), None);
        let port = excerpt("port: 70000", 1, 7, "found 70000, expected a whole number from 1 to 65535");
        assert_eq!(port.unwrap(), "  1 | port: 70000\n    |       ^");
    }

    #[test]
    fn values_outside_the_message_are_masked() {
        for (line, column, shown) in [
            ("authTokn: 's3cret', \"port\": 1", 1, "authTokn: '•••', \"port\": 1\n    | ^"),
            ("\"a\" : \"s3\\\"cret\", serve2: {}", 19, "\"a\" : \"•••\", serve2: {}\n    |              ^"),
            ("a: 's3cret", 4, "a: '•••'\n    |    ^"),
            ("apiKeySecret: 123450s3cret, x: 655", 15, "apiKeySecret: •••, x: 655\n    |               ^"),
            ("pin: 4711, x: 1", 6, "pin: •••, x: 1\n    |      ^"),
            ("pin: 4711, x: 1", 12, "pin: •••, x: 1\n    |           ^"),
            ("// don't s3cret", 1, "// don'•••'\n    | ^"),
        ] {
            assert_eq!(excerpt(line, 1, column, "found a text").unwrap(), format!("  1 | {shown}"), "{line}");
        }
    }

    #[test]
    fn a_long_line_is_shortened_around_the_column() {
        let line = format!("{{{}wrong: 1, {}}}", "a: 1, ".repeat(100), "b: 2, ".repeat(100));
        let excerpt = excerpt(&line, 1, 602, "").unwrap();
        let (shown, caret) = excerpt.split_once('\n').unwrap();
        let spot = caret.chars().position(|c| c == '^').unwrap();
        assert_eq!(shown.chars().skip(spot).take(5).collect::<String>(), "wrong", "{excerpt}");
        assert!(shown.chars().count() < 110, "{excerpt}");
    }
}
