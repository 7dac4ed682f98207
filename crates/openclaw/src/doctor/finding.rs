//! A finding of the doctor: a stable id, what it is, why it matters, and how to fix it.

use std::fmt::{self, Display};

use serde::Serialize;

/// A kind of problem that doctor recognizes.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable id that scripts and pages can refer to.
    pub id: &'static str,
    pub severity: Severity,
    /// The problem, as a sentence.
    pub what: &'static str,
    pub why: &'static str,
    /// Instructions to fix it.
    pub fix: &'static str,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Note,
    /// Something is wrong, but the channel works.
    Warning,
    /// The channel does not work, or will stop working soon.
    Error,
}

/// A finding with its details.
#[derive(Debug)]
pub struct ReportedFinding {
    pub finding: &'static Finding,
    /// The details; never a secret or a message's text.
    pub detail: String,
}

impl Finding {
    /// Creates a finding with its details.
    pub fn found(&'static self, detail: impl Display) -> ReportedFinding {
        ReportedFinding { finding: self, detail: detail.to_string() }
    }

    /// Returns the page that documents it.
    pub fn page(&self) -> String {
        format!("docs/reference/doctor.md#{}", self.id)
    }
}

impl Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write;
    use std::path::Path;

    use super::*;
    use crate::doctor::FINDINGS;

    const REFERENCE_HEAD: &str = "# What doctor finds

`openclaw telephony doctor` checks everything between a phone and your agent, and reports problems, why they matter and
how to fix them. Each finding has a stable id, which `--json` prints for scripts. The exit code is 1 if there is an
*error*, else 0. `--fix` fixes what is safe to fix: it removes other users' access to your files and, after asking, sets the webhook.

| finding | severity | problem |
| --- | --- | --- |
";

    /// Generates the reference page of all findings.
    fn reference_markdown() -> String {
        let mut page = String::from(REFERENCE_HEAD);
        for Finding { id, severity, what, .. } in FINDINGS {
            // Writing to a String cannot fail.
            let _ = writeln!(page, "| [{id}](#{id}) | {severity} | {what} |");
        }
        for Finding { id, what, why, fix, .. } in FINDINGS {
            let _ = write!(page, "\n## {id}\n\n{what}\n\n**Why it matters.** {why}\n\n**What to do.** {fix}\n");
        }
        page
    }

    #[test]
    fn the_reference_page_is_what_the_code_generates() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/doctor.md");
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            std::fs::write(&path, reference_markdown()).unwrap();
        }
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(page == reference_markdown(), "run with UPDATE_REFERENCE=1 to write {}", path.display());
    }

    #[test]
    fn every_finding_has_a_unique_id_and_complete_texts() {
        let ids: BTreeSet<_> = FINDINGS.iter().map(|finding| finding.id).collect();
        assert_eq!(ids.len(), FINDINGS.len());
        for Finding { id, what, why, fix, .. } in FINDINGS {
            assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{id}");
            assert!([what, why, fix].iter().all(|text| text.ends_with('.')), "{id}");
        }
    }
}
