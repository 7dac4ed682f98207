//! File locks for one gateway per state folder, and for commands without one. The system releases them however the process
//! ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A command that checks for a gateway holds the lock for an instant, so it is tried several times.
const LOOKS: u32 = 10;

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The right to run the gateway of a state folder; released when dropped or when the process ends.
#[derive(Debug)]
pub struct GatewayLock {
    _file: File,
}

/// A reason why the gateway may not run.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another one is running.
    #[error("another gateway is running with the state folder {0}")]
    Taken(PathBuf),
    /// The lock file cannot be opened.
    #[error("cannot open the lock file {0}")]
    Unusable(PathBuf, #[source] io::Error),
}

impl GatewayLock {
    /// Takes the lock of `state`.
    pub fn take(state: &Path) -> Result<Self, LockError> {
        let path = path(state);
        let unusable = |error| LockError::Unusable(path.clone(), error);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(unusable)?;
        for _ in 0..LOOKS {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_LOOKS),
                Err(TryLockError::Error(error)) => return Err(LockError::Unusable(path, error)),
            }
        }
        Err(LockError::Taken(state.to_path_buf()))
    }

    /// Returns true if a gateway is running with `state`.
    pub fn is_taken(state: &Path) -> bool {
        let Ok(file) = File::open(path(state)) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

/// Shows commands without a gateway that others of them are sending, by a lock that the system releases: a wall clock, which
/// may jump, cannot show whose attempts are abandoned.
#[derive(Debug)]
pub struct SendingLock {
    _file: File,
}

impl SendingLock {
    /// Takes the lock for an attempt of this process, beside those of others.
    pub fn share(state: &Path) -> io::Result<Self> {
        let file = Self::open(state)?;
        file.lock_shared()?;
        Ok(Self { _file: file })
    }

    /// Takes the lock while no attempt of any command is in flight, and none begins until it is dropped.
    pub fn alone(state: &Path) -> Option<Self> {
        let file = Self::open(state).ok()?;
        file.try_lock().ok()?;
        Some(Self { _file: file })
    }

    fn open(state: &Path) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).open(state.join("sending.lock"))
    }
}

fn path(state: &Path) -> PathBuf {
    state.join("gateway.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_checks_the_lock_does_not_block_a_gateway() {
        let state = tempfile::tempdir().unwrap();
        drop(GatewayLock::take(state.path()).unwrap());
        let asking = File::open(path(state.path())).unwrap();
        asking.try_lock_shared().unwrap();
        let (started, starts) = std::sync::mpsc::channel();
        let folder = state.path().to_path_buf();
        let gateway = std::thread::spawn(move || {
            started.send(()).unwrap();
            GatewayLock::take(&folder).map(drop)
        });
        starts.recv().unwrap();
        drop(asking);
        gateway.join().unwrap().unwrap();
    }

    #[test]
    fn a_second_gateway_on_one_state_folder_is_refused() {
        let state = tempfile::tempdir().unwrap();
        assert!(!GatewayLock::is_taken(state.path()));
        let first = GatewayLock::take(state.path()).unwrap();
        assert!(GatewayLock::is_taken(state.path()));
        assert!(matches!(GatewayLock::take(state.path()), Err(LockError::Taken(_))));
        drop(first);
        assert!(!GatewayLock::is_taken(state.path()));
        GatewayLock::take(state.path()).unwrap();
    }
}
