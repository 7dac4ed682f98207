//! `openclaw telephony doctor --explain`: prints the documentation of a finding offline.

use std::process::ExitCode;

use telephony_config::spelling::nearest;

use crate::doctor::{FINDINGS, Finding};
use crate::failure::{Failure, Outcome};
use crate::terminal;

/// Columns of the text.
const WIDTH: usize = 100;

/// The guide, whose sections are ordered by symptom.
const GUIDE: &str = include_str!("../../../../../../docs/guides/troubleshooting.md");

/// Prints the meaning of a finding and the section of the guide that covers it.
pub(super) fn explain(id: &str) -> Outcome {
    let Some(finding) = FINDINGS.iter().find(|finding| finding.id == id) else {
        return Err(Failure::usage(format!("doctor has no finding `{id}`")).hint(suggestion(id)));
    };
    terminal::print_ours(format!("{} ({})", finding.what, finding.severity));
    terminal::print_ours(format!("why:  {}", finding.why));
    terminal::print_ours(format!("fix:  {}", finding.fix));
    terminal::print_ours(format!("page: {}", finding.page()));
    let section = section(finding).unwrap_or_default();
    terminal::print_ours(format!("\nFrom docs/guides/troubleshooting.md:\n\n{}", laid_out(&plain(section))));
    Ok(ExitCode::SUCCESS)
}

/// Suggests findings: the most similar one, else those with a word in common, else all.
fn suggestion(id: &str) -> String {
    let known = || FINDINGS.iter().map(|finding| finding.id);
    if let Some(meant) = nearest(id, known()) {
        return format!("did you mean `{meant}`?");
    }
    let words: Vec<String> = id.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let is_similar = |known: &str| known.split('-').any(|word| words.iter().any(|typed| typed == word));
    let similar: Vec<String> = known().filter(|known| is_similar(known)).map(|known| format!("`{known}`")).collect();
    match similar.is_empty() {
        true => format!("known findings: {}", known().collect::<Vec<_>>().join(", ")),
        false => format!("did you mean {}?", similar.join(" or ")),
    }
}

/// Returns the first section of the guide that mentions the finding, with its heading.
fn section(finding: &Finding) -> Option<&'static str> {
    let link = format!("doctor.md#{})", finding.id);
    GUIDE.split("\n## ").skip(1).find(|section| section.contains(&link)).map(str::trim_end)
}

/// Converts Markdown for a terminal: replaces links by their text and drops HTML such as anchors. Code stays unchanged.
fn plain(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let pieces =
        pieces.map(|(n, piece)| if n % 2 == 0 { without_tags(&without_links(piece)) } else { piece.to_owned() });
    pieces.collect::<Vec<_>>().join("`")
}

/// Lays a text without links and tags out for a terminal: table rows become list items without the table's head, code is
/// indented, and paragraphs are wrapped again.
fn laid_out(text: &str) -> String {
    let (mut lines, mut open, mut is_code) = (Vec::new(), String::new(), false);
    for line in text.lines().chain([""]) {
        let is_fence = line.trim_start().starts_with("```");
        if is_fence || is_code || line.is_empty() || line.starts_with(['|', '-']) {
            lines.extend(wrapped(&std::mem::take(&mut open)));
        }
        match line {
            _ if is_fence => is_code = !is_code,
            code if is_code => lines.push(format!("    {code}")),
            "" => lines.push(String::new()),
            head if head.starts_with("|---") => drop(lines.pop()),
            row if row.starts_with('|') => open = list_item(row),
            text if open.is_empty() => text.clone_into(&mut open),
            text => open = format!("{open} {}", text.trim()),
        }
    }
    lines.join("\n").trim_end().to_owned()
}

/// Converts a row of a table: the first cell names what the others explain.
fn list_item(row: &str) -> String {
    let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
    format!("- {}", cells.join(": "))
}

/// Breaks a paragraph or list item into lines.
fn wrapped(text: &str) -> Vec<String> {
    let indent = if text.starts_with("- ") { "  " } else { "" };
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("{indent}{word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines
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

fn without_tags(text: &str) -> String {
    let mut parts = text.split('<');
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_tag = part.trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic());
        match part.split_once('>').filter(|_| is_tag) {
            Some((_, rest)) => shown.push_str(rest),
            None => {
                shown.push('<');
                shown.push_str(part);
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_their_text_and_tags_are_removed() {
        for (text, shown) in [
            ("see [one](../a.md#x), [two](b); `c`", "see one, two; `c`"),
            ("see [`one`](../a.md#x)", "see `one`"),
            ("<a id=\"x\"></a>\"Too many\" in<br/> the log", "\"Too many\" in the log"),
            (
                "if 1 < 2 > 0, then `<think>` and\n```sh\necho [x](y) <a>\n```\n<b>bold</b>",
                "if 1 < 2 > 0, then `<think>` and\n```sh\necho [x](y) <a>\n```\nbold",
            ),
        ] {
            assert_eq!(plain(text), shown);
        }
    }

    #[test]
    fn tables_become_lists_and_paragraphs_are_wrapped() {
        let text = "Heading\n\none\ntwo\n\n| finding | meaning |\n|---|---|\n| a | b `c\\|d` |\n\n- item\n  more\n\n```sh\nls  x\n```\nend";
        assert_eq!(laid_out(text), "Heading\n\none two\n\n- a: b `c\\|d`\n\n- item more\n\n    ls  x\nend");
        let long = format!("- {}", "word ".repeat(30));
        assert_eq!(wrapped(&long).iter().map(|line| line.chars().count()).collect::<Vec<_>>(), [96, 56]);
        for section in FINDINGS.iter().filter_map(|finding| section(finding)) {
            let shown = laid_out(&plain(section));
            assert!(!shown.contains("|--") && !shown.contains("```"), "{shown}");
        }
    }

    #[test]
    fn no_section_that_is_shown_has_html_or_links() {
        for section in FINDINGS.iter().filter_map(|finding| section(finding)) {
            let shown = plain(section);
            let said: String = shown.split('`').step_by(2).collect();
            assert!(!said.contains("](") && !said.contains("</") && !said.contains("<a"), "{shown}");
        }
    }

    #[test]
    fn the_guide_has_a_section_for_every_finding() {
        let missing = FINDINGS.iter().filter(|finding| section(finding).is_none()).map(|finding| finding.id);
        assert_eq!(missing.collect::<Vec<_>>(), Vec::<&str>::new());
    }

    #[test]
    fn sections_are_found_in_the_guide() {
        let section = |id: &str| section(FINDINGS.iter().find(|finding| finding.id == id).unwrap());
        assert!(section("signature-mismatch").unwrap().starts_with("\"the signature is not valid\" in the log\n"));
        assert!(section("account-trial").unwrap().contains("50 a day"));
        assert!(section("store-unusable").unwrap().starts_with("Messages cannot be stored\n"));
    }
}
