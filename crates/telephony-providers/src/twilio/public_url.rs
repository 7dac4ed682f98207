//! The URLs that Twilio may have signed for one public URL; works on the text without normalizing it.

use std::fmt;

/// A public URL split into the parts that Twilio keeps, drops or adds when it signs.
///
/// The text is never lower-cased, re-encoded or resolved: one changed byte changes the signature. Userinfo and fragment
/// are dropped, because Twilio signs neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitUrl<'a> {
    scheme: &'a str,
    host: &'a str,
    port: &'a str,
    path: &'a str,
    query: &'a str,
}

/// A URL that Twilio may have signed; `Display` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrlCandidate<'a> {
    pieces: [&'a str; 7],
}

impl<'a> SplitUrl<'a> {
    /// Parses `scheme://[userinfo@]host[:port][path][?query][#fragment]`; `None` without a scheme or a host.
    pub fn parse(url: &'a str) -> Option<Self> {
        let url = url.split_once('#').map_or(url, |(before, _)| before);
        let (scheme, rest) = url.split_once("://")?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
        let (host, port) = split_port(address);
        (!scheme.is_empty() && !host.is_empty()).then_some(Self { scheme, host, port, path, query })
    }

    /// Returns the query without its `?`; empty if there is none.
    pub fn query(&self) -> &'a str {
        self.query.strip_prefix('?').unwrap_or(self.query)
    }

    /// Returns host and port of the server; an IPv6 address has no brackets. `None` without a numeric port.
    pub fn server(&self) -> Option<(&'a str, u16)> {
        let port = if self.port.is_empty() { self.default_port()? } else { self.port };
        let host = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(self.host);
        Some((host, port.strip_prefix(':')?.parse().ok()?))
    }

    /// Returns every URL that Twilio may have signed, likeliest first: with and without the port (HTTPS calls drop it,
    /// others keep it), with the scheme's default port if there is none, and for WebSockets also with a trailing slash.
    pub fn candidates(&self) -> impl Iterator<Item = UrlCandidate<'a>> + use<'a> {
        let url = *self;
        let other_port = if url.port.is_empty() { url.default_port() } else { Some("") };
        let has_slash_form = url.scheme.eq_ignore_ascii_case("wss") && !url.path.ends_with('/');
        let slashes = std::iter::once("").chain(has_slash_form.then_some("/"));
        slashes.flat_map(move |slash| {
            std::iter::once(url.port).chain(other_port).map(move |port| url.candidate(port, slash))
        })
    }

    fn candidate(&self, port: &'a str, slash: &'a str) -> UrlCandidate<'a> {
        UrlCandidate { pieces: [self.scheme, "://", self.host, port, self.path, slash, self.query] }
    }

    fn default_port(&self) -> Option<&'static str> {
        match self.scheme {
            scheme if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("wss") => Some(":443"),
            scheme if scheme.eq_ignore_ascii_case("http") => Some(":80"),
            _ => None,
        }
    }
}

impl<'a> UrlCandidate<'a> {
    /// Returns the URL in consecutive pieces, for signing or printing.
    pub fn pieces(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.pieces.into_iter()
    }
}

impl fmt::Display for UrlCandidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces().try_for_each(|piece| f.write_str(piece))
    }
}

/// Splits host and `:port`; colons inside the brackets of an IPv6 address do not count.
fn split_port(address: &str) -> (&str, &str) {
    let host_end = address.rfind(']').map_or(0, |bracket| bracket + 1);
    match address[host_end..].rfind(':') {
        Some(colon) => address.split_at(host_end + colon),
        None => (address, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(url: &str) -> Vec<String> {
        SplitUrl::parse(url).unwrap().candidates().map(|candidate| candidate.to_string()).collect()
    }

    #[test]
    fn a_port_is_kept_or_dropped_and_a_missing_one_is_the_default() {
        assert_eq!(candidates("https://a.b:8443/t?x=1"), ["https://a.b:8443/t?x=1", "https://a.b/t?x=1"]);
        assert_eq!(candidates("https://a.b/t"), ["https://a.b/t", "https://a.b:443/t"]);
        assert_eq!(candidates("http://a.b?h=x:1/"), ["http://a.b?h=x:1/", "http://a.b:80?h=x:1/"]);
        assert_eq!(candidates("ftp://a.b"), ["ftp://a.b"]);
    }

    #[test]
    fn userinfo_and_fragment_are_never_signed() {
        assert_eq!(candidates("https://u:p@a.b:1/t#rc=2"), ["https://a.b:1/t", "https://a.b/t"]);
        assert_eq!(candidates("https://a.b/t@u"), ["https://a.b/t@u", "https://a.b:443/t@u"]);
    }

    #[test]
    fn an_address_in_brackets_is_not_cut_at_its_colons() {
        assert_eq!(candidates("https://[2001:db8::1]/"), ["https://[2001:db8::1]/", "https://[2001:db8::1]:443/"]);
        assert_eq!(candidates("https://[::1]:99/"), ["https://[::1]:99/", "https://[::1]/"]);
    }

    #[test]
    fn a_websocket_may_be_signed_with_a_slash_at_the_end_of_its_path() {
        assert_eq!(candidates("wss://a.b/m"), ["wss://a.b/m", "wss://a.b:443/m", "wss://a.b/m/", "wss://a.b:443/m/"]);
        assert_eq!(candidates("wss://a.b:9/m/"), ["wss://a.b:9/m/", "wss://a.b/m/"]);
    }

    #[test]
    fn an_invalid_url_has_no_candidates() {
        for text in ["", "/t", "a.b/t", "://a.b", "https://", "https:///t", "https://u@:80/"] {
            assert_eq!(SplitUrl::parse(text), None, "{text}");
        }
    }
}
