//! A test environment with its own home folder and environment variables.

use std::path::{Path, PathBuf};

use telephony_config::{Environment, Loaded, Problems, load, load_as_if, load_with_files};
use tempfile::TempDir;

pub struct Desk {
    home: TempDir,
    variables: Vec<(String, String)>,
    argument: Option<PathBuf>,
}

impl Desk {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), variables: Vec::new(), argument: None }
    }

    /// Returns an environment whose `channels.telephony` is `block`.
    pub fn with_block(block: &str) -> Self {
        Self::new().file("openclaw.json", &format!("{{ channels: {{ telephony: {block} }} }}"))
    }

    /// Writes a file into `~/.openclaw`.
    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Passes `--config` with a file of `~/.openclaw`.
    pub fn argument(mut self, name: &str) -> Self {
        self.argument = Some(self.path(name));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(".openclaw").join(name)
    }

    pub fn try_load(&self) -> Result<Loaded, Problems> {
        load(&Environment::new(self.variables.clone(), self.home.path()), self.argument.as_deref())
    }

    pub fn load_with_files(&self) -> (Result<Loaded, Problems>, Vec<PathBuf>) {
        load_with_files(&Environment::new(self.variables.clone(), self.home.path()), self.argument.as_deref())
    }

    pub fn load_as_if(&self, file: &Path, text: &str) -> Result<Loaded, Problems> {
        load_as_if(&Environment::new(self.variables.clone(), self.home.path()), self.argument.as_deref(), file, text)
    }

    pub fn load(&self) -> Loaded {
        self.try_load().unwrap_or_else(|problems| panic!("{problems}"))
    }

    pub fn problems(&self) -> String {
        self.tidy(&self.try_load().expect_err("expected problems").to_string())
    }

    pub fn warnings(&self) -> Vec<String> {
        self.load().warnings.iter().map(|warning| self.tidy(&warning.to_string())).collect()
    }

    /// Returns the text with the home folder replaced by `~`.
    pub fn tidy(&self, text: &str) -> String {
        let real = self.home.path().canonicalize().unwrap();
        text.replace(real.to_str().unwrap(), "~").replace(self.home.path().to_str().unwrap(), "~")
    }
}

/// Returns the value and origin of `path` (below `channels.telephony`) as `config show` prints them.
pub fn shown(loaded: &Loaded, path: &str) -> (String, String) {
    let path = format!("channels.telephony.{path}");
    let shown = loaded.show().into_iter().find(|shown| shown.path == path).unwrap();
    let value = shown.value.map_or("none".to_owned(), |value| value.to_string());
    let origin = shown.origin.to_string();
    let file = origin.rsplit('/').next().unwrap_or_default();
    (value, if Path::new(&origin).is_absolute() { file.to_owned() } else { origin })
}
