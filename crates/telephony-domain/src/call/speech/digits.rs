//! Spells phone numbers and codes, which a voice would read as amounts.

/// Words after which a short number is a code.
const CODE_WORDS: [&str; 13] = [
    "code",
    "pin",
    "passcode",
    "password",
    "number",
    "reference",
    "confirmation",
    "booking",
    "order",
    "tracking",
    "account",
    "extension",
    "zip",
];

/// The maximum number of words between such a word and its code: "your code for the door is".
const REACH: usize = 5;

/// The number of digits in a row from which a number cannot be an amount.
const LONG: usize = 7;

/// Spells the phone numbers and codes of a line digit by digit, and closes each of their groups with a comma.
pub(super) fn spell(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut spelled: Vec<String> = Vec::with_capacity(words.len());
    let mut place = 0;
    while let Some(word) = words.get(place) {
        let count = phone_number(&words[place..]);
        if count > 0 {
            spelled.push(spell_groups(&words[place..place + count].join(" ")));
            place += count;
            continue;
        }
        let is_code = is_code(word, &words[place.saturating_sub(REACH)..place]);
        spelled.push(if is_code { spell_groups(word) } else { (*word).to_owned() });
        place += 1;
    }
    spelled.join(" ")
}

/// Returns the number of words, from the first on, that form one phone number: groups of digits with the usual
/// punctuation, which start with `+` or `(`, or are grouped as in North America.
fn phone_number(words: &[&str]) -> usize {
    let is_group =
        |word: &&&str| word.trim_end_matches(is_end).chars().all(|c| c.is_ascii_digit() || "+-.()/".contains(c));
    let Some(first) = words.first().filter(is_group) else { return 0 };
    let mut count = 0;
    let mut digits = 0;
    for word in words.iter().take_while(is_group) {
        // A second number, or the end of the sentence, ends this one.
        if count > 0 && (word.starts_with('+') || words[count - 1].ends_with(is_end)) {
            break;
        }
        digits += word.bytes().filter(u8::is_ascii_digit).count();
        count += 1;
    }
    let is_marked = first.starts_with(['+', '(']) && (LONG..=15).contains(&digits);
    if is_marked {
        return count;
    }
    usize::from(is_north_american(first.trim_end_matches(is_end)))
}

/// Returns true for 555-0100, 415-555-0100 and 1-415-555-0100, also with dots.
fn is_north_american(word: &str) -> bool {
    let lengths: Vec<usize> = word.split(['-', '.']).map(str::len).collect();
    let is_digits = word.chars().all(|c| c.is_ascii_digit() || c == '-' || c == '.');
    is_digits && matches!(lengths[..], [3, 4] | [3, 3, 4] | [1, 3, 3, 4])
}

fn is_code(word: &str, before: &[&str]) -> bool {
    let word = word.trim_end_matches(is_end).trim_matches(['"', '\'', '(', ')']);
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || !word.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase() || byte == b'-') {
        return false;
    }
    let has_letters = word.bytes().any(|byte| byte.is_ascii_uppercase());
    let is_one_run = digits == word.len();
    let is_code_word = |place: usize, word: &&str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
        CODE_WORDS.contains(&word.as_str()) && before.get(place + 1) != Some(&"of")
    };
    let is_after_code_word = before.iter().enumerate().any(|(place, word)| is_code_word(place, word));
    (has_letters && word.len() >= 5 && digits >= 2)
        || (is_one_run && (digits >= LONG || (digits > 2 && word.starts_with('0'))))
        || (is_after_code_word && digits >= 3 && (is_one_run || has_letters))
}

/// Spells characters one by one; separators between groups become commas.
fn spell_groups(number: &str) -> String {
    let bare = number.trim_end_matches(is_end);
    let groups = bare.split(|c: char| !c.is_ascii_alphanumeric() && c != '+').filter(|group| !group.is_empty());
    let spelled: Vec<String> = groups.map(spell_group).collect();
    format!("{}{}", spelled.join(", "), &number[bare.len()..])
}

fn spell_group(group: &str) -> String {
    let names: Vec<String> = group.chars().map(|c| if c == '+' { "plus".to_owned() } else { c.to_string() }).collect();
    names.join(" ")
}

fn is_end(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?')
}

#[cfg(test)]
mod tests {
    use super::spell;

    #[test]
    fn phone_numbers_are_spelled_in_groups() {
        for (line, spelled) in [
            ("Call +15550001234.", "Call plus 1 5 5 5 0 0 0 1 2 3 4."),
            ("Call +49 30 1234567, please", "Call plus 4 9, 3 0, 1 2 3 4 5 6 7, please"),
            ("(415) 555-0100 is it", "4 1 5, 5 5 5, 0 1 0 0 is it"),
            ("415-555-0100 or 555.0100", "4 1 5, 5 5 5, 0 1 0 0 or 5 5 5, 0 1 0 0"),
            ("+15550001234 +15550005678", "plus 1 5 5 5 0 0 0 1 2 3 4 plus 1 5 5 5 0 0 0 5 6 7 8"),
        ] {
            assert_eq!(spell(line), spelled);
        }
    }

    #[test]
    fn codes_are_spelled() {
        for (line, spelled) in [
            ("Your code is 4821.", "Your code is 4 8 2 1."),
            ("PIN: 0042", "PIN: 0 0 4 2"),
            ("code ABCD2345!", "code A B C D 2 3 4 5!"),
            ("order 12345678", "order 1 2 3 4 5 6 7 8"),
            ("tracking number AB-1234", "tracking number A B, 1 2 3 4"),
        ] {
            assert_eq!(spell(line), spelled);
        }
    }

    #[test]
    fn amounts_years_and_times_stay() {
        for line in [
            "It costs $1000000 or 1,000,000 euros.",
            "In 2026, at 10:30, 25 people paid 1200.50 on 2026-11-30.",
            "Version 1.2.3 has 40-50 users (12).",
            "A 4K TV, the A380, 3D and 5G",
            "The number of members in 1999",
            "+5 degrees - (2) of 10",
        ] {
            assert_eq!(spell(line), line);
        }
    }
}
