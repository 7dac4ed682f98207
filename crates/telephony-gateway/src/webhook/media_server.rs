//! Serves files of our messages to the provider: anyone with a file's token gets it while the message needs it.

use std::io::ErrorKind;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use subtle::ConstantTimeEq;
use telephony_domain::message::{MediaToken, ServedFile};
use telephony_domain::time::Clock;
use telephony_store::Store;
use telephony_store::attachments::FileName;

/// Path segment of files below the webhook's path, so that proxies that pass the webhook pass them too.
const BELOW: &str = "m";

/// Serves our files to the provider, below the webhook's path.
pub struct MediaServer {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Returns the public URL of a file, below the webhook's own.
pub fn address(webhook_url: &str, token: &MediaToken) -> String {
    super::url_below(webhook_url, BELOW, &token.whole())
}

/// Returns the token at the end of a local path; none if it is not the path of a file. Does no I/O.
pub fn token_in(path: &str, webhook_path: &str) -> Option<MediaToken> {
    MediaToken::read(super::step_below(path, webhook_path, BELOW)?)
}

impl MediaServer {
    /// Answers a GET or a HEAD. Wrong and expired tokens look the same from outside.
    pub async fn hand_out(&self, token: &MediaToken) -> Response {
        let found = match self.store.served(&token.selector, self.clock.now()).await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, hint = error.hint(), "cannot look up an attached file");
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
        };
        match found.filter(|file| is_same(&file.token, token)) {
            Some(file) => self.read(file).await,
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    async fn read(&self, file: ServedFile) -> Response {
        match tokio::fs::read(self.store.path_of(&FileName::stored(file.name))).await {
            Ok(bytes) => {
                let headers = [
                    (CONTENT_TYPE, file.content_type),
                    (CACHE_CONTROL, "private, no-store".to_owned()),
                    (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
                ];
                (headers, bytes).into_response()
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                tracing::error!(%error, "an attached file is gone");
                StatusCode::NOT_FOUND.into_response()
            }
            Err(error) => {
                tracing::error!(%error, "cannot read an attached file");
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }
}

fn is_same(kept: &MediaToken, presented: &MediaToken) -> bool {
    kept.secret.as_bytes().ct_eq(presented.secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_below_the_webhook() {
        let token = MediaToken::from_random([7; 24]);
        let whole = "07".repeat(24);
        assert_eq!(
            address("https://a.b/telephony/webhook", &token),
            format!("https://a.b/telephony/webhook/m/{whole}")
        );
        assert_eq!(address("https://a.b/?x=1", &token), format!("https://a.b/m/{whole}?x=1"));
        assert_eq!(token_in(&format!("/telephony/webhook/m/{whole}"), "/telephony/webhook"), Some(token.clone()));
        assert_eq!(token_in(&format!("/m/{whole}"), "/"), Some(token.clone()));
        assert_eq!(token_in(&format!("//telephony/webhook/m/{whole}"), "/telephony/webhook"), Some(token));
        for other in [
            format!("/m/{whole}"),
            format!("/hook/m/{whole}0"),
            format!("/hook/m/{}", whole.replace('0', "G")),
            "/hook/m/".to_owned(),
        ] {
            assert_eq!(token_in(&other, "/hook"), None, "{other}");
        }
    }
}
