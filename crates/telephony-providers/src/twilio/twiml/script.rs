//! Writes call documents within Twilio's limits: 4,096 characters per `<Say>`, 64 kB in total.

use telephony_domain::call::script::{Input, Reason, Script, Step};

use super::TwimlElement;
use crate::calling::CallTerms;

/// The maximum UTF-16 units in a `<Say>`.
const SAY_LIMIT: usize = 4096;

/// The maximum bytes of speech in a document, some fifty minutes; the rest is dropped.
const SPEECH_LIMIT: usize = 48 * 1024;

/// The maximum characters of a hint.
const HINT_LIMIT: usize = 100;

/// Seconds of silence after which Twilio ends speech input. Without it, Twilio uses the whole timeout.
const SPEECH_END_SECONDS: u32 = 2;

/// Writes a script as TwiML.
pub fn document(script: &Script, terms: &CallTerms<'_>) -> String {
    let mut writer = Writer { terms, left: SPEECH_LIMIT };
    let response = script.0.iter().fold(TwimlElement::response(), |response, step| writer.write(response, step));
    response.to_string()
}

struct Writer<'a> {
    terms: &'a CallTerms<'a>,
    /// Bytes of speech that still fit into the document.
    left: usize,
}

impl Writer<'_> {
    fn write(&mut self, response: TwimlElement, step: &Step) -> TwimlElement {
        match step {
            Step::Say(words) => self.say(response, words.as_str()),
            Step::Press(keys) => response.child(&TwimlElement::new("Play").attribute("digits", keys)),
            Step::Pause(seconds) => response.child(&TwimlElement::new("Pause").attribute("length", seconds)),
            Step::Listen { prompt, input } => {
                let gather = self.gather(*input);
                response.child(&self.say(gather, prompt.as_str()))
            }
            Step::Continue => {
                response.child(&TwimlElement::new("Redirect").attribute("method", "POST").text(self.terms.next_url))
            }
            Step::HangUp => response.child(&TwimlElement::new("Hangup")),
            Step::Reject(reason) => {
                response.child(&TwimlElement::new("Reject").attribute("reason", reason_name(*reason)))
            }
        }
    }

    /// Adds a text as one `<Say>` or several.
    fn say(&mut self, parent: TwimlElement, words: &str) -> TwimlElement {
        pieces(words).fold(parent, |parent, piece| {
            let mut say = TwimlElement::new("Say").attribute("language", self.terms.language);
            if let Some(voice) = self.terms.voice {
                say = say.attribute("voice", voice);
            }
            let say = say.text(piece);
            match self.left.checked_sub(say.content.len()) {
                Some(left) => {
                    self.left = left;
                    parent.child(&say)
                }
                None => {
                    self.left = 0;
                    parent
                }
            }
        })
    }

    /// Keys are accepted beside speech; nested speech can be interrupted.
    fn gather(&self, input: Input) -> TwimlElement {
        let terms = self.terms;
        let gather = TwimlElement::new("Gather")
            .attribute("action", terms.next_url)
            .attribute("method", "POST")
            .attribute("actionOnEmptyResult", true)
            .attribute("timeout", terms.silence_seconds)
            .attribute("finishOnKey", "#");
        if input == Input::Keys {
            return gather.attribute("input", "dtmf");
        }
        let gather = gather
            .attribute("input", "dtmf speech")
            .attribute("language", terms.language)
            .attribute("speechTimeout", SPEECH_END_SECONDS);
        match terms.assistant_name.and_then(hint) {
            Some(hint) => gather.attribute("hints", hint),
            None => gather,
        }
    }
}

/// Returns a name as one hint; commas would make it several. None if it is longer than Twilio accepts.
fn hint(name: &str) -> Option<String> {
    let hint = name.split([',', ' ']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    (!hint.is_empty() && hint.chars().count() <= HINT_LIMIT).then_some(hint)
}

fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::NotInService => "rejected",
        Reason::Busy => "busy",
    }
}

/// Splits a text into pieces that fit into a `<Say>`: between sentences, else between words, else anywhere.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text.trim();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at(cut(rest));
        rest = after.trim_start();
        Some(piece.trim_end())
    })
}

/// Returns the end of a text's first piece.
fn cut(text: &str) -> usize {
    let mut units = 0;
    let Some((longest, _)) = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > SAY_LIMIT
    }) else {
        return text.len();
    };
    let window = text.get(..longest).unwrap_or_default();
    let after_sentence =
        [". ", "! ", "? ", "。", "！", "？"].iter().filter_map(|end| window.rfind(end).map(|place| place + end.len()));
    after_sentence.max().or_else(|| window.rfind(' ')).filter(|place| *place > 0).unwrap_or(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TERMS: CallTerms<'static> = CallTerms {
        language: "en-US",
        voice: None,
        assistant_name: None,
        silence_seconds: 8,
        next_url: "https://e.x/v/t1?a=1&b=2",
    };

    fn tree(script: &Script, terms: &CallTerms<'_>) -> String {
        let xml = document(script, terms);
        roxmltree::Document::parse(&xml).unwrap();
        xml
    }

    #[test]
    fn a_turn_listens_while_speaking_and_always_continues() {
        let terms = CallTerms { voice: Some("Polly.Amy"), ..TERMS };
        assert_eq!(
            tree(&Script::listen("Tom & Jerry <3", Input::SpeechOrKeys), &terms),
            "<Response><Gather action=\"https://e.x/v/t1?a=1&amp;b=2\" method=\"POST\" actionOnEmptyResult=\"true\" timeout=\"8\" \
             finishOnKey=\"#\" input=\"dtmf speech\" language=\"en-US\" speechTimeout=\"2\">\
             <Say language=\"en-US\" voice=\"Polly.Amy\">Tom &amp; Jerry &lt;3</Say></Gather>\
             <Redirect method=\"POST\">https://e.x/v/t1?a=1&amp;b=2</Redirect></Response>"
        );
    }

    #[test]
    fn both_sides_use_the_configured_language() {
        let terms = CallTerms { language: "de-DE", ..TERMS };
        let written = tree(&Script::listen("Guten Tag.", Input::SpeechOrKeys), &terms);
        assert!(written.contains(r#"<Say language="de-DE">"#), "{written}");
        assert_eq!((written.matches("de-DE").count(), written.contains("en-US")), (2, false), "{written}");
    }

    #[test]
    fn the_recognizer_expects_the_assistants_name() {
        let written = |name| {
            let terms = CallTerms { assistant_name: Some(name), ..TERMS };
            let xml = tree(&Script::listen("", Input::SpeechOrKeys), &terms);
            let document = roxmltree::Document::parse(&xml).unwrap();
            document.descendants().find_map(|node| node.attribute("hints").map(str::to_owned))
        };
        assert_eq!(written("Molty").as_deref(), Some("Molty"));
        assert_eq!(written("Molty, \"the\" <Crab>").as_deref(), Some("Molty \"the\" <Crab>"));
        for name in ["", " , ", "x".repeat(101).as_str()] {
            assert_eq!(written(name), None, "{name}");
        }
        let terms = CallTerms { assistant_name: Some("Molty"), ..TERMS };
        assert!(!tree(&Script::listen("", Input::Keys), &terms).contains("hints"));
    }

    #[test]
    fn each_step_has_its_verb() {
        let steps = [
            (Step::Say("Hi.".into()), r#"<Say language="en-US">Hi.</Say>"#),
            (Step::Press("ww1#".into()), r#"<Play digits="ww1#"/>"#),
            (Step::Pause(2), r#"<Pause length="2"/>"#),
            (Step::HangUp, "<Hangup/>"),
            (Step::Reject(Reason::Busy), r#"<Reject reason="busy"/>"#),
            (Step::Reject(Reason::NotInService), r#"<Reject reason="rejected"/>"#),
            (Step::Say("".into()), ""),
        ];
        for (step, verb) in steps {
            let written = tree(&Script(vec![step]), &TERMS);
            assert_eq!(
                written.trim_start_matches("<Response>").trim_end_matches("</Response>").replace("<Response/>", ""),
                verb
            );
        }
        let pin = tree(&Script::listen("", Input::Keys), &TERMS);
        assert!(pin.contains(r#"input="dtmf"/>"#) && !pin.contains("speechTimeout"), "{pin}");
    }

    /// Returns the texts of all `<Say>` elements.
    fn said(xml: &str) -> Vec<String> {
        let document = roxmltree::Document::parse(xml).unwrap();
        let says = document.descendants().filter(|node| node.has_tag_name("Say"));
        says.map(|say| say.text().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn a_long_text_is_cut_between_sentences() {
        let sentence = "Seven words are in this one sentence. ";
        let said = said(&document(&Script::say_and_hang_up(sentence.repeat(300)), &TERMS));
        assert!(said.len() > 1 && said.iter().all(|piece| piece.ends_with("sentence.") && piece.len() <= SAY_LIMIT));
        assert_eq!(said.join(" "), sentence.repeat(300).trim_end());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_text_makes_a_document_within_the_limits(text in "(\\PC|[\0-\x1f&<>\"\u{FFFE}😀. ]){0,9000}") {
            let xml = document(&Script::listen(text.as_str(), Input::SpeechOrKeys), &TERMS);
            prop_assert!(xml.len() <= 64 * 1024);
            for piece in said(&xml) {
                prop_assert!(piece.encode_utf16().count() <= SAY_LIMIT);
            }
        }
    }

    #[test]
    fn any_document_stays_within_64_kb() {
        for text in ["&".repeat(100_000), "a. ".repeat(100_000), "\u{1}".repeat(100_000)] {
            let xml = document(&Script::say_and_hang_up(text), &TERMS);
            assert!(xml.len() <= 64 * 1024 && xml.ends_with("<Hangup/></Response>"));
        }
    }
}
