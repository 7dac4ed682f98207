//! The public URLs that Twilio calls, kept byte for byte.

use crate::web_address::{WebAddress, hide_userinfo};

/// The public URL of the webhook and the URLs derived from it. `Debug` hides a password.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicUrl {
    webhook: String,
    status: Option<String>,
    query: String,
}

impl PublicUrl {
    /// Parses a base URL (no path but slashes), to which `path` and `status_path` are added, or the full webhook URL.
    /// If a full URL ends in `path`, with or without trailing slashes, its status URL has `status_path` in place of
    /// that ending.
    ///
    /// Returns `None` if it is not an `http` or `https` URL, or has a fragment, which Twilio would interpret.
    pub fn parse(text: &str, path: &str, status_path: &str) -> Option<Self> {
        let WebAddress { origin, path: given, query, fragment } = WebAddress::parse(text)?;
        let trimmed = given.trim_end_matches('/');
        let is_base = trimmed.is_empty();
        let webhook = if is_base { format!("{origin}{path}") } else { format!("{origin}{given}") };
        let prefix = if is_base { Some("") } else { trimmed.strip_suffix(path) };
        let status = prefix.map(|prefix| format!("{origin}{prefix}{status_path}"));
        fragment.is_empty().then(|| Self { webhook, status, query: query.to_owned() })
    }

    /// Returns the URL for incoming messages and calls, without a query; Twilio signs it with the query of each
    /// request.
    pub fn webhook(&self) -> &str {
        &self.webhook
    }

    /// Returns the URL for status callbacks, without a query: its own, else the webhook URL, where MessageStatus tells
    /// them apart.
    pub fn status_callback(&self) -> &str {
        self.status.as_ref().unwrap_or(&self.webhook)
    }

    /// Returns true if status callbacks have a URL of their own.
    pub fn has_own_status_url(&self) -> bool {
        self.status.is_some()
    }

    /// Returns the webhook URL to register at Twilio: with its query, and with connection overrides (`rc=3&rp=5xx`) as
    /// the fragment, which Twilio does not sign.
    pub fn registered_webhook(&self, overrides: &str) -> String {
        self.registered(self.webhook(), overrides)
    }

    /// Returns the status callback URL to register at Twilio.
    pub fn registered_status_callback(&self, overrides: &str) -> String {
        self.registered(self.status_callback(), overrides)
    }

    /// Describes a likely mistake in the path. A proxy can map any path to ours, so only a path that resembles ours
    /// counts.
    pub(crate) fn slip(&self, path: &str, status_path: &str) -> Option<String> {
        let address = WebAddress::parse(&self.webhook)?;
        let flaw = flaw(&single_slashes(address.path), &single_slashes(path), &single_slashes(status_path))?;
        let (url, base) = (hide_userinfo(&self.webhook), hide_userinfo(address.origin));
        Some(format!(
            "Twilio calls {url}, which {flaw}; unless a proxy maps it to {path}, write {base}, to which {path} is \
            added"
        ))
    }

    fn registered(&self, url: &str, overrides: &str) -> String {
        let sign = if overrides.is_empty() { "" } else { "#" };
        format!("{url}{}{sign}{overrides}", self.query)
    }
}

/// Describes the mistake in a path that resembles ours.
fn flaw(given: &str, path: &str, status_path: &str) -> Option<String> {
    let is_in_another_case = !given.ends_with(path) && given.to_lowercase().ends_with(&path.to_lowercase());
    if given.ends_with(&path.repeat(2)) {
        Some(format!("contains {path} twice"))
    } else if given.ends_with(status_path) && !given.ends_with(path) {
        Some(format!("ends in {status_path}, which only receives statuses"))
    } else if is_in_another_case {
        Some(format!("differs from {path} in case"))
    } else {
        let is_beginning = path.strip_prefix(given).is_some_and(|rest| rest.starts_with('/'));
        (is_beginning && !given.is_empty()).then(|| format!("contains only the beginning of {path}"))
    }
}

/// Removes empty segments and trailing slashes from a path.
fn single_slashes(path: &str) -> String {
    path.split('/').filter(|segment| !segment.is_empty()).map(|segment| format!("/{segment}")).collect()
}

impl std::fmt::Debug for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PublicUrl").field(&hide_userinfo(self.webhook())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> (String, String) {
        let url = PublicUrl::parse(text, "/telephony/webhook", "/telephony/status").unwrap();
        (url.registered_webhook(""), url.registered_status_callback(""))
    }

    fn pair(webhook: &str, status: &str) -> (String, String) {
        (webhook.to_owned(), status.to_owned())
    }

    #[test]
    fn a_base_gets_our_paths() {
        let expected = pair("https://a.b/telephony/webhook", "https://a.b/telephony/status");
        assert_eq!(urls("https://a.b"), expected);
        assert_eq!(urls("https://a.b/"), expected);
        assert_eq!(urls("https://a.b//"), expected);
        assert_eq!(urls("https://A.b:443?t=1").0, "https://A.b:443/telephony/webhook?t=1");
    }

    #[test]
    fn a_full_url_is_kept_and_its_ending_replaced_for_statuses() {
        let expected = pair("https://a.b/x%2fy/../telephony/webhook", "https://a.b/x%2fy/../telephony/status");
        assert_eq!(urls("https://a.b/x%2fy/../telephony/webhook"), expected);
        let expected = pair("https://a.b/telephony/webhook?k=v", "https://a.b/telephony/status?k=v");
        assert_eq!(urls("https://a.b/telephony/webhook?k=v"), expected);
    }

    #[test]
    fn a_slash_at_the_end_of_a_full_url_is_kept_and_statuses_have_none() {
        let expected = pair("https://a.b/telephony/webhook/?k=v", "https://a.b/telephony/status?k=v");
        assert_eq!(urls("https://a.b/telephony/webhook/?k=v"), expected);
        let expected = pair("https://a.b//telephony/webhook//", "https://a.b//telephony/status");
        assert_eq!(urls("https://a.b//telephony/webhook//"), expected);
    }

    #[test]
    fn any_other_full_url_takes_the_statuses_too() {
        for url in ["https://a.b/sms", "https://a.b/sms/", "https://a.b/telephony"] {
            assert_eq!(urls(url), pair(url, url));
            assert!(!PublicUrl::parse(url, "/telephony/webhook", "/s").unwrap().has_own_status_url());
        }
    }

    #[test]
    fn a_query_is_registered_but_not_in_the_base_url() {
        let url = PublicUrl::parse("https://a.b/hook?t=1", "/hook", "/status").unwrap();
        assert_eq!((url.webhook(), url.status_callback()), ("https://a.b/hook", "https://a.b/status"));
        assert_eq!(url.registered_webhook("rc=3&rp=5xx,ct,rt"), "https://a.b/hook?t=1#rc=3&rp=5xx,ct,rt");
        assert_eq!(url.registered_status_callback(""), "https://a.b/status?t=1");
    }

    #[test]
    fn a_path_similar_to_ours_is_a_mistake() {
        let slip = |url: &str| {
            let slip = PublicUrl::parse(url, "/telephony/webhook", "/telephony/status").unwrap();
            slip.slip("/telephony/webhook", "/telephony/status")
        };
        for (path, flaw) in [
            ("/telephony/webhook/telephony/webhook", "contains /telephony/webhook twice"),
            ("/x//telephony/webhook/telephony/webhook/", "contains /telephony/webhook twice"),
            ("/telephony/status", "ends in /telephony/status"),
            ("/x/Telephony/Webhook/", "in case"),
            ("/telephony/", "contains only the beginning of /telephony/webhook"),
        ] {
            let said = slip(&format!("https://u:secret@a.b{path}?k=v")).unwrap();
            assert!(said.contains(flaw) && said.contains(&format!("a.b{path}, which")), "{said}");
            assert!(
                !said.contains("secret")
                    && said.ends_with("write https://•••@a.b, to which /telephony/webhook is added")
            );
        }
        for path in
            ["", "/", "/telephony/webhook/", "/bots/7/sms", "/bots/7/telephony/webhook", "/tele", "/sms/telephony"]
        {
            assert_eq!(slip(&format!("https://a.b{path}")), None, "{path}");
        }
    }

    #[test]
    fn a_fragment_or_a_password_is_not_registered() {
        assert_eq!(PublicUrl::parse("https://a.b/#rc=2", "/w", "/s"), None);
        let url = PublicUrl::parse("https://u:secret@a.b", "/w", "/s").unwrap();
        assert!(!format!("{url:?}").contains("secret"));
    }
}
