//! The files that setup writes: shown as a diff, validated, then replaced atomically.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use secrecy::ExposeSecret;
use similar::TextDiff;
use telephony_config::{
    ChosenBy, Environment, Loaded, Location, load_as_if, outline, rewrite, rewrite_dotenv, without_secrets,
};

use super::answers::Answers;
use super::before::Before;
use super::secrets::SecretDestination;
use crate::config_arg::ConfigArg;
use crate::failure::Failure;
use crate::host_openclaw::Beside;
use crate::terminal;

/// Suffix of the copy that keeps the previous version.
const BACKUP: &str = "before-setup";

pub struct PlannedFiles {
    config: Rewritten,
    dotenv: Option<Rewritten>,
    /// The environment that the new configuration has to be valid in.
    environment: Environment,
    /// Secrets to hide in output.
    hidden: Vec<String>,
}

struct Rewritten {
    path: PathBuf,
    before: String,
    after: String,
}

impl PlannedFiles {
    /// Computes the new content of each file.
    pub fn plan(before: &Before, answers: &Answers) -> Result<PlannedFiles, Failure> {
        let all = || answers.secrets.iter().map(|stored| (stored, stored.secret.value.expose_secret()));
        let to_dotenv: Vec<_> = all()
            .filter(|(stored, _)| stored.store == Some(SecretDestination::Dotenv))
            .map(|(stored, value)| (stored.secret.kind.variable, value))
            .collect();
        let change = |text: &str| Ok(rewrite(text, &answers.changes, &before.environment)?);
        let config = Rewritten::plan(&config_file(&before.location), change)?;
        let dotenv = before.location.openclaw_state.join(".env");
        let dotenv = match to_dotenv.as_slice() {
            [] => None,
            variables => Some(Rewritten::plan(&dotenv, |text| Ok(rewrite_dotenv(text, variables)))?),
        };
        let environment = all()
            .filter(|(stored, _)| stored.store.is_some())
            .fold(before.environment.clone(), |all, (stored, value)| all.with(stored.secret.kind.variable, value));
        Ok(PlannedFiles { config, dotenv, environment, hidden: all().map(|(_, value)| value.to_owned()).collect() })
    }

    /// Returns true if nothing would change.
    pub fn is_unchanged(&self) -> bool {
        self.all().all(|file| file.before == file.after)
    }

    /// Shows a diff without the secrets.
    pub fn show(&self) {
        for file in self.all().filter(|file| file.before != file.after) {
            let name = file.path.display().to_string();
            let (before, after) = (self.hidden(&file.before), self.hidden(&file.after));
            let diff = TextDiff::from_lines(&before, &after);
            let shown = diff.unified_diff().context_radius(2).header(&name, &name).to_string();
            terminal::print(shown.trim_end());
        }
    }

    /// Validates the resulting configuration without writing it.
    pub fn check(&self, config_arg: &ConfigArg) -> Result<Loaded, Failure> {
        let Rewritten { path, after, .. } = &self.config;
        load_as_if(&self.environment, config_arg.config.as_deref(), path, after).map_err(|problems| {
            Failure::new(format!("the configuration with these answers is invalid; nothing was written\n{problems}"))
        })
    }

    /// Writes the files, the configuration last.
    pub fn write(&self) -> Result<(), Failure> {
        if let Some(dotenv) = self.dotenv.as_ref().filter(|file| file.before != file.after) {
            dotenv.replace(dotenv.prepare()?)?;
        }
        if self.config.before != self.config.after {
            self.config.replace(self.config.prepare()?)?;
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = &Rewritten> {
        std::iter::once(&self.config).chain(&self.dotenv)
    }

    /// Removes every secret from a text: the given ones and all others in `.env`.
    fn hidden(&self, text: &str) -> String {
        let text = self.hidden.iter().fold(text.to_owned(), |text, secret| without(&text, secret));
        let text = without_secrets(&text);
        let line = |line: &str| match line.split_once('=') {
            Some((name, value)) if is_variable(name) && !value.is_empty() && value != "•••" => {
                format!("{name}=••••")
            }
            _ => line.to_owned(),
        };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Removes `secret` from `text`, except at the end of a longer word, such as an account SID that happens to end with
/// it.
fn without(text: &str, secret: &str) -> String {
    if secret.is_empty() {
        return text.to_owned();
    }
    let mut parts = text.split(secret);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_in_a_word = shown.ends_with(|c: char| c.is_ascii_alphanumeric());
        shown.push_str(if is_in_a_word { secret } else { "•••" });
        shown.push_str(part);
    }
    shown
}

fn is_variable(name: &str) -> bool {
    let name = name.trim().trim_start_matches("export ");
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns the file that has our block, or that gets it: a file of its own beside a real OpenClaw without our plugin,
/// which refuses to start with a channel it does not know.
pub(super) fn config_file(location: &Location) -> PathBuf {
    let Some(own) = &location.own else { return location.config.clone() };
    let has_block = |path: &Path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        outline(&text).iter().any(|name| name == "channels.telephony")
    };
    let beside = Beside::look(location);
    let needs_own = beside.has_openclaw && !beside.has_plugin && location.chosen_by != ChosenBy::Argument;
    if has_block(own) || (needs_own && !has_block(&location.config)) { own.clone() } else { location.config.clone() }
}

impl Rewritten {
    fn plan(path: &Path, change: impl FnOnce(&str) -> Result<String, Failure>) -> Result<Self, Failure> {
        // Keep a symlink and change its target.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let before = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Failure::new(format!("cannot read {}: {error}", path.display()))),
        };
        let cannot = |failure: Failure| failure.hint(format!("correct {} first", path.display()));
        let after = change(&before).map_err(cannot)?;
        Ok(Self { path, before, after })
    }

    /// Writes the new version to a temporary file that only its owner can read, and syncs it.
    fn prepare(&self) -> Result<tempfile::NamedTempFile, Failure> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let cannot = || format!("cannot write {}", self.path.display());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(cannot)?;
        let mut file = tempfile::Builder::new().suffix(".json").tempfile_in(folder).with_context(cannot)?;
        file.write_all(self.after.as_bytes()).with_context(cannot)?;
        file.as_file().sync_all().with_context(cannot)?;
        Ok(file)
    }

    /// Keeps a copy of the old file and renames the new one into place.
    fn replace(&self, prepared: tempfile::NamedTempFile) -> Result<(), Failure> {
        if !self.before.is_empty() {
            let backup = PathBuf::from(format!("{}.{BACKUP}", self.path.display()));
            fs::write(&backup, &self.before).with_context(|| format!("cannot back up {}", backup.display()))?;
            fs::set_permissions(&backup, fs::Permissions::from_mode(0o600))?;
            terminal::say(format!("The previous version is in {}.", backup.display()));
        }
        prepared.persist(&self.path).with_context(|| format!("cannot write {}", self.path.display()))?;
        terminal::say(format!("Written: {}", self.path.display()));
        Ok(())
    }
}
