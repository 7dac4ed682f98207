//! Executes TwiML: speaks, pauses, redirects and hangs up. Leaves input to `gather` and fetching to `document`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::document::fetch;
use super::phone::Pickup;
use super::wires::{DocumentSource, PhoneInput, RunningDocument};
use super::{change, update};
use crate::alert::AlertRecord;
use crate::call::{Side, SimulatedCallStatus, Utterance};
use crate::delivery::Delivery;
use crate::exchange::Exchange;
use crate::webhook::request::WebhookTarget;
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
pub(super) enum DocumentCut {
    /// The call is over.
    Over,
    /// Another document replaces it.
    Replaced(DocumentSource),
}

/// Input for a `<Gather>`.
pub(super) enum GatherInput {
    Speech { text: String, confidence: f32 },
    Keys(String),
}

/// A call that executes TwiML.
pub(crate) struct Talk {
    pub(super) exchange: Arc<Exchange>,
    pub(super) sid: String,
    inputs: UnboundedReceiver<PhoneInput>,
    begun: Instant,
    silent_documents: u32,
}

impl Talk {
    pub(super) fn new(exchange: Arc<Exchange>, sid: String, inputs: UnboundedReceiver<PhoneInput>) -> Self {
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
                Ok(Some(PhoneInput::Answer)) => return Pickup::Answered,
                Ok(Some(PhoneInput::HangUp)) => return Pickup::Refused,
                Ok(Some(PhoneInput::Over) | None) | Err(_) => return Pickup::None,
                Ok(Some(_)) => {}
            }
        }
    }

    /// Fetches the first document of an inbound call while it still rings.
    pub(super) async fn fetch_first(&mut self, endpoint: Option<WebhookTarget>) -> (Delivery, Option<RunningDocument>) {
        let Some(endpoint) = endpoint else { return (Delivery { sid: self.sid.clone(), ..Delivery::default() }, None) };
        fetch(&self.exchange, &self.sid, endpoint, Vec::new()).await
    }

    /// Answers an inbound call unless its document rejects it.
    pub(super) async fn accept(&mut self, document: Option<RunningDocument>) -> Option<DocumentSource> {
        let first = document.as_ref().and_then(|document| document.root.children.first());
        if let Some(verb) = first.filter(|verb| verb.name == "Reject") {
            let is_busy = verb.attribute("reason") == Some("busy");
            change(
                &self.exchange,
                &self.sid,
                if is_busy { SimulatedCallStatus::Busy } else { SimulatedCallStatus::NoAnswer },
            );
            return None;
        }
        if !change(&self.exchange, &self.sid, SimulatedCallStatus::InProgress) {
            return None;
        }
        match document {
            Some(document) => Some(DocumentSource::Read(Box::new(document))),
            None => {
                self.apologize();
                None
            }
        }
    }

    /// Executes documents until the call is over.
    pub(super) async fn run(&mut self, first: DocumentSource) {
        let mut source = first;
        loop {
            source = match self.next(source).await {
                Ok(Some(next)) | Err(DocumentCut::Replaced(next)) => next,
                Ok(None) => return self.end(),
                Err(DocumentCut::Over) => return,
            };
        }
    }

    async fn next(&mut self, source: DocumentSource) -> Result<Option<DocumentSource>, DocumentCut> {
        let Some(document) = self.read(source).await? else {
            self.apologize();
            return Err(DocumentCut::Over);
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
    async fn read(&mut self, source: DocumentSource) -> Result<Option<RunningDocument>, DocumentCut> {
        match source {
            DocumentSource::Read(document) => Ok(Some(*document)),
            DocumentSource::Twiml(text) => {
                let root = xml::parse(&text).ok().filter(|root| root.name == "Response");
                if root.is_none() {
                    self.exchange.alert(AlertRecord {
                        response_body: text,
                        resource_sid: self.sid.clone(),
                        ..AlertRecord::new(12100, "the call's Twiml is not a well-formed <Response>", "")
                    });
                }
                Ok(root.map(|root| RunningDocument { root, origin: None }))
            }
            DocumentSource::Url(endpoint, more) => {
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
    async fn during<T>(&mut self, other: impl Future<Output = T>) -> Result<T, DocumentCut> {
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
    pub(super) async fn pause(&mut self, seconds: f64) -> Result<(), DocumentCut> {
        let until = Instant::now() + self.time(seconds);
        self.during(sleep_until(until)).await
    }

    /// Waits for input, up to this many seconds.
    pub(super) async fn hear(&mut self, seconds: f64) -> Result<Option<GatherInput>, DocumentCut> {
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

    fn time_is_up(&self) -> DocumentCut {
        self.end();
        DocumentCut::Over
    }

    fn handle(&self, input: Option<PhoneInput>) -> Result<Option<GatherInput>, DocumentCut> {
        match input {
            Some(PhoneInput::Speech { text, confidence }) => Ok(Some(GatherInput::Speech { text, confidence })),
            Some(PhoneInput::Keys(keys)) => Ok(Some(GatherInput::Keys(keys))),
            Some(PhoneInput::Replace(source)) => Err(DocumentCut::Replaced(source)),
            Some(PhoneInput::Limit(seconds)) => {
                update(&self.exchange, &self.sid, |call| call.time_limit = Duration::from_secs(seconds.into()));
                Ok(None)
            }
            Some(PhoneInput::Answer) => Ok(None),
            Some(PhoneInput::HangUp) => {
                self.end();
                Err(DocumentCut::Over)
            }
            Some(PhoneInput::Over) | None => Err(DocumentCut::Over),
        }
    }

    /// Executes one verb and returns the next document, or `None` to continue with the next verb.
    async fn act(&mut self, document: &RunningDocument, verb: &Element) -> Result<Option<DocumentSource>, DocumentCut> {
        match verb.name.as_str() {
            "Say" | "Play" | "Pause" => {
                let seconds = self.speak(document, verb);
                self.pause(seconds).await?;
            }
            "Gather" => return self.gather(document, verb).await,
            "Redirect" => {
                return Ok(Some(DocumentSource::Url(document.endpoint(Some(verb.text.trim()), verb), Vec::new())));
            }
            "Hangup" | "Reject" => {}
            other => self.complain(document, 12200, &format!("the simulator does not act out <{other}>")),
        }
        Ok(None)
    }

    /// Starts to say or play something and returns its length in seconds.
    pub(super) fn speak(&mut self, document: &RunningDocument, verb: &Element) -> f64 {
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
    pub(super) async fn press(&mut self, keys: &str) -> Result<(), DocumentCut> {
        self.note(Side::Number, true, keys);
        self.pause(keys.len() as f64 / 2.0).await
    }

    /// Adds an entry to the transcript.
    pub(super) fn note(&self, by: Side, is_keys: bool, text: &str) {
        let utterance = Utterance { by, is_keys, text: text.to_owned() };
        update(&self.exchange, &self.sid, |call| call.transcript.push(utterance));
    }

    pub(super) fn complain(&self, document: &RunningDocument, code: u32, text: &str) {
        match &document.origin {
            Some((webhook, body)) => self.exchange.complain_about(webhook, code, text, body),
            None => {
                self.exchange.alert(AlertRecord { resource_sid: self.sid.clone(), ..AlertRecord::new(code, text, "") });
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
        change(&self.exchange, &self.sid, SimulatedCallStatus::Completed);
    }
}
