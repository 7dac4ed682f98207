//! The gateway's startup time and idle memory.

use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::gateway::Gateway;
use crate::report::{Table, median};

/// The number of starts.
const STARTS: usize = 20;

/// The time after which memory is stable.
const SETTLED: Duration = Duration::from_secs(2);

/// Targets: milliseconds from exec to listening, and MB when idle.
const MAX_START_MS: f64 = 30.0;
const IDLE_BELOW: f64 = 15.0;

/// An unused address, because this part makes no requests to Twilio.
const NO_TWILIO: &str = "http://127.0.0.1:9";

/// Starts the gateway without a store, then repeatedly with one.
pub async fn measure(gateway: &Gateway) -> Result<Table> {
    let note = format!(
        "From exec until a request is answered, {STARTS} times, with the binary in the page cache. \
         Memory is resident memory (VmRSS), code included, two seconds after the start."
    );
    let mut table = Table::new("Start and idle", &note, &["", "median", "slowest"]);
    let first = (0..STARTS).map(|_| start_once(gateway, &gateway.new_state()?)).collect::<Result<Vec<_>>>()?;
    table.row(row("first start, makes the store (ms)", &first));
    let state = gateway.new_state()?;
    let later = (0..STARTS).map(|_| start_once(gateway, &state)).collect::<Result<Vec<_>>>()?;
    table.row(row("later start (ms)", &later[1..]));
    let (mut idle, mut which) = (idle_memory(gateway, &state).await?, "");
    table.row(["idle memory (MB)".to_owned(), format!("{idle:.1}"), String::new()]);
    if let Some(shipped) = gateway.shipped() {
        (idle, which) = (idle_memory(&shipped, &state).await?, ", static binary");
        table.row(["idle memory, static binary (MB)".to_owned(), format!("{idle:.1}"), String::new()]);
    }
    let slower = median(&first).max(median(&later[1..]));
    table.aim(format!("answers within {MAX_START_MS} ms of exec"), format!("{slower:.1} ms"), slower <= MAX_START_MS);
    table.aim(format!("less than {IDLE_BELOW} MB when idle{which}"), format!("{idle:.1} MB"), idle < IDLE_BELOW);
    Ok(table)
}

async fn idle_memory(gateway: &Gateway, state: &TempDir) -> Result<f64> {
    let process = gateway.start(state, NO_TWILIO)?;
    tokio::time::sleep(SETTLED).await;
    process.memory()
}

/// Returns the startup time in milliseconds.
fn start_once(gateway: &Gateway, state: &TempDir) -> Result<f64> {
    Ok(gateway.start(state, NO_TWILIO)?.started_in.as_secs_f64() * 1000.0)
}

fn row(name: &str, times: &[f64]) -> [String; 3] {
    let slowest = times.iter().copied().fold(0.0, f64::max);
    [name.to_owned(), format!("{:.1}", median(times)), format!("{slowest:.1}")]
}
