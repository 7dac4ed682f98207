//! Inbound texts: the record, Twilio's keyword answers, the webhook, its fallback, and the replies in its answer.

mod form;

use std::sync::Arc;

use axum::body::Bytes;
use jiff::Timestamp;

use crate::config::OptOut;
use crate::delivery::Delivery;
use crate::exchange::{Exchange, ExchangeEvent, ExchangeState};
use crate::keyword::OptOutKeyword;
use crate::lifecycle;
use crate::media::{LARGEST_MESSAGE, MAX_FILES, MediaRecord, PhoneFile};
use crate::message::{LONGEST_VALIDITY, MessageDirection, MessageRecord, MessageStatus};
use crate::number::NumberKind;
use crate::segments;
use crate::twiml::{self, MessageReply};
use crate::webhook::request::Webhook;

/// A text from a phone to one of the account's numbers.
#[derive(Clone, Default, serde::Deserialize)]
pub struct InboundText {
    /// Number of the sending phone.
    pub from: String,
    /// The account's number that receives the text.
    pub to: String,
    /// Text of the message; may be empty with files.
    #[serde(default)]
    pub body: String,
    /// The number of one-pixel pictures to attach.
    #[serde(default)]
    pub media: u32,
    /// Other files to attach.
    #[serde(default)]
    pub files: Vec<PhoneFile>,
    /// Additional webhook parameters, such as `ProfileName`; they override the simulator's.
    #[serde(default)]
    pub parameters: Vec<(String, String)>,
}

impl InboundText {
    /// Creates a text without files.
    pub fn new(from: &str, to: &str, body: &str) -> Self {
        Self { from: from.to_owned(), to: to.to_owned(), body: body.to_owned(), ..Self::default() }
    }

    /// Attaches this many one-pixel pictures.
    pub fn with_media(self, media: u32) -> Self {
        Self { media, ..self }
    }

    /// Attaches a file.
    pub fn with_file(mut self, content_type: &str, bytes: &[u8]) -> Self {
        self.files.push(PhoneFile { content_type: content_type.to_owned(), bytes: Bytes::copy_from_slice(bytes) });
        self
    }

    /// Adds a webhook parameter.
    pub fn with_parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The account has no such number or message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("find `{0}` in the simulated account: use one of its numbers or SIDs")]
pub struct NotOurs(
    /// The requested number or SID.
    pub String,
);

/// The reason why a phone cannot send a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// The account has no such number.
    #[error(transparent)]
    NotOurs(#[from] NotOurs),
    /// The files exceed the carrier's limits.
    #[error("send that: a message takes at most {MAX_FILES} files of 5 MB together")]
    TooMuch,
}

/// Delivers a text from a phone to the account's owner.
pub(crate) async fn receive(exchange: &Arc<Exchange>, mut text: InboundText) -> Result<Delivery, Unsent> {
    text.files.extend((0..text.media).map(|_| PhoneFile::pixel()));
    let weight: usize = text.files.iter().map(|file| file.bytes.len()).sum();
    if text.files.len() > MAX_FILES || weight > LARGEST_MESSAGE {
        return Err(Unsent::TooMuch);
    }
    let (record, webhook) = {
        let mut state = exchange.state();
        let mut record = record(exchange, &mut state, &text)?;
        record.keyword = OptOutKeyword::heard(&record.body, &record.to, has_opt_out(exchange, &state, &record.to))
            .filter(|keyword| *keyword != OptOutKeyword::Start || is_opted_out(&state, &record));
        state.messages.push(record.clone());
        obey_keyword(exchange, &mut state, &record);
        let webhook = form::webhook(exchange, &mut state, &record, &text.parameters);
        if let Some(webhook) = &webhook {
            state.received.insert(record.sid.clone(), webhook.clone());
        }
        (record, webhook)
    };
    exchange.publish(ExchangeEvent::Message(record.clone()));
    match webhook {
        Some(webhook) => Ok(deliver(exchange, &record, webhook).await),
        None => Ok(Delivery { sid: record.sid, ..Delivery::default() }),
    }
}

/// Posts the webhook of an inbound message again, as Twilio sometimes does, to its number's current URL.
pub(crate) async fn redeliver(exchange: &Arc<Exchange>, sid: &str) -> Result<Delivery, NotOurs> {
    let found = {
        let state = exchange.state();
        state.message(sid).cloned().zip(state.received.get(sid).cloned()).map(|(record, webhook)| {
            let endpoint = form::endpoint(&state, &record.to).unwrap_or(webhook.endpoint);
            (record, Webhook { endpoint, ..webhook })
        })
    };
    let (record, webhook) = found.ok_or_else(|| NotOurs(sid.to_owned()))?;
    Ok(deliver(exchange, &record, webhook).await)
}

fn record(exchange: &Exchange, state: &mut ExchangeState, text: &InboundText) -> Result<MessageRecord, NotOurs> {
    state.number(&text.to).ok_or_else(|| NotOurs(text.to.clone()))?;
    let now = Timestamp::now();
    let sid = state.ids.sid(if text.files.is_empty() { "SM" } else { "MM" });
    let folder =
        format!("{}/2010-04-01/Accounts/{}/Messages/{sid}/Media", exchange.base_url, exchange.config.account_sid);
    Ok(MessageRecord {
        direction: MessageDirection::Inbound,
        from: Some(text.from.clone()),
        to: text.to.clone(),
        body: text.body.clone(),
        media: text.files.iter().map(|file| inbound_media(state, &folder, file)).collect(),
        num_segments: segments::count(&text.body).max(1),
        status: MessageStatus::Received,
        messaging_service_sid: state.service_of(&text.to).map(|service| service.sid.clone()),
        error_code: None,
        created: now,
        updated: now,
        sent: Some(now),
        status_callback: None,
        keyword: None,
        validity: LONGEST_VALIDITY,
        sid,
    })
}

fn inbound_media(state: &mut ExchangeState, folder: &str, file: &PhoneFile) -> MediaRecord {
    let sid = state.ids.sid("ME");
    let (content_type, bytes) = (file.content_type.clone(), file.bytes.clone());
    MediaRecord { url: format!("{folder}/{sid}"), sid, content_type, bytes }
}

/// Returns true if Twilio handles keywords in texts to this number: unless opt-out handling is off, or the number is a
/// short code outside a service.
fn has_opt_out(exchange: &Exchange, state: &ExchangeState, number: &str) -> bool {
    let is_alone = NumberKind::of(number) == NumberKind::ShortCode && state.service_of(number).is_none();
    exchange.config.opt_out != OptOut::Off && !is_alone
}

/// Returns true if the sender has opted out. Only then does "yes" mean START; otherwise it may answer a question.
fn is_opted_out(state: &ExchangeState, received: &MessageRecord) -> bool {
    let phone = received.from.clone().unwrap_or_default();
    state.opted_out.contains(&(state.opt_out_scope(&received.to), phone))
}

/// Applies Twilio's opt-out handling to a text with a keyword.
fn obey_keyword(exchange: &Arc<Exchange>, state: &mut ExchangeState, received: &MessageRecord) {
    let Some(keyword) = received.keyword else { return };
    let phone = received.from.clone().unwrap_or_default();
    let pair = (state.opt_out_scope(&received.to), phone);
    let changes_something = match keyword {
        OptOutKeyword::Stop => state.opted_out.insert(pair),
        OptOutKeyword::Start => state.opted_out.remove(&pair),
        OptOutKeyword::Help => true,
    };
    if changes_something {
        let body = keyword.answer(&received.to);
        let reply = MessageReply { body, media_urls: Vec::new(), to: None, from: None, status_callback: None };
        let record = MessageRecord { keyword: Some(keyword), ..outbound(state, received, reply) };
        lifecycle::launch(exchange, record.sid.clone());
        state.messages.push(record);
    }
}

/// Posts a webhook, then the fallback if that failed, and sends the replies in the answer.
async fn deliver(exchange: &Arc<Exchange>, record: &MessageRecord, webhook: Webhook) -> Delivery {
    let first = post_and_send_replies(exchange, record, &webhook).await;
    let fallback = form::fallback(&exchange.state(), &record.to);
    match first.alert.zip(fallback) {
        Some((code, endpoint)) => {
            let failed_url = webhook.endpoint.url_without_fragment().to_owned();
            let mut second = Webhook { endpoint, ..webhook };
            second.parameters.push(("ErrorCode".to_owned(), code.to_string()));
            second.parameters.push(("ErrorUrl".to_owned(), failed_url));
            post_and_send_replies(exchange, record, &second).await
        }
        None => first,
    }
}

async fn post_and_send_replies(exchange: &Arc<Exchange>, record: &MessageRecord, webhook: &Webhook) -> Delivery {
    let (delivery, replies) = exchange.ask(webhook, twiml::replies).await;
    let replies = replies.unwrap_or_default().into_iter().map(|reply| send(exchange, record, reply)).collect();
    Delivery { replies, ..delivery }
}

/// Sends a reply from TwiML, which fails at once if the phone has opted out.
fn send(exchange: &Arc<Exchange>, received: &MessageRecord, reply: MessageReply) -> String {
    let mut state = exchange.state();
    let mut record = outbound(&mut state, received, reply);
    let scope = state.opt_out_scope(record.from.as_deref().unwrap_or_default());
    if state.opted_out.contains(&(scope, record.to.clone())) {
        record.status = MessageStatus::Failed;
        record.error_code = Some(21610);
    }
    let is_sent = record.status != MessageStatus::Failed;
    state.messages.push(record.clone());
    drop(state);
    let sid = record.sid.clone();
    exchange.publish(ExchangeEvent::Message(record));
    if is_sent {
        lifecycle::launch(exchange, sid.clone());
    }
    sid
}

/// Creates a reply and adds it to its number's queue; it has already failed if the queue is full.
fn outbound(state: &mut ExchangeState, received: &MessageRecord, reply: MessageReply) -> MessageRecord {
    let now = Timestamp::now();
    let sid = state.ids.sid(if reply.media_urls.is_empty() { "SM" } else { "MM" });
    let from = reply.from.unwrap_or_else(|| received.to.clone());
    let num_segments = segments::count(&reply.body).max(1);
    let is_full = state.queues.is_full(&from);
    if !is_full {
        state.queues.join(&from, &sid, num_segments);
    }
    MessageRecord {
        sid,
        direction: MessageDirection::OutboundReply,
        from: Some(from),
        to: reply.to.or_else(|| received.from.clone()).unwrap_or_default(),
        num_segments,
        body: reply.body,
        media: reply.media_urls.into_iter().map(|url| state.outbound_media(url)).collect(),
        status: if is_full { MessageStatus::Failed } else { MessageStatus::Queued },
        messaging_service_sid: None,
        error_code: is_full.then_some(30001),
        created: now,
        updated: now,
        sent: None,
        status_callback: reply.status_callback,
        keyword: None,
        validity: LONGEST_VALIDITY,
    }
}
