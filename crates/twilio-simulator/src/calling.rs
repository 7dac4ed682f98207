//! Calls: ringing, answers and status callbacks. Leaves executing TwiML to `talk` and the other side to `phone`.

mod detection;
mod document;
mod gather;
pub(crate) mod phone;
mod talk;
pub(crate) mod wires;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep;

use crate::call::{CallRecord, SimulatedCallStatus};
use crate::config::CallOutcome;
use crate::dates::rfc2822;
use crate::delivery::Delivery;
use crate::exchange::{Exchange, ExchangeEvent, ExchangeState};
use crate::inbound::NotOurs;
use crate::lifecycle;
use crate::webhook::request::{Product, Webhook, WebhookTarget};
pub(crate) use detection::Detection;
use talk::Talk;
use wires::{DocumentSource, PhoneInput, Wires};

/// A call that the API requested.
pub(crate) struct Placement {
    pub(crate) source: DocumentSource,
    /// The maximum ringing time in seconds.
    pub(crate) ring_seconds: u32,
    pub(crate) detection: Option<Detection>,
    /// Keys to press after the answer; `w` waits half a second.
    pub(crate) keys: Option<String>,
}

/// Calls one of the account's numbers from a phone and returns the TwiML of its voice URL.
pub(crate) async fn ring_in(exchange: &Arc<Exchange>, from: &str, to: &str) -> Result<Delivery, NotOurs> {
    let (record, endpoint, inputs) = note_incoming(exchange, from, to)?;
    exchange.publish(ExchangeEvent::Call(record.clone()));
    let mut talk = Talk::new(Arc::clone(exchange), record.sid, inputs);
    let (delivery, document) = talk.fetch_first(endpoint).await;
    exchange.spawn(async move {
        let Some(document) = talk.accept(document).await else { return };
        talk.begin();
        talk.run(document).await;
    });
    Ok(delivery)
}

/// Records a ringing call and returns it with the number's voice endpoint.
fn note_incoming(
    exchange: &Arc<Exchange>,
    from: &str,
    to: &str,
) -> Result<(CallRecord, Option<WebhookTarget>, UnboundedReceiver<PhoneInput>), NotOurs> {
    let mut state = exchange.state();
    let number = state.number(to).ok_or_else(|| NotOurs(to.to_owned()))?;
    let endpoint = number.endpoint("voice");
    let callback = Some(number.setting("status_callback").to_owned()).filter(|url| !url.is_empty());
    let sid = state.ids.sid("CA");
    let call = CallRecord::new(sid, true, from.to_owned(), to.to_owned());
    let attestation = state.attestations.get(from).cloned();
    let record = CallRecord { status_callback: callback, attestation, ..call };
    let inputs = open(exchange, &mut state, record.clone());
    Ok((record, endpoint, inputs))
}

/// Adds a call to the account and returns the receiver of its input.
pub(crate) fn open(
    exchange: &Arc<Exchange>,
    state: &mut ExchangeState,
    record: CallRecord,
) -> UnboundedReceiver<PhoneInput> {
    let (inputs, receiver) = unbounded_channel();
    let (callbacks, queue) = unbounded_channel();
    state.wires.insert(record.sid.clone(), Wires { inputs, callbacks });
    state.calls.push(record);
    let own = Arc::clone(exchange);
    exchange.spawn(async move { lifecycle::report(&own, queue).await });
    receiver
}

/// Places a call that the API requested.
pub(crate) fn place(
    exchange: &Arc<Exchange>,
    sid: String,
    inputs: UnboundedReceiver<PhoneInput>,
    placement: Placement,
) {
    let mut talk = Talk::new(Arc::clone(exchange), sid, inputs);
    exchange.spawn(async move {
        let step = talk.exchange.config.step_delay;
        for status in [SimulatedCallStatus::Initiated, SimulatedCallStatus::Ringing] {
            sleep(step).await;
            if !change(&talk.exchange, &talk.sid, status) {
                return;
            }
        }
        sleep(step).await;
        let outcome = outcome(&talk);
        if !is_answered(&mut talk, outcome, placement.ring_seconds).await
            || !change(&talk.exchange, &talk.sid, SimulatedCallStatus::InProgress)
        {
            return;
        }
        talk.begin();
        if let Some(keys) = &placement.keys
            && talk.press(keys).await.is_err()
        {
            return;
        }
        if let Some(detection) = placement.detection
            && talk.detect(outcome, detection).await.is_err()
        {
            return;
        }
        talk.run(placement.source).await;
    });
}

fn outcome(talk: &Talk) -> CallOutcome {
    let state = talk.exchange.state();
    let to = state.call(&talk.sid).map(|call| call.to.as_str()).unwrap_or_default();
    state.call_outcomes.get(to).copied().unwrap_or_default()
}

/// Rings the phone according to `outcome` and ends an unanswered call.
async fn is_answered(talk: &mut Talk, outcome: CallOutcome, ring_seconds: u32) -> bool {
    let status = match outcome {
        CallOutcome::Busy => SimulatedCallStatus::Busy,
        CallOutcome::Failed => SimulatedCallStatus::Failed,
        CallOutcome::Rings => match talk.wait_for_answer(ring_seconds).await {
            phone::Pickup::Answered => return true,
            phone::Pickup::Refused => SimulatedCallStatus::Busy,
            phone::Pickup::None => SimulatedCallStatus::NoAnswer,
        },
        CallOutcome::Human | CallOutcome::Machine | CallOutcome::Fax | CallOutcome::Unknown => return true,
    };
    change(&talk.exchange, &talk.sid, status);
    false
}

/// Changes a call's status and reports it. Returns false if the call is already over.
pub(crate) fn change(exchange: &Exchange, sid: &str, status: SimulatedCallStatus) -> bool {
    let mut state = exchange.state();
    let Some(call) = state.call_mut(sid).filter(|call| !call.status.is_final()) else { return false };
    call.status = status;
    let now = Timestamp::now();
    if status == SimulatedCallStatus::InProgress {
        call.answered = Some(now);
    }
    if status.is_final() {
        call.ended = Some(now);
        call.is_listening = false;
    }
    let changed = call.clone();
    report(exchange, &mut state, &changed);
    if status.is_final()
        && let Some(wires) = state.wires.remove(sid)
    {
        // A call without TwiML has no receiver.
        let _ = wires.inputs.send(PhoneInput::Over);
    }
    drop(state);
    exchange.publish(ExchangeEvent::Call(changed));
    true
}

/// Updates the record of an active call.
pub(crate) fn update(exchange: &Exchange, sid: &str, change: impl FnOnce(&mut CallRecord)) {
    let mut state = exchange.state();
    let Some(call) = state.call_mut(sid).filter(|call| !call.status.is_final()) else { return };
    change(call);
    let changed = call.clone();
    drop(state);
    exchange.publish(ExchangeEvent::Call(changed));
}

/// Queues the callback for an event, if the call subscribed to it.
fn report(exchange: &Exchange, state: &mut ExchangeState, call: &CallRecord) {
    let Some(callback) = callback(exchange, state, call) else { return };
    if let Some(wires) = state.wires.get(&call.sid) {
        // The receiver outlives the call.
        let _ = wires.callbacks.send(callback);
    }
}

fn callback(exchange: &Exchange, state: &mut ExchangeState, call: &CallRecord) -> Option<Webhook> {
    let url = call.status_callback.clone()?;
    let event = call.status.event();
    if !call.status_events.iter().any(|wanted| wanted == event) {
        return None;
    }
    let counted = state.call_mut(&call.sid)?;
    let sequence = counted.reported;
    counted.reported += 1;
    let mut parameters = parameters(exchange, call);
    let mut add = |name: &str, value: String| parameters.push((name.to_owned(), value));
    add("CallbackSource", "call-progress-events".to_owned());
    add("SequenceNumber", sequence.to_string());
    add("Timestamp", rfc2822(Timestamp::now()));
    if let Some(seconds) = call.duration() {
        add("CallDuration", seconds.to_string());
        add("Duration", ((seconds + 59) / 60).to_string());
    }
    let token = state.ids.uuid();
    Some(webhook(call, WebhookTarget::post(url), parameters, token))
}

fn webhook(call: &CallRecord, endpoint: WebhookTarget, parameters: Vec<(String, String)>, token: String) -> Webhook {
    Webhook { endpoint, product: Product::Voice, parameters, token, subject: call.sid.clone() }
}

fn parameters(exchange: &Exchange, call: &CallRecord) -> Vec<(String, String)> {
    let known = [
        ("CallSid", call.sid.as_str()),
        ("AccountSid", &exchange.config.account_sid),
        ("From", &call.from),
        ("To", &call.to),
        ("Caller", &call.from),
        ("Called", &call.to),
        ("CallStatus", call.status.as_str()),
        ("ApiVersion", "2010-04-01"),
        ("Direction", call.direction()),
    ];
    let mut parameters: Vec<_> = known.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    if let Some(answered_by) = call.answered_by.as_ref().filter(|_| call.names_answered_by) {
        parameters.push(("AnsweredBy".to_owned(), answered_by.clone()));
    }
    if let Some(verdict) = &call.attestation {
        parameters.push(("StirVerstat".to_owned(), verdict.clone()));
    }
    for party in ["From", "To", "Caller", "Called"] {
        for place in ["City", "State", "Zip", "Country"] {
            parameters.push((format!("{party}{place}"), String::new()));
        }
    }
    parameters
}
