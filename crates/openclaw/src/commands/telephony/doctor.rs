//! `openclaw telephony doctor`: finds problems, explains them and says how to fix them.

mod explain;

use std::process::ExitCode;

use anstyle::Style;
use clap::Args;
use serde::Serialize;
use telephony_gateway::routing;

use super::webhook::changes::{self, ConfirmationArgs, failed};
use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::doctor::{self, Checkup, Severity};
use crate::failure::{Failure, Outcome};
use crate::plural::counted;
use crate::terminal::{self, color};
use crate::{assemble, logging, public_url};

const EXAMPLES: &str = "Examples:
  openclaw telephony doctor
  openclaw telephony doctor --explain webhook-elsewhere
  openclaw telephony doctor --fix --dry-run";

/// Find problems, explain them and say how to fix them
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLES).into_owned())]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Fix what is safe to fix: file permissions and, after asking, the webhook
    #[arg(long)]
    fix: bool,
    /// Explain a finding, with its section of the guide, and do nothing else
    #[arg(long, value_name = "FINDING")]
    explain: Option<String>,
    #[command(flatten)]
    consent: ConfirmationArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoctorReport<'a> {
    ok: bool,
    findings: Vec<FindingRow<'a>>,
    checked: Vec<CheckedArea<'a>>,
}

#[derive(Serialize)]
struct FindingRow<'a> {
    id: &'a str,
    severity: Severity,
    area: &'a str,
    what: &'a str,
    detail: &'a str,
    why: &'a str,
    fix: &'a str,
    page: String,
}

#[derive(Serialize)]
struct CheckedArea<'a> {
    area: &'a str,
    well: &'a [String],
    /// True if an earlier finding keeps it from being checked.
    #[serde(rename = "skipped")]
    is_skipped: bool,
}

impl DoctorArgs {
    /// Examines, fixes what `--fix` covers, and shows the remaining findings.
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        if let Some(id) = &self.explain {
            return explain::explain(id);
        }
        logging::start(logging::Level::OnlyTrouble);
        assemble::runtime()?.block_on(async {
            let mut checkups = doctor::examine(config_arg).await;
            let fixed = if self.fix { self.apply_fixes(config_arg, &checkups).await } else { Ok(false) };
            if !matches!(fixed, Ok(false)) {
                // Examines again even if fixing failed halfway: earlier fixes count.
                checkups = doctor::examine(config_arg).await;
            }
            let is_well = !findings(&checkups).any(|(_, found)| found.finding.severity == Severity::Error);
            if self.json {
                print_json(&checkups, is_well)?
            } else {
                print(&checkups)
            }
            fixed?;
            Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        })
    }

    /// Fixes what can be fixed. Returns true if anything was changed.
    async fn apply_fixes(&self, config_arg: &ConfigArg, checkups: &[Checkup]) -> Result<bool, Failure> {
        let has = |is_meant: fn(&doctor::Finding) -> bool| findings(checkups).any(|(_, found)| is_meant(found.finding));
        let mut has_changed = false;
        if has(doctor::is_fixed_by_closing) {
            let only_show = self.consent.dry_run;
            for path in doctor::close_files(config_arg, only_show)? {
                let what = if only_show { "Would restrict access to" } else { "Restricted access to" };
                terminal::say(format!("{what}: {}", path.display()));
                has_changed |= !only_show;
            }
        }
        if has(doctor::is_fixed_by_sync) {
            has_changed |= self.sync(config_arg).await?;
        }
        Ok(has_changed)
    }

    async fn sync(&self, config_arg: &ConfigArg) -> Result<bool, Failure> {
        let channel = Channel::open(config_arg)?;
        let Some(url) = public_url::public_url(&channel.loaded, None).await? else { return Ok(false) };
        let (sender, callbacks) = (channel.sender(), public_url::callbacks(&url));
        let (store, provider) = (channel.store.as_ref(), channel.provider.as_ref());
        let target = public_url::target(&channel.loaded.telephony, &sender, &callbacks);
        let plan = routing::plan(store, provider, target).await.map_err(failed)?;
        if plan.changes.is_empty() {
            return Ok(false);
        }
        changes::print(&plan);
        let is_agreed = self.consent.is_given(&plan)?;
        if is_agreed {
            routing::apply(store, provider, &plan.changes, channel.now()).await.map_err(failed)?;
            terminal::say("Changed. `openclaw telephony webhook undo` restores the previous settings.");
        }
        Ok(is_agreed)
    }
}

fn findings(checkups: &[Checkup]) -> impl Iterator<Item = (&'static str, &doctor::ReportedFinding)> {
    checkups.iter().flat_map(|checkup| checkup.found.iter().map(|found| (checkup.area, found)))
}

fn print(checkups: &[Checkup]) {
    for checkup in checkups {
        if checkup.is_skipped {
            let line = format!("{}: not checked, because the account could not be read", checkup.area);
            terminal::print_headed(color::FAINT, "skipped  ", line);
        }
        for well in &checkup.well {
            terminal::print_headed(color::GOOD, "ok       ", format!("{}: {well}", checkup.area));
        }
        for found in &checkup.found {
            let finding = found.finding;
            let heading = format!("{:8} ", finding.severity);
            terminal::print_headed(color_of(finding.severity), &heading, format!("{}: {}", checkup.area, finding.what));
            if !found.detail.is_empty() {
                indent("", &found.detail);
            }
            if finding.severity > Severity::Note {
                indent("why:  ", finding.why);
                indent("fix:  ", finding.fix);
                indent("page: ", &finding.page());
            }
        }
    }
    let count = |severity| findings(checkups).filter(|(_, found)| found.finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    terminal::print_ours(format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")));
    if let Some(first) = first(checkups) {
        terminal::print_headed(color::HEADING, "Do this first: ", format!("{} {}", first.what, first.fix));
        terminal::print_ours(format!("To read more: openclaw telephony doctor --explain {}", first.id));
    }
}

fn color_of(severity: Severity) -> Style {
    match severity {
        Severity::Note => color::HEADING,
        Severity::Warning => color::WARNING,
        Severity::Error => color::BAD,
    }
}

/// Returns the first error, else the first warning: checks are ordered along a message's path, so it may cause the
/// others.
fn first(checkups: &[Checkup]) -> Option<&'static doctor::Finding> {
    let of = |severity| findings(checkups).map(|(_, found)| found.finding).find(|finding| finding.severity == severity);
    of(Severity::Error).or_else(|| of(Severity::Warning))
}

/// Prints a text behind its label, with all its lines aligned.
fn indent(label: &str, text: &str) {
    let (margin, lines) = (" ".repeat(9 + label.len()), text.replace('\n', "\n  "));
    terminal::print_ours(format!("{:9}{label}{}", "", lines.replace('\n', &format!("\n{margin}"))));
}

fn print_json(checkups: &[Checkup], ok: bool) -> Result<(), Failure> {
    let row = |(area, found): (&'static str, &'_ doctor::ReportedFinding)| {
        let doctor::Finding { id, severity, what, why, fix } = *found.finding;
        (area, id, severity, what, why, fix, found.finding.page())
    };
    let findings = findings(checkups).map(|pair| {
        let (area, id, severity, what, why, fix, page) = row(pair);
        FindingRow { id, severity, area, what, detail: &pair.1.detail, why, fix, page }
    });
    let checked = checkups.iter().map(|checkup| CheckedArea {
        area: checkup.area,
        well: &checkup.well,
        is_skipped: checkup.is_skipped,
    });
    terminal::print_json_ours(&DoctorReport { ok, findings: findings.collect(), checked: checked.collect() })
}
