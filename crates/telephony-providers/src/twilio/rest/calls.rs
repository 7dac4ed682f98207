//! Calls in progress: their status, and the changes that Twilio makes to them.

use serde::Deserialize;

use super::{Rest, segment};
use crate::provider::ProviderError;

/// The fields read from a call.
#[derive(Deserialize)]
pub(in crate::twilio) struct Call {
    /// Twilio's word for its state.
    pub(in crate::twilio) status: String,
}

impl Rest {
    /// Reads a call.
    pub(in crate::twilio) async fn call(&self, sid: &str) -> Result<Call, ProviderError> {
        self.get(&path(sid)).await
    }

    /// Hangs up a call, answered or not.
    pub async fn end_call(&self, sid: &str) -> Result<(), ProviderError> {
        let _: Call = self.post(&path(sid), &[("Status", "completed")]).await?;
        Ok(())
    }

    /// Replaces the current document of a call.
    pub(in crate::twilio) async fn replace_document(&self, sid: &str, twiml: &str) -> Result<(), ProviderError> {
        let _: Call = self.post(&path(sid), &[("Twiml", twiml)]).await?;
        Ok(())
    }

    /// Has Twilio end a call by itself, and report its end.
    pub(in crate::twilio) async fn limit_call(
        &self,
        sid: &str,
        seconds: u32,
        status_url: Option<&str>,
    ) -> Result<(), ProviderError> {
        let seconds = seconds.to_string();
        let callback = status_url.map(|url| ("StatusCallback", url));
        let form: Vec<_> = std::iter::once(("TimeLimit", seconds.as_str())).chain(callback).collect();
        let _: Call = self.post(&path(sid), &form).await?;
        Ok(())
    }
}

fn path(sid: &str) -> String {
    format!("Calls/{}.json", segment(sid))
}
