//! `<Gather>`: collects speech or keys during its prompts, and requests the next document with the result.

use super::talk::{DocumentCut, GatherInput, Talk};
use super::update;
use super::wires::{DocumentSource, RunningDocument};
use crate::call::Side;
use crate::xml::Element;

/// The attributes of a `<Gather>`.
struct Gather {
    hears_keys: bool,
    hears_speech: bool,
    timeout: f64,
    finish_on_key: String,
    num_digits: Option<usize>,
    can_be_interrupted: bool,
    acts_on_nothing: bool,
}

impl Gather {
    fn read(verb: &Element) -> Self {
        let input = verb.attribute("input").unwrap_or("dtmf");
        Self {
            hears_keys: input.split_whitespace().any(|kind| kind == "dtmf"),
            hears_speech: input.split_whitespace().any(|kind| kind == "speech"),
            timeout: verb.attribute("timeout").and_then(|seconds| seconds.parse().ok()).unwrap_or(5.0),
            finish_on_key: verb.attribute("finishOnKey").unwrap_or("#").to_owned(),
            num_digits: verb.attribute("numDigits").and_then(|digits| digits.parse().ok()),
            can_be_interrupted: verb.attribute("bargeIn") != Some("false"),
            acts_on_nothing: verb.attribute("actionOnEmptyResult") == Some("true"),
        }
    }

    fn wants(&self, heard: &GatherInput) -> bool {
        match heard {
            GatherInput::Speech { .. } => self.hears_speech,
            GatherInput::Keys(_) => self.hears_keys,
        }
    }
}

impl Talk {
    /// Returns the request to `action`, or `None` if there was no input and the document continues.
    pub(super) async fn gather(
        &mut self,
        document: &RunningDocument,
        verb: &Element,
    ) -> Result<Option<DocumentSource>, DocumentCut> {
        let gather = Gather::read(verb);
        if gather.hears_speech
            && verb.attribute("speechTimeout") == Some("auto")
            && verb.attribute("speechModel").is_none_or(|model| model == "default")
        {
            self.complain(document, 13335, "speechTimeout=\"auto\" needs a speechModel other than the default");
        }
        let first = match self.prompt(document, verb, &gather).await? {
            Some(heard) => Some(heard),
            None => self.listen(&gather).await?,
        };
        let mut parameters = match first {
            Some(GatherInput::Speech { text, confidence }) => self.speech(verb, &text, confidence),
            Some(GatherInput::Keys(keys)) => self.keys(&gather, keys).await?,
            None => Vec::new(),
        };
        self.set_listening(false);
        if parameters.is_empty() {
            if !gather.acts_on_nothing {
                return Ok(None);
            }
            let wanted = [("Digits", gather.hears_keys), ("SpeechResult", gather.hears_speech)];
            let wanted = wanted.into_iter().filter(|(_, is_wanted)| *is_wanted);
            parameters = wanted.map(|(name, _)| (name.to_owned(), String::new())).collect();
        }
        Ok(Some(DocumentSource::Url(document.endpoint(verb.attribute("action"), verb), parameters)))
    }

    /// Plays the nested prompts and returns the input that interrupts them.
    async fn prompt(
        &mut self,
        document: &RunningDocument,
        verb: &Element,
        gather: &Gather,
    ) -> Result<Option<GatherInput>, DocumentCut> {
        self.set_listening(gather.can_be_interrupted);
        for inner in verb.children.iter().filter(|inner| matches!(inner.name.as_str(), "Say" | "Play" | "Pause")) {
            let seconds = self.speak(document, inner);
            if !gather.can_be_interrupted {
                self.pause(seconds).await?;
            } else if let Some(heard) = self.hear(seconds).await?.filter(|heard| gather.wants(heard)) {
                return Ok(Some(heard));
            }
        }
        Ok(None)
    }

    /// Waits for input of an accepted kind.
    async fn listen(&mut self, gather: &Gather) -> Result<Option<GatherInput>, DocumentCut> {
        loop {
            self.set_listening(true);
            match self.hear(gather.timeout).await? {
                Some(heard) if !gather.wants(&heard) => {}
                heard => return Ok(heard),
            }
        }
    }

    fn speech(&self, verb: &Element, text: &str, confidence: f32) -> Vec<(String, String)> {
        self.note(Side::Phone, false, text);
        let language = verb.attribute("language").unwrap_or("en-US");
        let result = [("SpeechResult", text), ("Confidence", &confidence.to_string()), ("Language", language)];
        result.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// Collects keys until there are enough, the finish key is pressed or the timeout passes.
    async fn keys(&mut self, gather: &Gather, first: String) -> Result<Vec<(String, String)>, DocumentCut> {
        let (mut digits, mut finished_on) = (String::new(), None);
        let mut pressed = Some(first);
        while let Some(keys) = pressed.take() {
            for key in keys.chars() {
                if gather.finish_on_key.contains(key) {
                    finished_on = Some(key);
                    break;
                }
                digits.push(key);
            }
            let is_enough = gather.num_digits.is_some_and(|most| digits.len() >= most);
            if finished_on.is_none() && !is_enough {
                pressed = match self.listen(gather).await? {
                    Some(GatherInput::Keys(keys)) => Some(keys),
                    // Speech after the first key is ignored.
                    Some(GatherInput::Speech { .. }) => Some(String::new()),
                    None => None,
                };
            }
        }
        digits.truncate(gather.num_digits.unwrap_or(digits.len()));
        self.note(Side::Phone, true, &digits);
        let finished = finished_on.map(|key| ("FinishedOnKey".to_owned(), key.to_string()));
        Ok([("Digits".to_owned(), digits)].into_iter().chain(finished).collect())
    }

    fn set_listening(&self, is_listening: bool) {
        update(&self.exchange, &self.sid, |call| call.is_listening = is_listening);
    }
}
