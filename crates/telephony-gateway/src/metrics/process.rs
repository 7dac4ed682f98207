//! What this process takes of the machine, under the names that every exporter has for it.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::PREFIX;

/// The gauges; those that the system does not tell (without `/proc`) are left out.
pub(super) fn registry(started: SystemTime) -> Registry {
    let mut registry = Registry::default();
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register(format!("{PREFIX}_build"), "The version that runs", version);
    let started = started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let help = "When the process started, in seconds since 1970";
    registry.register("process_start_time_seconds", help, ConstGauge::new(started));
    if let Some(bytes) = resident_bytes() {
        registry.register("process_resident_memory_bytes", "Memory in use, in bytes", ConstGauge::new(bytes));
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        registry.register("process_open_fds", "Open files and connections", ConstGauge::new(open.count() as u64));
    }
    registry
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?;
    Some(kilobytes.parse::<u64>().ok()? * 1024)
}
