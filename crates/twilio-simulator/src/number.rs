//! A phone number of the account: its settings by their API names, and its JSON. Leaves HTTP to `rest`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::dates::rfc2822;
use crate::webhook::request::WebhookTarget;

/// A phone number of the account, with its webhooks and capabilities.
#[derive(Clone)]
pub struct Number {
    pub(crate) sid: String,
    pub(crate) phone_number: String,
    pub(crate) updated: Timestamp,
    pub(crate) capabilities: NumberCapabilities,
    settings: BTreeMap<&'static str, String>,
}

/// The capabilities of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NumberCapabilities {
    /// SMS.
    pub sms: bool,
    /// MMS.
    pub mms: bool,
    /// Voice calls.
    pub voice: bool,
}

impl NumberCapabilities {
    /// Returns the names that a messaging service lists.
    pub(crate) fn names(self) -> Vec<&'static str> {
        let all = [("SMS", self.sms), ("MMS", self.mms), ("Voice", self.voice)];
        all.into_iter().filter_map(|(name, is_able)| is_able.then_some(name)).collect()
    }
}

impl Default for NumberCapabilities {
    /// All capabilities.
    fn default() -> Self {
        Self { sms: true, mms: true, voice: true }
    }
}

/// The kind of a sender, which determines its sending rate and its handling of STOP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberKind {
    Local,
    TollFree,
    ShortCode,
    /// An alphanumeric sender ID, which can only send.
    SenderId,
}

impl NumberKind {
    /// Toll-free area codes of the North American plan.
    const TOLL_FREE: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];

    pub(crate) fn of(phone_number: &str) -> Self {
        let area = phone_number.strip_prefix("+1").and_then(|rest| rest.get(..3));
        match phone_number.strip_prefix('+') {
            None if phone_number.bytes().all(|b| b.is_ascii_digit()) => Self::ShortCode,
            None => Self::SenderId,
            Some(_) if area.is_some_and(|area| Self::TOLL_FREE.contains(&area)) => Self::TollFree,
            Some(_) => Self::Local,
        }
    }
}

/// Request parameter, JSON field and initial value of each setting that the API can change.
const SETTINGS: [(&str, &str, &str); 14] = [
    ("FriendlyName", "friendly_name", ""),
    ("SmsApplicationSid", "sms_application_sid", ""),
    ("SmsUrl", "sms_url", ""),
    ("SmsMethod", "sms_method", "POST"),
    ("SmsFallbackUrl", "sms_fallback_url", ""),
    ("SmsFallbackMethod", "sms_fallback_method", "POST"),
    ("TrunkSid", "trunk_sid", ""),
    ("VoiceApplicationSid", "voice_application_sid", ""),
    ("VoiceUrl", "voice_url", ""),
    ("VoiceMethod", "voice_method", "POST"),
    ("VoiceFallbackUrl", "voice_fallback_url", ""),
    ("VoiceFallbackMethod", "voice_fallback_method", "POST"),
    ("StatusCallback", "status_callback", ""),
    ("StatusCallbackMethod", "status_callback_method", "POST"),
];

impl Number {
    /// Creates a number (E.164) with all capabilities and without URLs.
    pub fn new(phone_number: &str) -> Self {
        let mut settings: BTreeMap<_, _> =
            SETTINGS.iter().map(|(_, field, first)| (*field, (*first).to_owned())).collect();
        settings.insert("friendly_name", phone_number.to_owned());
        Self {
            sid: String::new(),
            phone_number: phone_number.to_owned(),
            updated: Timestamp::now(),
            capabilities: NumberCapabilities::default(),
            settings,
        }
    }

    /// Sets the URL for inbound messages.
    pub fn sms_url(self, url: &str) -> Self {
        self.with("sms_url", url)
    }

    /// Sets the URL to use when [`sms_url`](Self::sms_url) fails.
    pub fn sms_fallback_url(self, url: &str) -> Self {
        self.with("sms_fallback_url", url)
    }

    /// Sets the capabilities.
    pub fn capabilities(self, capabilities: NumberCapabilities) -> Self {
        Self { capabilities, ..self }
    }

    /// Sets the application that handles texts instead of the URLs. The simulator has no applications, so it drops
    /// them.
    pub fn sms_application(self, sid: &str) -> Self {
        self.with("sms_application_sid", sid)
    }

    /// Sets the application that handles calls instead of the URLs; the simulator drops them.
    pub fn voice_application(self, sid: &str) -> Self {
        self.with("voice_application_sid", sid)
    }

    /// Sets the trunk that handles calls instead of everything else; the simulator drops them.
    pub fn trunk(self, sid: &str) -> Self {
        self.with("trunk_sid", sid)
    }

    /// Sets the URL for inbound calls.
    pub fn voice_url(self, url: &str) -> Self {
        self.with("voice_url", url)
    }

    /// Sets the URL that receives the final status of calls to this number.
    pub fn status_callback(self, url: &str) -> Self {
        self.with("status_callback", url)
    }

    fn with(mut self, field: &'static str, value: &str) -> Self {
        self.set(field, value);
        self
    }

    pub(crate) fn set(&mut self, field: &'static str, value: &str) {
        self.settings.insert(field, value.to_owned());
        self.updated = Timestamp::now();
    }

    /// Returns a setting by its JSON field; empty if unset.
    pub(crate) fn setting(&self, field: &str) -> &str {
        self.settings.get(field).map_or("", String::as_str)
    }

    /// Returns the endpoint for an occasion (`sms`, `sms_fallback`, `voice`), if a URL is set.
    ///
    /// An application or a trunk wins over the URLs.
    pub(crate) fn endpoint(&self, occasion: &str) -> Option<WebhookTarget> {
        let overrides: &[&str] = if occasion.starts_with("sms") {
            &["sms_application_sid"]
        } else {
            &["trunk_sid", "voice_application_sid"]
        };
        if overrides.iter().any(|field| !self.setting(field).is_empty()) {
            return None;
        }
        let url = self.setting(&format!("{occasion}_url")).to_owned();
        (!url.is_empty()).then(|| WebhookTarget::new(url, self.setting(&format!("{occasion}_method"))))
    }

    /// Changes a setting by its request parameter; other names have no effect.
    pub(crate) fn set_parameter(&mut self, parameter: &str, value: &str) {
        if let Some((_, field, _)) = SETTINGS.iter().find(|(name, ..)| *name == parameter) {
            self.set(field, value);
        }
    }

    pub(crate) fn to_json(&self, account: &str, created: Timestamp) -> Value {
        let sid = &self.sid;
        let mut json = json!({
            "sid": sid, "account_sid": account, "phone_number": self.phone_number, "api_version": "2010-04-01",
            "date_created": rfc2822(created), "date_updated": rfc2822(self.updated),
            "address_sid": null, "address_requirements": "none", "beta": false, "origin": "twilio", "type": "local",
            "capabilities": {
                "voice": self.capabilities.voice, "sms": self.capabilities.sms, "mms": self.capabilities.mms,
                "fax": false,
            },
            "identity_sid": null, "bundle_sid": null, "status": "in-use", "voice_caller_id_lookup": false,
            "voice_receive_mode": "voice", "emergency_status": "Inactive", "emergency_address_sid": null,
            "emergency_address_status": "unregistered",
            "uri": format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{sid}.json"),
        });
        for (field, value) in &self.settings {
            json[*field] = json!(value);
        }
        json
    }
}
