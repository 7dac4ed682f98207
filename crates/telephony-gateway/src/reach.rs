//! The current public URLs, in one cell that only the tunnel changes.

use serde::{Deserialize, Serialize};

use crate::settings::PublicUrls;

/// The URLs at which the provider reaches the gateway now.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// URLs of the webhook; the provider fetches our files below the one it gets.
    pub webhook: EndpointUrls,
    /// URLs of status reports.
    pub status: EndpointUrls,
    /// The tunnel, once an attempt was made to open it.
    pub tunnel: Option<TunnelAlive>,
}

/// The public URLs of one endpoint, without a query.
#[derive(Debug, Clone, Default)]
pub struct EndpointUrls {
    /// URLs that the provider may have called, likeliest first; empty if unknown.
    pub accepted: Vec<String>,
    /// The URL that the provider gets; none while it cannot reach us.
    pub registered: Option<String>,
}

/// The state of the tunnel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TunnelAlive {
    /// Name in the configuration.
    pub name: String,
    /// Current public URL; none while it is not open.
    pub url: Option<String>,
    /// The reason why it is not open, with a hint.
    pub trouble: Option<String>,
}

impl Reach {
    /// Returns the reach without a tunnel.
    pub fn configured(public: Option<&PublicUrls>) -> Reach {
        let Some(PublicUrls { webhook, status, status_callback }) = public else { return Reach::default() };
        let urls = |accepted: &String, registered: &String| EndpointUrls {
            accepted: vec![accepted.clone()],
            registered: Some(registered.clone()),
        };
        Reach { webhook: urls(webhook, webhook), status: urls(status, status_callback), tunnel: None }
    }
}

impl EndpointUrls {
    /// Adds a tunnel's URL; the provider gets it if `is_registered` and there is no other.
    pub(crate) fn with_tunnel(mut self, url: String, is_registered: bool) -> Self {
        self.registered = self.registered.or(is_registered.then(|| url.clone()));
        self.accepted.push(url);
        self
    }
}
