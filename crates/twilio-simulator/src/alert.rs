//! Alerts: the entries of Twilio's debugger about bad webhook answers.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::dates::iso8601;

/// A complaint about a webhook's answer, as `GET /v1/Alerts` lists it.
#[derive(Clone, PartialEq)]
pub struct AlertRecord {
    /// `NO` and 32 hex digits; assigned when the alert is added.
    pub sid: String,
    /// Twilio's error code: 11200, 12100, 15003, …
    pub error_code: u32,
    /// The complaint in words.
    pub text: String,
    /// The URL that was called, without its fragment.
    pub request_url: String,
    /// `POST` or `GET`.
    pub request_method: String,
    /// The form that was sent; returned only when a single alert is fetched.
    pub request_variables: String,
    /// The response's body; returned only when a single alert is fetched.
    pub response_body: String,
    /// The SID of the message or call concerned.
    pub resource_sid: String,
    /// The time of the failure.
    pub at: Timestamp,
}

impl AlertRecord {
    /// Creates an alert about a POST to this URL, with the current time.
    pub fn new(error_code: u32, text: &str, request_url: &str) -> Self {
        Self {
            sid: String::new(),
            error_code,
            text: text.to_owned(),
            request_url: request_url.to_owned(),
            request_method: "POST".to_owned(),
            request_variables: String::new(),
            response_body: String::new(),
            resource_sid: String::new(),
            at: Timestamp::now(),
        }
    }

    /// Returns the alert as lists show it.
    pub(crate) fn to_json(&self, account: &str, base_url: &str) -> Value {
        let at = iso8601(self.at);
        json!({
            "sid": self.sid, "account_sid": account, "api_version": "2010-04-01", "log_level": "error",
            "error_code": self.error_code.to_string(), "alert_text": self.text,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.error_code),
            "request_method": self.request_method, "request_url": self.request_url,
            "resource_sid": self.resource_sid, "service_sid": null,
            "date_created": at, "date_generated": at, "date_updated": at,
            "url": format!("{base_url}/v1/Alerts/{}", self.sid),
        })
    }

    /// Returns the alert with the request's form and the response's body.
    pub(crate) fn to_full_json(&self, account: &str, base_url: &str) -> Value {
        let mut json = self.to_json(account, base_url);
        json["request_variables"] = json!(self.request_variables);
        json["request_headers"] = json!(null);
        json["response_body"] = json!(self.response_body);
        json["response_headers"] = json!(null);
        json
    }
}

impl fmt::Debug for AlertRecord {
    /// Leaves out the request and the response because they hold message texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alert")
            .field("sid", &self.sid)
            .field("error_code", &self.error_code)
            .field("text", &self.text)
            .field("resource_sid", &self.resource_sid)
            .finish_non_exhaustive()
    }
}
