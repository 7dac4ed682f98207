//! Resource usage of this process, under the names that exporters commonly use.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::PREFIX;

/// Returns the gauges; without `/proc`, those that the system does not report are omitted.
pub(super) fn registry(started: SystemTime) -> Registry {
    let mut registry = Registry::default();
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register(format!("{PREFIX}_build"), "The running version", version);
    let started = started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let help = "Start of the process, in seconds since 1970";
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
