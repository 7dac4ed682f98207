//! The phone in the browser: serves the page until Ctrl-C.

use std::process::ExitCode;

use anyhow::Context;

use super::desk::Desk;
use crate::failure::Outcome;
use crate::terminal;

/// Twilio's own limit for one request.
const MAX_LENGTH: u16 = 1600;

/// Serves the page.
pub async fn run(port: u16) -> Outcome {
    let desk = Desk::start(port, MAX_LENGTH).await?;
    terminal::print(format!("Your phone is at {}/", desk.twilio.base_url()));
    terminal::say("Open it in a browser. Ctrl-C ends the simulation; `--terminal` has the phone right here instead.");
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    desk.stop().await;
    Ok(ExitCode::SUCCESS)
}
