//! `twilio`: the account, its secrets, and the API's address.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use telephony_domain::line_address::LineAddress;

use crate::document::{Node, Value};
use crate::form::lists::{ListForm, Named};
use crate::form::secrets::SecretForm;
use crate::form::texts::{Parsed, Sid, UrlForm};
use crate::form::{At, Form};
use crate::keys::ObjectKeys;

/// Twilio's credentials and settings.
#[derive(Debug, Clone)]
pub struct TwilioConfig {
    /// SID of the account: `AC…`.
    pub account_sid: Option<String>,
    /// Auth Token: signs webhooks, and is the API's password unless there is an API key.
    pub auth_token: Option<SecretString>,
    /// Messaging Service that sends messages, `MG…`; takes precedence over the number.
    pub messaging_service_sid: Option<String>,
    /// API key used in place of the token.
    pub api_key: Option<ApiKeyConfig>,
    /// Older tokens whose signatures are still accepted during a rotation.
    pub previous_auth_tokens: Vec<SecretString>,
    /// Twilio SharedKeys: secrets by id.
    pub shared_keys: BTreeMap<String, SecretString>,
    /// Region where data is stored, such as `ie1`.
    pub region: Option<String>,
    /// Edge location for requests, such as `dublin`.
    pub edge: Option<String>,
    /// Base URL of the API, if not Twilio's.
    pub api_base_url: Option<ApiBaseUrl>,
    /// Connection overrides appended to our URLs; empty for Twilio's defaults.
    pub connection_overrides: String,
}

/// A Twilio API key.
#[derive(Debug, Clone)]
pub struct ApiKeyConfig {
    /// SID of the key: `SK…`.
    pub sid: String,
    /// Secret that Twilio showed once, when the key was made.
    pub secret: SecretString,
}

/// A replacement for Twilio's API, for tests and the simulator; URLs have no trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiBaseUrl {
    /// One URL for every product.
    All(String),
    /// One URL per product (`api`, `messaging`, `monitor`, …); the others are Twilio's.
    ByProduct(BTreeMap<String, String>),
}

impl ApiBaseUrl {
    /// Returns the URL of `product`; none if it is Twilio's.
    pub fn of(&self, product: &str) -> Option<&str> {
        match self {
            ApiBaseUrl::All(url) => Some(url),
            ApiBaseUrl::ByProduct(urls) => urls.get(product).map(String::as_str),
        }
    }
}

impl TwilioConfig {
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>) -> Self {
        let account_sid = keys.key("accountSid", "The Account SID from the Twilio Console.", Sid("AC"));
        let account_sid = account_sid.or_variable("TWILIO_ACCOUNT_SID").optional();
        let auth_token = "The Auth Token from the Twilio Console; verifies webhook signatures.";
        let auth_token = keys.key("authToken", auth_token, SecretForm).or_variable("TWILIO_AUTH_TOKEN").optional();
        let service = "The Messaging Service that sends messages; takes precedence over `fromNumber`.";
        let service = keys.key("messagingServiceSid", service, Sid("MG"));
        let messaging_service_sid = service.or_variable("TWILIO_MESSAGING_SERVICE_SID").optional();
        let api_key = read_api_key(keys);
        let previous = "Older tokens whose signatures are still accepted during a rotation.";
        let previous_auth_tokens = keys.key("previousAuthTokens", previous, ListForm(SecretForm)).or(vec![]);
        let shared = Named { name: "id of the key", form: SecretForm };
        let shared_keys = "Twilio SharedKeys, whose HMAC_SHA256 signatures are also accepted: secrets by id.";
        let shared_keys = keys.key("sharedKeys", shared_keys, shared).or(BTreeMap::new());
        let region =
            "The region where your data is stored, such as `ie1`, which has no +1 numbers, short codes or pictures.";
        let region = keys.key("region", region, host_label()).optional();
        let edge = keys
            .key("edge", "The edge location where requests enter Twilio's network, such as `dublin`.", host_label())
            .optional();
        let base = "A different base URL for Twilio's API, for tests and the simulator.";
        let api_base_url = keys.key("apiBaseUrl", base, ApiBaseUrls).optional();
        warn_of_region(keys, region.as_deref(), edge.as_deref(), api_base_url.as_ref());
        let overrides = "Twilio's connection overrides, appended to your URLs as `#…`; `\"\"` for Twilio's defaults.";
        let connection_overrides =
            keys.key("connectionOverrides", overrides, connection_overrides()).or("rc=3&rp=5xx,ct,rt".to_owned());
        Self {
            account_sid,
            auth_token,
            messaging_service_sid,
            api_key,
            previous_auth_tokens,
            shared_keys,
            region,
            edge,
            api_base_url,
            connection_overrides,
        }
    }

    /// Returns the edge in use: the configured one, or the region's own.
    pub fn edge_in_use(&self) -> Option<&str> {
        self.edge.as_deref().or_else(|| self.region.as_deref().and_then(edge_of))
    }

    /// Returns false if a line cannot send messages in the region. `ie1` has neither +1 numbers nor short codes.
    pub(super) fn region_has(&self, line: &LineAddress) -> bool {
        let is_elsewhere = self.api_base_url.as_ref().is_some_and(|base| base.of("api").is_some());
        self.region.as_deref() != Some("ie1")
            || is_elsewhere
            || match line {
                LineAddress::Number(number) => !number.as_str().starts_with("+1"),
                LineAddress::ShortCode(_) => false,
                LineAddress::SenderId(_) => true,
            }
    }
}

/// Warns about the resulting host if only one of region and edge is set, because each alone has surprising effects.
fn warn_of_region(keys: &mut ObjectKeys<'_, '_>, region: Option<&str>, edge: Option<&str>, base: Option<&ApiBaseUrl>) {
    let key = if region.is_some() { "region" } else { "edge" };
    let message = match (region, edge) {
        (None, None) => return,
        _ if base.is_some_and(|base| base.of("api").is_some()) => {
            "it has no effect: apiBaseUrl replaces the API's address".to_owned()
        }
        (Some(region), None) => without_edge(region),
        (None, Some(edge)) => format!(
            "no region is set, so it is us1: requests go to api.{edge}.us1.twilio.com, and data is stored in the \
            United States. Set twilio.region to store it elsewhere"
        ),
        (Some(_), Some(_)) => return,
    };
    keys.warning(key, message);
}

fn without_edge(region: &str) -> String {
    match edge_of(region) {
        Some(edge) => format!(
            "no edge is set: requests go to api.{edge}.{region}.twilio.com, through the region's own edge. Twilio \
            requires both: set twilio.edge to \"{edge}\""
        ),
        None => format!(
            "no edge is set: requests go to api.{region}.twilio.com, which Twilio may not serve. Twilio requires both \
             twilio.region and twilio.edge, or neither for the United States"
        ),
    }
}

/// Returns the edge at the site of each region. Only since April 2026 does Twilio serve names without an edge, and only
/// in us1.
fn edge_of(region: &str) -> Option<&'static str> {
    match region {
        "us1" => Some("ashburn"),
        "ie1" => Some("dublin"),
        "au1" => Some("sydney"),
        "jp1" => Some("tokyo"),
        _ => None,
    }
}

fn read_api_key(keys: &mut ObjectKeys<'_, '_>) -> Option<ApiKeyConfig> {
    let sid = keys
        .key("apiKeySid", "An API key for requests to Twilio; signatures still need `authToken`.", Sid("SK"))
        .optional();
    let secret = keys.key("apiKeySecret", "The secret of the API key.", SecretForm).optional();
    let has_sid = keys.written("apiKeySid").is_some();
    if has_sid != keys.written("apiKeySecret").is_some() {
        let missing = if has_sid { "apiKeySecret" } else { "apiKeySid" };
        keys.problem(missing, "missing key", "an API key consists of apiKeySid and apiKeySecret");
    }
    Some(ApiKeyConfig { sid: sid?, secret: secret? })
}

fn host_label() -> Parsed<String> {
    Parsed {
        expected: "lower-case letters, digits and hyphens",
        pattern: Some("^[a-z0-9-]+$"),
        parse: |text| {
            let is_label = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            (!text.is_empty() && text.bytes().all(is_label)).then(|| text.to_owned())
        },
    }
}

fn connection_overrides() -> Parsed<String> {
    Parsed {
        expected: "overrides such as \"rc=3&rp=5xx,ct,rt\" without `#`, or \"\" for none",
        pattern: Some(r"^[^#\s]*$"),
        parse: |text| (!text.contains(|c: char| c == '#' || c.is_whitespace())).then(|| text.to_owned()),
    }
}

/// One URL, or an object with one per product.
struct ApiBaseUrls;

const PER_PRODUCT: Named<UrlForm> = Named { name: "a product such as `api` or `messaging`", form: UrlForm };

/// Twilio products that we use; a URL for any other would have no effect.
const PRODUCTS: [&str; 3] = ["api", "messaging", "monitor"];

impl Form for ApiBaseUrls {
    type Value = ApiBaseUrl;

    fn expected(&self) -> String {
        format!("{}, or {}", UrlForm.expected(), PER_PRODUCT.expected())
    }

    fn schema(&self) -> Json {
        let products: serde_json::Map<_, _> =
            PRODUCTS.iter().map(|product| ((*product).to_owned(), UrlForm.schema())).collect();
        json!({"anyOf": [UrlForm.schema(), {"type": "object", "properties": products, "additionalProperties": false}]})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<ApiBaseUrl> {
        let trimmed = |url: String| url.trim_end_matches('/').to_owned();
        match &node.value {
            Value::Text(_) => UrlForm.read(node, at).map(|url| ApiBaseUrl::All(trimmed(url))),
            Value::Object(members) => {
                let urls = PER_PRODUCT.read(node, at)?;
                for member in members.iter().filter(|member| !PRODUCTS.contains(&member.name.as_str())) {
                    at.unknown(&member.name, &member.place, &PRODUCTS);
                }
                let urls = urls.into_iter().map(|(product, url)| (product, trimmed(url)));
                Some(ApiBaseUrl::ByProduct(urls.collect()))
            }
            _ => at.misread(node, &self.expected()),
        }
    }

    fn show(&self, value: &ApiBaseUrl) -> Json {
        match value {
            ApiBaseUrl::All(url) => UrlForm.show(url),
            ApiBaseUrl::ByProduct(urls) => PER_PRODUCT.show(urls),
        }
    }
}
