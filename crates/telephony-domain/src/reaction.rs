//! Reactions ("tapbacks"): a phone on another network shows them as bubbles, but we get them as a text about a text.

/// A reaction to an earlier message. `Debug` hides the quoted text.
#[derive(Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Action, such as `liked` or `reacted with 👍`; `took back: …` if it was removed.
    pub deed: String,
    /// The message it is about, or its kind (`an image`); the phone shortens a long one.
    pub about: String,
}

impl std::fmt::Debug for Reaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reaction").field("deed", &self.deed).finish_non_exhaustive()
    }
}

/// Beginnings of an iPhone's reactions, with their meaning.
const DEEDS: [(&str, &str); 13] = [
    ("Liked ", "liked"),
    ("Disliked ", "disliked"),
    ("Loved ", "loved"),
    ("Laughed at ", "laughed at"),
    ("Emphasized ", "emphasized"),
    ("Emphasised ", "emphasized"),
    ("Questioned ", "questioned"),
    ("Removed a like from ", "took back: liked"),
    ("Removed a dislike from ", "took back: disliked"),
    ("Removed a heart from ", "took back: loved"),
    ("Removed a laugh from ", "took back: laughed at"),
    ("Removed an exclamation from ", "took back: emphasized"),
    ("Removed a question mark from ", "took back: questioned"),
];

/// Words that phones use in place of a quotation.
const THINGS: [&str; 6] = ["an image", "an attachment", "a movie", "an audio message", "a sticker", "a photo"];

/// Parses a reaction in the English form of iPhones and Android phones; none for anything that a person may have typed.
pub fn read(text: &str) -> Option<Reaction> {
    let text = text.trim();
    let iphone = DEEDS.iter().find_map(|(begin, deed)| {
        let about = object(text.strip_prefix(begin)?)?;
        Some(Reaction { deed: (*deed).to_owned(), about })
    });
    iphone.or_else(|| with_emoji(text))
}

/// Parses `Reacted 👍 to “…”` (iPhone) and `👍 to “…”` (Android).
fn with_emoji(text: &str) -> Option<Reaction> {
    let (emoji, about) = text.strip_prefix("Reacted ").unwrap_or(text).split_once(" to ")?;
    let is_emoji = !emoji.is_empty() && emoji.chars().count() <= 8 && !emoji.chars().any(is_of_words);
    let about = object(about.trim_matches(HAIR))?;
    is_emoji.then(|| Reaction { deed: format!("reacted with {}", emoji.trim_matches(HAIR)), about })
}

/// Invisible characters that Android phones add to their reactions.
const HAIR: [char; 4] = ['\u{200a}', '\u{200b}', '\u{2009}', ' '];

fn is_of_words(c: char) -> bool {
    c.is_alphanumeric() || c.is_ascii_punctuation()
}

/// Parses the rest: a quotation with nothing after it, or one of a phone's own words.
fn object(rest: &str) -> Option<String> {
    let rest = rest.trim_matches(HAIR);
    let quoted = [('“', '”'), ('"', '"'), ('„', '“'), ('«', '»')]
        .into_iter()
        .find_map(|(open, close)| rest.strip_prefix(open)?.strip_suffix(close));
    quoted.or_else(|| THINGS.into_iter().find(|thing| *thing == rest)).map(|about| about.trim_matches(HAIR).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(text: &str) -> Option<(String, String)> {
        read(text).map(|reaction| (reaction.deed, reaction.about))
    }

    #[test]
    fn texts_of_phones_about_reactions_are_recognized() {
        for (text, deed, about) in [
            ("Liked “See you at 5”", "liked", "See you at 5"),
            ("Laughed at \"that\"", "laughed at", "that"),
            ("Loved an image", "loved", "an image"),
            ("Removed a heart from “a “quoted” word”", "took back: loved", "a “quoted” word"),
            ("Reacted 🎉 to “Done.”", "reacted with 🎉", "Done."),
            ("\u{200a}👍\u{200a} to “\u{200a}Done.\u{200a}”", "reacted with 👍", "Done."),
            ("❤️ to “two\nlines”", "reacted with ❤️", "two\nlines"),
        ] {
            assert_eq!(read_as(text), Some((deed.to_owned(), about.to_owned())), "{text}");
        }
    }

    #[test]
    fn ordinary_texts_are_not_reactions() {
        for text in [
            "Liked it a lot",
            "Loved “Dune”, what else should I read?",
            "I liked “Dune”",
            "Loved",
            "Go to “Mario's”",
            "2 to “5”",
            "? to “5”",
            "",
            "👍",
            "Questioned an expert",
        ] {
            assert_eq!(read_as(text), None, "{text}");
        }
    }
}
