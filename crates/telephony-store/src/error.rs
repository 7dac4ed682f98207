//! Store errors, with hints for the operator.

use std::io::ErrorKind;
use std::path::Path;

use rustix::io::Errno;
use telephony_domain::plural::counted;

/// A store error. Nothing of the transaction was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full.
    #[error("the disk with the message store is full: {0}")]
    Full(String),
    /// The file or its folder is not writable.
    #[error("the message store is not writable: {0}")]
    ReadOnly(String),
    /// The disk failed: it became read-only meanwhile, a quota is used up, or it is broken.
    #[error("the disk with the message store fails: {0}")]
    Disk(String),
    /// The process has no file descriptor or memory left for now.
    #[error("no file descriptors or memory left for the message store: {0}")]
    Exhausted(String),
    /// Another process has held the store for too long.
    #[error("the message store is busy: {0}")]
    Busy(String),
    /// The file is damaged, or is not a store.
    #[error("the message store is damaged: {0}")]
    Damaged(String),
    /// The file was removed or replaced.
    #[error("the message store is gone: {0}")]
    Gone(String),
    /// The file was written by a newer version of this program.
    #[error("the message store has schema {found}, but this program only knows up to {known}")]
    Newer {
        /// Schema of the file.
        found: u32,
        /// Newest schema that this program knows.
        known: u32,
    },
    /// The file has an older schema, which this command must not change.
    #[error("the message store has schema {found}, but this program needs {known}")]
    Older {
        /// Schema of the file.
        found: u32,
        /// Schema that this program needs.
        known: u32,
    },
    /// The lease expired and another worker has the work: the result is dropped.
    #[error("the lease is lost: another worker has this work now")]
    LeaseLost,
    /// Another request has this pairing code: choose a different one.
    #[error("the pairing code is taken")]
    CodeTaken,
    /// The contact opted out of this line: nothing may be sent.
    #[error("the contact has opted out of messages from this line")]
    OptedOut,
    /// More segments wait on the line than the provider accepts.
    #[error("the line's queue is full: it holds {}, and at its pace it sends {most} in 10 hours", counted(.waiting, "segment"))]
    QueueFull {
        /// Segments that already wait on the line.
        waiting: u32,
        /// Maximum number of segments that may wait.
        most: u32,
    },
    /// It does not exist.
    #[error("there is no {0}")]
    NotFound(String),
    /// The operation panicked, which is a bug in this program.
    #[error("a bug in this program prevents it from being stored")]
    Fault,
    /// A thread of the store has ended, which is a bug in this program.
    #[error("a thread of the message store has stopped")]
    Stopped,
    /// Any other database error.
    #[error("the message store failed: {0}")]
    Other(String),
}

impl StoreError {
    /// Returns true if nothing at all can be stored now.
    pub fn is_of_the_store(&self) -> bool {
        self.stops_storing()
            || matches!(self, StoreError::Busy(_) | StoreError::Newer { .. } | StoreError::Older { .. })
    }

    /// Returns true if nothing can be stored until an operator acts, or the disk or the system has resources again.
    pub fn stops_storing(&self) -> bool {
        use StoreError::{Damaged, Disk, Exhausted, Full, Gone, ReadOnly, Stopped};
        matches!(self, Full(_) | ReadOnly(_) | Disk(_) | Exhausted(_) | Damaged(_) | Gone(_) | Stopped)
    }

    /// Returns one word for monitoring, without details of this machine.
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

    /// Returns advice for the operator.
    pub fn hint(&self) -> &'static str {
        match self {
            StoreError::Full(_) => "free some space; messages are then accepted again at once",
            StoreError::ReadOnly(_) => {
                "check the owner and mode of the state folder, and that its disk is mounted writable"
            }
            StoreError::Disk(_) => {
                "check that it is still mounted writable, whether a quota is used up, and the system log; messages \
                are accepted again as soon as it works"
            }
            StoreError::Exhausted(_) => {
                "this resolves itself; if it recurs, raise the limit on open files (`ulimit -n`, `LimitNOFILE=4096` \
                in the unit)"
            }
            StoreError::Busy(_) => "try again; if it persists, look for another program that has the file open",
            StoreError::Damaged(_) => "stop the gateway, move the file aside and restore the latest backup",
            StoreError::Gone(_) => {
                "put the file back, or stop the gateway and restore a backup; without it opt-outs and approvals are \
                lost"
            }
            StoreError::Newer { .. } => "use the newer program, or restore the backup made before the schema changed",
            StoreError::Older { .. } => {
                "restart the gateway with this version of the program: it updates the schema at startup"
            }
            StoreError::LeaseLost => "nothing to do: another worker has it",
            StoreError::CodeTaken => "try again: a different code will be chosen",
            StoreError::OptedOut => "the contact can text START to your number to get messages again",
            StoreError::QueueFull { .. } => {
                "wait until the queue is shorter, or set sms.segmentsPerSecond if your numbers can send faster"
            }
            StoreError::NotFound(_) => {
                "list existing ones with `openclaw telephony messages`, `messages --dead` or `openclaw pairing list \
                telephony`"
            }
            StoreError::Stopped => "restart the program, and please report this with the log",
            StoreError::Fault | StoreError::Other(_) => "see the log; if it persists, please report it with the log",
        }
    }

    /// Adds the path of the file to the error.
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

    /// Converts a file system error about the store's own file or folder.
    pub(crate) fn of_file(error: &std::io::Error) -> StoreError {
        match error.kind() {
            ErrorKind::NotFound => StoreError::Gone("it was removed".to_owned()),
            _ if Errno::from_io_error(error) == Some(Errno::IO) => StoreError::Disk(error.to_string()),
            _ => StoreError::of_room(error).unwrap_or_else(|| StoreError::ReadOnly(error.to_string())),
        }
    }

    /// Converts a disk error of an open file.
    pub(crate) fn of_disk(error: &std::io::Error) -> StoreError {
        StoreError::of_room(error).unwrap_or_else(|| StoreError::Disk(error.to_string()))
    }

    /// Converts an error due to a full disk or exhausted system; none for all others.
    pub(crate) fn of_room(error: &std::io::Error) -> Option<StoreError> {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(StoreError::Full(error.to_string())),
            _ if is_exhausted(error) => Some(StoreError::Exhausted(error.to_string())),
            _ => None,
        }
    }
}

/// Returns true if the system temporarily lacks descriptors, memory or processes.
fn is_exhausted(error: &std::io::Error) -> bool {
    let passes = [Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM, Errno::NOBUFS];
    Errno::from_io_error(error).is_some_and(|errno| passes.contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exhausted_descriptors_are_not_an_error_of_the_file() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM] {
            for error in [StoreError::of_file(&errno.into()), StoreError::of_disk(&errno.into())] {
                assert!(matches!(error, StoreError::Exhausted(_)), "{error}");
                assert!(
                    error.is_of_the_store() && error.to_string().contains("no file descriptors or memory left"),
                    "{error}"
                );
            }
        }
        assert!(matches!(StoreError::of_file(&Errno::IO.into()), StoreError::Disk(_)));
        for errno in [Errno::ACCESS, Errno::PERM, Errno::ROFS] {
            assert!(matches!(StoreError::of_file(&errno.into()), StoreError::ReadOnly(_)));
        }
    }
}
