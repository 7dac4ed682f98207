//! Fetches contacts' attachments hop by hop: credentials for the first, a limit on each.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Client, Response, StatusCode, Url, header};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::public::PublicOnly;
use super::{Rest, http, place};
use crate::provider::AttachmentError;

/// Maximum number of redirects followed; Twilio uses one.
const HOPS: usize = 4;

/// Time limit of the whole attachment: 5 MB at 1/3 Mbit/s.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(120);

const SLOW: &str = "Twilio took too long to send it";

/// The result of a hop.
enum Hop {
    There(Response),
    Elsewhere(Url),
}

impl Rest {
    /// Fetches an attachment of an incoming message.
    pub(in crate::twilio) async fn download(
        &self,
        message: &str,
        url: &str,
        at_most: usize,
    ) -> Result<Bytes, AttachmentError> {
        timeout(DOWNLOAD_TIMEOUT, self.fetch(message, url, at_most)).await.map_err(|_| not_yet(SLOW))?
    }

    async fn fetch(&self, message: &str, url: &str, at_most: usize) -> Result<Bytes, AttachmentError> {
        let elsewhere =
            || AttachmentError::Never("it is not where Twilio keeps attachments of this message".to_owned());
        let mut url = place::of_message(&self.account, message, url).ok_or_else(elsewhere)?;
        for hop in 0..=HOPS {
            match self.ask(&url, hop == 0).await? {
                Hop::There(response) => return read(response, at_most, self.answer_within).await,
                Hop::Elsewhere(next) => url = next,
            }
        }
        Err(AttachmentError::Never("Twilio redirects too often".to_owned()))
    }

    /// Requests one URL. Only the API gets our credentials, and only at the first hop, because storage URLs are signed.
    async fn ask(&self, url: &Url, is_first: bool) -> Result<Hop, AttachmentError> {
        let request = self.download_client()?.get(url.clone());
        let (user, secret) = self.account.credentials();
        let request = match is_first {
            true => request.basic_auth(user, secret.map(ExposeSecret::expose_secret)),
            false => request,
        };
        let response =
            timeout(self.answer_within, request.send()).await.map_err(|_| not_yet(SLOW))?.map_err(unreachable)?;
        self.judge(url, response)
    }

    fn judge(&self, url: &Url, response: Response) -> Result<Hop, AttachmentError> {
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(Hop::There(response));
        }
        if status.is_redirection() {
            let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
            let next = location.and_then(|location| place::redirected(&self.account, url, location));
            let astray =
                || AttachmentError::Never("Twilio's answer redirects to a host that is not Twilio's".to_owned());
            return next.map(Hop::Elsewhere).ok_or_else(astray);
        }
        let sentence = format!("Twilio answered {}", status.as_u16());
        Err(match status.as_u16() {
            // Not stored yet; too many requests at a time; a storage URL that has expired meanwhile; credentials that
            // the operator corrects; a proxy that answers in Twilio's place.
            401 | 403 | 404 | 407 | 408 | 425 | 429 | 500..=599 => AttachmentError::NotYet(sentence),
            _ => AttachmentError::Never(sentence),
        })
    }

    fn download_client(&self) -> Result<&Client, AttachmentError> {
        if let Some(client) = self.downloads.get() {
            return Ok(client);
        }
        let own = Url::parse(&self.account.api_url).ok();
        let except = own.and_then(|own| own.host_str().map(str::to_owned));
        let client = http::build_client_with(Arc::new(PublicOnly { except })).map_err(AttachmentError::NotYet)?;
        Ok(self.downloads.get_or_init(|| client))
    }
}

/// Reads the whole body, unless it is too large or pauses for longer than `pause`.
async fn read(mut response: Response, at_most: usize, pause: Duration) -> Result<Bytes, AttachmentError> {
    if response.content_length().is_some_and(|length| length > at_most as u64) {
        return Err(AttachmentError::TooLarge);
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = timeout(pause, response.chunk()).await.map_err(|_| not_yet(SLOW))?.map_err(unreachable)? {
        if bytes.len() + chunk.len() > at_most {
            return Err(AttachmentError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn not_yet(sentence: &str) -> AttachmentError {
    AttachmentError::NotYet(sentence.to_owned())
}

/// Hides the URL, which may be signed, and addresses.
fn unreachable(error: reqwest::Error) -> AttachmentError {
    tracing::debug!(error = http::describe(&error.without_url()), "cannot fetch an attachment");
    not_yet("cannot reach Twilio")
}
