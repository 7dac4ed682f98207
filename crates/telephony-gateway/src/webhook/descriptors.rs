//! How many connections the system's limit on open files allows, after asking for more.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// No more connections are open at a time, whatever the system allows.
const CONNECTIONS: u64 = 1024;

/// What is asked of the system: room for all connections, the store, agents and requests to the provider.
const DESCRIPTORS: u64 = 4096;

/// Kept for the store, the journal, sockets of our own and requests to the provider.
const RESERVE: u64 = 40;

/// An agent's program takes so many while it starts: two ends for each of its three pipes, and two for its errors.
const OF_AN_AGENT: u64 = 8;

/// Returns how many connections fit: half of what is not reserved, at most 1024.
pub fn connections() -> usize {
    let allowed = allowed();
    let connections = connections_of(allowed);
    if connections < CONNECTIONS {
        tracing::warn!(
            allowed,
            connections,
            "the system allows few open files: raise the limit (`ulimit -n`, or `LimitNOFILE=` in the unit)"
        );
    }
    usize::try_from(connections).unwrap_or(1)
}

/// Returns how many agents can be asked at a time: as fit beside the connections, at least one.
pub fn agents() -> usize {
    let allowed = allowed();
    let left = allowed.saturating_sub(RESERVE + connections_of(allowed));
    usize::try_from((left / OF_AN_AGENT).max(1)).unwrap_or(usize::MAX)
}

fn connections_of(allowed: u64) -> u64 {
    CONNECTIONS.min(allowed.saturating_sub(RESERVE) / 2).max(4)
}

/// Raises the process's own limit as far as it may, up to what is needed, and returns it.
fn allowed() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = DESCRIPTORS.min(maximum.unwrap_or(u64::MAX));
    let mut allowed = current.unwrap_or(u64::MAX);
    if allowed < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok() {
        allowed = wanted;
    }
    allowed
}
