//! Documents of a call: their sources, the requests for them, and the URLs that they name.

use super::wires::RunningDocument;
use super::{parameters, webhook};
use crate::delivery::Delivery;
use crate::exchange::Exchange;
use crate::twiml;
use crate::webhook::request::WebhookTarget;
use crate::xml::Element;

impl RunningDocument {
    /// Returns the URL that a verb names, or the document's own.
    pub(super) fn endpoint(&self, named: Option<&str>, verb: &Element) -> WebhookTarget {
        let own = self.origin.as_ref().map_or("", |(webhook, _)| webhook.endpoint.url.as_str());
        let url = named.filter(|url| !url.is_empty()).map_or_else(|| own.to_owned(), |url| resolve(own, url));
        WebhookTarget::new(url, verb.attribute("method").unwrap_or_default())
    }
}

/// Fetches a document, with the number's fallback URL if the first request fails.
pub(super) async fn fetch(
    exchange: &Exchange,
    sid: &str,
    endpoint: WebhookTarget,
    more: Vec<(String, String)>,
) -> (Delivery, Option<RunningDocument>) {
    let failed_url = endpoint.url_without_fragment().to_owned();
    let (delivery, document) = fetch_once(exchange, sid, endpoint, more.clone()).await;
    let fallback = {
        let state = exchange.state();
        let called = state.call(sid).filter(|call| call.is_inbound).map(|call| call.to.clone());
        called.and_then(|number| state.number(&number)?.endpoint("voice_fallback"))
    };
    match delivery.alert.zip(fallback) {
        Some((code, endpoint)) => {
            let why = [("ErrorCode".to_owned(), code.to_string()), ("ErrorUrl".to_owned(), failed_url)];
            fetch_once(exchange, sid, endpoint, more.into_iter().chain(why).collect()).await
        }
        None => (delivery, document),
    }
}

async fn fetch_once(
    exchange: &Exchange,
    sid: &str,
    endpoint: WebhookTarget,
    more: Vec<(String, String)>,
) -> (Delivery, Option<RunningDocument>) {
    let request = {
        let mut state = exchange.state();
        let token = state.ids.uuid();
        state.call(sid).map(|call| {
            let parameters = parameters(exchange, call).into_iter().chain(more).collect();
            webhook(call, endpoint, parameters, token)
        })
    };
    let Some(request) = request else { return (Delivery::default(), None) };
    let (delivery, root) = exchange.ask(&request, twiml::document).await;
    // An empty body counts as an empty document.
    let root = root.map(Option::unwrap_or_default);
    let body = delivery.body.clone();
    (delivery, root.map(|root| RunningDocument { root, origin: Some((request, body)) }))
}

/// Resolves a reference in the document at `base` to a URL.
fn resolve(base: &str, reference: &str) -> String {
    let base = base.split(['?', '#']).next().unwrap_or_default();
    let path_at = base.find("://").and_then(|scheme| base[scheme + 3..].find('/').map(|slash| scheme + 3 + slash));
    let (host, path) = base.split_at(path_at.unwrap_or(base.len()));
    if reference.contains("://") {
        reference.to_owned()
    } else if reference.starts_with('/') {
        format!("{host}{reference}")
    } else {
        format!("{host}{}/{reference}", path.rsplit_once('/').map_or("", |(folder, _)| folder))
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn references_are_resolved_like_links() {
        let base = "https://e.x:8443/a/b?c=/d#rc=1";
        for (reference, url) in [
            ("https://o.x/y?z=1", "https://o.x/y?z=1"),
            ("/y?z=1", "https://e.x:8443/y?z=1"),
            ("y", "https://e.x:8443/a/y"),
        ] {
            assert_eq!(resolve(base, reference), url);
        }
        assert_eq!(resolve("http://e.x", "y"), "http://e.x/y");
    }
}
