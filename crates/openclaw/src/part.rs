//! One part of an outgoing message, as `send` and `messages` show it.

use serde::Serialize;
use telephony_providers::provider::Webhooks;
use telephony_store::outbox::{PartProgress, PartState};

use crate::money::Money;
use crate::plural::counted;
use crate::time_format::Time;

/// The reason of a wait for the provider's daily cap, which is not one of our limits.
const DAILY_CAP: &str = "daily-cap";

/// One part as shown in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    sid: Option<String>,
    state: &'static str,
    status: Option<&'static str>,
    segments: u32,
    code: Option<u32>,
    reason: Option<String>,
    next_attempt_at: Option<Time>,
    waits_for: Option<String>,
    conflict: Option<&'static str>,
    price: Option<Money>,
}

impl Part {
    /// Formats the part on one line.
    pub fn line(&self, n: u32) -> String {
        let sid = self.sid.as_deref().unwrap_or("no SID yet");
        let status = self.status.filter(|_| self.state == "sent").unwrap_or(self.state);
        let code = self.code.map(|code| format!(", error {code}")).unwrap_or_default();
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let waits = self.waits();
        let conflict = self.conflict.map(|other| format!(" (Twilio also reported `{other}`, which contradicts it)"));
        let conflict = conflict.unwrap_or_default();
        let price = self.price.as_ref().map(|price| format!(", {price}")).unwrap_or_default();
        let segments = counted(self.segments, "segment");
        format!("part {n}: {sid} {status}{conflict}, {segments}{price}{code}{waits}{reason}")
    }

    fn waits(&self) -> String {
        let until = self.next_attempt_at.as_ref().map(|time| format!(" until {time}")).unwrap_or_default();
        match self.waits_for.as_deref() {
            None => String::new(),
            Some(DAILY_CAP) => format!(", waits for the daily cap{until}"),
            Some(limit) => format!(", waits for limits.{limit}{until}"),
        }
    }

    /// Converts a part; adds the meaning of Twilio's error code if the part itself has no reason.
    pub fn of(part: &PartProgress, provider: &dyn Webhooks) -> Self {
        Self {
            sid: part.provider_id.clone(),
            state: part.state.as_str(),
            status: part.status.map(|status| status.as_str()),
            segments: part.segments,
            code: part.code,
            reason: reason(part, provider),
            next_attempt_at: part.next_attempt.map(Time),
            waits_for: part.waits_for.clone(),
            conflict: part.conflict.map(|status| status.as_str()),
            price: part.price.map(Money::of),
        }
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

/// Explains to the operator why a part failed or waits.
pub fn reason(part: &PartProgress, provider: &dyn Webhooks) -> Option<String> {
    part.reason.clone().or_else(|| Some(provider.explain(part.code?)))
}
