//! How large the binary is.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::report::Table;

/// Measures the release binary as it is and without its symbols.
pub fn measure(binary: &Path) -> Result<Table> {
    let mut table = Table::new("Size of the binary", "Profile `release`.", &["", "MB"]);
    let megabytes = |path: &Path| Ok::<_, anyhow::Error>(format!("{:.1}", std::fs::metadata(path)?.len() as f64 / 1e6));
    table.row(["as built".to_owned(), megabytes(binary)?]);
    let stripped = tempfile::NamedTempFile::new()?;
    let done = Command::new("strip").arg("-o").arg(stripped.path()).arg(binary).status()?;
    ensure!(done.success(), "strip failed");
    table.row(["without symbols".to_owned(), megabytes(stripped.path())?]);
    Ok(table)
}
