//! One message with its full history.

use std::collections::HashMap;
use std::process::ExitCode;

use telephony_domain::id::LineId;
use telephony_gateway::views::message::{AttachmentView, AttemptView, MessageDetailView};
use telephony_store::history::MessageDetail;

use super::list::state_in_words;
use crate::assemble::Channel;
use crate::failure::Outcome;
use crate::part;
use crate::terminal;
use crate::terminal::color::{self, PLAIN};
use crate::time_format::Time;

pub fn show(detail: &MessageDetail, channel: &Channel, names: &HashMap<LineId, String>, json: bool) -> Outcome {
    let (store, provider) = (channel.store.as_ref(), channel.provider.as_ref());
    let report = MessageDetailView::of(detail, store, provider, names);
    if json {
        terminal::print_json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    terminal::print(format!("{}  {}  {}", detail.entry.id, detail.entry.contact, Time(detail.entry.time)));
    let state = state_in_words(&report.message);
    terminal::print_colored(&[(PLAIN, "state: "), (color::of_state(&state), &state)]);
    if let Some(sid) = &report.sid {
        terminal::print(format!("sid:   {sid}"));
    }
    for (part, n) in report.parts.iter().zip(1..) {
        terminal::print(part::line(part, n));
    }
    for attached in &report.media {
        terminal::print(attachment_line(attached));
    }
    for attempt in &report.attempts {
        terminal::print(attempt_line(attempt));
    }
    terminal::print("");
    terminal::print(&detail.entry.text);
    Ok(ExitCode::SUCCESS)
}

fn attachment_line(attachment: &AttachmentView) -> String {
    let content_type = if attachment.content_type.is_empty() { "attachment" } else { &attachment.content_type };
    let rest = match (&attachment.file, &attachment.unavailable, &attachment.url) {
        (Some(file), ..) => format!("{} bytes, {}", attachment.size.unwrap_or_default(), file.display()),
        (None, Some(reason), _) => format!("unavailable: {reason}"),
        (None, None, Some(url)) => format!("at {url}"),
        (None, None, None) => "nowhere".to_owned(),
    };
    format!("media: {content_type}, {rest}")
}

fn attempt_line(attempt: &AttemptView) -> String {
    let part = if attempt.part == 0 { String::new() } else { format!(" of part {}", attempt.part) };
    let code = attempt.code.map(|code| format!(" ({code})")).unwrap_or_default();
    let reason = attempt.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("attempt{part} {}: {}{code}{reason}", Time(attempt.started_at.0), attempt.outcome)
}
