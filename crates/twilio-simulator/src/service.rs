//! A messaging service of the account: its senders, settings and JSON. Leaves HTTP to `rest`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::dates::iso8601;

/// A messaging service: a pool of senders that share webhooks and opt-outs.
#[derive(Clone, Debug)]
pub struct Service {
    /// `MG` and 32 hex digits.
    pub sid: String,
    /// Name in Twilio's Console.
    pub friendly_name: String,
    /// The account's numbers in its sender pool.
    pub numbers: Vec<String>,
    /// The URL for inbound messages. `None` without
    /// [`use_inbound_webhook_on_number`](Self::use_inbound_webhook_on_number) drops messages silently, as Twilio does.
    pub inbound_request_url: Option<String>,
    /// True if messages go to the number's own URL instead.
    pub use_inbound_webhook_on_number: bool,
    /// The URL to use when [`inbound_request_url`](Self::inbound_request_url) fails.
    pub fallback_url: Option<String>,
    /// The callback URL of messages without their own.
    pub status_callback: Option<String>,
    /// The registration status of its A2P campaign: `PENDING`, `IN_PROGRESS`, `VERIFIED`, `FAILED`. `None` without a
    /// campaign.
    pub campaign_status: Option<String>,
}

impl Service {
    /// Creates a service with these senders whose inbound messages go to the numbers' own URLs.
    pub fn new(sid: &str, numbers: &[&str]) -> Self {
        Self {
            sid: sid.to_owned(),
            friendly_name: "Simulated service".to_owned(),
            numbers: numbers.iter().map(|number| (*number).to_owned()).collect(),
            inbound_request_url: None,
            use_inbound_webhook_on_number: true,
            fallback_url: None,
            status_callback: None,
            campaign_status: None,
        }
    }

    pub(crate) fn to_json(&self, account: &str, base_url: &str, created: Timestamp) -> Value {
        let url = format!("{base_url}/v1/Services/{}", self.sid);
        json!({
            "sid": self.sid, "account_sid": account, "friendly_name": self.friendly_name,
            "date_created": iso8601(created), "date_updated": iso8601(created),
            "inbound_request_url": self.inbound_request_url, "inbound_method": "POST",
            "fallback_url": self.fallback_url, "fallback_method": "POST", "status_callback": self.status_callback,
            "sticky_sender": true, "mms_converter": true, "smart_encoding": false, "scan_message_content": "inherit",
            "fallback_to_long_code": false, "area_code_geomatch": true, "synchronous_validation": false,
            "validity_period": 36000, "usecase": "undeclared", "us_app_to_person_registered": self.is_registered(),
            "use_inbound_webhook_on_number": self.use_inbound_webhook_on_number, "url": url,
            "links": {
                "phone_numbers": format!("{url}/PhoneNumbers"),
                "short_codes": format!("{url}/ShortCodes"),
                "us_app_to_person": format!("{url}/Compliance/Usa2p"),
            },
        })
    }

    fn is_registered(&self) -> bool {
        self.campaign_status.as_deref() == Some("VERIFIED")
    }

    /// Changes a setting by its request parameter; an empty URL unsets it.
    pub(crate) fn set(&mut self, parameter: &str, value: &str) {
        let url = || Some(value.to_owned()).filter(|url| !url.is_empty());
        match parameter {
            "InboundRequestUrl" => self.inbound_request_url = url(),
            "FallbackUrl" => self.fallback_url = url(),
            "StatusCallback" => self.status_callback = url(),
            "UseInboundWebhookOnNumber" => self.use_inbound_webhook_on_number = value.eq_ignore_ascii_case("true"),
            "FriendlyName" if !value.is_empty() => value.clone_into(&mut self.friendly_name),
            _ => {}
        }
    }

    /// Returns the service's US A2P campaign, if there is one.
    pub(crate) fn campaign(&self, account: &str, base_url: &str, created: Timestamp) -> Option<Value> {
        let status = self.campaign_status.as_deref()?;
        let digits = self.sid.trim_start_matches("MG");
        let (sid, created) = (format!("QE{digits}"), iso8601(created));
        let errors = if status == "FAILED" {
            json!([{"error_code": 30894, "fields": ["SAMPLE_1"], "description": "The campaign was refused"}])
        } else {
            json!([])
        };
        Some(json!({
            "sid": sid, "account_sid": account, "messaging_service_sid": self.sid,
            "brand_registration_sid": format!("BN{digits}"), "description": "An assistant that answers texts",
            "message_samples": ["It is sunny today."], "message_flow": "People text first.",
            "us_app_to_person_usecase": "LOW_VOLUME", "has_embedded_links": false, "has_embedded_phone": false,
            "subscriber_opt_in": true, "age_gated": false, "direct_lending": false,
            "campaign_status": status, "campaign_id": if self.is_registered() { json!("C0000001") } else { json!(null) },
            "is_externally_registered": false, "rate_limits": {"att": {"mps": 4, "msg_class": "T"}, "tmobile": {"brand_tier": "LOW"}},
            "opt_in_message": "", "opt_out_message": "", "help_message": "",
            "opt_in_keywords": [], "opt_out_keywords": [], "help_keywords": [],
            "date_created": created, "date_updated": created, "mock": false, "errors": errors,
            "url": format!("{base_url}/v1/Services/{}/Compliance/Usa2p/{sid}", self.sid),
        }))
    }
}
