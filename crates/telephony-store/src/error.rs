//! Why the store could not do what was asked, in words an operator can act on.

use std::io::ErrorKind;
use std::path::Path;

use rustix::io::Errno;

/// Why the store failed. Nothing of the transaction was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full.
    #[error("the disk with the message store is full: {0}")]
    Full(String),
    /// The file or its folder may not be written.
    #[error("the message store cannot be written: {0}")]
    ReadOnly(String),
    /// The disk did not do what was asked of it: it became read-only meanwhile, a quota is used up, or it fails.
    #[error("the disk with the message store fails: {0}")]
    Disk(String),
    /// The process has no file descriptor, memory or process left for now.
    #[error("the system gives no more file descriptors or memory for the message store: {0}")]
    Exhausted(String),
    /// Another process holds the store for too long.
    #[error("the message store is busy: {0}")]
    Busy(String),
    /// The file is damaged, or is no store.
    #[error("the message store is damaged: {0}")]
    Damaged(String),
    /// The file was removed or replaced.
    #[error("the message store is gone: {0}")]
    Gone(String),
    /// The file was written by a newer version of this program.
    #[error("the message store has schema {found}, newer than {known}, the newest this program knows")]
    Newer {
        /// The file's schema.
        found: u32,
        /// The newest schema that this program knows.
        known: u32,
    },
    /// The file has an older schema and may not be changed by this command.
    #[error("the message store has schema {found}, this program needs {known}")]
    Older {
        /// The file's schema.
        found: u32,
        /// The schema that this program needs.
        known: u32,
    },
    /// The lease expired and somebody else has the work now: the result is dropped.
    #[error("the lease is lost: somebody else has this work now")]
    LeaseLost,
    /// Another request has this pairing code already: choose another.
    #[error("the pairing code is taken")]
    CodeTaken,
    /// The contact asked this line to stop: nothing may be sent.
    #[error("the contact has opted out of messages from this line")]
    OptedOut,
    /// More waits on the line than the provider takes.
    #[error("too much waits on the line already: {waiting} segments, and at its pace it sends {most} in 10 hours")]
    QueueFull {
        /// Segments that wait.
        waiting: u32,
        /// How many may wait.
        most: u32,
    },
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// The work on it panicked, which is a bug of ours.
    #[error("a fault of this program keeps it from being stored")]
    Fault,
    /// A thread of the store has ended, which is a bug of ours.
    #[error("a thread of the message store has stopped")]
    Stopped,
    /// Anything else the database says.
    #[error("the message store failed: {0}")]
    Other(String),
}

impl StoreError {
    /// Whether nothing at all can be stored now, whatever it is.
    pub fn is_of_the_store(&self) -> bool {
        self.stops_storing()
            || matches!(self, StoreError::Busy(_) | StoreError::Newer { .. } | StoreError::Older { .. })
    }

    /// Returns true if nothing can be stored until an operator does something, or the disk or the system has room again.
    pub fn stops_storing(&self) -> bool {
        use StoreError::{Damaged, Disk, Exhausted, Full, Gone, ReadOnly, Stopped};
        matches!(self, Full(_) | ReadOnly(_) | Disk(_) | Exhausted(_) | Damaged(_) | Gone(_) | Stopped)
    }

    /// One word for programs that watch; it says nothing about this machine.
    pub fn reason(&self) -> &'static str {
        match self {
            StoreError::Full(_) => "disk-full",
            StoreError::ReadOnly(_) => "read-only",
            StoreError::Disk(_) => "disk-fails",
            StoreError::Exhausted(_) => "system-exhausted",
            StoreError::Busy(_) => "store-busy",
            StoreError::Damaged(_) => "store-damaged",
            StoreError::Gone(_) => "store-gone",
            _ => "store-fails",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            StoreError::Full(_) => "free some space; messages are taken again at once",
            StoreError::ReadOnly(_) => {
                "check the owner and the mode of the state folder, and that its disk is mounted for writing"
            }
            StoreError::Disk(_) => {
                "see whether it is still mounted for writing, whether a quota is used up, and what the system's log says of it; \
                 messages are taken again as soon as it works"
            }
            StoreError::Exhausted(_) => {
                "it passes by itself; if it comes back, raise the limit on open files (`ulimit -n`, `LimitNOFILE=4096` in the unit)"
            }
            StoreError::Busy(_) => "try again; if it stays, look for another program that has the file open",
            StoreError::Damaged(_) => "stop the gateway, keep the file aside and restore the newest copy beside it",
            StoreError::Gone(_) => {
                "put the file back, or stop the gateway and restore a copy; without it opt-outs and approvals are unknown"
            }
            StoreError::Newer { .. } => {
                "use the newer program, or restore the copy that was made before it changed the schema"
            }
            StoreError::Older { .. } => {
                "restart the gateway with this version of the program: it changes the schema at start"
            }
            StoreError::LeaseLost => "nothing to do: the work is done elsewhere",
            StoreError::CodeTaken => "try again: another code is chosen",
            StoreError::OptedOut => "the contact can text START to your number to be reached again",
            StoreError::QueueFull { .. } => {
                "wait until some of it has left, or set sms.segmentsPerSecond where your numbers may send faster"
            }
            StoreError::NotFound(_) => {
                "list what there is with `openclaw telephony messages`, `messages --dead` or `openclaw pairing list telephony`"
            }
            StoreError::Stopped => "restart the program, and report it with the log",
            StoreError::Fault | StoreError::Other(_) => "the log has more; if it stays, report it with the log",
        }
    }

    /// The same failure, saying which file it is about.
    pub(crate) fn at(self, path: &Path) -> StoreError {
        let named = |words: String| format!("{}: {words}", path.display());
        match self {
            StoreError::Full(words) => StoreError::Full(named(words)),
            StoreError::ReadOnly(words) => StoreError::ReadOnly(named(words)),
            StoreError::Busy(words) => StoreError::Busy(named(words)),
            StoreError::Disk(words) => StoreError::Disk(named(words)),
            StoreError::Exhausted(words) => StoreError::Exhausted(named(words)),
            StoreError::Damaged(words) => StoreError::Damaged(named(words)),
            StoreError::Gone(words) => StoreError::Gone(named(words)),
            StoreError::Other(words) => StoreError::Other(named(words)),
            other => other,
        }
    }

    /// A failure of the file system about the store's own file or folder.
    pub(crate) fn of_file(error: &std::io::Error) -> StoreError {
        match error.kind() {
            ErrorKind::NotFound => StoreError::Gone("it was removed".to_owned()),
            _ if Errno::from_io_error(error) == Some(Errno::IO) => StoreError::Disk(error.to_string()),
            _ => StoreError::of_room(error).unwrap_or_else(|| StoreError::ReadOnly(error.to_string())),
        }
    }

    /// A failure of the disk under a file that is open.
    pub(crate) fn of_disk(error: &std::io::Error) -> StoreError {
        StoreError::of_room(error).unwrap_or_else(|| StoreError::Disk(error.to_string()))
    }

    /// A failure because the disk or the system has no room; none for all else.
    pub(crate) fn of_room(error: &std::io::Error) -> Option<StoreError> {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(StoreError::Full(error.to_string())),
            _ if is_exhausted(error) => Some(StoreError::Exhausted(error.to_string())),
            _ => None,
        }
    }
}

/// Returns true if the system has no descriptor, memory or process left: it may have one soon.
fn is_exhausted(error: &std::io::Error) -> bool {
    let passes = [Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM, Errno::NOBUFS];
    Errno::from_io_error(error).is_some_and(|errno| passes.contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exhausted_system_is_no_fault_of_the_file() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM] {
            for error in [StoreError::of_file(&errno.into()), StoreError::of_disk(&errno.into())] {
                assert!(matches!(error, StoreError::Exhausted(_)), "{error}");
                assert!(error.is_of_the_store() && error.to_string().contains("no more file descriptors"), "{error}");
            }
        }
        assert!(matches!(StoreError::of_file(&Errno::IO.into()), StoreError::Disk(_)));
        for errno in [Errno::ACCESS, Errno::PERM, Errno::ROFS] {
            assert!(matches!(StoreError::of_file(&errno.into()), StoreError::ReadOnly(_)));
        }
    }
}
