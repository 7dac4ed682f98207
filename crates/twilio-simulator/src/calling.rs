//! Calls: rings, fetches TwiML, reports events and ends. Leaves interpreting the TwiML to a later simulator: every call
//! lasts as long as the configuration says or until someone hangs up.

use std::sync::Arc;

use time::OffsetDateTime;
use tokio::time::sleep;

use crate::call::{CallRecord, CallStatus};
use crate::dates::rfc2822;
use crate::delivery::Delivery;
use crate::exchange::{Event, Exchange};
use crate::inbound::NotOurs;
use crate::twiml;
use crate::webhook::{Endpoint, Product, Webhook};

/// A phone calls one of the account's numbers; gives the TwiML that its voice URL answered.
pub(crate) async fn ring_in(exchange: &Arc<Exchange>, from: &str, to: &str) -> Result<Delivery, NotOurs> {
    let (record, endpoint) = note_incoming(exchange, from, to)?;
    exchange.publish(Event::Call(record.clone()));
    let delivery = match endpoint {
        Some(endpoint) => fetch_twiml(exchange, &record, endpoint).await,
        None => Delivery { sid: record.sid.clone(), ..Delivery::default() },
    };
    let own = Arc::clone(exchange);
    exchange.spawn(async move { talk(&own, &record.sid).await });
    Ok(delivery)
}

/// Notes a call that rings and gives it with what its number asks for TwiML.
fn note_incoming(exchange: &Exchange, from: &str, to: &str) -> Result<(CallRecord, Option<Endpoint>), NotOurs> {
    let mut state = exchange.state();
    let number = state.number(to).ok_or_else(|| NotOurs(to.to_owned()))?;
    let endpoint = number.endpoint("voice");
    let callback = Some(number.setting("status_callback").to_owned()).filter(|url| !url.is_empty());
    let record = CallRecord {
        sid: state.ids.sid("CA"),
        is_inbound: true,
        from: from.to_owned(),
        to: to.to_owned(),
        status: CallStatus::Ringing,
        created: OffsetDateTime::now_utc(),
        answered: None,
        ended: None,
        status_callback: callback,
        status_events: vec!["completed".to_owned()],
        reported: 0,
    };
    state.calls.push(record.clone());
    Ok((record, endpoint))
}

/// Places a call that the API asked for. Its TwiML comes from `url`, when it was not given with the call.
pub(crate) fn place(exchange: &Arc<Exchange>, sid: String, url: Option<String>) {
    let own = Arc::clone(exchange);
    exchange.spawn(async move {
        for status in [CallStatus::Initiated, CallStatus::Ringing] {
            sleep(own.config.step_delay).await;
            if !change(&own, &sid, status).await {
                return;
            }
        }
        sleep(own.config.step_delay).await;
        let record = own.state().calls.iter().find(|call| call.sid == sid).cloned();
        if let Some((record, url)) = record.zip(url) {
            fetch_twiml(&own, &CallRecord { status: CallStatus::InProgress, ..record }, Endpoint::post(url)).await;
        }
        talk(&own, &sid).await;
    });
}

/// Ends a call at the API's request; `None` when it is over already.
pub(crate) fn end(exchange: &Arc<Exchange>, sid: &str, status: CallStatus) -> Option<CallRecord> {
    let ended = note(exchange, sid, status)?;
    let (own, record) = (Arc::clone(exchange), ended.clone());
    exchange.spawn(async move { report(&own, &record).await });
    Some(ended)
}

async fn talk(exchange: &Exchange, sid: &str) {
    if change(exchange, sid, CallStatus::InProgress).await {
        sleep(exchange.config.call_length).await;
        change(exchange, sid, CallStatus::Completed).await;
    }
}

/// Moves a call on and reports it. False when the call is over already.
async fn change(exchange: &Exchange, sid: &str, status: CallStatus) -> bool {
    let Some(changed) = note(exchange, sid, status) else { return false };
    report(exchange, &changed).await;
    true
}

async fn report(exchange: &Exchange, changed: &CallRecord) {
    exchange.publish(Event::Call(changed.clone()));
    if let Some(callback) = callback(exchange, changed) {
        exchange.post_status(&callback).await;
    }
}

fn note(exchange: &Exchange, sid: &str, status: CallStatus) -> Option<CallRecord> {
    let mut state = exchange.state();
    let call = state.calls.iter_mut().find(|call| call.sid == sid && !call.status.is_final())?;
    call.status = status;
    let now = OffsetDateTime::now_utc();
    if status == CallStatus::InProgress {
        call.answered = Some(now);
    }
    if status.is_final() {
        call.ended = Some(now);
    }
    Some(call.clone())
}

async fn fetch_twiml(exchange: &Exchange, call: &CallRecord, endpoint: Endpoint) -> Delivery {
    let token = exchange.state().ids.uuid();
    let parameters = parameters(exchange, call);
    let webhook = Webhook { endpoint, product: Product::Voice, parameters, token, subject: call.sid.clone() };
    exchange.ask(&webhook, twiml::document).await.0
}

fn callback(exchange: &Exchange, call: &CallRecord) -> Option<Webhook> {
    let url = call.status_callback.clone()?;
    let event = call.status.event();
    if !call.status_events.iter().any(|wanted| wanted == event) {
        return None;
    }
    let mut state = exchange.state();
    let counted = state.calls.iter_mut().find(|candidate| candidate.sid == call.sid)?;
    let sequence = counted.reported;
    counted.reported += 1;
    let token = state.ids.uuid();
    drop(state);
    let mut parameters = parameters(exchange, call);
    let mut add = |name: &str, value: String| parameters.push((name.to_owned(), value));
    add("CallbackSource", "call-progress-events".to_owned());
    add("SequenceNumber", sequence.to_string());
    add("Timestamp", rfc2822(OffsetDateTime::now_utc()));
    if let Some(seconds) = call.duration() {
        add("CallDuration", seconds.to_string());
        add("Duration", ((seconds + 59) / 60).to_string());
    }
    Some(Webhook {
        endpoint: Endpoint::post(url),
        product: Product::Voice,
        parameters,
        token,
        subject: call.sid.clone(),
    })
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
    for party in ["From", "To", "Caller", "Called"] {
        for place in ["City", "State", "Zip", "Country"] {
            parameters.push((format!("{party}{place}"), String::new()));
        }
    }
    parameters
}
