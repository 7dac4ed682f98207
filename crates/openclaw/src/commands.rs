//! The commands, each in a file named like the words that are typed.

pub mod completions;
pub mod gateway;
pub mod man;
pub mod pairing;
pub mod telephony;

use crate::cli::{Cli, Command};
use crate::failure::{Failure, Outcome};

/// Does what was typed.
pub fn run(cli: Cli) -> Outcome {
    match cli.command {
        Command::Gateway(gateway) => gateway.run(&cli.place),
        Command::Telephony(telephony) => telephony.run(&cli.place),
        Command::Pairing(pairing) => pairing.run(&cli.place),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
        Command::Foreign(words) => Err(foreign(&words)),
    }
}

fn foreign(words: &[String]) -> Failure {
    let word = words.first().map_or("", String::as_str);
    Failure::usage(format!("`{word}` is not a command of the telephony channel"))
        .hint("this program has `gateway`, `telephony`, `pairing`, `completions` and `man`; other commands belong to OpenClaw itself")
}
