//! `openclaw completions`: the script with which a shell completes what is typed.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Outcome;
use crate::terminal;

/// Says where to put the script: shells find it by the name of the program.
fn places() -> String {
    let name = terminal::program().as_str();
    format!(
        "bash: {name} completions bash > ~/.local/share/bash-completion/completions/{name}\n\
         zsh:  {name} completions zsh > _{name}    in a folder of $fpath\n\
         fish: {name} completions fish > ~/.config/fish/completions/{name}.fish"
    )
}

/// Print a script with which a shell completes our commands.
#[derive(Debug, Args)]
#[command(after_help = places())]
pub struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    /// Prints the script that completes `program`.
    pub fn run(self, program: &mut Command) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, program, terminal::program().as_str(), &mut script);
        terminal::print(String::from_utf8_lossy(&script).trim_end());
        Ok(ExitCode::SUCCESS)
    }
}
