//! Decides which emphasis is Markdown: emphasis has to use every mark of the runs at both of its ends. A run with
//! unused marks, such as the asterisks of a masked address or password, is text, and so is all emphasis that shares it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::edits::Edits;
use super::ordinary;

/// Longest run of marks in Markdown: `***both***` has three.
const MAX_MARKS: usize = 3;

/// The emphasis that the parser found in a text.
#[derive(Default)]
pub(super) struct Emphases(Vec<Emphasis>);

struct Emphasis {
    /// Range including the marks.
    range: Range<usize>,
    /// Number of marks at each end.
    width: usize,
    /// True if its marks stay, whatever surrounds them.
    is_literal: bool,
}

/// A run of equal marks.
struct Run {
    range: Range<usize>,
    /// Number of its marks that belong to emphasis.
    used: usize,
    /// Indices of the emphasis that begins or ends in it.
    emphases: Vec<usize>,
}

impl Emphases {
    pub(super) fn push(&mut self, range: Range<usize>, width: usize, is_literal: bool) {
        self.0.push(Emphasis { range, width, is_literal });
    }

    /// Removes the marks of all emphasis that is Markdown.
    pub(super) fn take_out(mut self, edits: &mut Edits<'_>) {
        let text = edits.text;
        let runs = self.runs(text);
        let mut literal: Vec<usize> =
            runs.iter().filter(|(_, run)| !run.is_markdown()).map(|(start, _)| *start).collect();
        for at in 0..self.0.len() {
            let [opening, closing] = self.0[at].runs_in(text);
            if self.0[at].is_literal || !ordinary::is_emphasis(text, &(opening.start..closing.end)) {
                literal.push(opening.start);
            }
        }
        self.keep(literal, &runs, text);
        for Emphasis { range, width, .. } in self.0.into_iter().filter(|emphasis| !emphasis.is_literal) {
            edits.remove(range.start..range.start + width);
            edits.remove(range.end - width..range.end);
        }
    }

    /// Keeps the marks of emphasis in the runs that begin at `literal`, and of all emphasis that shares a run with it.
    fn keep(&mut self, mut literal: Vec<usize>, runs: &HashMap<usize, Run>, text: &str) {
        let mut seen = HashSet::new();
        while let Some(start) = literal.pop() {
            let Some(run) = runs.get(&start).filter(|_| seen.insert(start)) else { continue };
            for at in &run.emphases {
                self.0[*at].is_literal = true;
                literal.extend(self.0[*at].runs_in(text).map(|run| run.start));
            }
        }
    }

    fn runs(&self, text: &str) -> HashMap<usize, Run> {
        let mut runs: HashMap<usize, Run> = HashMap::new();
        for (at, emphasis) in self.0.iter().enumerate() {
            for range in emphasis.runs_in(text) {
                let new = || Run { range: range.clone(), used: 0, emphases: Vec::new() };
                let run = runs.entry(range.start).or_insert_with(new);
                run.used += emphasis.width;
                run.emphases.push(at);
            }
        }
        runs
    }
}

impl Run {
    fn is_markdown(&self) -> bool {
        self.range.len() <= MAX_MARKS && self.used == self.range.len()
    }
}

impl Emphasis {
    /// Returns the runs in which it begins and ends.
    fn runs_in(&self, text: &str) -> [Range<usize>; 2] {
        let last = self.range.end - 1;
        [run_at(text, self.range.start), run_at(text, last)]
    }
}

/// Returns the run of equal marks around `at`; searches no farther than matters.
fn run_at(text: &str, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let mark = bytes[at];
    let before = bytes[..at].iter().rev().take_while(|byte| **byte == mark).count();
    let after = bytes[at..].iter().take_while(|byte| **byte == mark).count();
    at - before..at + after
}
