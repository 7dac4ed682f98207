//! The duration of a first build, without downloads.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::report::Table;

/// The target in seconds.
const MAX_SECONDS: f64 = 300.0;

/// Builds into an empty folder.
pub fn measure() -> Result<Table> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let folder = tempfile::tempdir()?;
    let fetched = Command::new(cargo).arg("fetch").status()?;
    ensure!(fetched.success(), "the dependencies cannot be downloaded");
    let started = Instant::now();
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--package", "openclaw", "--target-dir"]).arg(folder.path());
    ensure!(build.status()?.success(), "the binary cannot be built");
    let mut table = Table::new("Cold build", "`cargo build --release -p openclaw`, downloads aside.", &["", "s"]);
    let took = started.elapsed().as_secs_f64();
    table.row(["cold build".to_owned(), format!("{took:.0}")]);
    table.aim(format!("within {MAX_SECONDS:.0} s on two cores"), format!("{took:.0} s"), took <= MAX_SECONDS);
    Ok(table)
}
