//! The log of requests, both ways: what was asked of the API and which webhooks were posted. Its entries have no bodies
//! and no secrets; what the latest of them carried is kept beside them, for the page alone.

mod detail;
pub(crate) mod event;

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

pub(crate) use detail::{Answered, Asked, Detail};

/// Of so many of the latest entries it is kept what they carried.
pub(crate) const MOST_DETAILS: usize = 400;

/// One HTTP request that the simulator answered or made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// Counts the entries from the start on; never given twice.
    pub id: u64,
    /// Who asked whom.
    pub kind: LogKind,
    /// The name of what it does: "send", "text in", "status: delivered", "fetch picture".
    pub event: String,
    /// The phone that a text, a call or a status report is about.
    pub phone: Option<String>,
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

/// Where an entry stands, to note its answer: its id.
#[derive(Clone, Copy)]
pub(crate) struct LogPlace(u64);

/// The entries since the start or the last reset. What is noted about one from before a reset is dropped.
#[derive(Default)]
pub(crate) struct Log {
    entries: Vec<LogEntry>,
    /// The id of the first entry.
    first: u64,
    details: BTreeMap<u64, Detail>,
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
    ) -> LogPlace {
        let id = self.first + self.entries.len() as u64;
        let (method, target, about) = (method.to_owned(), target.to_owned(), about.map(str::to_owned));
        let (at, phone, status, took) = (now(), None, None, None);
        self.entries.push(LogEntry { id, kind, event, phone, method, target, status, about, at, took });
        self.details.insert(id, Detail::default());
        if self.details.len() > MOST_DETAILS {
            self.details.pop_first();
        }
        LogPlace(id)
    }

    /// Notes what the request turned out to be about.
    pub(crate) fn note_about(&mut self, place: LogPlace, sid: &str) {
        if let Some(entry) = self.entry_mut(place) {
            entry.about = Some(sid.to_owned());
        }
    }

    /// Notes the phone that the request is about.
    pub(crate) fn note_phone(&mut self, place: LogPlace, phone: Option<&str>) {
        if let Some(entry) = self.entry_mut(place) {
            entry.phone = phone.map(str::to_owned);
        }
    }

    /// Notes what the request carried.
    pub(crate) fn note_asked(&mut self, place: LogPlace, asked: Asked) {
        if let Some(detail) = self.details.get_mut(&place.0) {
            detail.request = asked;
        }
    }

    /// Notes the answer.
    pub(crate) fn close(&mut self, place: LogPlace, status: u16, answered: Answered) {
        if let Some(entry) = self.entry_mut(place) {
            entry.status = Some(status);
            entry.took = Some(now() - entry.at);
        }
        if let Some(detail) = self.details.get_mut(&place.0) {
            detail.answer = Some(answered);
        }
    }

    /// Notes why there is no answer.
    pub(crate) fn fail(&mut self, place: LogPlace, why: String) {
        if let Some(detail) = self.details.get_mut(&place.0) {
            detail.failure = Some(why);
        }
    }

    pub(crate) fn entry(&self, place: LogPlace) -> Option<LogEntry> {
        self.entries.get(self.index(place)?).cloned()
    }

    /// What an entry carried, if it is one of the latest.
    pub(crate) fn detail(&self, id: u64) -> Option<&Detail> {
        self.details.get(&id)
    }

    pub(crate) fn clear(&mut self) {
        self.first += self.entries.len() as u64;
        self.entries.clear();
        self.details.clear();
    }

    fn entry_mut(&mut self, place: LogPlace) -> Option<&mut LogEntry> {
        let index = self.index(place)?;
        self.entries.get_mut(index)
    }

    fn index(&self, place: LogPlace) -> Option<usize> {
        usize::try_from(place.0.checked_sub(self.first)?).ok()
    }
}
