//! Turns of calls: the time from the words to the document with the agent's answer, and the memory of calls.

use std::ops::Range;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::calls::{self, Call};
use crate::fake_twilio::FakeTwilio;
use crate::gateway::Gateway;
use crate::process::{Process, free_port};
use crate::report::{Table, median};

/// The number of calls at the same time, and of rounds.
const CALLS: u64 = 50;
const ROUNDS: usize = 5;

/// The numbers of calls whose memory is compared, and of starts.
const FEW: u64 = 1_000;
const MANY: u64 = 5_000;
const STARTS: usize = 5;

/// The time after which memory is stable.
const SETTLED: Duration = Duration::from_secs(2);

const MAX_P99_MS: f64 = 15.0;
const MIN_RATE: f64 = 1_000.0;
const MAX_IDLE_MB: f64 = 2.0;
const MAX_CALL_KB: f64 = 10.0;

/// The result of one server in one round.
struct Measured {
    rate: f64,
    median: f64,
    slow: f64,
    cpu: f64,
}

/// The results of one round: as fast as possible, and at the rate of the target.
struct Round {
    empty: Measured,
    gateway: Measured,
    empty_paced: Measured,
    gateway_paced: Measured,
}

/// The memory of a gateway that answers calls.
struct Memory {
    idle: f64,
    idle_without: f64,
    per_call_kb: f64,
}

/// Measures turns in several rounds, alternately with an empty handler, and memory.
pub async fn measure(gateway: &Gateway, is_long: bool) -> Result<Table> {
    let length = Duration::from_secs(if is_long { 4 } else { 2 });
    let rounds = turns(gateway, length).await?;
    let memory = memory(gateway).await?;
    Ok(table(&rounds, &memory, length))
}

/// Measures the empty handler and the gateway alternately.
async fn turns(gateway: &Gateway, length: Duration) -> Result<Vec<Round>> {
    let twilio = FakeTwilio::start().await?;
    let state = gateway.new_state()?;
    let server = gateway.start_with(&state, &twilio.url(), true)?;
    let mut at_gateway = begin(&server, 0..CALLS).await?;
    // The first round is a warm-up.
    calls::talk(&mut at_gateway, length, None).await?;
    let empty = empty_handler(at_gateway.first().map_or("", Call::document))?;
    let mut at_empty = Vec::new();
    for call in &at_gateway {
        at_empty.push(call.moved_to(empty.port).await?);
    }
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(Round {
            empty: take(&empty, &mut at_empty, length, None).await?,
            gateway: take(&server, &mut at_gateway, length, None).await?,
            empty_paced: take(&empty, &mut at_empty, length, Some(MIN_RATE)).await?,
            gateway_paced: take(&server, &mut at_gateway, length, Some(MIN_RATE)).await?,
        });
    }
    Ok(rounds)
}

async fn begin(server: &Process, numbers: Range<u64>) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    for number in numbers {
        calls.push(Call::begin(server.port, number).await?);
    }
    Ok(calls)
}

fn empty_handler(document: &str) -> Result<Process> {
    let port = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    Process::start(command.args(["serve", "document", &port.to_string(), document]), port)
}

async fn take(server: &Process, calls: &mut [Call], length: Duration, rate: Option<f64>) -> Result<Measured> {
    let cpu_before = server.cpu()?;
    let run = calls::talk(calls, length, rate).await?;
    let cpu = (server.cpu()? - cpu_before) * 1e6 / run.answered() as f64;
    Ok(Measured { rate: run.rate(), median: run.percentile(0.5), slow: run.percentile(0.99), cpu })
}

async fn memory(gateway: &Gateway) -> Result<Memory> {
    let twilio = FakeTwilio::start().await?;
    let state = gateway.new_state()?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        without.push(idle(gateway, &state, &twilio, false).await?);
        with.push(idle(gateway, &state, &twilio, true).await?);
    }
    let server = gateway.start_with(&state, &twilio.url(), true)?;
    // The connections of Twilio are not part of a call.
    drop(begin(&server, 0..FEW).await?);
    tokio::time::sleep(SETTLED).await;
    let few = server.memory()?;
    drop(begin(&server, FEW..MANY).await?);
    tokio::time::sleep(SETTLED).await;
    let per_call_kb = (server.memory()? - few) * 1e3 / (MANY - FEW) as f64;
    Ok(Memory { idle: median(&with), idle_without: median(&without), per_call_kb })
}

async fn idle(gateway: &Gateway, state: &TempDir, twilio: &FakeTwilio, voice: bool) -> Result<f64> {
    let process = gateway.start_with(state, &twilio.url(), voice)?;
    tokio::time::sleep(SETTLED).await;
    process.memory()
}

fn table(rounds: &[Round], memory: &Memory, length: Duration) -> Table {
    let note = format!(
        "{CALLS} calls talk at the same time: the time is from the caller's words, signed, to the document with the \
         agent's answer (agent `echo`). The gateway syncs the words to disk before it asks the agent, and the answer \
         before it is said. The empty handler returns the same document. First each call talks as fast as it is \
         answered, then all together say {MIN_RATE} sentences per second. For {} s at a time, alternately; medians of \
         {ROUNDS} rounds, ratios to the empty handler of the same round. One other process on the same cores is the \
         generator.",
        length.as_secs(),
    );
    let mut table = Table::new(
        "Turns of calls",
        &note,
        &["server", "turns/s", "of empty", "p50 (ms)", "p99 (ms)", "of empty", "CPU each (µs)"],
    );
    table.row(row("empty handler", rounds, |round| (&round.empty, &round.empty)));
    table.row(row("gateway: stored, answered", rounds, |round| (&round.gateway, &round.empty)));
    table.row(row("empty handler, paced", rounds, |round| (&round.empty_paced, &round.empty_paced)));
    table.row(row("gateway, paced", rounds, |round| (&round.gateway_paced, &round.empty_paced)));
    let Memory { idle, idle_without, per_call_kb } = memory;
    table.remark(format!(
        "Idle memory is {idle_without:.1} MB without voice and {idle:.1} MB with it (VmRSS, medians of {STARTS} \
         starts). From {FEW} open calls to {MANY}, each call adds {per_call_kb:.1} KB."
    ));
    let middle = |value: &dyn Fn(&Round) -> f64| median(&rounds.iter().map(value).collect::<Vec<_>>());
    let (slow, rate) = (middle(&|round| round.gateway_paced.slow), middle(&|round| round.gateway.rate));
    table.aim(
        format!("p99 below {MAX_P99_MS} ms at {CALLS} calls and {MIN_RATE} turns/s"),
        format!("{slow:.1} ms"),
        slow < MAX_P99_MS,
    );
    table.aim(format!("at least {MIN_RATE} turns/s"), format!("{rate:.0}"), rate >= MIN_RATE);
    let more = idle - idle_without;
    table.aim(format!("less than {MAX_IDLE_MB} MB more when idle"), format!("{more:.1} MB"), more < MAX_IDLE_MB);
    table.aim(
        format!("less than {MAX_CALL_KB} KB for each call"),
        format!("{per_call_kb:.1} KB"),
        *per_call_kb < MAX_CALL_KB,
    );
    table
}

/// Returns the row of a server; `of` returns its result and the empty handler's.
fn row(name: &str, rounds: &[Round], of: impl Fn(&Round) -> (&Measured, &Measured)) -> [String; 7] {
    let middle = |value: &dyn Fn(&Measured, &Measured) -> f64| {
        let values = rounds.iter().map(|round| {
            let (own, empty) = of(round);
            value(own, empty)
        });
        median(&values.collect::<Vec<_>>())
    };
    [
        name.to_owned(),
        format!("{:.0}", middle(&|own, _| own.rate)),
        format!("{:.2}", middle(&|own, empty| own.rate / empty.rate)),
        format!("{:.2}", middle(&|own, _| own.median)),
        format!("{:.2}", middle(&|own, _| own.slow)),
        format!("{:.1}", middle(&|own, empty| own.slow / empty.slow)),
        format!("{:.0}", middle(&|own, _| own.cpu)),
    ]
}
