//! Webhooks per second of the gateway and the two baselines, in alternation, so that machine load affects all alike.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::fake_twilio::FakeTwilio;
use crate::gateway::Gateway;
use crate::load::{self, Until};
use crate::process::{Process, free_port};
use crate::report::{Table, median};
use crate::webhook::Requests;

/// The number of concurrent connections in our targets.
pub const CONNECTIONS: usize = 16;

/// More connections, to see the effect of sharing disk syncs.
const MORE_CONNECTIONS: usize = 64;

/// The number of rounds per server.
const ROUNDS: usize = 5;

/// The number of contacts who write in alternation, different in each round, because one who never pauses counts as a
/// bot.
const CONTACTS: u64 = 1000;

/// More than any server here handles per second, because the gateway needs new messages all the time.
const REQUESTS_PER_SECOND: u64 = 30_000;

/// Targets: the gateway's rate relative to the empty handler, and the ratio of their slowest answers.
const MIN_SHARE: f64 = 0.35;
const MAX_SLOWDOWN: f64 = 4.0;

/// The result of one server in one round.
struct Measured {
    rate: f64,
    median: f64,
    slow: f64,
    cpu: f64,
}

struct Servers {
    empty: Process,
    signed: Process,
    gateway: Process,
    twilio: FakeTwilio,
    texts_so_far: u64,
}

/// The results of one round.
struct Round {
    empty: Measured,
    signed: Measured,
    gateway: Measured,
    /// Turns per second while texts arrived.
    turns_meanwhile: f64,
    /// Turns per second from the first text to the last answer.
    turns: f64,
}

/// Measures each server in several rounds.
pub async fn measure(gateway: &Gateway, is_long: bool) -> Result<Table> {
    let length = Duration::from_secs(if is_long { 4 } else { 2 });
    let twilio = FakeTwilio::start().await?;
    let state = gateway.new_state()?;
    let gateway = gateway.start(&state, &twilio.url())?;
    let mut servers =
        Servers { empty: baseline("empty")?, signed: baseline("signed")?, gateway, twilio, texts_so_far: 0 };
    // The first round is a warm-up.
    servers.round(CONNECTIONS, length).await?;
    let rounds = servers.rounds(ROUNDS, CONNECTIONS, length).await?;
    let more = servers.rounds(ROUNDS.div_ceil(2), MORE_CONNECTIONS, length).await?;
    Ok(table(&rounds, &more, length))
}

fn baseline(kind: &str) -> Result<Process> {
    let port = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    Process::start(command.args(["serve", kind, &port.to_string()]), port)
}

impl Servers {
    async fn rounds(&mut self, number: usize, connections: usize, length: Duration) -> Result<Vec<Round>> {
        let mut rounds = Vec::new();
        for _ in 0..number {
            rounds.push(self.round(connections, length).await?);
        }
        Ok(rounds)
    }

    async fn round(&mut self, connections: usize, length: Duration) -> Result<Round> {
        let texts = length.as_secs() * REQUESTS_PER_SECOND;
        let (first, contacts) = (self.texts_so_far, self.texts_so_far..self.texts_so_far + CONTACTS);
        let requests = Requests::texts(first..first + texts, contacts);
        self.texts_so_far += texts;
        let empty = take(&self.empty, connections, &requests, length).await?;
        let signed = take(&self.signed, connections, &requests, length).await?;
        self.round_of_gateway(connections, &requests, length, empty, signed).await
    }

    async fn round_of_gateway(
        &self,
        connections: usize,
        requests: &Requests,
        length: Duration,
        empty: Measured,
        signed: Measured,
    ) -> Result<Round> {
        let (taken_before, cpu_before, started) = (self.twilio.taken(), self.gateway.cpu()?, Instant::now());
        let run = load::run(self.gateway.port, connections, requests, Until::Time(length)).await?;
        let turns_meanwhile = (self.twilio.taken() - taken_before) as f64 / started.elapsed().as_secs_f64();
        self.twilio.has_taken(taken_before + run.answered() as u64).await?;
        let turns = run.answered() as f64 / started.elapsed().as_secs_f64();
        // By now all turns are finished.
        let cpu = self.gateway.cpu()? - cpu_before;
        Ok(Round { empty, signed, gateway: Measured::new(&run, cpu), turns_meanwhile, turns })
    }
}

impl Measured {
    fn new(run: &load::Run, cpu: f64) -> Measured {
        let cpu = cpu * 1e6 / run.answered() as f64;
        Measured { rate: run.rate(), median: run.percentile(0.5), slow: run.percentile(0.99), cpu }
    }
}

async fn take(server: &Process, connections: usize, requests: &Requests, length: Duration) -> Result<Measured> {
    let cpu_before = server.cpu()?;
    let run = load::run(server.port, connections, requests, Until::Time(length)).await?;
    Ok(Measured::new(&run, server.cpu()? - cpu_before))
}

fn table(rounds: &[Round], more: &[Round], length: Duration) -> Table {
    let note = format!(
        "Keep-alive connections write signed texts of {CONTACTS} contacts as fast as they are answered, for {} s at a \
         time; medians of {} rounds with {CONNECTIONS} connections and of {} with {MORE_CONNECTIONS}, ratios to the \
         empty handler of the same round. The gateway syncs each text to disk before it answers, and answers turns \
         meanwhile (agent `echo`, a fake Twilio). One other process on the same cores is generator and fake Twilio. \
         The last column counts the server's own CPU time for each text: at the gateway for text, turn and answer \
         together.",
        length.as_secs(),
        rounds.len(),
        more.len(),
    );
    let columns =
        ["server", "connections", "webhooks/s", "of empty", "p50 (ms)", "p99 (ms)", "of empty", "CPU each (µs)"];
    let mut table = Table::new("Webhooks taken", &note, &columns);
    for (rounds, connections) in [(rounds, CONNECTIONS), (more, MORE_CONNECTIONS)] {
        table.row(row("empty handler", connections, rounds, |round| &round.empty));
        table.row(row("signature checked", connections, rounds, |round| &round.signed));
        table.row(row("gateway: stored, turns on", connections, rounds, |round| &round.gateway));
    }
    let middle = |value: &dyn Fn(&Round) -> f64| median(&rounds.iter().map(value).collect::<Vec<_>>());
    table.remark(format!(
        "With {CONNECTIONS} connections, turns are answered meanwhile at {:.0} per second, and from the first text to \
         the last answer handed to the fake Twilio at {:.0} per second.",
        middle(&|round| round.turns_meanwhile),
        middle(&|round| round.turns),
    ));
    let share = middle(&|round| round.gateway.rate / round.empty.rate);
    let slow = middle(&|round| round.gateway.slow / round.empty.slow);
    let share_aim = format!("the gateway takes at least {MIN_SHARE} of what the empty handler takes");
    table.aim(share_aim, format!("{share:.2}"), share >= MIN_SHARE);
    let slow_aim = format!("its p99 is at most {MAX_SLOWDOWN} times the empty handler's");
    table.aim(slow_aim, format!("{slow:.1}"), slow <= MAX_SLOWDOWN);
    table
}

fn row(name: &str, connections: usize, rounds: &[Round], of: impl Fn(&Round) -> &Measured) -> [String; 8] {
    let middle = |value: &dyn Fn(&Round) -> f64| median(&rounds.iter().map(value).collect::<Vec<_>>());
    [
        name.to_owned(),
        connections.to_string(),
        format!("{:.0}", middle(&|round| of(round).rate)),
        format!("{:.2}", middle(&|round| of(round).rate / round.empty.rate)),
        format!("{:.2}", middle(&|round| of(round).median)),
        format!("{:.2}", middle(&|round| of(round).slow)),
        format!("{:.1}", middle(&|round| of(round).slow / round.empty.slow)),
        format!("{:.0}", middle(&|round| of(round).cpu)),
    ]
}
