//! `openclaw telephony simulate`: a phone, a simulated Twilio and the gateway on this machine, without an account.

mod agent;
mod browser;
mod desk;
mod operator;
mod phone;
mod tour;

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use twilio_simulator::{ApiKey, Simulator, SimulatorConfig, SimulatorStartError};

use self::agent::{AgentFlags, SimulatedAgent};
use crate::assemble::runtime;
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::{logging, terminal};

/// Try the channel without an account: a phone in the browser, a simulated Twilio and the real gateway.
///
/// No AI is connected unless you choose an agent: the `echo` agent repeats every message. Nothing leaves this machine,
/// except what the agent sends.
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLES).into_owned())]
pub struct SimulateArgs {
    /// Play one conversation and check each step
    #[arg(long)]
    tour: bool,
    /// Start only the simulated Twilio, for other programs
    #[arg(long, conflicts_with = "tour")]
    twilio_only: bool,
    /// Use a phone in the terminal instead of the browser
    #[arg(long, conflicts_with_all = ["tour", "twilio_only"])]
    terminal: bool,
    /// Port of the page and of the simulated Twilio, on 127.0.0.1 [default: any free port]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    #[command(flatten)]
    agent: AgentFlags,
}

const EXAMPLES: &str = "\
Examples:
  openclaw telephony simulate
  openclaw telephony simulate --agent openai --agent-model gpt-4.1-mini
  openclaw telephony simulate --agent openai --agent-url http://127.0.0.1:11434/v1 --agent-model llama3.2
  openclaw telephony simulate --agent openclaw
  openclaw telephony simulate --agent command --agent-command ./answer
  openclaw telephony simulate --config ~/.openclaw/openclaw.json";

impl SimulateArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        logging::start(logging::Level::OnlyTrouble);
        self.refuse_unused_agent(config_arg)?;
        if self.twilio_only {
            return runtime()?.block_on(self.serve_twilio());
        }
        if self.tour {
            return runtime()?.block_on(tour::play(self.port));
        }
        let agent = SimulatedAgent::choose(&self.agent, config_arg)?;
        runtime()?.block_on(async {
            if self.terminal { phone::run(self.port, agent).await } else { browser::run(self.port, agent).await }
        })
    }

    /// Rejects a missing file in every mode, and an agent that would not be used.
    fn refuse_unused_agent(&self, config_arg: &ConfigArg) -> Result<(), Failure> {
        let mode = match (self.tour, self.twilio_only) {
            (false, false) => return Ok(()),
            (true, _) => "--tour uses the `echo` agent",
            (_, true) => "--twilio-only starts no agent",
        };
        let flag = match (self.agent.is_given(), &config_arg.config) {
            (true, _) => "--agent",
            (false, Some(_)) => "--config",
            (false, None) => return Ok(()),
        };
        Err(Failure::usage(format!("{flag} has no effect: {mode}")).hint(format!("leave out {flag}")))
    }

    async fn serve_twilio(&self) -> Outcome {
        let twilio = Simulator::start(twilio_config(self.port)).await.map_err(cannot_start)?;
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

/// An API key of the simulated account, which is valid nowhere else.
const API_KEY_SID: &str = "SK0123456789abcdef0123456789abcdef";
const API_KEY_SECRET: &str = "simulated-secret";

/// Reports that the simulated Twilio did not start.
fn cannot_start(error: SimulatorStartError) -> Failure {
    let is_port = matches!(error, SimulatorStartError::Listen { .. });
    let failure = Failure::from(anyhow::Error::new(error).context("cannot start the simulated Twilio"));
    match is_port {
        true => failure.hint("choose a different port with `--port`, or leave it out to use any free one"),
        false => failure,
    }
}

fn twilio_config(port: u16) -> SimulatorConfig {
    let key = ApiKey { sid: API_KEY_SID.to_owned(), secret: API_KEY_SECRET.to_owned() };
    SimulatorConfig { port, api_keys: vec![key], ..SimulatorConfig::default() }
}
