//! The phone in the browser: serves the page until Ctrl-C.

use std::process::ExitCode;

use anyhow::Context;

use super::agent::{SimulatedAgent, examples};
use super::desk::Desk;
use crate::failure::Outcome;
use crate::terminal;

/// Twilio's limit for one request.
const MAX_LENGTH: u16 = 1600;

pub async fn run(port: u16, agent: SimulatedAgent) -> Outcome {
    let (sentence, is_echo) = (agent.sentence.clone(), agent.is_echo());
    let desk = Desk::start(port, MAX_LENGTH, agent).await?;
    terminal::print(format!("Phone page: {}/", desk.twilio.base_url()));
    terminal::say("Open the page in a browser. Press Ctrl-C to stop.");
    terminal::say(sentence);
    if is_echo {
        show_examples();
    }
    if let Some(problem) = &desk.problem {
        terminal::say(format!("warning: the agent does not answer: {problem}"));
    }
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    desk.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn show_examples() {
    terminal::say("Use your own agent:");
    for example in examples() {
        terminal::say(format!("  {}:\n    {}", example.fits, example.command));
    }
}
