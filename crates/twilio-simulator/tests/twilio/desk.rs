//! A running simulator and an HTTP client with its credentials.

use std::sync::Once;
use std::time::Duration;

use base64::Engine as _;
use serde_json::Value;
use twilio_simulator::{MessageRecord, MessageStatus, Simulator, SimulatorConfig};

/// A phone outside the account.
pub const PHONE: &str = "+15550005678";

/// The timeout of every wait.
pub const SOON: Duration = Duration::from_secs(60);

pub struct Desk {
    pub twilio: Simulator,
    pub client: reqwest::Client,
    pub credentials: (String, String),
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub json: Value,
}

pub fn instant() -> SimulatorConfig {
    SimulatorConfig { step_delay: Duration::ZERO, call_second: Duration::from_millis(1), ..SimulatorConfig::default() }
}

pub fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    // reqwest requires a TLS provider although nothing here is encrypted.
    PROVIDER.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
    reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build().unwrap()
}

impl Desk {
    pub async fn open() -> Self {
        Self::with(instant()).await
    }

    pub async fn with(config: SimulatorConfig) -> Self {
        let twilio = Simulator::start(config).await.unwrap();
        let credentials = (twilio.account_sid().to_owned(), twilio.auth_token().to_owned());
        Self { twilio, client: client(), credentials }
    }

    /// Returns a path below the account.
    pub fn account(&self, path: &str) -> String {
        format!("/2010-04-01/Accounts/{}{path}", self.twilio.account_sid())
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(reqwest::Method::GET, path, &[]).await.unwrap()
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.request(reqwest::Method::POST, path, form).await.unwrap()
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request(reqwest::Method::DELETE, path, &[]).await.unwrap()
    }

    pub async fn request(
        &self,
        method: reqwest::Method,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let url = format!("{}{path}", self.twilio.base_url());
        let mut request = self.client.request(method, url).header("Authorization", self.authorization());
        if !form.is_empty() {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?;
        Ok(Answer { status, headers, json: serde_json::from_slice(&body).unwrap_or_default() })
    }

    fn authorization(&self) -> String {
        let (user, password) = &self.credentials;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
    }

    /// Creates a message from the account's number to the phone.
    pub async fn send(&self, body: &str) -> Answer {
        self.send_with(body, &[]).await
    }

    pub async fn send_with(&self, body: &str, more: &[(&str, &str)]) -> Answer {
        self.try_send(body, more).await.unwrap()
    }

    pub async fn try_send(&self, body: &str, more: &[(&str, &str)]) -> Result<Answer, reqwest::Error> {
        let mut form = vec![("To", PHONE), ("From", self.twilio.number()), ("Body", body)];
        form.extend_from_slice(more);
        self.request(reqwest::Method::POST, &self.account("/Messages.json"), &form).await
    }

    /// Waits until all messages are final.
    pub async fn settled(&self) -> Vec<MessageRecord> {
        let is_settled = |messages: &[MessageRecord]| messages.iter().all(|message| message.status.is_final());
        self.twilio.wait_for(is_settled, SOON).await.unwrap()
    }

    /// Waits until the only message has this status.
    pub async fn reaches(&self, status: MessageStatus) -> MessageRecord {
        let mut messages = self.twilio.wait_for(|all| all.iter().any(|m| m.status == status), SOON).await.unwrap();
        messages.retain(|message| message.status == status);
        messages.remove(0)
    }
}

impl Answer {
    pub fn text(&self, field: &str) -> &str {
        self.json[field].as_str().unwrap_or_else(|| panic!("{field} is not text in {}", self.json))
    }
}

/// Posts to a control route without credentials.
pub async fn control(desk: &Desk, path: &str, body: Value) -> (u16, Value) {
    control_with(desk, reqwest::Method::POST, path, body).await
}

/// Sends a request with this method to a control route, without credentials.
pub async fn control_with(desk: &Desk, method: reqwest::Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/_simulator{path}", desk.twilio.base_url());
    let request = desk.client.request(method, url).header("Content-Type", "application/json").body(body.to_string());
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}
