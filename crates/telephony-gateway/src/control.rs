//! Local sockets in the state folder: commands wake the gateway and read its status, doctor sends probes.

pub mod probe;
pub mod status;

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixListener;

/// Pause after a connection could not be accepted.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Opens a socket; the caller holds the gateway's lock. Replaces a socket that a dead gateway left behind.
fn listen_at(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    UnixListener::bind(path)
}
