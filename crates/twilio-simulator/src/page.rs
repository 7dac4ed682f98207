//! The phone page: its files and headers, and the check that rejects requests from other pages.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Restricts the page to its own resources and script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' blob:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Path, content type and text of each file.
const FILES: [(&str, &str, &str); 24] = [
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("/guide.css", STYLE, include_str!("page/guide.css")),
    ("/page.css", STYLE, include_str!("page/page.css")),
    ("/thread.css", STYLE, include_str!("page/thread.css")),
    ("/wire.css", STYLE, include_str!("page/wire.css")),
    ("/main.js", SCRIPT, include_str!("page/main.js")),
    ("/dom.js", SCRIPT, include_str!("page/dom.js")),
    ("/call.js", SCRIPT, include_str!("page/call.js")),
    ("/copy.js", SCRIPT, include_str!("page/copy.js")),
    ("/guide.js", SCRIPT, include_str!("page/guide.js")),
    ("/sides.js", SCRIPT, include_str!("page/sides.js")),
    ("/bubble.js", SCRIPT, include_str!("page/bubble.js")),
    ("/phone.js", SCRIPT, include_str!("page/phone.js")),
    ("/pictures.js", SCRIPT, include_str!("page/pictures.js")),
    ("/roving.js", SCRIPT, include_str!("page/roving.js")),
    ("/segments.js", SCRIPT, include_str!("page/segments.js")),
    ("/operator.js", SCRIPT, include_str!("page/operator.js")),
    ("/switcher.js", SCRIPT, include_str!("page/switcher.js")),
    ("/thread.js", SCRIPT, include_str!("page/thread.js")),
    ("/trouble.js", SCRIPT, include_str!("page/trouble.js")),
    ("/views.js", SCRIPT, include_str!("page/views.js")),
    ("/detail.js", SCRIPT, include_str!("page/detail.js")),
    ("/wire.js", SCRIPT, include_str!("page/wire.js")),
];

/// Returns the routes of the page and its files.
pub(crate) fn router() -> Router {
    FILES.into_iter().fold(Router::new(), |router, (path, content_type, text)| {
        router.route(path, get(move || async move { file(content_type, text) }))
    })
}

fn file(content_type: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, &str); 5] = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

/// Rejects requests that another web page caused: a foreign `Origin`, or a `Host` other than this machine.
pub(crate) async fn refuse_other_pages(request: Request, next: Next) -> Response {
    if is_from_here(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "only pages of this simulator may ask for this\n").into_response()
    }
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(HOST).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_this_machine = matches!(name, "127.0.0.1" | "localhost" | "[::1]");
    let is_own_page = text(ORIGIN).is_none_or(|origin| origin.strip_prefix("http://") == Some(host));
    is_this_machine && is_own_page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_in(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        is_from_here(&headers)
    }

    #[test]
    fn every_file_that_the_page_refers_to_is_served() {
        let mut asked = 0;
        for (name, _, text) in FILES {
            let quoted = text.split('"').skip(1).step_by(2).filter(|word| !word.contains(char::is_whitespace));
            for word in quoted.filter(|word| [".js", ".css", ".svg"].iter().any(|end| word.ends_with(end))) {
                let path = word.trim_start_matches('.');
                assert!(FILES.iter().any(|(served, ..)| *served == path), "{name} asks for {word}");
                asked += 1;
            }
        }
        assert!(asked > 12);
    }

    #[test]
    fn another_page_cannot_drive_the_simulator_from_a_browser() {
        assert!(is_let_in("127.0.0.1:4010", None));
        assert!(is_let_in("localhost:4010", Some("http://localhost:4010")));
        assert!(!is_let_in("127.0.0.1:4010", Some("https://evil.example")));
        assert!(!is_let_in("127.0.0.1:4010", Some("http://127.0.0.1:9999")));
        assert!(!is_let_in("127.0.0.1:4010", Some("null")));
        assert!(!is_let_in("rebound.example:4010", None));
    }
}
