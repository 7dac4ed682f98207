//! A folder for files that a program sends with its answer.
//!
//! It is a folder, and not a name in the output, because programs print what models say: a contact who tricks a model
//! into naming a file must not get it.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tempfile::TempDir;

/// Variable with the path of the folder.
pub(super) const VARIABLE: &str = "OPENCLAW_REPLY_MEDIA";

/// Maximum number of files read; larger ones are shrunk or rejected later, because no carrier accepts more.
const FILES: usize = 10;
const BYTES: u64 = 12_000_000;

/// The folder, deleted when dropped.
pub(super) struct PictureFolder(TempDir);

impl PictureFolder {
    /// Creates an empty folder that only its owner can read.
    pub(super) fn folder() -> io::Result<PictureFolder> {
        tempfile::Builder::new().prefix("openclaw-reply-").tempdir().map(PictureFolder)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Returns the program's files, sorted by name, as Markdown images with the bytes. Fails if the system lacks
    /// descriptors or the like, because an answer without its pictures is incomplete.
    pub(super) async fn as_markdown(&self) -> io::Result<String> {
        let mut markdown = String::new();
        for path in self.files()?.into_iter().take(FILES) {
            match tokio::fs::read(&path).await {
                Ok(bytes) => markdown.push_str(&format!("\n![](data:;base64,{})", BASE64_STANDARD.encode(bytes))),
                Err(error) if is_its_own(&error) => {
                    tracing::warn!(%error, "cannot read a file of agent.command");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(markdown)
    }

    /// Lists plain files only, because a link could point to anything.
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

/// Returns true if the program removed the file, the folder, or its permissions.
fn is_its_own(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied)
}

fn is_sendable(path: &Path) -> bool {
    let is_sendable = path.symlink_metadata().is_ok_and(|found| found.is_file() && found.len() <= BYTES);
    if !is_sendable {
        tracing::warn!("an entry from agent.command is not a file, or too large, and is not sent");
    }
    is_sendable
}
