//! One webhook from request to answer: signature header, permit, body, signature, journal, acknowledgment.
//!
//! The first stage of an incoming message: `listener.rs` has accepted the connection, and `intake.rs` acknowledges the
//! verified event.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use telephony_domain::call::report::CallEvent;
use telephony_domain::call::token::CallToken;
use telephony_domain::time::Clock;
use telephony_providers::provider::{
    EventOutcome, Provider, Rejection, Unverified, Verified, WebhookAnswer, WebhookEvent,
};
use telephony_store::StoreError;
use tokio::sync::watch;

use super::origin::RequestOrigin;
use super::permits::Permits;
use super::rejection_log::{RejectionKind, RejectionLog, RejectionSummary};
use super::spelling::spellings;
use crate::calls::{self, CallRunner, ForeignCall};
use crate::control::probe::{Probe, ProbeVerdict, Probes};
use crate::intake::{Intake, IntakeError};
use crate::metrics::Metrics;
use crate::notices::NoticeWriter;
use crate::reach::{EndpointUrls, Reach};
use crate::tampering;

/// Largest webhook; Twilio's own limit in both directions is 64 kB.
const BODY_BYTES: usize = 64 * 1024;

/// Time limit for the whole body.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of characters of a request shown in the log.
const MAX_SHOWN: usize = 200;

/// One public endpoint: for messages and calls, or for status reports.
#[derive(Clone)]
pub struct WebhookEndpoint {
    /// Provider, which verifies signatures and words the answers.
    pub(crate) provider: Arc<dyn Provider>,
    /// Sources that are trusted about the URL of a request.
    pub(crate) origin: Arc<RequestOrigin>,
    pub(crate) reach: watch::Receiver<Reach>,
    /// Selects the URLs of this endpoint.
    pub(crate) urls: fn(&Reach) -> &EndpointUrls,
    /// Permits, shared by all endpoints.
    pub(crate) permits: Permits,
    /// Permits for when all others are taken: a caller then hears an apology instead of Twilio's own error.
    pub(crate) reserve: Permits,
    /// Rejected requests that are not logged yet.
    pub(crate) rejection_log: Arc<RejectionLog>,
    /// Probes that `doctor` waits for.
    pub(crate) probes: Arc<Probes>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) calls: Arc<CallRunner>,
    /// Notices to the operator.
    pub(crate) notices: NoticeWriter,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
}

/// A reason for rejecting a webhook.
enum Declined {
    Rejected(Rejection, Vec<String>),
    ForeignCall,
    NoPlace,
    TooLarge,
    TooSlow,
    CutOff,
    NotStored(StoreError),
}

impl Declined {
    fn name(&self) -> &'static str {
        match self {
            Declined::Rejected(Rejection::Unsigned, _) => "unsigned",
            Declined::Rejected(Rejection::BadSignature(_), _) => "bad_signature",
            Declined::Rejected(Rejection::WrongAccount, _) => "wrong_account",
            Declined::Rejected(Rejection::Tampered(_), _) => "recut",
            Declined::Rejected(Rejection::Malformed(_), _) => "malformed",
            Declined::ForeignCall => "foreign_call",
            Declined::NoPlace => "no_place",
            Declined::TooLarge => "too_large",
            Declined::TooSlow => "too_slow",
            Declined::CutOff => "cut_off",
            Declined::NotStored(_) => "not_stored",
        }
    }
}

impl WebhookEndpoint {
    /// Handles one webhook. `document` is the token of a request for a call's next document.
    pub async fn receive(&self, request: Request, document: Option<CallToken>) -> Response {
        let peer = peer_of(&request);
        let client = self.origin.client(request.headers(), peer);
        let probe = self.probes.claim(&request);
        let taken = self.take(request, document, peer, client, probe.is_some()).await;
        if let Some(probe) = probe {
            report_to_probe(probe, &taken);
        }
        if let Err(Declined::Rejected(Rejection::Tampered(_), _)) = &taken {
            tampering::report(&self.notices).await;
        }
        self.metrics.webhook(taken.as_ref().map_or_else(Declined::name, |_| "accepted"));
        match taken {
            Ok((answer, _)) => answered(answer),
            Err(declined) => self.decline(declined, client),
        }
    }

    /// Accepts a webhook; also returns the URLs that it may have been called by.
    async fn take(
        &self,
        request: Request,
        document: Option<CallToken>,
        peer: IpAddr,
        client: IpAddr,
        is_awaited: bool,
    ) -> Result<(WebhookAnswer, Vec<String>), Declined> {
        if !self.provider.is_signed(request.headers()) {
            return Err(Declined::Rejected(Rejection::Unsigned, Vec::new()));
        }
        let now = Instant::now();
        let permit = self.permits.take(client, now);
        let is_crowded = permit.is_none();
        let slot = permit.or_else(|| self.reserve.take(client, now)).ok_or(Declined::NoPlace)?;
        let (parts, body) = request.into_parts();
        let body = tokio::select! {
            body = read(body) => body?,
            () = slot.given_up() => return Err(Declined::NoPlace),
        };
        let _working = slot.work();
        let urls = self.origin.candidates(&self.accepted(document.as_ref()), &parts, peer);
        let event = self.verify(&parts, &body, &urls)?.into_inner();
        if event == WebhookEvent::Probe && !is_awaited {
            return Err(Declined::Rejected(Rejection::Malformed("no such probe is expected".to_owned()), urls));
        }
        if is_crowded {
            let is_request = matches!(event, WebhookEvent::Call(CallEvent::Request(_)));
            return if is_request { Ok((self.calls.apology(), urls)) } else { Err(Declined::NoPlace) };
        }
        let answer = self.answer_to(event, document, &urls).await?;
        Ok((answer, urls))
    }

    /// Returns the public URLs of this endpoint, or of the document of a call below it.
    fn accepted(&self, document: Option<&CallToken>) -> Vec<String> {
        let reach = self.reach.borrow();
        let urls = &(self.urls)(&reach).accepted;
        match document {
            Some(token) => urls.iter().map(|url| calls::document_url(url, token)).collect(),
            None => urls.clone(),
        }
    }

    /// Has an event stored and answered; `urls` are those that the request may have been sent to.
    async fn answer_to(
        &self,
        event: WebhookEvent,
        document: Option<CallToken>,
        urls: &[String],
    ) -> Result<WebhookAnswer, Declined> {
        let outcome = match event {
            WebhookEvent::Call(CallEvent::Request(request)) => {
                return self.calls.answer(request, document).await.map_err(|ForeignCall| Declined::ForeignCall);
            }
            WebhookEvent::Call(report) => {
                self.calls.report(&report).await.map_err(Declined::NotStored)?;
                EventOutcome::Acknowledged
            }
            event => self.intake.take(event).await.map_err(|error| match error {
                IntakeError::NotStored(error) => Declined::NotStored(error),
                IntakeError::Tampered => Declined::Rejected(
                    Rejection::Tampered("its signature was already used with other fields".to_owned()),
                    urls.to_vec(),
                ),
            })?,
        };
        Ok(self.provider.answer(outcome))
    }

    fn verify(&self, parts: &Parts, body: &Bytes, urls: &[String]) -> Result<Verified<WebhookEvent>, Declined> {
        let urls_in_all_spellings = spellings(urls, parts.uri.path(), &parts.headers);
        let request = Unverified {
            method: &parts.method,
            urls: &urls_in_all_spellings,
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body,
        };
        self.provider.verify(&request).map_err(|rejection| Declined::Rejected(rejection, urls.to_vec()))
    }

    fn decline(&self, declined: Declined, client: IpAddr) -> Response {
        match declined {
            Declined::Rejected(rejection, expected) => {
                self.log_rejection(kind(&rejection), client, &rejection, &expected);
                plain(rejected_status(&rejection), rejected_text(&rejection))
            }
            Declined::ForeignCall => {
                self.log_rejection(RejectionKind::Foreign, client, "the document belongs to another call", &[]);
                plain(StatusCode::FORBIDDEN, "the document belongs to another call\n")
            }
            Declined::NoPlace => {
                self.log_rejection(RejectionKind::Crowded, client, "too many requests are in flight", &[]);
                busy("too many requests at a time\n")
            }
            Declined::TooLarge => {
                self.bad_body(client, StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB")
            }
            Declined::TooSlow => {
                self.bad_body(client, StatusCode::REQUEST_TIMEOUT, "the body did not arrive within 5 s")
            }
            Declined::CutOff => self.bad_body(client, StatusCode::BAD_REQUEST, "the body was cut off"),
            Declined::NotStored(error) => {
                self.intake.storage.refused(&error);
                busy("the message could not be stored\n")
            }
        }
    }

    fn bad_body(&self, client: IpAddr, status: StatusCode, what: &'static str) -> Response {
        self.log_rejection(RejectionKind::Body, client, what, &[]);
        plain(status, what)
    }

    /// Reports a signed request to a path that is not served, or with a method other than `expected`: a URL or a method
    /// is wrong at the provider or here.
    pub fn misdirected(&self, request: &Request, outcome: &'static str, expected: &str) {
        if !self.provider.is_signed(request.headers()) {
            return;
        }
        self.metrics.webhook(outcome);
        let client = self.origin.client(request.headers(), peer_of(request));
        if let Some(summary) = self.rejection_log.count(RejectionKind::Misdirected, client, self.clock.now()) {
            let came = bounded(&format!("{} {}", request.method(), calls::without_token(request.uri().path())));
            let hint = "correct the number's webhook (`openclaw telephony webhook sync`), or serve.path";
            let (address, count) = (address_of(&summary), summary.count);
            tracing::warn!(address, count, expected, hint, "a signed webhook arrived as {came}, which is not served");
        }
    }

    fn log_rejection(&self, kind: RejectionKind, client: IpAddr, why: impl std::fmt::Display, expected: &[String]) {
        if let Some(summary) = self.rejection_log.count(kind, client, self.clock.now()) {
            let urls: Vec<String> = expected.iter().map(|url| calls::without_token(url)).collect();
            let expected = (!urls.is_empty()).then(|| urls.join(" or "));
            let address = address_of(&summary);
            tracing::warn!(address, count = summary.count, expected, "rejected a webhook: {why}");
        }
    }
}

/// Reports the result of a probe to `doctor`.
fn report_to_probe(probe: Probe, taken: &Result<(WebhookAnswer, Vec<String>), Declined>) {
    match taken {
        Ok((_, urls)) => probe.report(ProbeVerdict::Valid, urls.clone()),
        Err(Declined::Rejected(Rejection::Unsigned, urls)) => probe.report(ProbeVerdict::Unsigned, urls.clone()),
        Err(Declined::Rejected(rejection, urls)) => {
            probe.report(ProbeVerdict::Refused(rejection.to_string()), urls.clone())
        }
        Err(Declined::ForeignCall) => {
            probe.report(ProbeVerdict::Refused("it is about another call".to_owned()), Vec::new())
        }
        Err(Declined::NoPlace) => {
            probe.report(ProbeVerdict::Refused("too many requests at a time".to_owned()), Vec::new())
        }
        Err(Declined::TooLarge | Declined::TooSlow | Declined::CutOff) => {
            probe.report(ProbeVerdict::Refused("the body did not arrive as it was sent".to_owned()), Vec::new());
        }
        Err(Declined::NotStored(error)) => probe.report(ProbeVerdict::Refused(error.to_string()), Vec::new()),
    }
}

fn address_of(summary: &RejectionSummary) -> String {
    summary.address.map_or_else(|| "several others".to_owned(), |address| address.to_string())
}

/// Escapes and shortens a stranger's text for the log.
fn bounded(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN).flat_map(char::escape_default).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

async fn read(body: Body) -> Result<Bytes, Declined> {
    if body.size_hint().lower() > BODY_BYTES as u64 {
        return Err(Declined::TooLarge);
    }
    let whole = Limited::new(body, BODY_BYTES).collect();
    match tokio::time::timeout(BODY_TIMEOUT, whole).await {
        Err(_) => Err(Declined::TooSlow),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Declined::TooLarge),
        Ok(Err(_)) => Err(Declined::CutOff),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}

fn peer_of(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip().to_canonical())
}

fn kind(rejection: &Rejection) -> RejectionKind {
    match rejection {
        Rejection::Tampered(_) => RejectionKind::Tampered,
        Rejection::Malformed(_) => RejectionKind::Malformed,
        Rejection::Unsigned => RejectionKind::Unsigned,
        Rejection::BadSignature(_) => RejectionKind::Forged,
        Rejection::WrongAccount => RejectionKind::Foreign,
    }
}

fn rejected_text(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::Malformed(_) => "the request is signed, but not of a known kind\n",
        Rejection::Unsigned | Rejection::BadSignature(_) | Rejection::Tampered(_) => {
            "the request's signature is not valid\n"
        }
        Rejection::WrongAccount => "the request is signed for another account\n",
    }
}

fn rejected_status(rejection: &Rejection) -> StatusCode {
    match rejection {
        Rejection::Malformed(_) => StatusCode::BAD_REQUEST,
        Rejection::Unsigned | Rejection::BadSignature(_) | Rejection::Tampered(_) | Rejection::WrongAccount => {
            StatusCode::FORBIDDEN
        }
    }
}

fn answered(answer: WebhookAnswer) -> Response {
    let content_type = HeaderValue::from_static(answer.content_type);
    let body = match answer.body {
        Cow::Borrowed(text) => Body::from(text),
        Cow::Owned(text) => Body::from(text),
    };
    ([(CONTENT_TYPE, content_type)], body).into_response()
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], text).into_response()
}

fn busy(text: &'static str) -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, text);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
