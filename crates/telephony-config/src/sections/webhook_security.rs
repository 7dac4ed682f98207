//! `webhookSecurity`: trust in forwarded headers.

use std::net::IpAddr;

use super::tunnel::host;
use crate::form::Switch;
use crate::form::lists::ListForm;
use crate::form::texts::Parsed;
use crate::keys::ObjectKeys;

/// Trust in forwarded headers.
#[derive(Debug, Clone)]
pub struct WebhookSecurity {
    /// Hosts that a forwarded header may name.
    pub allowed_hosts: Vec<String>,
    /// True to use forwarded headers at all.
    pub trust_forwarding_headers: bool,
    /// Trusted proxies; an IPv4 address is never in its IPv6 form.
    pub trusted_proxy_ips: Vec<IpAddr>,
}

impl WebhookSecurity {
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>) -> Self {
        let hosts = "Host names that a proxy may forward.";
        let trust = "Uses `X-Forwarded-Host` and `X-Forwarded-Proto` from a trusted proxy for an allowed host.";
        let security = Self {
            allowed_hosts: keys.key("allowedHosts", hosts, ListForm(host())).or(vec![]),
            trust_forwarding_headers: keys.key("trustForwardingHeaders", trust, Switch).or(false),
            trusted_proxy_ips: keys
                .key("trustedProxyIPs", "Addresses of trusted proxies.", ListForm(address()))
                .or(vec![]),
        };
        if security.trust_forwarding_headers {
            security.check(keys);
        }
        security
    }

    fn check(&self, keys: &mut ObjectKeys<'_, '_>) {
        for (name, is_empty) in
            [("trustedProxyIPs", self.trusted_proxy_ips.is_empty()), ("allowedHosts", self.allowed_hosts.is_empty())]
        {
            if is_empty {
                keys.warning("trustForwardingHeaders", format!("it has no effect without {name}"));
            }
        }
    }
}

fn address() -> Parsed<IpAddr> {
    Parsed {
        expected: "an IP address such as \"127.0.0.1\"",
        pattern: Some("^([0-9.]+|[0-9A-Fa-f:.]+)$"),
        parse: |text| text.parse().ok().map(|address: IpAddr| address.to_canonical()),
    }
}
