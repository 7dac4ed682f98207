//! Messaging Services: pools of senders that may have webhooks of their own.

use serde::Deserialize;

use super::{Rest, segment};
use crate::provider::ProviderError;

const PRODUCT: &str = "messaging";

/// A Messaging Service and its webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ServiceResource {
    pub(crate) sid: String,
    /// Name given by the operator.
    pub(crate) friendly_name: String,
    /// URL for messages to its numbers.
    pub(crate) inbound_request_url: Option<String>,
    pub(crate) inbound_method: Option<String>,
    pub(crate) fallback_url: Option<String>,
    /// True if each number's own URL is used instead.
    pub(crate) use_inbound_webhook_on_number: bool,
}

#[derive(Deserialize)]
struct Services {
    services: Vec<ServiceResource>,
}

#[derive(Deserialize)]
struct SenderPage {
    phone_numbers: Vec<PoolNumber>,
}

#[derive(Deserialize)]
struct PoolNumber {
    phone_number: String,
}

#[derive(Deserialize)]
struct ServiceShortCodes {
    short_codes: Vec<PoolShortCode>,
}

#[derive(Deserialize)]
struct PoolShortCode {
    short_code: String,
}

impl Rest {
    /// Returns the account's Messaging Services, at most a hundred.
    pub async fn services(&self) -> Result<Vec<ServiceResource>, ProviderError> {
        let page: Services = self.get_of(PRODUCT, "/v1/Services?PageSize=100").await?;
        Ok(page.services)
    }

    /// Returns the Messaging Service with this SID.
    pub async fn service(&self, sid: &str) -> Result<ServiceResource, ProviderError> {
        self.get_of(PRODUCT, &service_path(sid)).await
    }

    /// Changes settings of the Messaging Service with this SID.
    pub async fn update_service(&self, sid: &str, form: &[(&str, &str)]) -> Result<ServiceResource, ProviderError> {
        self.post_of(PRODUCT, &service_path(sid), form).await
    }

    /// Returns the numbers of a Messaging Service; it has at most 400, which is one page.
    pub async fn service_numbers(&self, sid: &str) -> Result<Vec<String>, ProviderError> {
        let page: SenderPage =
            self.get_of(PRODUCT, &format!("{}/PhoneNumbers?PageSize=1000", service_path(sid))).await?;
        Ok(page.phone_numbers.into_iter().map(|sender| sender.phone_number).collect())
    }

    /// Returns the short codes of a Messaging Service, which are listed separately; a server without that list has
    /// none.
    pub async fn service_short_codes(&self, sid: &str) -> Result<Vec<String>, ProviderError> {
        let path = format!("{}/ShortCodes?PageSize=1000", service_path(sid));
        let page: ServiceShortCodes = match self.get_of(PRODUCT, &path).await {
            Err(ProviderError::Refused { http_status: 404, .. }) => return Ok(Vec::new()),
            answer => answer?,
        };
        Ok(page.short_codes.into_iter().map(|sender| sender.short_code).collect())
    }
}

fn service_path(sid: &str) -> String {
    format!("/v1/Services/{}", segment(sid))
}
