//! The size of the binary.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::gateway::Gateway;
use crate::report::Table;

/// Measures the release binary with and without symbols, and the static one if it exists.
pub fn measure(gateway: &Gateway) -> Result<Table> {
    let note = "Profile `release`; the static binary is the one of `dist/build`, measured where it was built before.";
    let mut table = Table::new("Size of the binary", note, &["", "MB"]);
    let megabytes = |path: &Path| Ok::<_, anyhow::Error>(format!("{:.1}", std::fs::metadata(path)?.len() as f64 / 1e6));
    table.row(["as built".to_owned(), megabytes(&gateway.binary)?]);
    let stripped = tempfile::NamedTempFile::new()?;
    let done = Command::new("strip").arg("-o").arg(stripped.path()).arg(&gateway.binary).status()?;
    ensure!(done.success(), "strip failed");
    table.row(["without symbols".to_owned(), megabytes(stripped.path())?]);
    if let Some(shipped) = gateway.shipped() {
        table.row(["static".to_owned(), megabytes(&shipped.binary)?]);
    }
    Ok(table)
}
