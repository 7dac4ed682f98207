//! Serves files to the phone page without credentials: to this machine only, and never as a page.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse as _, Response};

use crate::exchange::Exchange;

/// Types that a browser may display. All others, such as SVG with scripts, are downloads.
const SHOWN: [&str; 10] = [
    "image/jpeg",
    "image/jpg",
    "image/png",
    "image/gif",
    "image/bmp",
    "image/webp",
    "audio/mpeg",
    "audio/ogg",
    "video/mp4",
    "video/webm",
];

pub(super) async fn show(State(exchange): State<Arc<Exchange>>, Path(sid): Path<String>) -> Response {
    let found = {
        let state = exchange.state();
        let mut files = state.messages.iter().flat_map(|message| &message.media);
        files.find(|media| media.sid == sid && media.is_here()).cloned()
    };
    let Some(media) = found else { return StatusCode::NOT_FOUND.into_response() };
    let is_shown = SHOWN.contains(&media.content_type.as_str());
    let headers = [
        (CONTENT_TYPE, if is_shown { media.content_type.as_str() } else { "application/octet-stream" }),
        (CONTENT_DISPOSITION, if is_shown { "inline" } else { "attachment" }),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, media.bytes).into_response()
}
