//! `tunnel`: reaches a machine without a public address.

use secrecy::SecretString;

use crate::form::secrets::SecretForm;
use crate::form::texts::Parsed;
use crate::form::{ChoiceForm, Switch};
use crate::keys::ObjectKeys;

/// The tunnel to a machine without a public address.
#[derive(Debug, Clone)]
pub struct TunnelConfig {
    /// Tunnel service; none for no tunnel.
    pub provider: Option<TunnelProvider>,
    /// ngrok's token; the default is the one in ngrok's own `ngrok.yml`.
    pub ngrok_auth_token: Option<SecretString>,
    /// ngrok domain to request.
    pub ngrok_domain: Option<String>,
    /// True if Twilio's webhooks are updated whenever the tunnel's URL changes.
    pub sync_webhooks: bool,
}

/// A service that gives this machine a public URL.
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

impl TunnelConfig {
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>) -> Self {
        let sync = "Updates Twilio's webhooks whenever the tunnel's URL changes.";
        let tunnel = Self {
            provider: keys.key("provider", "The tunnel service.", ChoiceForm(PROVIDERS)).or(None),
            ngrok_auth_token: keys
                .key("ngrokAuthToken", "The authtoken of your ngrok account.", SecretForm)
                .or_variable("NGROK_AUTHTOKEN")
                .optional_by_rule("the token in ngrok's own `ngrok.yml`", None),
            ngrok_domain: keys
                .key("ngrokDomain", "The ngrok domain to request, for a URL that never changes.", host())
                .or_variable("NGROK_DOMAIN")
                .optional(),
            sync_webhooks: keys.key("syncWebhooks", sync, Switch).or(false),
        };
        if tunnel.provider == Some(TunnelProvider::Ngrok) && tunnel.ngrok_auth_token.is_none() {
            let message = "neither ngrokAuthToken nor NGROK_AUTHTOKEN is set: the token in ngrok's own ngrok.yml is used, if \
                there is one";
            keys.warning("provider", message);
        }
        tunnel
    }
}

/// A host name without scheme and path.
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
