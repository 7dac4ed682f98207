//! Executes TwiML: speaks, pauses, redirects and hangs up. Leaves input to `gather` and fetching to `document`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::document::{Document, Source, fetch};
use super::phone::{Input, Pickup};
use super::{change, update};
use crate::alert::Alert;
use crate::call::{CallStatus, Side, Utterance};
use crate::delivery::Delivery;
use crate::exchange::Exchange;
use crate::webhook::Endpoint;
use crate::xml::{self, Element};

/// The maximum number of consecutive documents that neither speak nor wait.
const MAX_SILENT: u32 = 200;

/// The maximum length of a `<Say>` in characters.
const LONGEST_SAY: usize = 4096;

/// Characters spoken per second.
const SPEECH_RATE: f64 = 15.0;

/// Playing time of any file in seconds; files are not fetched.
const FILE_SECONDS: f64 = 2.0;

/// The reason why a document ended early.
pub(super) enum Cut {
    /// The call is over.
    Over,
    /// Another document replaces it.
    Replaced(Source),
}

/// Input for a `<Gather>`.
pub(super) enum Heard {
    Speech { text: String, confidence: f32 },
    Keys(String),
}

/// A call that executes TwiML.
pub(crate) struct Talk {
    pub(super) exchange: Arc<Exchange>,
    pub(super) sid: String,
    inputs: UnboundedReceiver<Input>,
    begun: Instant,
    silent_documents: u32,
}

impl Talk {
    pub(super) fn new(exchange: Arc<Exchange>, sid: String, inputs: UnboundedReceiver<Input>) -> Self {
        Self { exchange, sid, inputs, begun: Instant::now(), silent_documents: 0 }
    }

    /// Converts seconds of a call to real time.
    pub(super) fn time(&self, seconds: f64) -> Duration {
        self.exchange.config.call_second.mul_f64(seconds.clamp(0.0, 1e6))
    }

    /// Starts the time limit.
    pub(super) fn begin(&mut self) {
        self.begun = Instant::now();
    }

    /// Waits until the phone is answered.
    pub(super) async fn wait_for_answer(&mut self, ring_seconds: u32) -> Pickup {
        let until = Instant::now() + self.time(ring_seconds.into());
        loop {
            match timeout_at(until, self.inputs.recv()).await {
                Ok(Some(Input::Answer)) => return Pickup::Answered,
                Ok(Some(Input::HangUp)) => return Pickup::Refused,
                Ok(Some(Input::Over) | None) | Err(_) => return Pickup::None,
                Ok(Some(_)) => {}
            }
        }
    }

    /// Fetches the first document of an inbound call while it still rings.
    pub(super) async fn fetch_first(&mut self, endpoint: Option<Endpoint>) -> (Delivery, Option<Document>) {
        let Some(endpoint) = endpoint else { return (Delivery { sid: self.sid.clone(), ..Delivery::default() }, None) };
        fetch(&self.exchange, &self.sid, endpoint, Vec::new()).await
    }

    /// Answers an inbound call unless its document rejects it.
    pub(super) async fn accept(&mut self, document: Option<Document>) -> Option<Source> {
        let first = document.as_ref().and_then(|document| document.root.children.first());
        if let Some(verb) = first.filter(|verb| verb.name == "Reject") {
            let is_busy = verb.attribute("reason") == Some("busy");
            change(&self.exchange, &self.sid, if is_busy { CallStatus::Busy } else { CallStatus::NoAnswer });
            return None;
        }
        if !change(&self.exchange, &self.sid, CallStatus::InProgress) {
            return None;
        }
        match document {
            Some(document) => Some(Source::Read(Box::new(document))),
            None => {
                self.apologize();
                None
            }
        }
    }

    /// Executes documents until the call is over.
    pub(super) async fn run(&mut self, first: Source) {
        let mut source = first;
        loop {
            source = match self.next(source).await {
                Ok(Some(next)) | Err(Cut::Replaced(next)) => next,
                Ok(None) => return self.end(),
                Err(Cut::Over) => return,
            };
        }
    }

    async fn next(&mut self, source: Source) -> Result<Option<Source>, Cut> {
        let Some(document) = self.read(source).await? else {
            self.apologize();
            return Err(Cut::Over);
        };
        let speaks = document.root.children.iter().any(|verb| !matches!(verb.name.as_str(), "Redirect" | "Hangup"));
        self.silent_documents = if speaks { 0 } else { self.silent_documents + 1 };
        if self.silent_documents >= MAX_SILENT {
            self.complain(&document, 12400, "too many documents in a row neither speak nor wait");
            return Ok(None);
        }
        for verb in &document.root.children {
            if let Some(next) = self.act(&document, verb).await? {
                return Ok(Some(next));
            }
            if matches!(verb.name.as_str(), "Hangup" | "Reject") {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Returns a document; the phone may hang up during the fetch.
    async fn read(&mut self, source: Source) -> Result<Option<Document>, Cut> {
        match source {
            Source::Read(document) => Ok(Some(*document)),
            Source::Twiml(text) => {
                let root = xml::parse(&text).ok().filter(|root| root.name == "Response");
                if root.is_none() {
                    self.exchange.alert(Alert {
                        response_body: text,
                        resource_sid: self.sid.clone(),
                        ..Alert::new(12100, "the call's Twiml is not a well-formed <Response>", "")
                    });
                }
                Ok(root.map(|root| Document { root, origin: None }))
            }
            Source::Url(endpoint, more) => {
                // The request continues after the call has ended.
                let (sender, receiver) = oneshot::channel();
                let (own, sid) = (Arc::clone(&self.exchange), self.sid.clone());
                self.exchange.spawn(async move {
                    // If the call is over, the document is dropped.
                    let _ = sender.send(fetch(&own, &sid, endpoint, more).await.1);
                });
                self.during(receiver).await.map(|document| document.ok().flatten())
            }
        }
    }

    /// Waits for `other`; speech and keys are ignored meanwhile.
    async fn during<T>(&mut self, other: impl Future<Output = T>) -> Result<T, Cut> {
        tokio::pin!(other);
        loop {
            let deadline = self.deadline();
            tokio::select! {
                biased;
                done = &mut other => return Ok(done),
                input = self.inputs.recv() => self.handle(input).map(drop)?,
                () = sleep_until(deadline) => return Err(self.time_is_up()),
            }
        }
    }

    /// Waits for this many seconds of the call.
    pub(super) async fn pause(&mut self, seconds: f64) -> Result<(), Cut> {
        let until = Instant::now() + self.time(seconds);
        self.during(sleep_until(until)).await
    }

    /// Waits for input, up to this many seconds.
    pub(super) async fn hear(&mut self, seconds: f64) -> Result<Option<Heard>, Cut> {
        let until = Instant::now() + self.time(seconds);
        loop {
            let deadline = self.deadline();
            tokio::select! {
                biased;
                input = self.inputs.recv() => if let Some(heard) = self.handle(input)? { return Ok(Some(heard)) },
                () = sleep_until(deadline) => return Err(self.time_is_up()),
                () = sleep_until(until) => return Ok(None),
            }
        }
    }

    fn deadline(&self) -> Instant {
        let limit = self.exchange.state().call(&self.sid).map_or(Duration::ZERO, |call| call.time_limit);
        self.begun + self.time(limit.as_secs_f64())
    }

    fn time_is_up(&self) -> Cut {
        self.end();
        Cut::Over
    }

    fn handle(&self, input: Option<Input>) -> Result<Option<Heard>, Cut> {
        match input {
            Some(Input::Speech { text, confidence }) => Ok(Some(Heard::Speech { text, confidence })),
            Some(Input::Keys(keys)) => Ok(Some(Heard::Keys(keys))),
            Some(Input::Replace(source)) => Err(Cut::Replaced(source)),
            Some(Input::Limit(seconds)) => {
                update(&self.exchange, &self.sid, |call| call.time_limit = Duration::from_secs(seconds.into()));
                Ok(None)
            }
            Some(Input::Answer) => Ok(None),
            Some(Input::HangUp) => {
                self.end();
                Err(Cut::Over)
            }
            Some(Input::Over) | None => Err(Cut::Over),
        }
    }

    /// Executes one verb and returns the next document, or `None` to continue with the next verb.
    async fn act(&mut self, document: &Document, verb: &Element) -> Result<Option<Source>, Cut> {
        match verb.name.as_str() {
            "Say" | "Play" | "Pause" => {
                let seconds = self.speak(document, verb);
                self.pause(seconds).await?;
            }
            "Gather" => return self.gather(document, verb).await,
            "Redirect" => return Ok(Some(Source::Url(document.endpoint(Some(verb.text.trim()), verb), Vec::new()))),
            "Hangup" | "Reject" => {}
            other => self.complain(document, 12200, &format!("the simulator does not act out <{other}>")),
        }
        Ok(None)
    }

    /// Starts to say or play something and returns its length in seconds.
    pub(super) fn speak(&mut self, document: &Document, verb: &Element) -> f64 {
        let number = |name: &str, default: f64| verb.attribute(name).and_then(|n| n.parse().ok()).unwrap_or(default);
        match verb.name.as_str() {
            "Say" => {
                let length = verb.text.chars().count();
                if verb.text.trim().is_empty() || length > LONGEST_SAY {
                    self.complain(document, 13520, "a <Say> needs text of at most 4096 characters");
                    return 0.0;
                }
                self.note(Side::Number, false, verb.text.trim());
                length as f64 / SPEECH_RATE * number("loop", 1.0).max(1.0)
            }
            "Play" => match verb.attribute("digits") {
                Some(digits) => {
                    self.note(Side::Number, true, digits);
                    digits.len() as f64 / 2.0
                }
                None => FILE_SECONDS,
            },
            _ => number("length", 1.0),
        }
    }

    /// Presses keys on behalf of the number, half a second each.
    pub(super) async fn press(&mut self, keys: &str) -> Result<(), Cut> {
        self.note(Side::Number, true, keys);
        self.pause(keys.len() as f64 / 2.0).await
    }

    /// Adds an entry to the transcript.
    pub(super) fn note(&self, by: Side, is_keys: bool, text: &str) {
        let utterance = Utterance { by, is_keys, text: text.to_owned() };
        update(&self.exchange, &self.sid, |call| call.transcript.push(utterance));
    }

    pub(super) fn complain(&self, document: &Document, code: u32, text: &str) {
        match &document.origin {
            Some((webhook, body)) => self.exchange.complain_about(webhook, code, text, body),
            None => {
                self.exchange.alert(Alert { resource_sid: self.sid.clone(), ..Alert::new(code, text, "") });
            }
        }
    }

    /// Speaks Twilio's error message for an unusable document and ends the call.
    fn apologize(&self) {
        self.note(Side::Number, false, "We are sorry, an application error has occurred. Goodbye.");
        self.end();
    }

    /// Ends the call after its document, on hang-up or at its time limit.
    fn end(&self) {
        change(&self.exchange, &self.sid, CallStatus::Completed);
    }
}
