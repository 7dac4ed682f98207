//! Measures the gateway from outside, with the release binary, a fake Twilio and a load generator, one part at a time.

mod baseline;
mod calls;
mod fake_twilio;
mod gateway;
mod load;
mod parts;
mod process;
mod report;
mod webhook;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

use gateway::Gateway;
use report::Table;
use tokio::task::LocalSet;

/// Measure how fast the gateway is. Takes about three minutes, or seven with --long. --all adds a cold build.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    server: Option<Server>,
    /// Measure only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Measure longer rounds, and growth up to 100,000 messages
    #[arg(long)]
    long: bool,
    /// Measure all parts, as with --long, and a cold build
    #[arg(long, conflicts_with = "only")]
    all: bool,
    /// Measure this binary instead of building one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Keep the gateway's state in this folder, such as /dev/shm to see what is left without a disk
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// Replace the results in docs/reference/performance.md too
    #[arg(long)]
    markdown: bool,
}

#[derive(Debug, Subcommand)]
enum Server {
    /// Serve a baseline, for the benchmark's own use
    #[command(hide = true)]
    Serve {
        /// The kind of baseline
        kind: baseline::Kind,
        /// The port on 127.0.0.1
        port: u16,
        /// The answer, if the baseline answers with a document
        #[arg(default_value = "")]
        document: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Webhooks taken per second, beside an empty handler, and turns answered per second
    Accepts,
    /// From exec to the first answer, and memory when idle
    Start,
    /// Memory and the cost of a message as both messages and conversations grow in number
    Growth,
    /// Turns of calls per second, beside an empty handler, and memory of calls
    Calls,
    /// Size of the binary
    Size,
    /// A cold build; minutes, and only when asked for
    Build,
}

const ALL: [Part; 6] = [Part::Size, Part::Start, Part::Accepts, Part::Calls, Part::Growth, Part::Build];

/// Excludes the slow parts.
const USUAL: &[Part] = ALL.split_at(5).0;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.server {
        Some(Server::Serve { kind, port, document }) => baseline::serve(kind, port, document),
        None => measure(&arguments),
    }
}

/// Returns the command that repeats the measurement, without folders of this machine.
fn command(arguments: &Arguments) -> String {
    let parts = arguments.only.iter().filter_map(ValueEnum::to_possible_value);
    let parts: Vec<_> = parts.map(|part| part.get_name().to_owned()).collect();
    let only = if parts.is_empty() { String::new() } else { format!(" --only {}", parts.join(",")) };
    let long = if arguments.long { " --long" } else { "" };
    let all = if arguments.all { " --all" } else { "" };
    format!("cargo run --release -p bench -- --markdown{all}{long}{only}")
}

fn measure(arguments: &Arguments) -> Result<()> {
    let load = report::load_average()?;
    let gateway = Gateway::find(arguments.binary.as_deref(), arguments.state.as_deref())?;
    let parts = match (arguments.all, arguments.only.as_slice()) {
        (true, _) => &ALL,
        (false, []) => USUAL,
        (false, only) => only,
    };
    let is_long = arguments.long || arguments.all;
    // One thread, so that the generator uses as little as possible of the two cores it shares with the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    for part in parts {
        let table: Table = match part {
            Part::Accepts => local.block_on(&runtime, parts::accepts::measure(&gateway, is_long))?,
            Part::Calls => local.block_on(&runtime, parts::calls::measure(&gateway, is_long))?,
            Part::Start => local.block_on(&runtime, parts::start::measure(&gateway))?,
            Part::Growth => local.block_on(&runtime, parts::growth::measure(&gateway, is_long))?,
            Part::Size => parts::size::measure(&gateway)?,
            Part::Build => parts::build::measure()?,
        };
        println!("{table}");
        if arguments.markdown {
            report::write(&table, &command(arguments), &load)?;
        }
    }
    Ok(())
}
