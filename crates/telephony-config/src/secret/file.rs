//! Secrets in a private file: one value, or one of many in a JSON object.

use std::io::Read;
use std::path::Path;

use secrecy::SecretString;

use super::{Found, Provider, SecretError};
use crate::document::quote;

/// The largest file that is read unless `maxBytes` says otherwise, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// The secret `id` of the provider's file.
pub(super) fn read(provider: &Provider<'_>, id: &str) -> Result<Found, SecretError> {
    let path = provider.environment.expand(&provider.required("path")?);
    if !path.is_absolute() {
        return Err(provider.wrong("path", "expected an absolute path, or one that starts with ~"));
    }
    provider.sources.look_for(&path);
    let mode = provider.text("mode")?.unwrap_or_else(|| "json".to_owned());
    let max_bytes = provider.whole("maxBytes", MAX_BYTES)?;
    let wrong = |message: String| SecretError::File { file: path.display().to_string(), message };
    check_private(&path).map_err(wrong)?;
    let text = read_text(&path, max_bytes).map_err(wrong)?;
    let secret = match (mode.as_str(), id) {
        ("json", _) => pick(&text, id).map_err(wrong)?,
        ("singleValue", "value") => strip_newline(&text).to_owned(),
        ("singleValue", _) => {
            let message = format!("id: found {}, expected \"value\" for a file with a single value", quote(id));
            return Err(SecretError::Reference(message));
        }
        _ => return Err(provider.wrong("mode", "expected \"json\" or \"singleValue\"")),
    };
    if secret.is_empty() {
        return Err(wrong("the secret is empty".to_owned()));
    }
    Ok(Found { secret: SecretString::from(secret), source: Some(path.display().to_string()) })
}

fn read_text(path: &Path, max_bytes: u64) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("failed to read the file: {error}");
    let mut text = String::new();
    std::fs::File::open(path).map_err(failed)?.take(max_bytes + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > max_bytes { Err(format!("the file is larger than {max_bytes} bytes")) } else { Ok(text) }
}

fn pick(text: &str, pointer: &str) -> Result<String, String> {
    let values: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("the file is not JSON at line {}", error.line()))?;
    if !pointer.starts_with('/') {
        return Err(format!("id: found {}, expected a JSON pointer such as \"/twilio/authToken\"", quote(pointer)));
    }
    let value = values.pointer(pointer).ok_or_else(|| format!("there is nothing at {pointer}"))?;
    value.as_str().map(str::to_owned).ok_or_else(|| format!("expected a text at {pointer}"))
}

/// The text without the end of its last line, which is the file's and not the secret's.
pub(super) fn strip_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// Refuses a file that others can read or that is not what it seems, as OpenClaw does.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = path.symlink_metadata().map_err(|error| format!("failed to read the file: {error}"))?;
    if !metadata.is_file() {
        return Err("expected a regular file, not a link".to_owned());
    }
    if metadata.nlink() > 1 {
        return Err("the file has a second name (a hard link): make a private copy".to_owned());
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(format!("others may read the file: run `chmod 600 {}`", path.display()));
    }
    Ok(())
}

/// Without Unix permissions there is no telling who can read the file.
#[cfg(not(unix))]
fn check_private(_path: &Path) -> Result<(), String> {
    Err("secrets in files are not supported on this system: use an environment variable".to_owned())
}
