//! From files and variables to a configuration: finds them, reads them, and says everything that is wrong at once.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::document::{Node, Value, include};
use crate::entry::{Entry, Shown};
use crate::environment::Environment;
use crate::keys::{BLOCK, Reading, full_path};
use crate::location::{ChosenBy, Location, locate};
use crate::openclaw::OpenClaw;
use crate::place::Place;
use crate::problem::{Problem, Problems, Report};
use crate::secret::Secrets;
use crate::sections::Telephony;
use crate::sources::Sources;
use crate::spelling::nearest;
use crate::{dotenv, required, unbuilt};

/// A configuration that can be used.
#[derive(Clone)]
pub struct Loaded {
    /// What the operator said, with defaults filled in.
    pub telephony: Telephony,
    /// The folder of this channel's state; to be readable by its owner only.
    pub state: PathBuf,
    /// The files it was read from, included ones too.
    pub sources: Vec<PathBuf>,
    /// What the operator should know, in the order of the file.
    pub warnings: Vec<Problem>,
    /// The environment with the variables of `.env` and `env.vars`.
    pub environment: Environment,
    entries: Vec<Entry>,
    missing: Vec<Problem>,
}

impl Loaded {
    /// Whether everything is there that the provider needs. Loading has checked it when the channel is enabled; a
    /// command that works either way asks.
    ///
    /// # Errors
    /// What is missing.
    pub fn check_complete(&self) -> Result<(), Problems> {
        let mut report = Report::default();
        self.missing.iter().for_each(|problem| report.problem(problem.clone()));
        report.finish().map(drop)
    }

    /// Every key with its effective value, secrets masked, and where that comes from.
    pub fn show(&self) -> Vec<Shown> {
        let keys = self.entries.iter().filter(|entry| entry.declared.is_some());
        keys.map(|entry| Shown {
            path: full_path(&entry.path),
            value: entry.value.clone(),
            origin: entry.origin.clone(),
        })
        .collect()
    }
}

impl fmt::Debug for Loaded {
    /// Without the values as they were written, which have whole phone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("telephony", &self.telephony).field("sources", &self.sources).finish()
    }
}

/// Reads the configuration that `environment` and `--config` (`argument`) lead to.
///
/// # Errors
/// Everything that is wrong.
pub fn load(environment: &Environment, argument: Option<&Path>) -> Result<Loaded, Problems> {
    read(environment, argument, &mut Sources::default(), Scope::Channel)
}

/// Loads a configuration for its agent alone, for a run without an account: problems of other keys do not count. With
/// `instead`, a file has that text, whatever is on disk.
///
/// # Errors
/// Every problem that concerns the agent or a whole file.
pub fn load_agent(
    environment: &Environment,
    argument: Option<&Path>,
    instead: Option<(&Path, &str)>,
) -> Result<Loaded, Problems> {
    read(environment, argument, &mut Sources { instead, ..Sources::default() }, Scope::Agent)
}

/// The same, with every file that what came of it depends on: those that were read, and those that would be if they were
/// there, also where it failed.
pub fn load_with_files(environment: &Environment, argument: Option<&Path>) -> (Result<Loaded, Problems>, Vec<PathBuf>) {
    let mut sources = Sources::default();
    let read = read(environment, argument, &mut sources, Scope::Channel);
    (read, sources.looked_for.into_inner())
}

/// What [`load`] would come to with `text` in `file`; nothing is written.
///
/// # Errors
/// Everything that would be wrong.
pub fn load_as_if(
    environment: &Environment,
    argument: Option<&Path>,
    file: &Path,
    text: &str,
) -> Result<Loaded, Problems> {
    read(environment, argument, &mut Sources { instead: Some((file, text)), ..Sources::default() }, Scope::Channel)
}

/// The part of the channel that has to be right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Channel,
    Agent,
}

impl Scope {
    fn covers(self, path: &str) -> bool {
        let below = path.strip_prefix(BLOCK).and_then(|path| path.strip_prefix('.'));
        self == Scope::Channel || below.is_none_or(|key| key == "agent" || key.starts_with("agent."))
    }
}

fn read(
    environment: &Environment,
    argument: Option<&Path>,
    sources: &mut Sources<'_>,
    scope: Scope,
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
    scope: Scope,
) -> Result<Loaded, Problems> {
    let location = locate(environment, argument);
    let mut environment = environment.clone();
    let mut report = Report::default();
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
    let openclaw = OpenClaw::read(Some(&root), &environment);
    let mut reading = Reading::new(&environment, &secrets, report);
    let telephony = reading.block(Some(block), |keys| Telephony::read(keys, &openclaw));
    let Reading { mut report, entries, .. } = reading;
    let mut missing = required::missing(&telephony, block);
    // A variable that is set and wrong has a problem of its own already.
    missing.retain(|lacking| !report.has_problem_with(&lacking.path));
    // With a file that could not be put together, what is missing may be in the part that is not there.
    if telephony.enabled && is_whole {
        missing.iter().for_each(|problem| report.problem(problem.clone()));
    }
    unbuilt::warning(&entries).into_iter().for_each(|warning| report.warning(warning));
    report.retain(|path| scope.covers(path));
    let warnings = report.finish()?;
    let sources = sources.opened.clone();
    Ok(Loaded { telephony, state: location.state, sources, warnings, environment, entries, missing })
}

/// The file, with our own merged over it where there is one.
fn open(
    location: &Location,
    environment: &Environment,
    sources: &mut Sources<'_>,
    report: &mut Report,
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

fn refuse_two_blocks(first: &Node, second: &Node, report: &mut Report) {
    let block = ["channels", "telephony"];
    if let (Some(first), Some(second)) = (first.find(&block), second.find(&block)) {
        let message = format!("the channel is configured twice, first at {}", first.place);
        report.problem(Problem::new(BLOCK, message).at(&second.place).hint("keep one of the two blocks"));
    }
}

/// Adds the literal values of `env.vars`, and says that the login shell is not asked.
fn fill_from_file(environment: &mut Environment, root: &Node, report: &mut Report) {
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

/// The least that makes a channel.
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
    let own = location.own.as_ref().map(|own| format!(" or {}", own.display())).unwrap_or_default();
    let message = format!("there is no configuration file: looked for {}{by}{own}", location.config.display());
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
        let problem = Problem::new(written, "the channel stands at the top of the file").at(&place);
        return Some(problem.hint("put it into `channels: { telephony: { … } }`"));
    }
    let (written, place) = near(Some(root), "channels").filter(|(written, _)| written != "channels")?;
    Some(Problem::new(written, "there is no such key").at(&place).hint("did you mean `channels`?"))
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
