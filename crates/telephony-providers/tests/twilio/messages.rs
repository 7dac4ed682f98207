//! Messages that the tests send, and as Twilio's API shows them.

use serde_json::{Value, json};
use telephony_domain::delivery::Receipt;
use telephony_domain::line::Sender;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;
use telephony_providers::provider::{Outgoing, Provider, ProviderError};
use telephony_providers::twilio::Twilio;

use crate::stand_in::Reaction;

/// The date of the messages: 2026-11-22T06:33:00Z.
pub const CREATED_AT: Timestamp = Timestamp(1_795_329_180_000);

pub fn ok(status: u16, body: Value) -> Reaction {
    Reaction::Answer(status, "content-type: application/json\r\n", body.to_string())
}

pub fn message(sid: &str, direction: &str, date: &str) -> Value {
    json!({
        "sid": sid, "status": "queued", "direction": direction, "body": "Hello", "date_created": date,
        "date_sent": null, "num_segments": "2", "error_code": null, "price": null, "price_unit": "USD", "new": {},
    })
}

pub fn created() -> Reaction {
    ok(201, message("SM1", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000"))
}

pub fn contact() -> PhoneNumber {
    "+15550005678".parse().unwrap()
}

pub fn sender(service: Option<&str>) -> Sender {
    Sender { number: "+15550001234".parse().ok(), messaging_service: service.map(str::to_owned) }
}

pub async fn send(twilio: &Twilio) -> Result<Receipt, ProviderError> {
    let (from, to) = (sender(None), contact());
    let part =
        Outgoing { from: &from, to: &to, text: "Hello & goodbye", media: &[], correlation_id: "p1", status_url: None };
    twilio.send(part).await
}
