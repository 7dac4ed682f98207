//! Secrets in a private file: a single value, or one of several in a JSON object.

use std::io::Read;
use std::path::Path;

use secrecy::SecretString;

use super::{ResolvedSecret, SecretError, SecretProvider};
use crate::document::quote;

/// Default of `maxBytes`.
const MAX_BYTES: u64 = 1024 * 1024;

/// Returns the secret `id` from the provider's file.
pub(super) fn read(provider: &SecretProvider<'_>, id: &str) -> Result<ResolvedSecret, SecretError> {
    let path = provider.environment.expand(&provider.required("path")?);
    if !path.is_absolute() {
        return Err(provider.wrong("path", "expected an absolute path, or one starting with ~"));
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
    Ok(ResolvedSecret { secret: SecretString::from(secret), source: Some(path.display().to_string()) })
}

fn read_text(path: &Path, max_bytes: u64) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("cannot read the file: {error}");
    let mut text = String::new();
    std::fs::File::open(path).map_err(failed)?.take(max_bytes + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > max_bytes { Err(format!("the file is larger than {max_bytes} bytes")) } else { Ok(text) }
}

fn pick(text: &str, pointer: &str) -> Result<String, String> {
    let values: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("invalid JSON in line {} of the file", error.line()))?;
    if !pointer.starts_with('/') {
        return Err(format!("id: found {}, expected a JSON pointer such as \"/twilio/authToken\"", quote(pointer)));
    }
    let value = values.pointer(pointer).ok_or_else(|| format!("there is no value at {pointer}"))?;
    value.as_str().map(str::to_owned).ok_or_else(|| format!("expected a text at {pointer}"))
}

/// Removes the final line break, which belongs to the file and not the secret.
pub(super) fn strip_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// Rejects a file that other users can read or that is not a regular file, as OpenClaw does.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = path.symlink_metadata().map_err(|error| format!("cannot read the file: {error}"))?;
    if !metadata.is_file() {
        return Err("expected a regular file, not a link".to_owned());
    }
    if metadata.nlink() > 1 {
        return Err("the file has a hard link: make a private copy".to_owned());
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(format!("other users can read the file: run `chmod 600 {}`", path.display()));
    }
    Ok(())
}

/// Without Unix permissions it is unknown who can read the file.
#[cfg(not(unix))]
fn check_private(_path: &Path) -> Result<(), String> {
    Err("secrets in files are not supported on this system: use an environment variable".to_owned())
}
