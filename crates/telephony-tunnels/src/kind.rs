//! Creates the configured tunnel.

use std::sync::Arc;

use telephony_config::{Environment, TunnelConfig as Settings, TunnelProvider};

use crate::ngrok::agent_files;
use crate::{Ngrok, Tailscale, Tunnel};

/// Returns the tunnel of these `settings`; none without one. Opens and looks up nothing yet.
pub fn from_config(settings: &Settings, environment: &Environment) -> Option<Arc<dyn Tunnel>> {
    Some(match settings.provider? {
        TunnelProvider::Ngrok => Arc::new(Ngrok {
            token: settings.ngrok_auth_token.clone(),
            domain: settings.ngrok_domain.clone(),
            agent_files: agent_files(environment),
        }),
        TunnelProvider::TailscaleServe => Arc::new(Tailscale::serve(environment)),
        TunnelProvider::TailscaleFunnel => Arc::new(Tailscale::funnel(environment)),
    })
}
