//! `openclaw telephony simulate`: a phone, a Twilio and the gateway on this machine; no account needed.

mod browser;
mod desk;
mod operator;
mod phone;
mod tour;

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use twilio_simulator::{ApiKey, Simulator, SimulatorConfig};

use crate::assemble::runtime;
use crate::failure::Outcome;
use crate::{logging, terminal};

/// Try everything on this machine: a phone in the browser, a built-in Twilio, the real gateway.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Play one conversation by itself and check every step
    #[arg(long)]
    tour: bool,
    /// Only the Twilio, for other programs
    #[arg(long, conflicts_with = "tour")]
    twilio_only: bool,
    /// The phone in the terminal instead of the browser
    #[arg(long, conflicts_with_all = ["tour", "twilio_only"])]
    terminal: bool,
    /// Port of the phone and of the Twilio behind it, on 127.0.0.1 (default: any free one)
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
}

impl Simulate {
    /// Simulates.
    pub fn run(self) -> Outcome {
        logging::start(logging::Level::OnlyTrouble);
        runtime()?.block_on(async {
            if self.twilio_only {
                return self.serve_twilio().await;
            }
            if self.tour {
                return tour::play(self.port).await;
            }
            if self.terminal {
                return phone::run(self.port).await;
            }
            browser::run(self.port).await
        })
    }

    async fn serve_twilio(&self) -> Outcome {
        let twilio = Simulator::start(twilio_config(self.port)).await.context(CANNOT_START)?;
        terminal::print(twilio.base_url());
        terminal::print(format!("Account SID: {}", twilio.account_sid()));
        terminal::print(format!("Auth token:  {}", twilio.auth_token()));
        terminal::print(format!("API key:     {API_KEY_SID} with secret {API_KEY_SECRET}"));
        terminal::print(format!("Number:      {}", twilio.number()));
        terminal::say("Press Ctrl-C to stop.");
        tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
        twilio.stop().await;
        Ok(ExitCode::SUCCESS)
    }
}

/// An API key of the simulated account; worth nothing anywhere else.
const API_KEY_SID: &str = "SK0123456789abcdef0123456789abcdef";
const API_KEY_SECRET: &str = "simulated-secret";

const CANNOT_START: &str = "cannot start the built-in Twilio";

fn twilio_config(port: u16) -> SimulatorConfig {
    let key = ApiKey { sid: API_KEY_SID.to_owned(), secret: API_KEY_SECRET.to_owned() };
    SimulatorConfig { port, api_keys: vec![key], ..SimulatorConfig::default() }
}
