//! A pairing code as a caller hears it: twice, and letter by letter.

use super::script::{Script, Step};
use crate::pairing::PairingCode;

/// The words of the NATO alphabet.
const ALPHABET: [&str; 26] = [
    "Alpha", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliett", "Kilo", "Lima",
    "Mike", "November", "Oscar", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Uniform", "Victor", "Whiskey", "X-ray",
    "Yankee", "Zulu",
];

const INTRODUCTION: &str = "This assistant does not know your number. Please give its owner this pairing code.";

const NO_CODE: &str = "This assistant does not know your number, and it cannot give out a pairing code right now. \
                       Please call again later.";

/// Returns a document that says the code and ends the call.
pub fn script(code: &PairingCode) -> Script {
    let spelled = spelled(code);
    let steps = [INTRODUCTION.to_owned(), spelled.clone(), "Once more.".to_owned(), spelled, "Goodbye.".to_owned()];
    Script(steps.into_iter().map(|words| Step::Say(words.into())).chain([Step::HangUp]).collect())
}

/// Returns a document for a stranger who gets no code now.
pub fn no_code() -> Script {
    Script::say_and_hang_up(NO_CODE)
}

fn spelled(code: &PairingCode) -> String {
    let characters = code.as_str().chars().map(|character| match character {
        'A'..='Z' => format!("{character} as in {}.", ALPHABET[(character as usize) - ('A' as usize)]),
        digit => format!("The digit {digit}."),
    });
    characters.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_spelled_twice() {
        let script = script(&"ABCD2345".parse().unwrap());
        let said: Vec<&str> = script.spoken().map(|words| words.as_str()).collect();
        assert_eq!(
            said[1],
            "A as in Alpha. B as in Bravo. C as in Charlie. D as in Delta. \
             The digit 2. The digit 3. The digit 4. The digit 5."
        );
        assert_eq!((said[1], script.0.last()), (said[3], Some(&Step::HangUp)));
    }
}
