//! Limits connections by the system's limit on open files, which is raised first.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// Maximum number of open connections, whatever the system allows.
const CONNECTIONS: u64 = 1024;

/// Requested limit: enough for all connections, the store, agents and requests to the provider.
const DESCRIPTORS: u64 = 4096;

/// Reserve for the store, the journal, our own sockets and requests to the provider.
const RESERVE: u64 = 40;

/// Descriptors of an agent's program while it starts: two ends for each of its three pipes, and two for its errors.
const OF_AN_AGENT: u64 = 8;

/// A gateway's limit on open files, and what it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptors {
    /// The limit, raised as far as the system permits.
    pub allowed: u64,
    /// The limit that does not slow the gateway down: connections, agents and the reserve.
    pub needed: u64,
    /// Connections at a time.
    pub connections: u64,
    /// Agents at a time.
    pub agents: u64,
}

impl Descriptors {
    /// Returns the values for a gateway started by this process with up to `sessions` agents at a time.
    pub fn expected(sessions: usize) -> Self {
        Self::of(reachable(getrlimit(Resource::Nofile)), sessions)
    }

    /// Returns true if the gateway is restricted to fewer connections or agents.
    pub fn are_few(&self) -> bool {
        self.allowed < self.needed
    }

    fn of(allowed: u64, sessions: usize) -> Self {
        let agents = OF_AN_AGENT.saturating_mul(sessions as u64);
        // Connections get half of what is not reserved.
        let needed = RESERVE + CONNECTIONS + agents.max(CONNECTIONS);
        Self { allowed, needed, connections: connections_of(allowed), agents: agents_of(allowed) }
    }
}

/// Returns the number of connections: half of what is not reserved, at most 1024.
pub fn connections() -> usize {
    let allowed = allowed();
    let connections = connections_of(allowed);
    if connections < CONNECTIONS {
        tracing::warn!(
            allowed,
            connections,
            "the limit on open files is low: raise it (`ulimit -n`, or `LimitNOFILE=` in the unit)"
        );
    }
    usize::try_from(connections).unwrap_or(1)
}

/// Returns how many agents fit beside the connections, at least one.
pub fn agents() -> usize {
    usize::try_from(agents_of(allowed())).unwrap_or(usize::MAX)
}

fn connections_of(allowed: u64) -> u64 {
    CONNECTIONS.min(allowed.saturating_sub(RESERVE) / 2).max(4)
}

fn agents_of(allowed: u64) -> u64 {
    (allowed.saturating_sub(RESERVE + connections_of(allowed)) / OF_AN_AGENT).max(1)
}

/// Raises the process's own limit up to what is needed, and returns it.
fn allowed() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let (current, wanted) = (limit.current.unwrap_or(u64::MAX), reachable(limit));
    if current < wanted {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        return if setrlimit(Resource::Nofile, raised).is_ok() { wanted } else { current };
    }
    current
}

/// Returns the limit that a process can give itself.
fn reachable(limit: Rlimit) -> u64 {
    let most = DESCRIPTORS.min(limit.maximum.unwrap_or(u64::MAX));
    limit.current.unwrap_or(u64::MAX).max(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_limit_fits_every_connection_and_agent() {
        for sessions in [1, 10, 100, 128, 129, 500] {
            let needed = Descriptors::of(0, sessions).needed;
            let (enough, short) = (Descriptors::of(needed, sessions), Descriptors::of(needed - 1, sessions));
            assert!(enough.connections == CONNECTIONS && enough.agents >= sessions as u64, "{enough:?}");
            assert!(!enough.are_few() && short.are_few(), "{sessions}");
        }
    }
}
