//! `tunnel`: how the world reaches a machine without a public address.

use secrecy::SecretString;

use crate::form::secrets::Secret;
use crate::form::texts::Parsed;
use crate::form::{Choice, Switch};
use crate::keys::Keys;

/// How the world reaches a machine without a public address.
#[derive(Debug, Clone)]
pub struct Tunnel {
    /// Who runs the tunnel; none is no tunnel.
    pub provider: Option<TunnelProvider>,
    /// ngrok's token; without it the agent's own `ngrok.yml` is used.
    pub ngrok_auth_token: Option<SecretString>,
    /// The ngrok domain that is asked for.
    pub ngrok_domain: Option<String>,
    /// Whether Twilio is told the tunnel's URL whenever it changes.
    pub sync_webhooks: bool,
}

/// Who runs a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunnelProvider {
    /// ngrok.
    Ngrok,
    /// Tailscale, within its own network.
    TailscaleServe,
    /// Tailscale, open to the internet.
    TailscaleFunnel,
}

const PROVIDERS: &[(&str, Option<TunnelProvider>)] = &[
    ("none", None),
    ("ngrok", Some(TunnelProvider::Ngrok)),
    ("tailscale-serve", Some(TunnelProvider::TailscaleServe)),
    ("tailscale-funnel", Some(TunnelProvider::TailscaleFunnel)),
];

impl Tunnel {
    pub(crate) fn read(keys: &mut Keys<'_, '_>) -> Self {
        let sync = "Tells Twilio the tunnel's URL whenever it changes.";
        let tunnel = Self {
            provider: keys.key("provider", "Who runs the tunnel.", Choice(PROVIDERS)).or(None),
            ngrok_auth_token: keys
                .key("ngrokAuthToken", "The token of your ngrok account.", Secret)
                .or_variable("NGROK_AUTHTOKEN")
                .optional_by_rule("the token in ngrok's own `ngrok.yml`", None),
            ngrok_domain: keys
                .key("ngrokDomain", "The ngrok domain to ask for, which then never changes.", host())
                .or_variable("NGROK_DOMAIN")
                .optional(),
            sync_webhooks: keys.key("syncWebhooks", sync, Switch).or(false),
        };
        if tunnel.provider == Some(TunnelProvider::Ngrok) && tunnel.ngrok_auth_token.is_none() {
            let message =
                "no ngrokAuthToken and no NGROK_AUTHTOKEN: the token of ngrok's own ngrok.yml is used, if there is one";
            keys.warning("provider", message);
        }
        tunnel
    }
}

/// The name of a host, without scheme and path.
pub(super) fn host() -> Parsed<String> {
    Parsed {
        expected: "a host name such as \"your-domain.com\", without https:// and path",
        pattern: Some(r"^[^/?#@\s]+$"),
        parse: |text| {
            let is_odd = |c: char| matches!(c, '/' | '?' | '#' | '@') || c.is_whitespace() || c.is_control();
            (!text.is_empty() && !text.contains(is_odd)).then(|| text.to_owned())
        },
    }
}
