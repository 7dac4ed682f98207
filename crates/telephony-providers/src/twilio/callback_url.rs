//! URLs that Twilio calls. After the `#` are connection overrides, which make Twilio retry when it cannot reach us for
//! a moment, and which are not signed.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Adds our id to the query, which is signed, and the account's connection overrides, unless the URL has its own.
pub(super) fn with_id(url: &str, parameter: &str, id: &str, overrides: &str) -> String {
    let (url, fragment) = url.split_once('#').unwrap_or((url, overrides));
    let delimiter = if url.contains('?') { '&' } else { '?' };
    let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
    let hash = if fragment.is_empty() { "" } else { "#" };
    format!("{url}{delimiter}{parameter}={id}{hash}{fragment}")
}

/// Adds the account's connection overrides, unless the URL has its own.
pub(super) fn with_overrides(url: &str, overrides: &str) -> String {
    let has_own = overrides.is_empty() || url.is_empty() || url.contains('#');
    if has_own { url.to_owned() } else { format!("{url}#{overrides}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_name_the_part_in_front_of_the_connection_overrides() {
        let url = "https://a.b/telephony/status";
        assert_eq!(with_id(url, "part", "42", "rc=3&rp=5xx"), format!("{url}?part=42#rc=3&rp=5xx"));
        assert_eq!(with_id(&format!("{url}?x=1"), "part", "a b", ""), format!("{url}?x=1&part=a%20b"));
        assert_eq!(with_id(&format!("{url}#rc=0"), "call", "42", "rc=3"), format!("{url}?call=42#rc=0"));
    }
}
