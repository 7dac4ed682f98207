//! `--config`, which every command accepts that reads the configuration.

use std::path::PathBuf;

use clap::Args;

/// Options of every command that reads the configuration.
#[derive(Debug, Clone, Args)]
pub struct ConfigArg {
    /// Configuration file (default: OPENCLAW_CONFIG_PATH, else openclaw.json in the OpenClaw state folder)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}
