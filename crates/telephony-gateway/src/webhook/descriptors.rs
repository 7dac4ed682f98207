//! How many connections the system's limit on open files allows, after asking for more.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// No more connections are open at a time, whatever the system allows.
const CONNECTIONS: u64 = 1024;

/// What is asked of the system: room for all connections, the store, agents and requests to the provider.
const DESCRIPTORS: u64 = 4096;

/// Raises the process's own limit as far as it may, up to what is needed, and returns how many connections fit: half of
/// the descriptors, at most 1024.
pub fn connections() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = DESCRIPTORS.min(maximum.unwrap_or(u64::MAX));
    let mut allowed = current.unwrap_or(u64::MAX);
    if allowed < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok() {
        allowed = wanted;
    }
    let connections = CONNECTIONS.min(allowed / 2).max(1);
    if connections < CONNECTIONS {
        tracing::warn!(
            allowed,
            connections,
            "the system allows few open files: raise the limit (`ulimit -n`, or `LimitNOFILE=` in the unit)"
        );
    }
    usize::try_from(connections).unwrap_or(1)
}
