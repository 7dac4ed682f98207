//! `openclaw completions`: the script with which a shell completes what is typed.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::Outcome;
use crate::terminal;

/// Where the script belongs.
const PLACES: &str = "\
bash: openclaw completions bash > ~/.local/share/bash-completion/completions/openclaw
zsh:  openclaw completions zsh > _openclaw    in a folder of $fpath
fish: openclaw completions fish > ~/.config/fish/completions/openclaw.fish";

/// Print a script with which a shell completes our commands.
#[derive(Debug, Args)]
#[command(after_help = PLACES)]
pub struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    /// Prints it.
    pub fn run(self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "openclaw", &mut script);
        terminal::print(String::from_utf8_lossy(&script).trim_end());
        Ok(ExitCode::SUCCESS)
    }
}
