//! What doctor can find: an id that never changes, what it means, why it matters, and what to do.

use std::fmt::{self, Display};

use serde::Serialize;

/// Something that doctor knows to find.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its id; never changes, for scripts and pages name it.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, as a sentence.
    pub what: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do about it.
    pub fix: &'static str,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Something is not as it should be, and the channel works.
    Warning,
    /// The channel does not work, or not for long.
    Error,
}

/// A finding that was made, with what is particular to it.
#[derive(Debug)]
pub struct Found {
    /// Which.
    pub finding: &'static Finding,
    /// What was found; never a secret, and no text that anybody wrote.
    pub detail: String,
}

impl Finding {
    /// It was found, and this is particular to it.
    pub fn found(&'static self, detail: impl Display) -> Found {
        Found { finding: self, detail: detail.to_string() }
    }

    /// Where the documentation has it.
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

    const REFERENCE_HEAD: &str = "\
# What doctor finds

`openclaw telephony doctor` looks at everything between a phone and your agent, and says what is wrong, why that matters
and what to do. Each finding has an id that stays the same; `--json` gives it to scripts. The exit code is 1 where there
is an *error*, else 0. `--fix` mends what can be mended safely: it takes other people's rights to your files away that are too much, and, after asking, sets the webhook.

| finding | how bad | what |
| --- | --- | --- |
";

    /// The page of all findings, for the reference documentation.
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
    fn every_finding_has_an_id_of_its_own_and_says_all_that_it_has_to() {
        let ids: BTreeSet<_> = FINDINGS.iter().map(|finding| finding.id).collect();
        assert_eq!(ids.len(), FINDINGS.len());
        for Finding { id, what, why, fix, .. } in FINDINGS {
            assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{id}");
            assert!([what, why, fix].iter().all(|text| text.ends_with('.')), "{id}");
        }
    }
}
