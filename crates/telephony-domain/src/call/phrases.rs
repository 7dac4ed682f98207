//! The gateway's own sentences on calls.

pub(super) const ENTER_PIN: &str = "Please enter your PIN, then press the pound key.";
pub(super) const WRONG_PIN: &str = "That PIN is not correct. Please try again, then press the pound key.";
pub(super) const NO_MORE_TRIES: &str = "That PIN is not correct. Goodbye.";
pub(super) const STILL_THERE: &str = "Are you still there?";
pub(super) const NOT_UNDERSTOOD: &str = "Sorry, I did not catch that. Could you say it again?";
pub(super) const ANYTHING_ELSE: &str = "Is there anything else?";
pub(super) const TEXT_FOLLOWS: &str = "This takes a while. I will text you the answer. Is there anything else?";
pub(super) const NO_TEXT_FOLLOWS: &str =
    "Sorry, I could not find the answer that I promised on the phone. Please ask again.";
pub(super) const NO_ANSWER: &str = "Sorry, I cannot answer that right now. Is there anything else?";
pub(super) const LITTLE_TIME: &str = "We have less than 20 seconds left.";
pub(super) const TIME_IS_UP: &str = "Our time is up. Goodbye.";
pub(super) const APOLOGY: &str = "Sorry, something went wrong here. Please call again later, or send a text message.";
pub(super) const GOODBYE: &str = "Goodbye.";

/// Notes in front of words in the transcript, which the agent reads too.
pub(super) const UNCLEAR: &str = "(unclear)";
pub(super) const BY_A_MACHINE: &str = "(answering machine)";

/// Phrases that answering machines use and people do not, even when they answer the first thing that we say. A person
/// may say that another person is not available or cannot take the call.
const MACHINE_SAYS: [&str; 17] = [
    "leave a message",
    "leave me a message",
    "leave your message",
    "record your message",
    "you called is not available",
    "you have called is not available",
    "you are calling is not available",
    "you have dialed is not available",
    "to reach is not available",
    "i can't take your call",
    "i cannot take your call",
    "we can't take your call",
    "we cannot take your call",
    "after the tone",
    "after the beep",
    "voicemail",
    "voice mail",
];

/// Forms of these phrases that people use: "Would you like to leave a message?"
const PERSON_SAYS: [&str; 2] = ["to leave a message", "can leave a message"];

/// Returns true if the first words on a call come from an answering machine.
pub(super) fn are_of_a_machine(words: &str) -> bool {
    let mut words = words.to_lowercase().replace('\u{2019}', "'");
    for part in PERSON_SAYS {
        words = words.replace(part, "");
    }
    MACHINE_SAYS.iter().any(|part| words.contains(part))
}
