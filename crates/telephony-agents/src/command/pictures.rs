//! A folder in which a program leaves what goes with its answer.
//!
//! It is a folder, and not a name in what is printed, because programs print what models say: a contact who talks a model
//! into naming a file must not be sent it.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tempfile::TempDir;

/// The variable that tells the program where the folder is.
pub(super) const VARIABLE: &str = "OPENCLAW_REPLY_MEDIA";

/// No more files are read, and no larger ones (bytes): more than any carrier takes, since pictures are made smaller.
const FILES: usize = 10;
const BYTES: u64 = 12_000_000;

/// The folder; it goes when this goes.
pub(super) struct Pictures(TempDir);

impl Pictures {
    /// An empty folder that only its owner may read.
    pub(super) fn folder() -> io::Result<Pictures> {
        tempfile::Builder::new().prefix("openclaw-reply-").tempdir().map(Pictures)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Returns the program's files, in the order of names, as Markdown images that hold the bytes. Fails where the
    /// system lacks a descriptor or the like: an answer without its pictures is half an answer.
    pub(super) async fn as_markdown(&self) -> io::Result<String> {
        let mut markdown = String::new();
        for path in self.files()?.into_iter().take(FILES) {
            match tokio::fs::read(&path).await {
                Ok(bytes) => markdown.push_str(&format!("\n![](data:;base64,{})", BASE64_STANDARD.encode(bytes))),
                Err(error) if is_its_own(&error) => {
                    tracing::warn!(%error, "a file that agent.command left cannot be read");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(markdown)
    }

    /// Plain files only: a link could lead to anything.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match std::fs::read_dir(self.path()) {
            Err(error) if is_its_own(&error) => return Ok(Vec::new()),
            entries => entries?,
        };
        let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        let mut files: Vec<PathBuf> = paths.into_iter().filter(|path| is_sendable(path)).collect();
        files.sort();
        Ok(files)
    }
}

/// Returns true if the program took the file or the folder away, or the right to read it.
fn is_its_own(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied)
}

fn is_sendable(path: &Path) -> bool {
    let is_sendable = path.symlink_metadata().is_ok_and(|found| found.is_file() && found.len() <= BYTES);
    if !is_sendable {
        tracing::warn!("something that agent.command left is not a file, or too large, and is not sent");
    }
    is_sendable
}
