//! The log of requests, both ways: what was asked of the API and which webhooks were posted. No bodies, no secrets.

use serde::Serialize;
use time::OffsetDateTime;

/// One HTTP request that the simulator answered or made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// Who asked whom.
    pub kind: LogKind,
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Path and query of an API request, the URL of a webhook.
    pub target: String,
    /// The status of the answer; `None` while there is none, and for ever when it never comes.
    pub status: Option<u16>,
    /// SID of the message or call that it was about.
    pub about: Option<String>,
    /// When it began, in milliseconds since 1970.
    pub at: i64,
    /// How long its answer took, in milliseconds.
    pub took: Option<i64>,
}

fn now() -> i64 {
    (OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64
}

/// Who asked whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    /// The account's owner asked the API.
    Rest,
    /// The simulator posted a webhook.
    Webhook,
    /// The simulator fetched the media of an outbound message.
    Fetch,
    /// Somebody followed a media URL's redirect.
    Cdn,
}

/// Where an entry stands, to note its answer.
#[derive(Clone, Copy)]
pub(crate) struct LogPlace {
    era: u64,
    index: usize,
}

/// The entries since the start or the last reset.
#[derive(Default)]
pub(crate) struct Log {
    entries: Vec<LogEntry>,
    era: u64,
}

impl Log {
    pub(crate) fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    pub(crate) fn open(&mut self, kind: LogKind, method: &str, target: &str, about: Option<&str>) -> LogPlace {
        let (method, target, about) = (method.to_owned(), target.to_owned(), about.map(str::to_owned));
        self.entries.push(LogEntry { kind, method, target, status: None, about, at: now(), took: None });
        LogPlace { era: self.era, index: self.entries.len() - 1 }
    }

    /// Notes what the request turned out to be about, unless the log was cleared meanwhile.
    pub(crate) fn note_about(&mut self, place: LogPlace, sid: &str) {
        if place.era == self.era
            && let Some(entry) = self.entries.get_mut(place.index)
        {
            entry.about = Some(sid.to_owned());
        }
    }

    /// Notes the answer, unless the log was cleared meanwhile.
    pub(crate) fn close(&mut self, place: LogPlace, status: u16) {
        if place.era == self.era
            && let Some(entry) = self.entries.get_mut(place.index)
        {
            entry.status = Some(status);
            entry.took = Some(now() - entry.at);
        }
    }

    pub(crate) fn entry(&self, place: LogPlace) -> Option<LogEntry> {
        if place.era == self.era { self.entries.get(place.index).cloned() } else { None }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.era += 1;
    }
}
