//! Lines as the operator names them: by phone number or by messaging service.

use std::collections::HashMap;

use telephony_domain::id::LineId;
use telephony_domain::line::Sender;

use crate::assemble::Channel;
use crate::failure::Failure;
use crate::number;

/// Finds the line called `name`, or our configured line without one.
pub async fn find(channel: &Channel, name: Option<&str>) -> Result<LineId, Failure> {
    let Some(name) = name else { return channel.line().await };
    let lines = channel.store.lines().await?;
    match lines.iter().find(|line| is_called(&line.sender, &number::compact(name))) {
        Some(line) => Ok(line.id),
        None => {
            let known: Vec<String> = lines.iter().map(|line| name_of(&line.sender)).collect();
            Err(Failure::new(format!("`{name}` is not a configured line")).hint(format!(
                "known lines: {}",
                if known.is_empty() { "none yet".to_owned() } else { known.join(", ") }
            )))
        }
    }
}

/// Returns the name of each line.
pub async fn names(channel: &Channel) -> Result<HashMap<LineId, String>, Failure> {
    let lines = channel.store.lines().await?;
    Ok(lines.into_iter().map(|line| (line.id, name_of(&line.sender))).collect())
}

/// Returns the name of a line: its number, or its messaging service if it has none.
fn name_of(sender: &Sender) -> String {
    let number = sender.number.as_ref().map(ToString::to_string);
    number.or_else(|| sender.messaging_service.clone()).unwrap_or_default()
}

fn is_called(sender: &Sender, name: &str) -> bool {
    let number = sender.number.as_ref().is_some_and(|number| number.as_str() == name);
    number || sender.messaging_service.as_deref() == Some(name)
}
