//! Twilio's monitoring data: alerts, campaigns and verified numbers.

use serde::Deserialize;
use telephony_domain::time::Timestamp;

use super::{Rest, segment};
use crate::checks::Alert;
use crate::provider::ProviderError;

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<ListedAlert>,
}

#[derive(Deserialize)]
struct ListedAlert {
    error_code: Option<String>,
    date_created: Option<String>,
}

#[derive(Deserialize)]
struct Campaigns {
    compliance: Vec<Campaign>,
}

#[derive(Deserialize)]
struct Campaign {
    campaign_status: Option<String>,
}

#[derive(Deserialize)]
struct CallerIds {
    outgoing_caller_ids: Vec<CallerId>,
}

#[derive(Deserialize)]
struct CallerId {
    phone_number: String,
}

impl Rest {
    /// Returns the hundred newest alerts, newest first.
    pub async fn alerts(&self) -> Result<Vec<Alert>, ProviderError> {
        let page: Alerts = self.get_of("monitor", "/v1/Alerts?LogLevel=error&PageSize=100").await?;
        Ok(page.alerts.into_iter().filter_map(ListedAlert::read).collect())
    }

    /// Returns the states of a Messaging Service's A2P campaigns: `VERIFIED`, `IN_PROGRESS`, `FAILED`, …
    pub async fn campaigns(&self, service: &str) -> Result<Vec<String>, ProviderError> {
        let path = format!("/v1/Services/{}/Compliance/Usa2p", segment(service));
        let page: Campaigns = self.get_of("messaging", &path).await?;
        Ok(page.compliance.into_iter().filter_map(|campaign| campaign.campaign_status).collect())
    }

    /// Returns the numbers that a trial account may text, at most a thousand.
    pub async fn verified_numbers(&self) -> Result<Vec<String>, ProviderError> {
        let page: CallerIds = self.get("OutgoingCallerIds.json?PageSize=1000").await?;
        Ok(page.outgoing_caller_ids.into_iter().map(|caller| caller.phone_number).collect())
    }
}

impl ListedAlert {
    fn read(self) -> Option<Alert> {
        let at: jiff::Timestamp = self.date_created.as_deref()?.parse().ok()?;
        Some(Alert { code: self.error_code?.parse().ok()?, at: Timestamp(at.as_millisecond()) })
    }
}
