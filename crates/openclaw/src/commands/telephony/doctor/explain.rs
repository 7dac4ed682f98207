//! `openclaw telephony doctor --explain`: prints the documentation of a finding offline.

use std::process::ExitCode;

use crate::doctor::{FINDINGS, Finding};
use crate::failure::{Failure, Outcome};
use crate::terminal;

/// The guide, whose sections are ordered by symptom.
const GUIDE: &str = include_str!("../../../../../../docs/guides/troubleshooting.md");

/// Prints the meaning of a finding and the section of the guide that covers it.
pub(super) fn explain(id: &str) -> Outcome {
    let Some(finding) = FINDINGS.iter().find(|finding| finding.id == id) else {
        let known: Vec<_> = FINDINGS.iter().map(|finding| finding.id).collect();
        return Err(Failure::usage(format!("doctor has no finding `{id}`"))
            .hint(format!("known findings: {}", known.join(", "))));
    };
    terminal::print_ours(format!("{} ({})", finding.what, finding.severity));
    terminal::print_ours(format!("why:  {}", finding.why));
    terminal::print_ours(format!("fix:  {}", finding.fix));
    terminal::print_ours(format!("page: {}", finding.page()));
    if let Some(section) = section(finding) {
        terminal::print_ours(format!("\nFrom docs/guides/troubleshooting.md:\n\n{}", without_links(section)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the first section of the guide that mentions the finding, with its heading.
fn section(finding: &Finding) -> Option<&'static str> {
    let link = format!("doctor.md#{})", finding.id);
    GUIDE.split("\n## ").skip(1).find(|section| section.contains(&link)).map(str::trim_end)
}

/// Replaces each Markdown link by its text.
fn without_links(text: &str) -> String {
    let mut parts = text.split("](");
    let mut shown = parts.next().unwrap_or_default().replace('[', "");
    for part in parts {
        shown.push_str(&part.split_once(')').map_or(part, |(_, rest)| rest).replace('[', ""));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_their_words() {
        assert_eq!(without_links("see [one](../a.md#x), [two](b); `c`"), "see one, two; `c`");
    }

    #[test]
    fn what_the_guide_treats_is_found_in_it() {
        let section = |id: &str| section(FINDINGS.iter().find(|finding| finding.id == id).unwrap());
        assert!(section("signature-mismatch").unwrap().starts_with("\"the signature is not valid\" in the log\n"));
        assert!(section("account-trial").unwrap().contains("50 a day"));
        assert_eq!(section("config-warning"), None);
    }
}
