//! The error answers of the API.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error answer: `{code, message, more_info, status}`.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: u32,
    message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: u32, message: &str) -> Self {
        Self { status, code, message: message.to_owned() }
    }

    /// 400: Twilio rejects a parameter.
    pub(crate) fn bad_request(code: u32, message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 401: wrong credentials, or credentials without access.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 20003, "Authenticate")
    }

    /// 401 or 403: a rejection that concerns the whole account.
    pub(crate) fn of_account(code: u32) -> Self {
        let unauthorized = matches!(code, 20003 | 20005);
        let status = if unauthorized { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
        Self::new(status, code, "The account may not do this")
    }

    /// 404: not found. [`ApiError::nothing_at`] adds the path to the answer.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, 20404, "The requested resource was not found")
    }

    /// 404: nothing exists at this path.
    pub(crate) fn nothing_at(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, 20404, &format!("The requested resource {path} was not found"))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status.as_u16(),
        });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = axum::http::HeaderValue::from_static("Basic realm=\"Twilio API\"");
            response.headers_mut().insert("WWW-Authenticate", challenge);
        }
        response
    }
}
