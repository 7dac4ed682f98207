//! The purposes of opening the store.

/// The purpose of opening the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The gateway: updates an older schema, after copying the file.
    Gateway,
    /// A command, possibly beside a running gateway: creates a missing file, but does not change an older schema.
    Command,
    /// A command that only reads: a missing file is not created and counts as empty; a file on a read-only or full disk
    /// is readable.
    Reading,
}
