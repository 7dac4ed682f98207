//! Who opens the store.

/// Who opens the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The gateway: brings an older schema up to date, after making a copy of the file beside it.
    Gateway,
    /// A command, perhaps beside a running gateway: makes a new file where there is none, changes no older schema.
    Command,
    /// A command that only looks: makes no file where there is none, and finds nothing in it; reads a file that cannot be
    /// written, or has no room to be.
    Reading,
}
