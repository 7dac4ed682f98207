//! One part of an outgoing message, as `send` and `messages` show it.

use telephony_domain::notice::name::DAILY_CAP;
use telephony_gateway::views::part::PartView;
use telephony_store::outbox::{PartProgress, PartState};

use crate::plural::counted;
use crate::time_format::Time;

/// Formats a part on one line.
pub fn line(part: &PartView, n: u32) -> String {
    let sid = part.sid.as_deref().unwrap_or("no SID yet");
    let status = part.status.filter(|_| part.state == PartState::Sent.as_str()).unwrap_or(part.state);
    let code = part.code.map(|code| format!(", error {code}")).unwrap_or_default();
    let reason = part.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let waits = waits(part);
    let conflict = part.conflict.map(|other| format!(" (Twilio also reported `{other}`, which contradicts it)"));
    let conflict = conflict.unwrap_or_default();
    let price = part.price.as_ref().map(|price| format!(", {price}")).unwrap_or_default();
    let segments = counted(part.segments, "segment");
    format!("part {n}: {sid} {status}{conflict}, {segments}{price}{code}{waits}{reason}")
}

fn waits(part: &PartView) -> String {
    let until = part.next_attempt_at.map(|time| format!(" until {}", Time(time.0))).unwrap_or_default();
    match part.waits_for.as_deref() {
        None => String::new(),
        Some(DAILY_CAP) => format!(", waits for the daily cap{until}"),
        Some(limit) => format!(", waits for limits.{limit}{until}"),
    }
}

/// Explains a wait that is longer than the line's queue.
pub fn hold_in_words(waits_for: &str) -> String {
    match waits_for {
        DAILY_CAP => "Twilio accepts no more messages today; retried every hour".to_owned(),
        limit => format!("limits.{limit} is reached"),
    }
}

/// Reports that the provider accepted the part, with its SID.
pub fn sent_line(part: &PartProgress) -> Option<String> {
    let sid = part.provider_id.as_ref().filter(|_| part.state == PartState::Sent)?;
    let status = part.status.map_or("accepted", |status| status.as_str());
    Some(format!("Sent: {sid} ({status}, {})", counted(part.segments, "segment")))
}
