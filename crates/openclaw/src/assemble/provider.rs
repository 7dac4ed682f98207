//! Creates the client of the phone company: Twilio, or the built-in one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use secrecy::SecretString;
use telephony_config::{ApiBaseUrl, Loaded, ProviderName, TelephonyConfig};
use telephony_domain::carrier::Carrier;
use telephony_providers::provider::Provider;
use telephony_providers::twilio::account::{TwilioAccount, api_url};
use telephony_providers::twilio::rest::Rest;
use telephony_providers::twilio::{CARRIER, Twilio};
use twilio_simulator::{Number, Simulator, SimulatorConfig};

use crate::failure::Failure;

/// Creates the client for the configured provider.
pub fn provider(loaded: &Loaded) -> Result<Arc<dyn Provider>, Failure> {
    Ok(Arc::new(Twilio::new(configured(loaded)?)))
}

/// Like [`provider`], with a time limit for each answer.
pub fn provider_within(loaded: &Loaded, answer_within: Duration) -> Result<Arc<dyn Provider>, Failure> {
    Ok(Arc::new(Twilio::with_rest(Rest::new(configured(loaded)?).answer_within(answer_within))))
}

/// Creates the client for an account with these credentials, at the configured API base URL or `api_base_url`.
pub fn provider_with(
    telephony: Option<&TelephonyConfig>,
    api_base_url: Option<&str>,
    sid: &str,
    token: &SecretString,
) -> Arc<dyn Provider> {
    let account = telephony.map_or_else(|| account(&TelephonyConfig::default()), account);
    let api_url = api_base_url.map_or(account.api_url.clone(), |url| url.trim_end_matches('/').to_owned());
    let (sid, auth_tokens) = (sid.to_owned(), vec![token.clone()]);
    Arc::new(Twilio::new(TwilioAccount { sid, auth_tokens, api_key: None, api_url, ..account }))
}

/// Returns the account, if the configuration names one completely.
fn configured(loaded: &Loaded) -> Result<TwilioAccount, Failure> {
    loaded.check_complete().map_err(Failure::from_problems)?;
    match loaded.telephony.provider {
        Some(ProviderName::Simulator) => Err(Failure::new("this command cannot reach the built-in simulator")
            .hint("use `openclaw telephony simulate`, which has a phone and everything else in one process")),
        Some(ProviderName::Twilio) | None => Ok(account(&loaded.telephony)),
    }
}

/// Returns the rules of the configured provider; the built-in one has Twilio's.
pub fn carrier() -> &'static Carrier {
    &CARRIER
}

/// Returns the Twilio account named in the configuration.
fn account(telephony: &TelephonyConfig) -> TwilioAccount {
    let twilio = &telephony.twilio;
    let base = twilio.api_base_url.as_ref().and_then(|base| base.of("api"));
    let usual = || api_url(twilio.region.as_deref(), twilio.edge_in_use());
    TwilioAccount {
        sid: twilio.account_sid.clone().unwrap_or_default(),
        auth_tokens: twilio.auth_token.iter().chain(&twilio.previous_auth_tokens).cloned().collect(),
        shared_keys: twilio.shared_keys.clone(),
        api_key: twilio.api_key.as_ref().map(|key| (key.sid.clone(), key.secret.clone())),
        api_url: base.map_or_else(usual, str::to_owned),
        product_urls: product_urls(twilio),
        connection_overrides: twilio.connection_overrides.clone(),
        skips_signatures: telephony.skip_signature_verification,
    }
}

/// Returns the base URLs of Twilio products that have a host of their own.
fn product_urls(twilio: &telephony_config::TwilioConfig) -> BTreeMap<String, String> {
    match &twilio.api_base_url {
        Some(ApiBaseUrl::ByProduct(urls)) => urls.clone(),
        Some(ApiBaseUrl::All(_)) | None => BTreeMap::new(),
    }
}

/// Starts the built-in Twilio with its webhooks set to `address`, and returns it as the gateway's provider.
pub async fn simulator(
    telephony: &TelephonyConfig,
    address: SocketAddr,
) -> Result<(Arc<dyn Provider>, Option<Simulator>), Failure> {
    let number = telephony.from_number.as_ref().map_or(twilio_simulator::DEFAULT_NUMBER, |number| number.as_str());
    let config = SimulatorConfig { numbers: vec![Number::new(number)], ..SimulatorConfig::default() };
    let simulator = Simulator::start(config).await.context("cannot start the built-in Twilio")?;
    let registered = telephony.public_url.as_ref().map(|url| url.registered_webhook(""));
    let webhook = registered.unwrap_or_else(|| format!("http://{address}{}", telephony.serve.path));
    simulator.set_sms_url(number, &webhook)?;
    simulator.set_voice_url(number, &webhook)?;
    tracing::info!(
        url = simulator.base_url(),
        number,
        "the built-in Twilio is running; no message leaves this machine"
    );
    let account = TwilioAccount {
        sid: simulator.account_sid().to_owned(),
        auth_tokens: vec![simulator.auth_token().into()],
        api_url: simulator.base_url().to_owned(),
        api_key: None,
        ..account(telephony)
    };
    Ok((Arc::new(Twilio::new(account)), Some(simulator)))
}
