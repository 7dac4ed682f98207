//! The public listener, which the provider and everyone else can reach.

pub(crate) mod descriptors;
pub mod listener;
pub mod media_server;
mod network;
pub mod origin;
pub mod permits;
pub mod receive;
pub mod rejection_log;
mod spelling;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{Method, StatusCode};

use crate::calls;
use crate::control::probe::ProbeVerdict;
use media_server::MediaServer;
use receive::WebhookEndpoint;
use spelling::{is_same_path, steps};

/// The endpoints of the public listener.
pub struct Endpoints {
    /// Local path for incoming messages and calls.
    pub(crate) path: String,
    pub(crate) webhook: WebhookEndpoint,
    /// Local path for status reports.
    pub(crate) status_path: String,
    pub(crate) status: WebhookEndpoint,
    /// Files that the provider fetches, below the webhook's path.
    pub(crate) media_server: MediaServer,
}

/// Routes the webhook, files and call documents below it, status and health. Any other path is 404, any other method
/// 405.
///
/// The operator chooses the paths, so they are compared segment by segment and not parsed as router patterns.
pub fn router(endpoints: Endpoints) -> Router {
    Router::new().fallback(dispatch).with_state(Arc::new(endpoints))
}

async fn dispatch(State(endpoints): State<Arc<Endpoints>>, request: Request) -> Response {
    let path = request.uri().path();
    let endpoint = if is_same_path(path, &endpoints.path) {
        &endpoints.webhook
    } else if is_same_path(path, &endpoints.status_path) {
        &endpoints.status
    } else if path == "/health" {
        return endpoints.health(request.method());
    } else if let Some(token) = media_server::token_in(path, &endpoints.path) {
        return match *request.method() {
            Method::GET | Method::HEAD => endpoints.media_server.hand_out(&token).await,
            _ => not_allowed("GET, HEAD"),
        };
    } else if let Some(token) = calls::token_in(path, &endpoints.path) {
        return match *request.method() {
            Method::POST => endpoints.webhook.receive(request, Some(token)).await,
            _ => not_allowed("POST"),
        };
    } else {
        endpoints.report_probe(&request, ProbeVerdict::NoSuchPath);
        endpoints.webhook.misdirected(&request, "no_such_path", &endpoints.path);
        return StatusCode::NOT_FOUND.into_response();
    };
    match *request.method() {
        Method::POST => endpoint.receive(request, None).await,
        _ => {
            endpoints.report_probe(&request, ProbeVerdict::WrongMethod);
            endpoint.misdirected(&request, "wrong_method", "POST");
            not_allowed("POST")
        }
    }
}

/// Returns the public URL that is two steps below the webhook's: `name`, then `last`. Keeps its query.
pub(crate) fn url_below(webhook_url: &str, name: &str, last: &str) -> String {
    let query_at = webhook_url.find('?').unwrap_or(webhook_url.len());
    let (base, query) = webhook_url.split_at(query_at);
    format!("{}/{name}/{last}{query}", base.trim_end_matches('/'))
}

/// Returns the last step of a path that is two below the webhook's, with `name` between.
pub(crate) fn step_below<'a>(path: &'a str, webhook_path: &str, name: &str) -> Option<&'a str> {
    let mut given = steps(path);
    let is_below = steps(webhook_path).chain([name]).all(|step| given.next() == Some(step));
    let last = given.next().filter(|_| is_below)?;
    given.next().is_none().then_some(last)
}

impl Endpoints {
    fn report_probe(&self, request: &Request, verdict: ProbeVerdict) {
        if let Some(probe) = self.webhook.probes.claim(request) {
            probe.report(verdict, Vec::new());
        }
    }

    fn health(&self, method: &Method) -> Response {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return not_allowed("GET, HEAD");
        }
        let provider = self.webhook.provider.carrier().name;
        let (status, health) = match self.webhook.intake.storage.trouble() {
            None => (StatusCode::OK, serde_json::json!({ "ok": true, "provider": provider })),
            Some(trouble) => {
                let reason = trouble.error.reason();
                let health = serde_json::json!({ "ok": false, "reason": reason, "provider": provider });
                (StatusCode::SERVICE_UNAVAILABLE, health)
            }
        };
        (status, [(CONTENT_TYPE, "application/json")], health.to_string()).into_response()
    }
}

fn not_allowed(allowed: &'static str) -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, allowed)]).into_response()
}
