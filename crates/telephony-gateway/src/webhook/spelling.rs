//! Equivalent spellings of our paths and URLs: extra or missing slashes, or a host in capitals.
//!
//! A provider signs the URL as it was typed into its console. An extra slash at the end or where the parts meet means
//! the same URL, so a request signed for any of its spellings is accepted.

use http::HeaderMap;
use http::header::HOST;

/// Returns true if two paths have the same segments, regardless of slashes between and behind them.
pub fn is_same_path(one: &str, other: &str) -> bool {
    steps(one).eq(steps(other))
}

/// Returns the segments of a path.
pub fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|step| !step.is_empty())
}

/// Returns `urls` and their other spellings, likelier first, for a request to the local `path`.
pub fn spellings(urls: &[String], path: &str, headers: &HeaderMap) -> Vec<String> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut all = urls.to_vec();
    for spelling in urls.iter().filter_map(|url| UrlComponents::of(url)).flat_map(|parts| parts.spellings(path, host)) {
        if !all.contains(&spelling) {
            all.push(spelling);
        }
    }
    all
}

/// A URL, split where its spelling can vary.
struct UrlComponents<'u> {
    /// With `://`.
    scheme: &'u str,
    authority: &'u str,
    path: &'u str,
    /// With its `?`; may be empty.
    query: &'u str,
}

impl<'u> UrlComponents<'u> {
    fn of(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_at(url.find("://")? + 3);
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        Some(Self { scheme, authority, path, query })
    }

    fn spellings(self, requested: &str, host: &str) -> Vec<String> {
        let trimmed = self.path.trim_end_matches('/');
        let mut paths = vec![self.path.to_owned(), trimmed.to_owned(), format!("{trimmed}/")];
        if is_same_path(self.path, requested) {
            paths.push(requested.to_owned());
        }
        let origins = self.origins(host);
        let all = origins.iter().flat_map(|origin| paths.iter().map(move |path| format!("{origin}{path}")));
        all.map(|url| url + self.query).collect()
    }

    /// Returns the host as it is, in lower case, and as the request spells it.
    fn origins(&self, host: &str) -> Vec<String> {
        let mut origins = vec![format!("{}{}", self.scheme, self.authority)];
        let small = self.scheme.to_ascii_lowercase();
        let (user, own) = self.authority.rsplit_once('@').map_or(("", self.authority), |(user, own)| (user, own));
        let at = if user.is_empty() { "" } else { "@" };
        origins.push(format!("{small}{user}{at}{}", own.to_ascii_lowercase()));
        if own.eq_ignore_ascii_case(host) {
            origins.push(format!("{small}{user}{at}{host}"));
        }
        origins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(url: &str, path: &str, host: &str) -> Vec<String> {
        let headers = [(HOST, host.parse().unwrap())].into_iter().collect();
        spellings(&[url.to_owned()], path, &headers)
    }

    #[test]
    fn extra_slashes_do_not_change_a_path() {
        for other in ["/a/b", "/a/b/", "/a/b//", "//a/b", "/a//b", "//a///b//"] {
            assert!(is_same_path("/a/b", other) && is_same_path(other, "/a/b"), "{other}");
        }
        for other in ["/a", "/a/b/c", "/A/b", "/a/b%2f", "/a/./b", "/a/../a/b", "/ab", "/", ""] {
            assert!(!is_same_path("/a/b", other), "{other}");
        }
    }

    #[test]
    fn a_url_also_has_a_lower_case_spelling() {
        assert_eq!(spelled("https://a.b/w?x=/", "/w", "a.b"), ["https://a.b/w?x=/", "https://a.b/w/?x=/"]);
        assert_eq!(spelled("https://a.b/w/", "/w/", "c.d"), ["https://a.b/w/", "https://a.b/w"]);
    }

    #[test]
    fn the_requested_spelling_of_the_path_is_used() {
        assert!(spelled("https://a.b/w/v", "//w/v", "").contains(&"https://a.b//w/v".to_owned()));
        assert!(!spelled("https://a.b/prefix/w", "//w", "").contains(&"https://a.b//w".to_owned()));
    }

    #[test]
    fn a_host_is_tried_in_lower_case_and_as_requested() {
        let all = spelled("HTTPS://u:P@A.b/w", "/w", "a.B");
        assert!(
            all.contains(&"https://u:P@a.b/w".to_owned()) && all.contains(&"https://u:P@a.B/w".to_owned()),
            "{all:?}"
        );
        assert!(!spelled("https://a.b/w", "/w", "evil.example").concat().contains("evil"));
    }
}
