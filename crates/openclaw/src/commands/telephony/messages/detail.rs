//! One message with its full history.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use telephony_domain::id::LineId;
use telephony_store::attachments::{Attachment, AttachmentState};
use telephony_store::history::{Attempt, Detail};

use super::list::Message;
use crate::assemble::Channel;
use crate::failure::Outcome;
use crate::part::Part;
use crate::terminal;
use crate::terminal::color::{self, PLAIN};
use crate::time_format::Time;

/// A message with its full history, as shown in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    message: Message,
    sid: Option<String>,
    turn: Option<i64>,
    media: Vec<Attached>,
    also_to: Vec<String>,
    parts: Vec<Part>,
    attempts: Vec<Try>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attached {
    content_type: String,
    url: Option<String>,
    file: Option<PathBuf>,
    size: Option<u64>,
    unavailable: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Try {
    part: u32,
    started_at: Time,
    ended_at: Option<Time>,
    outcome: String,
    code: Option<u32>,
    reason: Option<String>,
}

/// Prints it.
pub fn show(detail: &Detail, channel: &Channel, names: &HashMap<LineId, String>, json: bool) -> Outcome {
    let report = Report::of(detail, channel, names);
    if json {
        terminal::print_json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    terminal::print(format!("{}  {}  {}", detail.entry.id, detail.entry.contact, Time(detail.entry.time)));
    let state = report.message.state_in_words();
    terminal::print_colored(&[(PLAIN, "state: "), (color::of_state(&state), &state)]);
    if let Some(sid) = &report.sid {
        terminal::print(format!("sid:   {sid}"));
    }
    for (part, n) in report.parts.iter().zip(1..) {
        terminal::print(part.line(n));
    }
    for attached in &report.media {
        terminal::print(attached.line());
    }
    for attempt in &report.attempts {
        terminal::print(attempt.line());
    }
    terminal::print("");
    terminal::print(&detail.entry.text);
    Ok(ExitCode::SUCCESS)
}

impl Report {
    /// Converts a stored message; `names` holds the names of the lines.
    pub fn of(detail: &Detail, channel: &Channel, names: &HashMap<LineId, String>) -> Self {
        Self {
            message: Message::of(&detail.entry, names),
            sid: detail.provider_id.clone(),
            turn: detail.turn.map(|turn| turn.0),
            media: detail.media.iter().map(|media| Attached::of(media, channel)).collect(),
            also_to: detail.also_to.clone(),
            parts: detail.parts.iter().map(|part| Part::of(part, channel.provider.as_ref())).collect(),
            attempts: detail.attempts.iter().map(Try::from).collect(),
        }
    }
}

impl Attached {
    fn of(attachment: &Attachment, channel: &Channel) -> Self {
        let (file, unavailable) = match &attachment.state {
            AttachmentState::Kept(file) => (Some(file), None),
            AttachmentState::Unavailable(reason) => (None, Some(reason.clone())),
            AttachmentState::Elsewhere => (None, None),
        };
        Self {
            content_type: attachment.content_type.clone(),
            url: attachment.url.clone(),
            file: file.map(|file| channel.store.path_of(&file.name)),
            size: file.map(|file| file.size),
            unavailable,
        }
    }

    fn line(&self) -> String {
        let content_type = if self.content_type.is_empty() { "attachment" } else { &self.content_type };
        let rest = match (&self.file, &self.unavailable, &self.url) {
            (Some(file), ..) => format!("{} bytes, {}", self.size.unwrap_or_default(), file.display()),
            (None, Some(reason), _) => format!("unavailable: {reason}"),
            (None, None, Some(url)) => format!("at {url}"),
            (None, None, None) => "nowhere".to_owned(),
        };
        format!("media: {content_type}, {rest}")
    }
}

impl Try {
    fn line(&self) -> String {
        let part = if self.part == 0 { String::new() } else { format!(" of part {}", self.part) };
        let code = self.code.map(|code| format!(" ({code})")).unwrap_or_default();
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("attempt{part} {}: {}{code}{reason}", self.started_at, self.outcome)
    }
}

impl From<&Attempt> for Try {
    fn from(attempt: &Attempt) -> Self {
        Self {
            part: attempt.part,
            started_at: Time(attempt.started),
            ended_at: attempt.ended.map(Time),
            outcome: attempt.outcome.clone(),
            code: attempt.code,
            reason: attempt.reason.clone(),
        }
    }
}
