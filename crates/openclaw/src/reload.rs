//! Detects changes to the configuration while the gateway runs, rereads it and applies what can change.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use secrecy::ExposeSecret;
use telephony_config::{Loaded, Problems, TelephonyConfig, load_with_files, locate};
use telephony_domain::time::{Clock, SystemClock};
use telephony_gateway::control::status::ConfigAlive;
use telephony_gateway::gateway::Gateway;

use crate::assemble;
use crate::config_arg::ConfigArg;
use crate::failure::Failure;

/// Interval between checks of the files. A change counts once two checks agree, so that a half-written file is never
/// read.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Interval between attempts to read a configuration that could not be used. The fault may be outside the watched
/// files: no free descriptor, a failing disk, a secret's program that is away.
const READ_AGAIN_EVERY: Duration = Duration::from_secs(10);

/// Largest number of rereads because the set of files changed. Beyond that the files are still being written, and the
/// next check finds them.
const MAX_READ_AGAIN: usize = 3;

/// Keys and sections that apply without a restart. Only `openclaw telephony call` uses the two of `voice`, and it reads
/// them for each call.
const FOLLOWED: [&str; 9] = [
    "inboundPolicy",
    "allowFrom",
    "sms",
    "agent",
    "operator.number",
    "limits",
    "store.retentionDays",
    "voice.ringSeconds",
    "voice.machine",
];

/// A file's metadata: time, size and inode; a replaced file has a new inode.
type Look = Option<(SystemTime, u64, u64)>;

/// The files behind the configuration in effect, including those that would count if they existed.
pub struct WatchedFiles {
    config_arg: ConfigArg,
    started_with: Loaded,
    watched: Watched,
    found: Option<Vec<Look>>,
    /// The time of the last reading that failed.
    failed: Option<Instant>,
    state: ConfigAlive,
}

/// Files with their metadata from before they were read.
struct Watched {
    files: Vec<PathBuf>,
    seen: Vec<Look>,
}

impl WatchedFiles {
    /// Reads the configuration that a gateway starts with.
    pub fn read(config_arg: &ConfigArg) -> Result<WatchedFiles, Failure> {
        let location = locate(&assemble::environment(), config_arg.config.as_deref());
        // Without includes, these are the files, and one read is enough.
        let usual = [location.openclaw_state.join(".env"), location.config].into_iter().chain(location.own);
        let (read, watched) = read(config_arg, usual.collect());
        let state = ConfigAlive { read_at: SystemClock.now(), problems: None, waiting_for_start: Vec::new() };
        let started_with = read.map_err(Failure::from_problems)?;
        Ok(WatchedFiles { config_arg: config_arg.clone(), started_with, watched, found: None, failed: None, state })
    }

    /// Returns the configuration at the start.
    pub fn started_with(&self) -> &Loaded {
        &self.started_with
    }

    /// Reports the state of the configuration to `running`.
    pub fn publish(&self, running: &Gateway) {
        running.set_config(self.state.clone());
    }

    /// Waits until the files have changed, or are due again because they could not be used.
    pub async fn changed(&mut self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.failed.is_some_and(|failed| failed.elapsed() >= READ_AGAIN_EVERY) {
                return;
            }
            let now = look(&self.watched.files);
            if now == self.watched.seen {
                self.found = None;
            } else if self.found.as_ref() == Some(&now) {
                return;
            } else {
                self.found = Some(now);
            }
        }
    }

    /// Rereads the files and applies them. If they are unusable, the current settings stay in effect.
    pub async fn follow(&mut self, running: &Gateway) {
        self.found = None;
        let (config_arg, files) = (self.config_arg.clone(), self.watched.files.clone());
        match tokio::task::spawn_blocking(move || read(&config_arg, files)).await {
            Ok((read, watched)) => {
                self.watched = watched;
                match read {
                    Ok(loaded) => self.put_in_force(loaded, running).await,
                    Err(problems) => self.stay(&problems),
                }
            }
            Err(error) => {
                tracing::error!(%error, "reading the configuration panicked");
                self.failed = Some(Instant::now());
            }
        }
        self.publish(running);
    }

    fn stay(&mut self, problems: &Problems) {
        if self.is_news(problems.to_string()) {
            tracing::error!("the changed configuration is invalid, the previous one stays in effect:\n{problems}");
        }
    }

    /// Records the problems. Returns false if the last reading failed in the same way.
    fn is_news(&mut self, problems: String) -> bool {
        self.failed = Some(Instant::now());
        let is_news = self.state.problems.as_ref() != Some(&problems);
        self.state.problems = Some(problems);
        is_news
    }

    async fn put_in_force(&mut self, loaded: Loaded, running: &Gateway) {
        let agent = telephony_agents::from_config(&loaded.telephony.agent.kind, &loaded.environment);
        // Signature checks are fixed at the start, and operator commands depend on them. So is `voice`: a call in
        // progress would change its voice or language.
        let started_with = &self.started_with.telephony;
        let followed = TelephonyConfig {
            skip_signature_verification: started_with.skip_signature_verification,
            voice: started_with.voice.clone(),
            ..loaded.telephony.clone()
        };
        if let Err(error) = running.follow(assemble::live_settings(&followed, agent)).await {
            if self.is_news(format!("{error}; {}", error.hint())) {
                tracing::error!(%error, hint = error.hint(), "cannot apply the changed configuration");
            }
            return;
        }
        self.failed = None;
        let waiting_for_start = waiting_for_start(&self.started_with, &loaded);
        self.state = ConfigAlive { read_at: SystemClock.now(), problems: None, waiting_for_start };
        loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        if self.state.waiting_for_start.is_empty() {
            tracing::info!("the changed configuration is in effect");
        } else {
            let keys = self.state.waiting_for_start.join(", ");
            tracing::warn!(keys, "the changed configuration is in effect, except for keys that need a restart");
        }
    }
}

/// Reads the configuration, which came from `files` last time. Records their metadata before reading, so that a change
/// in between is noticed; starts over if the set of files turns out different.
fn read(config_arg: &ConfigArg, mut files: Vec<PathBuf>) -> (Result<Loaded, Problems>, Watched) {
    let mut seen = look(&files);
    let (mut read, mut depends_on) = load_with_files(&assemble::environment(), config_arg.config.as_deref());
    for _ in 0..MAX_READ_AGAIN {
        if depends_on == files {
            break;
        }
        files = depends_on;
        seen = look(&files);
        (read, depends_on) = load_with_files(&assemble::environment(), config_arg.config.as_deref());
    }
    (read, Watched { files, seen })
}

fn look(files: &[PathBuf]) -> Vec<Look> {
    let look = |file: &PathBuf| {
        let seen = fs::metadata(file).ok()?;
        Some((seen.modified().ok()?, seen.len(), seen.ino()))
    };
    files.iter().map(look).collect()
}

/// Returns keys of our block that changed and need a restart.
fn waiting_for_start(before: &Loaded, now: &Loaded) -> Vec<String> {
    let block = "channels.telephony.";
    let (was, is) = (before.show(), now.show());
    let mut keys: Vec<String> = Vec::new();
    for shown in is.iter().chain(&was) {
        let key = shown.path.strip_prefix(block).unwrap_or(&shown.path);
        let value_in = |side: &[telephony_config::ShownKey]| {
            side.iter().find(|other| other.path == shown.path).and_then(|other| other.value.clone())
        };
        if !is_followed(key) && value_in(&was) != value_in(&is) {
            keys.push(key.to_owned());
        }
    }
    let secrets = secrets(&before.telephony).into_iter().zip(secrets(&now.telephony));
    keys.extend(secrets.filter(|(was, is)| was != is).map(|((key, _), _)| key.to_owned()));
    if before.telephony.voice.pin != now.telephony.voice.pin {
        keys.push("voice.pin".to_owned());
    }
    keys.sort();
    keys.dedup();
    keys
}

fn is_followed(key: &str) -> bool {
    FOLLOWED.iter().any(|known| key.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// Returns values that are masked in every output, for comparison only.
fn secrets(telephony: &TelephonyConfig) -> [(&'static str, Vec<&str>); 5] {
    let twilio = &telephony.twilio;
    [
        ("twilio.authToken", twilio.auth_token.iter().map(ExposeSecret::expose_secret).collect()),
        ("twilio.previousAuthTokens", twilio.previous_auth_tokens.iter().map(ExposeSecret::expose_secret).collect()),
        ("twilio.sharedKeys", twilio.shared_keys.values().map(ExposeSecret::expose_secret).collect()),
        ("tunnel.ngrokAuthToken", telephony.tunnel.ngrok_auth_token.iter().map(ExposeSecret::expose_secret).collect()),
        ("twilio.apiKeySecret", twilio.api_key.iter().map(|key| key.secret.expose_secret()).collect()),
    ]
}
