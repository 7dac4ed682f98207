//! Result tables, identical in the terminal and in the reference, whose other text is kept by hand.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};

/// A table with explanatory notes.
#[derive(Debug)]
pub struct Table {
    title: &'static str,
    note: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    remarks: Vec<String>,
    aims: Vec<Aim>,
}

/// A target and the measured value.
#[derive(Debug)]
struct Aim {
    what: String,
    measured: String,
    is_met: bool,
}

impl Table {
    /// Creates an empty table.
    pub fn new(title: &'static str, note: &str, columns: &[&str]) -> Table {
        let columns = columns.iter().map(ToString::to_string).collect();
        Table { title, note: note.to_owned(), columns, rows: Vec::new(), remarks: Vec::new(), aims: Vec::new() }
    }

    pub fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    /// Adds a sentence below the table.
    pub fn remark(&mut self, sentence: String) {
        self.remarks.push(sentence);
    }

    /// Adds a target and the measured value.
    pub fn aim(&mut self, what: String, measured: String, is_met: bool) {
        self.aims.push(Aim { what, measured, is_met });
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().chain([&self.columns]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, cells: &[String]) -> fmt::Result {
        for (column, cell) in cells.iter().enumerate() {
            let width = self.width(column);
            if column == 0 { write!(f, "| {cell:<width$} ")? } else { write!(f, "| {cell:>width$} ")? }
        }
        writeln!(f, "|")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}\n", self.title, self.note)?;
        self.line(f, &self.columns)?;
        for column in 0..self.columns.len() {
            let dashes = "-".repeat(self.width(column) + 1);
            if column == 0 { write!(f, "|{dashes}-")? } else { write!(f, "|{dashes}:")? }
        }
        writeln!(f, "|")?;
        self.rows.iter().try_for_each(|row| self.line(f, row))?;
        self.remarks.iter().try_for_each(|remark| write!(f, "\n{remark}\n"))?;
        if !self.aims.is_empty() {
            writeln!(f)?;
        }
        self.aims.iter().try_for_each(|aim| {
            let is_met = if aim.is_met { "met" } else { "**not met**" };
            writeln!(f, "- Aim: {}. Measured: {}, {is_met}.", aim.what, aim.measured)
        })
    }
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns the load average of the last minute.
pub fn load_average() -> Result<String> {
    let load = fs::read_to_string("/proc/loadavg")?;
    Ok(load.split(' ').next().context("no load average")?.to_owned())
}

/// Replaces the table in the reference page and keeps the rest of the page.
pub fn write(table: &Table, command: &str, load: &str) -> Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/performance.md");
    let text = match fs::read_to_string(&page) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => "# Performance\n".to_owned(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", page.display())),
    };
    let (date, machine) = (jiff::Timestamp::now().strftime("%F"), machine()?);
    let measured =
        format!("Measured on {date} with `{command}` on {machine}, with a load average of {load} at the start.");
    fs::write(&page, with_section(&text, table.title, &format!("{table}\n{measured}\n")))
        .with_context(|| format!("cannot write {}", page.display()))
}

/// Returns the page with `section` between the marks of its title, or at the end if there are none yet.
fn with_section(page: &str, title: &str, section: &str) -> String {
    let (begin, end) = (format!("<!-- generated: {title} -->\n"), format!("<!-- end: {title} -->\n"));
    let split = page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    match split {
        Some((before, after)) => format!("{before}{begin}{section}{end}{after}"),
        None => format!("{page}\n{begin}{section}{end}"),
    }
}

fn machine() -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let models: Vec<_> = cpus.lines().filter_map(|line| line.strip_prefix("model name")).collect();
    let model = models.first().and_then(|line| line.split_once(": ")).map_or("an unknown CPU", |(_, name)| name);
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kib: Option<f64> =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().trim_end_matches(" kB").parse().ok());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let gigabytes = kib.context("no MemTotal")? * 1024.0 / 1e9;
    Ok(format!("{} cores of {model}, {gigabytes:.0} GB, Linux {}", models.len(), kernel.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_measurements_replace_old_ones() {
        let page = with_section("# Performance\n", "Start", "old\n");
        let page = with_section(&page, "Growth", "kept\n") + "\n## What was found\n\nBy hand.\n";
        let page = with_section(&page, "Start", "new\n");
        let expected = "# Performance\n\n<!-- generated: Start -->\nnew\n<!-- end: Start -->\n\n\
                        <!-- generated: Growth -->\nkept\n<!-- end: Growth -->\n\n## What was found\n\nBy hand.\n";
        assert_eq!(page, expected);
    }

    #[test]
    fn a_missed_target_is_marked() {
        let mut table = Table::new("Start", "A note.", &["", "ms"]);
        table.row(["first".to_owned(), "31".to_owned()]);
        table.aim("within 30 ms".to_owned(), "31 ms".to_owned(), false);
        assert!(table.to_string().ends_with("\n- Aim: within 30 ms. Measured: 31 ms, **not met**.\n"));
    }
}
