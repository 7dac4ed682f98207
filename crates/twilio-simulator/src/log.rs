//! The request log: API requests and webhooks. Entries have no bodies and no secrets; the contents of the latest ones
//! are kept separately, for the phone page only.

mod detail;
pub(crate) mod event;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

pub(crate) use detail::{AnswerDetail, LogDetail, RequestDetail};

/// The number of latest entries whose contents are kept.
pub(crate) const MAX_DETAILS: usize = 400;

/// One HTTP request that the simulator answered or made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// Sequential id, never reused.
    pub id: u64,
    /// The direction and purpose.
    pub kind: LogKind,
    /// A readable name: "send", "text in", "status: delivered", "fetch picture".
    pub event: String,
    /// The phone that a text, a call or a status report is about.
    pub phone: Option<String>,
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Path and query of an API request, or the URL of a webhook.
    pub target: String,
    /// The answer's status; `None` while the request is in flight or if it never gets an answer.
    pub status: Option<u16>,
    /// SID of the message or call concerned.
    pub about: Option<String>,
    /// The start, in milliseconds since 1970.
    pub at: i64,
    /// The time until the answer, in milliseconds.
    pub took: Option<i64>,
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// The direction and purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    /// A request to the REST API.
    Rest,
    /// A webhook that the simulator posted.
    Webhook,
    /// A request by the simulator for the media of an outbound message.
    Fetch,
    /// A request that followed a media URL's redirect.
    Cdn,
}

/// A handle to an entry, to record its answer.
#[derive(Clone, Copy)]
pub(crate) struct LogPosition(u64);

/// The entries since the start or the last reset. Updates to entries from before a reset are ignored.
#[derive(Default)]
pub(crate) struct Log {
    entries: Vec<LogEntry>,
    /// The id of the oldest entry.
    first: u64,
    details: BTreeMap<u64, LogDetail>,
}

impl Log {
    pub(crate) fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    pub(crate) fn open(
        &mut self,
        kind: LogKind,
        event: String,
        method: &str,
        target: &str,
        about: Option<&str>,
    ) -> LogPosition {
        let id = self.first + self.entries.len() as u64;
        let (method, target, about) = (method.to_owned(), target.to_owned(), about.map(str::to_owned));
        let (at, phone, status, took) = (now(), None, None, None);
        self.entries.push(LogEntry { id, kind, event, phone, method, target, status, about, at, took });
        self.details.insert(id, LogDetail::default());
        if self.details.len() > MAX_DETAILS {
            self.details.pop_first();
        }
        LogPosition(id)
    }

    /// Records the SID that the request concerns.
    pub(crate) fn note_about(&mut self, place: LogPosition, sid: &str) {
        if let Some(entry) = self.entry_mut(place) {
            entry.about = Some(sid.to_owned());
        }
    }

    /// Records the phone that the request concerns.
    pub(crate) fn note_phone(&mut self, place: LogPosition, phone: Option<&str>) {
        if let Some(entry) = self.entry_mut(place) {
            entry.phone = phone.map(str::to_owned);
        }
    }

    /// Records the request's contents.
    pub(crate) fn note_asked(&mut self, place: LogPosition, asked: RequestDetail) {
        if let Some(detail) = self.details.get_mut(&place.0) {
            detail.request = asked;
        }
    }

    pub(crate) fn close(&mut self, place: LogPosition, status: u16, answered: AnswerDetail) {
        if let Some(entry) = self.entry_mut(place) {
            entry.status = Some(status);
            entry.took = Some(now() - entry.at);
        }
        if let Some(detail) = self.details.get_mut(&place.0) {
            detail.answer = Some(answered);
        }
    }

    /// Records why there is no answer.
    pub(crate) fn fail(&mut self, place: LogPosition, why: String) {
        if let Some(detail) = self.details.get_mut(&place.0) {
            detail.failure = Some(why);
        }
    }

    pub(crate) fn entry(&self, place: LogPosition) -> Option<LogEntry> {
        self.entries.get(self.index(place)?).cloned()
    }

    /// Returns the contents of an entry if it is one of the latest.
    pub(crate) fn detail(&self, id: u64) -> Option<&LogDetail> {
        self.details.get(&id)
    }

    pub(crate) fn clear(&mut self) {
        self.first += self.entries.len() as u64;
        self.entries.clear();
        self.details.clear();
    }

    fn entry_mut(&mut self, place: LogPosition) -> Option<&mut LogEntry> {
        let index = self.index(place)?;
        self.entries.get_mut(index)
    }

    fn index(&self, place: LogPosition) -> Option<usize> {
        usize::try_from(place.0.checked_sub(self.first)?).ok()
    }
}
