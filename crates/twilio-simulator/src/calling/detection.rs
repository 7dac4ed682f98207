//! Machine detection: reports if a person, a machine or a fax answered, before the first document or during the call.

use std::sync::Arc;

use tokio::time::sleep;

use super::talk::{DocumentCut, Talk};
use super::{update, webhook};
use crate::config::CallOutcome;
use crate::webhook::request::WebhookTarget;

/// The seconds that detection takes.
const SECONDS: f64 = 2.0;

/// The machine detection that a call requested.
pub(crate) struct Detection {
    /// The result for a machine: after its greeting, or on recognition.
    pub(crate) machine: &'static str,
    /// Receives the result while the call continues. Without it, the first document waits for the result.
    pub(crate) callback: Option<WebhookTarget>,
}

impl Talk {
    /// Detects a machine, either before the first document or during the call.
    pub(super) async fn detect(&mut self, outcome: CallOutcome, detection: Detection) -> Result<(), DocumentCut> {
        let answered_by = match outcome {
            CallOutcome::Machine => detection.machine,
            CallOutcome::Fax => "fax",
            CallOutcome::Unknown => "unknown",
            _ => "human",
        };
        let Some(endpoint) = detection.callback else {
            self.pause(SECONDS).await?;
            update(&self.exchange, &self.sid, |call| {
                call.answered_by = Some(answered_by.to_owned());
                call.names_answered_by = true;
            });
            return Ok(());
        };
        let (own, sid, time) = (Arc::clone(&self.exchange), self.sid.clone(), self.time(SECONDS));
        self.exchange.spawn(async move {
            sleep(time).await;
            update(&own, &sid, |call| call.answered_by = Some(answered_by.to_owned()));
            let (call, token) = {
                let mut state = own.state();
                let Some(call) = state.call(&sid).filter(|call| !call.status.is_final()).cloned() else { return };
                (call, state.ids.uuid())
            };
            let known = [
                ("CallSid", sid.as_str()),
                ("AccountSid", &own.config.account_sid),
                ("AnsweredBy", answered_by),
                ("MachineDetectionDuration", "2000"),
            ];
            let parameters = known.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            own.post_status(&webhook(&call, endpoint, parameters, token)).await;
        });
        Ok(())
    }
}
