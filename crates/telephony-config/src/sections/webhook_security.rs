//! `webhookSecurity`: which forwarded headers count.

use std::net::IpAddr;

use super::tunnel::host;
use crate::form::Switch;
use crate::form::lists::List;
use crate::form::texts::Parsed;
use crate::keys::Keys;

/// Which forwarded headers count.
#[derive(Debug, Clone)]
pub struct WebhookSecurity {
    /// Hosts that a forwarded header may name.
    pub allowed_hosts: Vec<String>,
    /// Whether forwarded headers count at all.
    pub trust_forwarding_headers: bool,
    /// Proxies whose forwarded headers count; IPv4 addresses are never in their IPv6 form.
    pub trusted_proxy_ips: Vec<IpAddr>,
}

impl WebhookSecurity {
    pub(crate) fn read(keys: &mut Keys<'_, '_>) -> Self {
        let hosts = "Host names that a proxy may say a request was for.";
        let trust = "Believes `X-Forwarded-Host` and `X-Forwarded-Proto` of a trusted proxy for an allowed host.";
        let security = Self {
            allowed_hosts: keys.key("allowedHosts", hosts, List(host())).or(vec![]),
            trust_forwarding_headers: keys.key("trustForwardingHeaders", trust, Switch).or(false),
            trusted_proxy_ips: keys
                .key("trustedProxyIPs", "Addresses of the proxies that are believed.", List(address()))
                .or(vec![]),
        };
        if security.trust_forwarding_headers {
            security.check(keys);
        }
        security
    }

    fn check(&self, keys: &mut Keys<'_, '_>) {
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
