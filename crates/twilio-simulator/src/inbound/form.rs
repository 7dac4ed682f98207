//! The webhook for an inbound text: its URL and every parameter that Twilio sends.

use crate::config::OptOut;
use crate::exchange::{Exchange, ExchangeState};
use crate::message::MessageRecord;
use crate::webhook::request::{Product, Webhook, WebhookTarget};

/// Returns the webhook for a text, if a URL is configured.
pub(super) fn webhook(
    exchange: &Exchange,
    state: &mut ExchangeState,
    record: &MessageRecord,
    extra: &[(String, String)],
) -> Option<Webhook> {
    let endpoint = endpoint(state, &record.to)?;
    let mut parameters = parameters(exchange, record);
    if let Some(keyword) = record.keyword.filter(|_| exchange.config.opt_out == OptOut::Advanced) {
        parameters.push(("OptOutType".to_owned(), keyword.opt_out_type().to_owned()));
    }
    parameters.retain(|(name, _)| extra.iter().all(|(replaced, _)| replaced != name));
    parameters.extend_from_slice(extra);
    let token = state.ids.uuid();
    Some(Webhook { endpoint, product: Product::Messaging, parameters, token, subject: record.sid.clone() })
}

/// Returns the endpoint for texts to this number: the service's, unless the service defers to the number.
pub(super) fn endpoint(state: &ExchangeState, number: &str) -> Option<WebhookTarget> {
    if !state.account.is_active() {
        return None;
    }
    match state.service_of(number) {
        Some(service) if !service.use_inbound_webhook_on_number => {
            service.inbound_request_url.clone().map(WebhookTarget::post)
        }
        _ => state.number(number)?.endpoint("sms"),
    }
}

/// Returns the endpoint used when the first one fails.
pub(super) fn fallback(state: &ExchangeState, number: &str) -> Option<WebhookTarget> {
    match state.service_of(number) {
        Some(service) if !service.use_inbound_webhook_on_number => {
            service.fallback_url.clone().map(WebhookTarget::post)
        }
        _ => state.number(number)?.endpoint("sms_fallback"),
    }
}

/// Twilio does not know the location of these numbers and sends empty values.
const PLACES: [&str; 8] =
    ["FromCity", "FromState", "FromZip", "FromCountry", "ToCity", "ToState", "ToZip", "ToCountry"];

fn parameters(exchange: &Exchange, record: &MessageRecord) -> Vec<(String, String)> {
    let mut parameters: Vec<(String, String)> = PLACES.iter().map(|name| ((*name).to_owned(), String::new())).collect();
    let mut add = |name: &str, value: &str| parameters.push((name.to_owned(), value.to_owned()));
    for name in ["MessageSid", "SmsSid", "SmsMessageSid"] {
        add(name, &record.sid);
    }
    add("AccountSid", &exchange.config.account_sid);
    add("From", record.from.as_deref().unwrap_or_default());
    add("To", &record.to);
    add("Body", &record.body);
    add("NumMedia", &record.media.len().to_string());
    add("NumSegments", &record.num_segments.to_string());
    add("SmsStatus", "received");
    add("ApiVersion", "2010-04-01");
    for (index, media) in record.media.iter().enumerate() {
        add(&format!("MediaUrl{index}"), &media.url);
        add(&format!("MediaContentType{index}"), &media.content_type);
    }
    if let Some(sid) = &record.messaging_service_sid {
        add("MessagingServiceSid", sid);
    }
    parameters
}
