//! Loads the configuration: finds files, reads them, and reports all problems at once.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::document::{Node, Value, include};
use crate::entry::{SchemaEntry, ShownKey};
use crate::environment::Environment;
use crate::keys::{BLOCK, BlockReader, full_path};
use crate::location::{ChosenBy, Location, locate};
use crate::openclaw::HostGateway;
use crate::place::Place;
use crate::problem::{Problem, ProblemCollector, Problems};
use crate::secret::Secrets;
use crate::sections::TelephonyConfig;
use crate::sources::Sources;
use crate::spelling::nearest;
use crate::{dotenv, required, unbuilt};

/// A configuration without problems, and the files that it came from.
#[derive(Clone)]
pub struct Loaded {
    /// Settings of the channel, with defaults.
    pub telephony: TelephonyConfig,
    /// State folder of the channel, accessible only to its owner.
    pub state: PathBuf,
    /// Files it was read from, including included ones.
    pub sources: Vec<PathBuf>,
    /// Warnings, in file order.
    pub warnings: Vec<Problem>,
    /// Environment with the variables of `.env` and `env.vars`.
    pub environment: Environment,
    entries: Vec<SchemaEntry>,
    missing: Vec<Problem>,
}

impl Loaded {
    /// Checks that the provider's settings are complete. Loading does so if the channel is enabled; commands that work
    /// without it check themselves.
    ///
    /// # Errors
    /// The missing settings.
    pub fn check_complete(&self) -> Result<(), Problems> {
        let mut report = ProblemCollector::default();
        self.missing.iter().for_each(|problem| report.problem(problem.clone()));
        report.finish().map(drop)
    }

    /// Returns every key with its effective value, secrets masked, and its source.
    pub fn show(&self) -> Vec<ShownKey> {
        let keys = self.entries.iter().filter(|entry| entry.declared.is_some());
        keys.map(|entry| ShownKey {
            path: full_path(&entry.path),
            value: entry.value.clone(),
            origin: entry.origin.clone(),
        })
        .collect()
    }
}

impl fmt::Debug for Loaded {
    /// Omits the raw values, which contain whole phone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("telephony", &self.telephony).field("sources", &self.sources).finish()
    }
}

/// Loads the configuration found by `environment` and `--config` (`argument`).
///
/// # Errors
/// All problems.
pub fn load(environment: &Environment, argument: Option<&Path>) -> Result<Loaded, Problems> {
    read(environment, argument, &mut Sources::default(), LoadScope::Channel)
}

/// Loads only the agent's configuration, for a run without an account, and ignores problems of other keys. `instead`
/// replaces the content of a file.
///
/// # Errors
/// Every problem with the agent or a whole file.
pub fn load_agent(
    environment: &Environment,
    argument: Option<&Path>,
    instead: Option<(&Path, &str)>,
) -> Result<Loaded, Problems> {
    read(environment, argument, &mut Sources { instead, ..Sources::default() }, LoadScope::Agent)
}

/// Loads the configuration and returns every file that it depends on, including those that do not exist yet, even on
/// failure.
pub fn load_with_files(environment: &Environment, argument: Option<&Path>) -> (Result<Loaded, Problems>, Vec<PathBuf>) {
    let mut sources = Sources::default();
    let read = read(environment, argument, &mut sources, LoadScope::Channel);
    (read, sources.looked_for.into_inner())
}

/// Loads the configuration as if `file` contained `text`; writes nothing.
///
/// # Errors
/// All problems.
pub fn load_as_if(
    environment: &Environment,
    argument: Option<&Path>,
    file: &Path,
    text: &str,
) -> Result<Loaded, Problems> {
    read(environment, argument, &mut Sources { instead: Some((file, text)), ..Sources::default() }, LoadScope::Channel)
}

/// The settings that must be valid.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LoadScope {
    Channel,
    Agent,
}

impl LoadScope {
    fn covers(self, path: &str) -> bool {
        let below = path.strip_prefix(BLOCK).and_then(|path| path.strip_prefix('.'));
        self == LoadScope::Channel || below.is_none_or(|key| key == "agent" || key.starts_with("agent."))
    }
}

fn read(
    environment: &Environment,
    argument: Option<&Path>,
    sources: &mut Sources<'_>,
    scope: LoadScope,
) -> Result<Loaded, Problems> {
    let mut read = read_all(environment, argument, sources, scope).map_err(|problems| problems.with_excerpts(sources));
    if let Ok(loaded) = &mut read {
        sources.add_excerpts(&mut loaded.warnings);
        sources.add_excerpts(&mut loaded.missing);
    }
    read
}

fn read_all(
    environment: &Environment,
    argument: Option<&Path>,
    sources: &mut Sources<'_>,
    scope: LoadScope,
) -> Result<Loaded, Problems> {
    let location = locate(environment, argument);
    let mut environment = environment.clone();
    let mut report = ProblemCollector::default();
    let dotenv = location.openclaw_state.join(".env");
    sources.look_for(&dotenv);
    dotenv::fill(&mut environment, &dotenv, &mut report);
    let root = open(&location, &environment, sources, &mut report)?;
    fill_from_file(&mut environment, &root, &mut report);
    let Some(block) = root.find(&["channels", "telephony"]) else {
        report.problem(misplaced(&root).unwrap_or_else(|| no_block(&location.config, &sources.opened)));
        return Err(report.fail());
    };
    let is_whole = report.is_clean();
    let secrets = Secrets::new(Some(&root), &environment, sources);
    let openclaw = HostGateway::read(Some(&root), &environment);
    let mut reading = BlockReader::new(&environment, &secrets, report);
    let telephony = reading.block(Some(block), |keys| TelephonyConfig::read(keys, &openclaw));
    let BlockReader { mut report, entries, .. } = reading;
    let mut missing = required::missing(&telephony, block);
    // An invalid variable has its own problem already.
    missing.retain(|lacking| !report.has_problem_with(&lacking.path));
    // If a file could not be included, missing keys may be in it.
    if telephony.enabled && is_whole {
        missing.iter().for_each(|problem| report.problem(problem.clone()));
    }
    unbuilt::warning(&entries).into_iter().for_each(|warning| report.warning(warning));
    report.retain(|path| scope.covers(path));
    let warnings = report.finish()?;
    let sources = sources.opened.clone();
    Ok(Loaded { telephony, state: location.state, sources, warnings, environment, entries, missing })
}

/// Reads the file, merged with our own file if it exists.
fn open(
    location: &Location,
    environment: &Environment,
    sources: &mut Sources<'_>,
    report: &mut ProblemCollector,
) -> Result<Node, Problems> {
    let files: Vec<_> =
        std::iter::once(&location.config).chain(&location.own).filter(|file| sources.has(file)).collect();
    if files.is_empty() {
        return Err(no_file(location).into());
    }
    let roots: Vec<_> = files.iter().map(|file| include::open(file, environment, sources, report)).collect();
    if let [Some(first), Some(second)] = roots.as_slice() {
        refuse_two_blocks(first, second, report);
    }
    let root = roots.into_iter().collect::<Option<Vec<_>>>().and_then(|roots| roots.into_iter().reduce(Node::merge));
    root.ok_or_else(|| report.fail())
}

fn refuse_two_blocks(first: &Node, second: &Node, report: &mut ProblemCollector) {
    let block = ["channels", "telephony"];
    if let (Some(first), Some(second)) = (first.find(&block), second.find(&block)) {
        let message = format!("the channel is configured twice, first at {}", first.place);
        report.problem(Problem::new(BLOCK, message).at(&second.place).hint("keep one of the two blocks"));
    }
}

/// Adds the literal values of `env.vars`; warns that the login shell's variables are not read.
fn fill_from_file(environment: &mut Environment, root: &Node, report: &mut ProblemCollector) {
    for member in root.find(&["env", "vars"]).and_then(Node::members).unwrap_or_default() {
        if let Value::Text(value) = &member.node.value {
            environment.fill(&member.name, value.clone(), member.place.clone());
        }
    }
    let shell = root.find(&["env", "shellEnv", "enabled"]);
    if let Some(shell) = shell.filter(|shell| matches!(shell.value, Value::Switch(true))) {
        let warning = Problem::new("env.shellEnv", "variables of the login shell are not read").at(&shell.place);
        report.warning(warning.hint("put them into the environment or into .env"));
    }
}

const EXAMPLE: &str = r#"{
  channels: {
    telephony: {
      enabled: true,
      provider: "twilio",
      fromNumber: "+15550001234",
      twilio: { accountSid: "AC…", authToken: "…" },
    },
  },
}"#;

fn no_file(location: &Location) -> Problem {
    let by = match location.chosen_by {
        ChosenBy::Argument => " (--config)",
        ChosenBy::Variable => " (OPENCLAW_CONFIG_PATH)",
        ChosenBy::StateFolder => "",
    };
    let own = location.own.as_ref().map(|own| format!(" and {}", own.display())).unwrap_or_default();
    let message = format!("no configuration file found: looked for {}{by}{own}", location.config.display());
    unconfigured(Problem::new("", message))
}

/// The channel under a name, or at a place, that was probably a slip.
fn misplaced(root: &Node) -> Option<Problem> {
    let near = |node: Option<&Node>, name: &'static str| -> Option<(String, Place)> {
        let members = node.and_then(Node::members)?;
        let member = members.iter().find(|member| nearest(&member.name, [name]).is_some())?;
        Some((member.name.clone(), member.place.clone()))
    };
    if let Some((written, place)) = near(root.get("channels"), "telephony") {
        let problem = Problem::new(format!("channels.{written}"), "there is no such channel").at(&place);
        return Some(problem.hint("did you mean `telephony`?"));
    }
    if let Some((written, place)) = near(Some(root), "telephony") {
        let problem = Problem::new(written, "the channel is at the top level of the file").at(&place);
        return Some(problem.hint("put it into `channels: { telephony: { … } }`"));
    }
    let (written, place) = near(Some(root), "channels").filter(|(written, _)| written != "channels")?;
    Some(Problem::new(written, "unknown key").at(&place).hint("did you mean `channels`?"))
}

fn no_block(config: &Path, sources: &[PathBuf]) -> Problem {
    let file = sources.first().map_or(config, PathBuf::as_path);
    let problem = Problem::new(BLOCK, "the channel is not configured").at(&Place::start_of(file));
    unconfigured(problem)
}

/// The problem of a machine where nothing is set up yet, with the first steps.
fn unconfigured(problem: Problem) -> Problem {
    let hint = format!(
        "`openclaw telephony setup` asks for everything and writes it; `openclaw telephony simulate` needs no \
         configuration and no account. Written by hand, it can be as short as this:\n{EXAMPLE}"
    );
    Problem { is_unconfigured: true, ..problem.hint(hint) }
}
