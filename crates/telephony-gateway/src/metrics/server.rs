//! `GET /metrics`, on a listener of its own that the public never reaches.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use telephony_domain::program::ProgramName;
use telephony_domain::time::Clock;
use telephony_store::journal::Journal;
use telephony_store::{Store, StoreError};
use tokio::sync::watch::Receiver;

use super::{Measured, Metrics};
use crate::settings::Live;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The state behind `/metrics`.
pub struct MetricsSource {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) store: Arc<dyn Store>,
    /// Journal, whose waiting bytes are reported.
    pub(crate) journal: Arc<Journal>,
    pub(crate) live: Receiver<Arc<Live>>,
    /// Name of our program in texts.
    pub(crate) program: ProgramName,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Returns the router with its one path: `/metrics`.
pub fn router(watch: MetricsSource) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(Arc::new(watch))
}

async fn metrics(State(watch): State<Arc<MetricsSource>>) -> Response {
    let measured = match watch.measure().await {
        Ok(measured) => measured,
        Err(error) => {
            tracing::error!(%error, hint = error.hint(), "cannot measure for /metrics");
            return (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response();
        }
    };
    match watch.metrics.page(&measured) {
        Ok(page) => {
            let page = watch.program.in_text(&page).into_owned();
            ([(CONTENT_TYPE, OPEN_METRICS)], page).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

impl MetricsSource {
    async fn measure(&self) -> Result<Measured, StoreError> {
        let now = self.clock.now();
        let summary = self.store.summary(now).await?;
        let backlog = self.store.backlog(now).await?;
        let notices = self.store.notices(now).await?.len();
        let journal = self.journal.unapplied_bytes();
        let is_stopped = self.store.account_stop().await?.is_some();
        let limits = self.live.borrow().terms.limits;
        Ok(Measured { summary, backlog, journal, notices, is_stopped, limits, now })
    }
}
