//! Twilio's routes: the webhooks of a number and of a Messaging Service, and their overrides.

use async_trait::async_trait;
use telephony_domain::line::Sender;
use telephony_domain::line_address::LineAddress;

use super::rest::{IncomingPhoneNumber, ServiceResource, ShortCode};
use super::{Twilio, callback_url};
use crate::provider::ProviderError;
use crate::route::{CallbackUrls, Diversion, Route, Routes, Setting, SettingRole, Traffic};

/// Address of Twilio's own greeting, which every new number plays to callers.
const DEMO: &str = "https://demo.twilio.com/";

/// Maximum number of services searched for a number; each takes a request.
const MAX_POOLS: usize = 20;

#[async_trait]
impl Routes for Twilio {
    async fn routes(&self, sender: &Sender, callbacks: Option<&CallbackUrls>) -> Result<Vec<Route>, ProviderError> {
        let callbacks = callbacks.map(|callbacks| self.with_overrides(callbacks));
        let service = match &sender.messaging_service {
            Some(sid) => found(self.rest.service(sid).await)?,
            None => None,
        };
        let number = match &sender.number {
            Some(LineAddress::Number(number)) => self.rest.phone_number(number.as_str()).await?,
            _ => None,
        };
        let short_code = match &sender.number {
            Some(LineAddress::ShortCode(code)) => self.rest.short_code(code).await?,
            _ => None,
        };
        let mut routes = Vec::new();
        let pool = match &sender.number {
            Some(address) if number.is_some() || short_code.is_some() => {
                self.pool_of(address, service.as_ref()).await?
            }
            _ => None,
        };
        routes.extend(short_code.map(|code| short_code_route(code, pool.clone(), callbacks.as_ref())));
        routes.extend(number.map(|number| number_route(number, pool, callbacks.as_ref())));
        routes.extend(service.map(|service| service_route(service, callbacks.as_ref())));
        Ok(routes)
    }

    async fn route(&self, id: &str) -> Result<Option<Route>, ProviderError> {
        if id.starts_with("MG") {
            let service = found(self.rest.service(id).await)?;
            return Ok(service.map(|service| service_route(service, None)));
        }
        if id.starts_with("SC") {
            let code = found(self.rest.short_code_by_sid(id).await)?;
            return Ok(code.map(|code| short_code_route(code, None, None)));
        }
        let number = found(self.rest.phone_number_by_sid(id).await)?;
        Ok(number.map(|number| number_route(number, None, None)))
    }

    async fn set_route(&self, id: &str, settings: &[(String, String)]) -> Result<(), ProviderError> {
        let form: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if id.starts_with("MG") {
            self.rest.update_service(id, &form).await.map(drop)
        } else if id.starts_with("SC") {
            self.rest.update_short_code(id, &form).await.map(drop)
        } else {
            self.rest.update_phone_number(id, &form).await.map(drop)
        }
    }
}

impl Twilio {
    /// Returns the Messaging Service of a number or short code, `ours` if it is that one. None if Twilio cannot say.
    async fn pool_of(
        &self,
        address: &LineAddress,
        ours: Option<&ServiceResource>,
    ) -> Result<Option<(ServiceResource, bool)>, ProviderError> {
        let has = async |service: &ServiceResource| -> Result<bool, ProviderError> {
            let senders = match address {
                LineAddress::ShortCode(_) => self.rest.service_short_codes(&service.sid).await,
                LineAddress::Number(_) | LineAddress::SenderId(_) => self.rest.service_numbers(&service.sid).await,
            };
            Ok(found(senders)?.unwrap_or_default().iter().any(|sender| sender == address.as_str()))
        };
        if let Some(ours) = ours
            && has(ours).await?
        {
            return Ok(Some((ours.clone(), true)));
        }
        let others = match self.rest.services().await {
            // A server without the product has no services.
            Err(ProviderError::Refused { http_status: 404, .. }) => Vec::new(),
            answer => answer?,
        };
        let is_other = |service: &ServiceResource| ours.is_none_or(|ours| ours.sid != service.sid);
        for service in others.into_iter().filter(is_other).take(MAX_POOLS) {
            if !service.use_inbound_webhook_on_number && has(&service).await? {
                return Ok(Some((service, false)));
            }
        }
        Ok(None)
    }

    fn with_overrides(&self, callbacks: &CallbackUrls) -> CallbackUrls {
        let overrides = &self.rest.account().connection_overrides;
        let with = |url: &str| callback_url::with_overrides(url, overrides);
        CallbackUrls { webhook: with(&callbacks.webhook), status: with(&callbacks.status) }
    }
}

fn number_route(
    number: IncomingPhoneNumber,
    pool: Option<(ServiceResource, bool)>,
    callbacks: Option<&CallbackUrls>,
) -> Route {
    let webhook = callbacks.map(|callbacks| callbacks.webhook.as_str());
    let post = callbacks.map(|_| "POST");
    let (sms_url, sms_method) = wanted_for_messages(pool.as_ref(), callbacks);
    let mut diversions = Vec::new();
    if let Some(id) = filled(number.sms_application_sid) {
        diversions.push(Diversion::Application { traffic: Traffic::Messages, id });
    }
    diversions.extend(diversion_to(pool));
    if let Some(id) = filled(number.trunk_sid) {
        diversions.push(Diversion::Trunk { id });
    } else if let Some(id) = filled(number.voice_application_sid) {
        diversions.push(Diversion::Application { traffic: Traffic::Calls, id });
    }
    let settings = vec![
        setting("SmsUrl", Traffic::Messages, SettingRole::Url, number.sms_url, sms_url),
        setting("SmsMethod", Traffic::Messages, SettingRole::Method, number.sms_method, sms_method),
        setting("SmsFallbackUrl", Traffic::Fallback, SettingRole::Url, number.sms_fallback_url, None),
        setting("VoiceUrl", Traffic::Calls, SettingRole::Url, number.voice_url, webhook),
        setting("VoiceMethod", Traffic::Calls, SettingRole::Method, number.voice_method, post),
        setting("VoiceFallbackUrl", Traffic::Fallback, SettingRole::Url, number.voice_fallback_url, None),
        setting(
            "StatusCallback",
            Traffic::Calls,
            SettingRole::StatusUrl,
            number.status_callback,
            callbacks.map(|callbacks| callbacks.status.as_str()),
        ),
        setting("StatusCallbackMethod", Traffic::Calls, SettingRole::Method, number.status_callback_method, post),
    ];
    Route { id: number.sid, address: number.phone_number, settings, diversions }
}

fn short_code_route(code: ShortCode, pool: Option<(ServiceResource, bool)>, callbacks: Option<&CallbackUrls>) -> Route {
    let (sms_url, sms_method) = wanted_for_messages(pool.as_ref(), callbacks);
    let settings = vec![
        setting("SmsUrl", Traffic::Messages, SettingRole::Url, code.sms_url, sms_url),
        setting("SmsMethod", Traffic::Messages, SettingRole::Method, code.sms_method, sms_method),
        setting("SmsFallbackUrl", Traffic::Fallback, SettingRole::Url, code.sms_fallback_url, None),
    ];
    Route { id: code.sid, address: code.short_code, settings, diversions: diversion_to(pool).into_iter().collect() }
}

/// Returns the URL and method that a sender's own webhook should have. A sender of our own service needs none.
fn wanted_for_messages<'t>(
    pool: Option<&(ServiceResource, bool)>,
    callbacks: Option<&'t CallbackUrls>,
) -> (Option<&'t str>, Option<&'static str>) {
    match (pool, callbacks) {
        (Some((_, true)), _) | (_, None) => (None, None),
        (_, Some(callbacks)) => (Some(&callbacks.webhook), Some("POST")),
    }
}

/// Returns the service that overrides a sender's messages.
fn diversion_to(pool: Option<(ServiceResource, bool)>) -> Option<Diversion> {
    let (service, is_ours) = pool?;
    (!service.use_inbound_webhook_on_number).then_some(Diversion::Service { id: service.sid, is_ours })
}

fn service_route(service: ServiceResource, callbacks: Option<&CallbackUrls>) -> Route {
    let defers = service.use_inbound_webhook_on_number;
    let drops = !defers && filled(service.inbound_request_url.clone()).is_none();
    let settings = vec![
        setting(
            "InboundRequestUrl",
            Traffic::Messages,
            SettingRole::Url,
            service.inbound_request_url,
            callbacks.map(|callbacks| callbacks.webhook.as_str()),
        ),
        setting(
            "InboundMethod",
            Traffic::Messages,
            SettingRole::Method,
            service.inbound_method,
            callbacks.map(|_| "POST"),
        ),
        setting(
            "UseInboundWebhookOnNumber",
            Traffic::Messages,
            SettingRole::Deferral,
            Some(defers.to_string()),
            callbacks.map(|_| "false"),
        ),
        setting("FallbackUrl", Traffic::Fallback, SettingRole::Url, service.fallback_url, None),
    ];
    let diversions = drops.then_some(Diversion::Nowhere).into_iter().collect();
    Route { id: service.sid.clone(), address: service.sid, settings, diversions }
}

fn setting(
    name: &'static str,
    traffic: Traffic,
    role: SettingRole,
    value: Option<String>,
    wanted: Option<&str>,
) -> Setting {
    let value = value.unwrap_or_default();
    Setting { name, traffic, role, is_preset: value.starts_with(DEMO), value, wanted: wanted.map(str::to_owned) }
}

fn filled(value: Option<String>) -> Option<String> {
    value.filter(|value| !value.is_empty())
}

/// Returns none if Twilio says it does not exist.
fn found<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match answer {
        Err(error) if error.is_not_found() => Ok(None),
        answer => answer.map(Some),
    }
}
