//! The lifecycle of an outbound message: each status on its way to the phone, and the callback that reports it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};

use crate::config::DeliveryOutcome;
use crate::dates::dlr_done;
use crate::exchange::{Exchange, ExchangeEvent, ExchangeState};
use crate::media;
use crate::message::{MessageRecord, MessageStatus};
use crate::misbehavior::Fault;
use crate::segments;
use crate::webhook::request::{Product, Webhook, WebhookTarget};

/// Starts the lifecycle of a `queued` or `accepted` message. The receiver resolves when the message is final and all
/// its callbacks were posted; callers may drop it.
pub(crate) fn launch(exchange: &Arc<Exchange>, sid: String) -> oneshot::Receiver<()> {
    let own = Arc::clone(exchange);
    let (over, is_over) = oneshot::channel();
    exchange.spawn(async move {
        let (callbacks, queue) = unbounded_channel();
        tokio::join!(walk(&own, &sid, callbacks), report(&own, queue));
        drop(over);
    });
    is_over
}

/// Advances the message through its statuses. Ends early if the message is deleted.
async fn walk(exchange: &Exchange, sid: &str, callbacks: UnboundedSender<Webhook>) {
    for (status, error_code) in route(exchange, sid) {
        sleep(exchange.config.step_delay).await;
        let (status, error_code) = match status {
            MessageStatus::Queued => enqueue(exchange, sid),
            MessageStatus::Sending if wait_for_turn(exchange, sid).await => depart(exchange, sid).await,
            // 30036: the validity period ended before the message's turn.
            MessageStatus::Sending => (MessageStatus::Failed, Some(30036)),
            _ => (status, error_code),
        };
        let Some(changed) = advance(exchange, sid, status, error_code) else { return };
        if let Some(callback) = callback(exchange, &changed) {
            // The receiver outlives this task.
            let _ = callbacks.send(callback);
        }
        exchange.publish(ExchangeEvent::Message(changed));
        if status == MessageStatus::Failed {
            return;
        }
    }
}

/// Returns `sending` if a message can leave now, else `failed` with an error code.
async fn depart(exchange: &Exchange, sid: &str) -> (MessageStatus, Option<u32>) {
    if !exchange.state().account.is_active() {
        // The account was suspended while the message waited.
        return (MessageStatus::Failed, Some(30002));
    }
    match media::fetch::fetch(exchange, sid).await {
        Ok(()) => (MessageStatus::Sending, None),
        Err(code) => (MessageStatus::Failed, Some(code)),
    }
}

/// Returns the message's future statuses, each with its error code.
fn route(exchange: &Exchange, sid: &str) -> Vec<(MessageStatus, Option<u32>)> {
    use MessageStatus::{Accepted, Delivered, Failed, Queued, Sending, Sent, Undelivered};
    let state = exchange.state();
    let Some(message) = state.message(sid) else { return Vec::new() };
    let outcome = state.outcomes.get(&message.to).copied().unwrap_or(DeliveryOutcome::Delivered);
    let mut route = Vec::new();
    if message.status == Accepted {
        route.push((Queued, None));
    }
    match outcome {
        DeliveryOutcome::Delivered => route.extend([(Sending, None), (Sent, None), (Delivered, None)]),
        DeliveryOutcome::Sent => route.extend([(Sending, None), (Sent, None)]),
        DeliveryOutcome::Undelivered(code) => route.extend([(Sending, None), (Sent, None), (Undelivered, Some(code))]),
        DeliveryOutcome::Failed(code) => route.push((Failed, Some(code))),
    }
    route
}

/// Chooses a sender for a service's message and adds it to that sender's queue: `queued`, or `failed` if all queues are
/// full.
fn enqueue(exchange: &Exchange, sid: &str) -> (MessageStatus, Option<u32>) {
    let mut state = exchange.state();
    let sender = state.message(sid).and_then(|message| choose_sender(&state, message));
    let message = state.messages.iter_mut().rev().find(|message| message.sid == sid);
    if let Some((message, sender)) = message.zip(sender) {
        let sender = message.from.get_or_insert(sender).clone();
        message.num_segments = segments::count(&message.body).max(1);
        let segments = message.num_segments;
        if state.queues.is_full(&sender) {
            return (MessageStatus::Failed, Some(30001));
        }
        state.queues.join(&sender, sid, segments);
    }
    (MessageStatus::Queued, None)
}

/// Waits for a message's turn, or until pacing is lifted. Returns false if the wait exceeded the validity period.
async fn wait_for_turn(exchange: &Exchange, sid: &str) -> bool {
    let (turn, validity) = {
        let mut state = exchange.state();
        let turn = state.queues.turn(sid);
        let Some(message) = state.message(sid) else { return true };
        (turn.unwrap_or_else(Instant::now), message.validity)
    };
    tokio::select! {
        biased;
        () = sleep_until(turn) => true,
        () = exchange.wait_for_lifting() => true,
        () = sleep(validity) => false,
    }
}

fn advance(exchange: &Exchange, sid: &str, status: MessageStatus, error: Option<u32>) -> Option<MessageRecord> {
    let mut state = exchange.state();
    let message = state.messages.iter_mut().rev().find(|message| message.sid == sid)?;
    let now = Timestamp::now();
    if status == MessageStatus::Sent {
        message.sent = Some(now);
    }
    message.status = status;
    message.error_code = error;
    message.updated = now;
    Some(message.clone())
}

/// Returns the sender that a service picks: the one used before for this recipient, else the capable sender with the
/// shortest queue.
fn choose_sender(state: &ExchangeState, message: &MessageRecord) -> Option<String> {
    let service_sid = message.messaging_service_sid.as_deref()?;
    let service = state.services.iter().find(|service| service.sid == service_sid)?;
    let known = state.messages.iter().rev().find_map(|earlier| {
        let (phone, line) = if earlier.is_outbound() {
            (Some(&earlier.to), earlier.from.as_ref())
        } else {
            (earlier.from.as_ref(), Some(&earlier.to))
        };
        line.filter(|line| phone == Some(&message.to) && service.numbers.contains(line))
    });
    let is_able = |number: &&String| {
        let able = state.number(number).map(|number| number.capabilities);
        able.is_some_and(|able| able.sms && (able.mms || message.media.is_empty()))
    };
    let idlest = || service.numbers.iter().filter(is_able).min_by_key(|number| state.queues.backlog(number));
    known.or_else(idlest).or(service.numbers.first()).cloned()
}

/// Returns the status callback for a message's current state, if it has a callback URL.
fn callback(exchange: &Exchange, message: &MessageRecord) -> Option<Webhook> {
    let mut state = exchange.state();
    let of_service = || {
        let sid = message.messaging_service_sid.as_ref()?;
        state.services.iter().find(|service| service.sid == *sid)?.status_callback.clone()
    };
    let url = message.status_callback.clone().or_else(of_service)?;
    let status = message.status.as_str();
    let mut parameters: Vec<(&str, String)> = vec![
        ("SmsSid", message.sid.clone()),
        ("SmsStatus", status.to_owned()),
        ("MessageStatus", status.to_owned()),
        ("To", message.to.clone()),
        ("MessageSid", message.sid.clone()),
        ("AccountSid", exchange.config.account_sid.clone()),
        ("From", message.from.clone().unwrap_or_default()),
        ("ApiVersion", "2010-04-01".to_owned()),
    ];
    if let Some(sid) = &message.messaging_service_sid {
        parameters.push(("MessagingServiceSid", sid.clone()));
    }
    if let Some(code) = message.error_code {
        parameters.push(("ErrorCode", code.to_string()));
    }
    if matches!(message.status, MessageStatus::Delivered | MessageStatus::Undelivered) {
        parameters.push(("RawDlrDoneDate", dlr_done(message.updated)));
    }
    Some(Webhook {
        endpoint: WebhookTarget::post(url),
        product: Product::Messaging,
        parameters: parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        token: state.ids.uuid(),
        subject: message.sid.clone(),
    })
}

/// Posts the callbacks of a message or call in order, or as the active faults demand.
pub(crate) async fn report(exchange: &Exchange, mut queue: UnboundedReceiver<Webhook>) {
    let mut held_back = None;
    while let Some(callback) = queue.recv().await {
        let plan = CallbackPlan::draw(exchange);
        if plan.is_lost {
            continue;
        }
        sleep(plan.delay).await;
        if plan.is_held_back && held_back.is_none() {
            held_back = Some(callback);
            continue;
        }
        for _ in 0..plan.copies {
            exchange.post_status(&callback).await;
        }
        if let Some(late) = held_back.take() {
            exchange.post_status(&late).await;
        }
    }
    if let Some(late) = held_back {
        exchange.post_status(&late).await;
    }
}

struct CallbackPlan {
    delay: Duration,
    is_lost: bool,
    is_held_back: bool,
    copies: u32,
}

impl CallbackPlan {
    fn draw(exchange: &Exchange) -> Self {
        let misbehavior = &mut exchange.state().misbehavior;
        let delay = match misbehavior.first(|fault| matches!(fault, Fault::DelayCallback { .. })) {
            Some(Fault::DelayCallback { milliseconds }) => Duration::from_millis(milliseconds),
            _ => Duration::ZERO,
        };
        Self {
            delay,
            is_lost: misbehavior.strikes(Fault::LoseCallback),
            is_held_back: misbehavior.strikes(Fault::ReorderCallback),
            copies: if misbehavior.strikes(Fault::DuplicateCallback) { 2 } else { 1 },
        }
    }
}
