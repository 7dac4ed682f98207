//! The URLs that the provider may have called: the configured public ones, else those in the request's headers.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::HOST;
use http::request::Parts;

/// The trusted sources of forwarded headers for one endpoint.
#[derive(Debug, Default)]
pub struct RequestOrigin {
    /// Hosts accepted in forwarded headers or, without a public URL, in `Host`; empty: any `Host`.
    pub allowed_hosts: Vec<String>,
    /// True if forwarded headers are used at all.
    pub trusts_forwarding: bool,
    /// Proxies whose forwarded headers are trusted.
    pub trusted_proxies: Vec<IpAddr>,
    /// True if our own tunnel forwards requests from this machine, with the client's address in a header.
    pub has_tunnel: bool,
}

impl RequestOrigin {
    /// Returns the URLs that the provider may have called to make this request, with its query; `public` are those of the
    /// endpoint, likeliest first.
    pub fn candidates(&self, public: &[String], request: &Parts, peer: IpAddr) -> Vec<String> {
        let query = request.uri.query();
        let mut urls: Vec<String> = public.iter().map(|url| with_query(url.clone(), query)).collect();
        if let Some(base) = self.forwarded(&request.headers, peer) {
            push_new(&mut urls, with_query(base + request.uri.path(), query));
        }
        if public.is_empty() {
            for base in self.by_host_header(&request.headers) {
                push_new(&mut urls, with_query(base + request.uri.path(), query));
            }
        }
        urls
    }

    /// Returns the client of a request from `peer`. If a trusted proxy or our tunnel forwarded it, that is the last
    /// address in `X-Forwarded-For` that is not theirs, because clients can write the ones before it themselves.
    pub fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.passes_on(peer) {
            return peer;
        }
        let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut known = hops.iter().rev().map_while(|hop| Some(hop.parse::<IpAddr>().ok()?.to_canonical()));
        known.find(|hop| !self.passes_on(*hop)).unwrap_or(peer)
    }

    /// Returns true if `peer` is trusted to name the client.
    fn passes_on(&self, peer: IpAddr) -> bool {
        self.is_trusted(peer) || (self.has_tunnel && peer.is_loopback())
    }

    /// Returns true if forwarded headers from `peer` are trusted.
    fn is_trusted(&self, peer: IpAddr) -> bool {
        self.trusts_forwarding && self.trusted_proxies.contains(&peer)
    }

    /// Returns scheme and host as forwarded by a trusted proxy.
    fn forwarded(&self, headers: &HeaderMap, peer: IpAddr) -> Option<String> {
        if !self.is_trusted(peer.to_canonical()) {
            return None;
        }
        let host = first_value(headers, "x-forwarded-host").or_else(|| first_value(headers, HOST.as_str()))?;
        let scheme = first_value(headers, "x-forwarded-proto").unwrap_or("https");
        let is_known_scheme = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
        (is_known_scheme && self.allows(host)).then(|| format!("{}://{host}", scheme.to_ascii_lowercase()))
    }

    /// Returns URLs from the `Host` header, for use without a public URL. TLS may end in front of us, so both schemes
    /// are possible.
    fn by_host_header(&self, headers: &HeaderMap) -> Vec<String> {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        match host.filter(|host| self.allowed_hosts.is_empty() || self.allows(host)) {
            Some(host) => vec![format!("https://{host}"), format!("http://{host}")],
            None => Vec::new(),
        }
    }

    /// Returns true if `host`, with or without a port, is allowed.
    fn allows(&self, host: &str) -> bool {
        let bare = host
            .rsplit_once(':')
            .map_or(host, |(name, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host });
        self.allowed_hosts
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(host) || allowed.eq_ignore_ascii_case(bare))
    }
}

fn first_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?;
    value.split(',').map(str::trim).find(|part| !part.is_empty())
}

fn with_query(url: String, query: Option<&str>) -> String {
    match query {
        Some(query) => url + "?" + query,
        None => url,
    }
}

fn push_new(urls: &mut Vec<String>, url: String) {
    if !urls.contains(&url) {
        urls.push(url);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn request(uri: &str, headers: &[(&'static str, &str)]) -> Parts {
        let mut request = http::Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn public(urls: &[&str]) -> Vec<String> {
        urls.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_configured_url_is_used_with_the_requests_query() {
        let public = public(&["https://Example.com:443/a"]);
        let urls = RequestOrigin::default().candidates(
            &public,
            &request("/telephony/webhook?b=%2f", &[("host", "evil.example")]),
            STRANGER,
        );
        assert_eq!(urls, ["https://Example.com:443/a?b=%2f"]);
    }

    #[test]
    fn without_a_public_url_the_host_header_and_both_schemes_are_tried() {
        let urls = RequestOrigin::default().candidates(&[], &request("/w", &[("host", "example.com:8443")]), STRANGER);
        assert_eq!(urls, ["https://example.com:8443/w", "http://example.com:8443/w"]);
    }

    #[test]
    fn a_forwarded_host_from_an_untrusted_peer_changes_nothing() {
        let headers = [("host", "a.example"), ("x-forwarded-host", "b.example"), ("x-forwarded-proto", "https")];
        let (public, mut origin) = (public(&["https://a.example/w"]), RequestOrigin::default());
        origin.trusts_forwarding = true;
        origin.trusted_proxies = vec![PROXY];
        origin.allowed_hosts = vec!["b.example".into()];
        assert_eq!(origin.candidates(&public, &request("/w", &headers), STRANGER), ["https://a.example/w"]);
        let from_mapped_proxy = "::ffff:10.0.0.1".parse().unwrap();
        let expected = ["https://a.example/w", "https://b.example/w"];
        assert_eq!(origin.candidates(&public, &request("/w", &headers), from_mapped_proxy), expected);
    }

    #[test]
    fn a_client_cannot_hide_behind_an_address_it_wrote_itself() {
        let origin =
            RequestOrigin { trusts_forwarding: true, trusted_proxies: vec![PROXY], ..RequestOrigin::default() };
        let client = |forwarded: &str, peer| {
            origin.client(&request("/w", &[("x-forwarded-for", forwarded)]).headers, peer).to_string()
        };
        assert_eq!(client("198.51.100.9, 192.0.2.7", PROXY), "192.0.2.7");
        assert_eq!(client("198.51.100.9, 192.0.2.7, ::ffff:10.0.0.1", PROXY), "192.0.2.7");
        assert_eq!(client("198.51.100.9", STRANGER), STRANGER.to_string());
        for nonsense in ["", "198.51.100.9, nonsense", "10.0.0.1"] {
            assert_eq!(client(nonsense, PROXY), PROXY.to_string(), "{nonsense}");
        }
    }

    #[test]
    fn a_tunnel_names_only_the_client() {
        let (public, origin) =
            (public(&["https://a.example/w"]), RequestOrigin { has_tunnel: true, ..RequestOrigin::default() });
        let request = request("/w", &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-host", "b.example")]);
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(origin.client(&request.headers, loopback).to_string(), "192.0.2.7");
        assert_eq!(origin.client(&request.headers, STRANGER), STRANGER);
        assert_eq!(origin.candidates(&public, &request, loopback), ["https://a.example/w"]);
    }

    #[test]
    fn a_trusted_proxy_cannot_name_a_host_that_is_not_allowed() {
        let (public, mut origin) = (public(&["https://a.example/w"]), RequestOrigin::default());
        origin.trusts_forwarding = true;
        origin.trusted_proxies = vec![PROXY];
        let headers = [("x-forwarded-host", "b.example")];
        assert_eq!(origin.candidates(&public, &request("/w", &headers), PROXY), ["https://a.example/w"]);
    }
}
