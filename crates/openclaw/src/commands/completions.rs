//! `openclaw completions`: prints a shell completion script.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Outcome;
use crate::terminal;

/// Lists the paths where shells look for the script; they find it by the program's name.
fn places() -> String {
    let name = terminal::program().as_str();
    format!(
        "Examples:\n\
         bash: {name} completions bash > ~/.local/share/bash-completion/completions/{name}\n\
         zsh:  {name} completions zsh > _{name}    in a folder of $fpath\n\
         fish: {name} completions fish > ~/.config/fish/completions/{name}.fish"
    )
}

/// Print a shell completion script
#[derive(Debug, Args)]
#[command(after_help = places())]
pub struct CompletionsArgs {
    /// Shell to complete for
    shell: Shell,
}

impl CompletionsArgs {
    /// Prints the script that completes `program`.
    pub fn run(self, program: &mut Command) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, program, terminal::program().as_str(), &mut script);
        terminal::print(String::from_utf8_lossy(&script).trim_end());
        Ok(ExitCode::SUCCESS)
    }
}
