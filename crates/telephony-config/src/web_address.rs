//! URLs split into parts and never normalized: one changed byte changes the signature.

/// An `http` or `https` URL in parts; concatenated they are the URL, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WebAddress<'a> {
    /// Scheme, `://`, userinfo, host and port.
    pub(crate) origin: &'a str,
    /// Path; may be empty.
    pub(crate) path: &'a str,
    /// Query with its `?`; may be empty.
    pub(crate) query: &'a str,
    /// Fragment with its `#`; may be empty.
    pub(crate) fragment: &'a str,
}

impl<'a> WebAddress<'a> {
    /// Parses a URL; `None` for another scheme, no host, blanks or control characters.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
        let authority = scheme.len() + 3 + rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (origin, rest) = text.split_at(authority);
        let (rest, fragment) = rest.split_at(rest.find('#').unwrap_or(rest.len()));
        let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let address = Self { origin, path, query, fragment };
        let is_clean = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        (is_web && is_clean && !address.host().is_empty()).then_some(address)
    }

    /// Returns true if it starts with `https`.
    pub(crate) fn is_secure(&self) -> bool {
        self.origin.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }

    /// Returns the host without userinfo and port; an IPv6 address keeps its brackets.
    pub(crate) fn host(&self) -> &'a str {
        let authority = self.origin.split_once("://").map_or("", |(_, authority)| authority);
        let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
        match address.find(']') {
            Some(end) => &address[..=end],
            None => address.split(':').next().unwrap_or_default(),
        }
    }

    /// Returns true if only this machine can reach it.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        let is_local = |address: std::net::IpAddr| address.to_canonical().is_loopback() || address.is_unspecified();
        host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(is_local)
    }
}

/// Hides a password in front of a host.
pub(crate) fn hide_userinfo(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, after) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://•••@{host}{after}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_cut_but_never_changed() {
        let address = WebAddress::parse("HTTPS://u:p@Host.Example:443/a/../b?x=/1?y#rc=2").unwrap();
        assert_eq!(address.origin, "HTTPS://u:p@Host.Example:443");
        assert_eq!((address.path, address.query, address.fragment), ("/a/../b", "?x=/1?y", "#rc=2"));
        assert_eq!(address.host(), "Host.Example");
        assert!(address.is_secure());
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for text in ["", "a.b", "ftp://a.b", "https://", "https:///x", "https://u@:80/", "https://a b", "https://a\n"] {
            assert_eq!(WebAddress::parse(text), None, "{text}");
        }
    }

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        for host in ["localhost", "LOCALHOST:80", "127.9.9.9", "[::1]:3335", "[::ffff:127.0.0.1]", "0.0.0.0"] {
            assert!(WebAddress::parse(&format!("http://{host}/")).unwrap().is_loopback(), "{host}");
        }
        assert!(!WebAddress::parse("http://localhost.example/").unwrap().is_loopback());
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        assert_eq!(hide_userinfo("https://u:p@a.b/c@d"), "https://•••@a.b/c@d");
        assert_eq!(hide_userinfo("https://a.b/c@d"), "https://a.b/c@d");
    }
}
