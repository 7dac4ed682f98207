//! Fetches the files of an outbound message from its sender: HEAD, then GET, as Twilio does.

use axum::body::Bytes;
use axum::http::Method;

use super::{LARGEST_FOR_CARRIERS, LARGEST_MESSAGE, is_accepted, is_resized};
use crate::alert::AlertRecord;
use crate::exchange::{Exchange, ExchangeEvent};
use crate::log::{AnswerDetail, LogKind, event};
use crate::webhook::Fetched;
use crate::webhook::request::DeliveryFailure;

/// The reason why a message with files fails: Twilio's error code and a description.
struct FetchRefusal {
    code: u32,
    text: String,
    url: String,
}

/// Fetches and stores a message's files. Returns the error code if the message must fail.
pub(crate) async fn fetch(exchange: &Exchange, sid: &str) -> Result<(), u32> {
    let urls: Vec<String> = {
        let state = exchange.state();
        let media = state.message(sid).map(|message| message.media.as_slice()).unwrap_or_default();
        media.iter().filter(|media| !media.is_here()).map(|media| media.url.clone()).collect()
    };
    match fetch_all(exchange, sid, &urls).await {
        Ok(files) => {
            keep(exchange, sid, files);
            Ok(())
        }
        Err(refusal) => {
            let about = AlertRecord::new(refusal.code, &refusal.text, &refusal.url);
            exchange.alert(AlertRecord { request_method: "GET".to_owned(), resource_sid: sid.to_owned(), ..about });
            Err(refusal.code)
        }
    }
}

/// Content types and contents, in the order of the URLs.
type Files = Vec<(String, Bytes)>;

async fn fetch_all(exchange: &Exchange, sid: &str, urls: &[String]) -> Result<Files, FetchRefusal> {
    let mut files = Vec::new();
    let mut total = 0;
    for url in urls {
        let head = ask(exchange, sid, Method::HEAD, url).await?;
        check_type(&head, url)?;
        let too_large = || FetchRefusal {
            code: 11751,
            text: "the files of the message weigh more than 5 MB".to_owned(),
            url: url.clone(),
        };
        if head.declared_length.is_some_and(|length| total + length > LARGEST_MESSAGE) {
            return Err(too_large());
        }
        let got = ask(exchange, sid, Method::GET, url).await?;
        check_type(&got, url)?;
        total += got.body.len();
        if total > LARGEST_MESSAGE || got.is_cut_short {
            return Err(too_large());
        }
        if got.body.len() > LARGEST_FOR_CARRIERS && !is_resized(&got.content_type) {
            let text =
                "the file is larger than carriers take, and Twilio makes only JPEG, PNG and GIF smaller".to_owned();
            return Err(FetchRefusal { code: 30019, text, url: url.clone() });
        }
        files.push((got.content_type, got.body));
    }
    Ok(files)
}

async fn ask(exchange: &Exchange, sid: &str, method: Method, url: &str) -> Result<Fetched, FetchRefusal> {
    let refuse = |code, text| FetchRefusal { code, text, url: url.to_owned() };
    let name = event::of_file(&method);
    let place = exchange.state().log.open(LogKind::Fetch, name, method.as_str(), url, Some(sid));
    let fetched = exchange.fetch(method, url).await;
    let entry = {
        let mut state = exchange.state();
        match &fetched {
            Ok(fetched) => state.log.close(place, fetched.status, AnswerDetail::new(&fetched.headers, None)),
            Err(failure) => state.log.fail(place, format!("failed to {failure}")),
        }
        state.log.entry(place)
    };
    if let Some(entry) = entry {
        exchange.publish(ExchangeEvent::Request(entry));
    }
    let fetched = fetched.map_err(|failure: DeliveryFailure| refuse(failure.code(), format!("failed to {failure}")))?;
    if (200..300).contains(&fetched.status) {
        Ok(fetched)
    } else {
        Err(refuse(11200, format!("the media URL answered with HTTP status {}", fetched.status)))
    }
}

fn check_type(fetched: &Fetched, url: &str) -> Result<(), FetchRefusal> {
    if is_accepted(&fetched.content_type) {
        return Ok(());
    }
    let text = format!("the media URL has the content type `{}`, which Twilio does not send", fetched.content_type);
    Err(FetchRefusal { code: 12300, text, url: url.to_owned() })
}

fn keep(exchange: &Exchange, sid: &str, files: Files) {
    let mut state = exchange.state();
    let Some(message) = state.messages.iter_mut().rev().find(|message| message.sid == sid) else { return };
    let waiting = message.media.iter_mut().filter(|media| !media.is_here());
    for (media, (content_type, bytes)) in waiting.zip(files) {
        media.content_type = content_type;
        media.bytes = bytes;
    }
}
