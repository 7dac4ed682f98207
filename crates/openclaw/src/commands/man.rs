//! `openclaw man`: the manual, generated from the `--help` texts.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Command};
use clap_mangen::Man as Page;

use crate::failure::Outcome;
use crate::terminal;

/// Examples shown below the help.
const READING: &str = "Examples:
openclaw man | man -l -                 shows the first page
openclaw man ~/.local/share/man/man1    makes `man openclaw-telephony-send` and the like work";

/// Print the manual page, or write one for each command
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(READING).into_owned())]
pub struct ManArgs {
    /// Folder to write a page for each command into; created if missing
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl ManArgs {
    /// Prints or writes the manual of `program`, by the name that it was started by.
    pub fn run(self, program: Command) -> Outcome {
        let name = terminal::program().as_str();
        let program = program.name(name).bin_name(name);
        match self.folder {
            None => {
                let mut page = Vec::new();
                Page::new(program).render(&mut page)?;
                terminal::print(String::from_utf8_lossy(&page).trim_end());
            }
            Some(folder) => {
                let unwritten = || format!("cannot write the manual to {}", folder.display());
                std::fs::create_dir_all(&folder).with_context(unwritten)?;
                clap_mangen::generate_to(program, &folder).with_context(unwritten)?;
                terminal::say(format!("The manual is in {}: `man {name}`", folder.display()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
