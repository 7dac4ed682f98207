//! Request parameters: the query of a GET or the form of a POST, including repeated names.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{Method, StatusCode};

use super::ApiError;

/// Request parameters in their original order.
pub(super) struct Parameters(pub(super) Vec<(String, String)>);

impl Parameters {
    /// Returns the first value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the first value of a name unless it is empty.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Returns all values of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The maximum size of a form in bytes.
const LARGEST_FORM: usize = 1024 * 1024;

/// Parses the form and returns it with an intact request, so that it is logged regardless of the outcome.
pub(super) async fn read_ahead(request: Request) -> Result<(Parameters, Request), ApiError> {
    let (head, body) = request.into_parts();
    let form = to_bytes(body, LARGEST_FORM).await;
    let form = form.map_err(|_| ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, 20005, "The form is too large"))?;
    let encoded = if head.method == Method::GET { head.uri.query().unwrap_or_default().as_bytes() } else { &form };
    Ok((Parameters::decode(encoded), Request::from_parts(head, Body::from(form))))
}

impl<S: Sync> FromRequest<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        read_ahead(request).await.map(|(parameters, _)| parameters)
    }
}

impl Parameters {
    /// Rejects invalid URLs. An empty one unsets a setting.
    pub(super) fn check_urls(&self) -> Result<(), ApiError> {
        for (name, value) in &self.0 {
            let is_url = name.ends_with("Url") || name == "StatusCallback";
            if is_url && !value.is_empty() && !value.starts_with("http://") && !value.starts_with("https://") {
                return Err(ApiError::bad_request(21402, &format!("{name} is not a valid URL")));
            }
        }
        Ok(())
    }

    fn decode(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }
}

/// Returns the SID from a path's last segment, which ends in `.json`.
pub(super) fn sid_of(segment: &str) -> Result<&str, ApiError> {
    segment.strip_suffix(".json").ok_or_else(ApiError::not_found)
}
