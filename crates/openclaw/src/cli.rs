//! The command line's grammar.

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use telephony_config::spelling::nearest;
use telephony_domain::unprintable;

use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::{commands, terminal};

/// The telephony channel of OpenClaw: gives a personal AI assistant a phone number
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, subcommand_required = true, after_help = start_here())]
pub struct Cli {
    #[command(flatten)]
    config_arg: ConfigArg,
    #[command(subcommand)]
    command: TopLevelCommand,
}

#[derive(Debug, Subcommand)]
enum TopLevelCommand {
    /// Run the channel in the foreground
    Gateway(commands::gateway::GatewayArgs),
    /// Send and inspect messages, set up and test the phone number
    #[command(subcommand, arg_required_else_help = true)]
    Telephony(commands::telephony::TelephonyCommand),
    /// Decide who may talk to the assistant
    #[command(subcommand, arg_required_else_help = true)]
    Pairing(commands::pairing::PairingCommand),
    /// Print a shell completion script
    #[command(visible_alias = "completion")]
    Completions(commands::completions::CompletionsArgs),
    /// Print the manual page, or write one for each command
    Man(commands::man::ManArgs),
    /// A command of OpenClaw itself, which this program does not have
    #[command(external_subcommand)]
    Foreign(Vec<String>),
}

/// The groups in which `openclaw telephony --help` lists its commands.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Start here", &["simulate", "setup", "doctor"]),
    ("Daily", &["status", "send", "messages", "conversation", "call", "calls", "optouts"]),
    ("Look inside", &["costs", "segments", "webhook", "config"]),
    ("Maintain", &["service", "backup", "restore", "export", "purge"]),
];

impl Cli {
    /// Parses the command line; exits with help or an error if it is not a command.
    pub fn read() -> Cli {
        let command = Cli::command().mut_subcommand("telephony", in_groups);
        let read = command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
        read.unwrap_or_else(|error| leave(&error))
    }

    pub fn run(self) -> Outcome {
        match self.command {
            TopLevelCommand::Gateway(gateway) => gateway.run(&self.config_arg),
            TopLevelCommand::Telephony(telephony) => telephony.run(&self.config_arg),
            TopLevelCommand::Pairing(pairing) => pairing.run(&self.config_arg),
            TopLevelCommand::Completions(completions) => completions.run(&mut Cli::command()),
            TopLevelCommand::Man(man) => man.run(Cli::command()),
            TopLevelCommand::Foreign(words) => Err(foreign(&words)),
        }
    }
}

/// Prints what the parser says, which is help or an error, and ends the process. An error repeats what was typed or
/// pasted: where that has misleading characters, it is escaped, and has no colors.
fn leave(error: &clap::Error) -> ! {
    let text = error.render().to_string();
    if error.use_stderr() && unprintable::escape(&text) != text {
        terminal::say(text.trim_end());
        std::process::exit(error.exit_code());
    }
    error.exit()
}

fn foreign(words: &[String]) -> Failure {
    let word = words.first().map_or("", String::as_str);
    let failure = Failure::usage(format!("`{word}` is not a command of the telephony channel"));
    let cli = Cli::command();
    let below = cli.find_subcommand("telephony").into_iter().flat_map(clap::Command::get_subcommands);
    let below = below.map(|command| ("openclaw telephony", command.get_name()));
    let commands: Vec<_> = cli.get_subcommands().map(|command| ("openclaw", command.get_name())).chain(below).collect();
    let meant = nearest(word, commands.iter().map(|(_, name)| *name));
    match commands.iter().find(|(_, name)| Some(*name) == meant) {
        Some((before, name)) => failure.hint(format!("did you mean `{before} {name}`?")),
        None => failure.hint(
            "this program has `gateway`, `telephony`, `pairing`, `completions` and `man`; all other commands belong to \
            OpenClaw itself",
        ),
    }
}

/// The command with a help that lists its subcommands in groups.
fn in_groups(command: clap::Command) -> clap::Command {
    let heading = *command.get_styles().get_header();
    let literal = *command.get_styles().get_literal();
    let mut listing = String::new();
    for (group, names) in GROUPS {
        listing += &format!("{heading}{group}:{heading:#}\n");
        for name in names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about).cloned().unwrap_or_default();
            listing += &format!("  {literal}{name:12}{literal:#}  {about}\n");
        }
        listing.push('\n');
    }
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{listing}{heading}Options:{heading:#}\n{{options}}{{after-help}}"
    ))
}

/// The two commands that a newcomer needs.
fn start_here() -> String {
    let program = terminal::program();
    let text = "Start here:\n  \
        openclaw telephony simulate  Try it without an account: a phone in the browser\n  \
        openclaw telephony setup     Give the assistant a number of your account at Twilio";
    program.in_text(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the names of the commands whose help lacks an example although they have an argument with a value.
    fn without_example(path: &str, command: &clap::Command) -> Vec<String> {
        let is_inherited = |argument: &clap::Arg| argument.get_id() == "config" || argument.is_hide_set();
        let accepts = |argument: &clap::Arg| argument.get_action().takes_values() && !is_inherited(argument);
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let is_missing = command.get_arguments().any(accepts) && !help.contains("Example");
        let below = command.get_subcommands();
        let below = below.flat_map(|command| without_example(&format!("{path} {}", command.get_name()), command));
        is_missing.then(|| path.to_owned()).into_iter().chain(below).collect()
    }

    #[test]
    fn every_command_with_arguments_has_an_example_in_its_help() {
        assert_eq!(without_example("openclaw", &Cli::command()), Vec::<String>::new());
    }

    #[test]
    fn help_lists_each_command_once_and_fits_80_columns() {
        let mut telephony = in_groups(Cli::command().find_subcommand("telephony").unwrap().clone());
        let mut commands: Vec<String> =
            telephony.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let mut listed: Vec<String> =
            GROUPS.iter().flat_map(|(_, names)| *names).map(|name| (*name).to_owned()).collect();
        commands.sort();
        listed.sort();
        assert_eq!(listed, commands);
        let help = telephony.render_help().to_string();
        let listing = help.split("Options:").next().unwrap();
        assert!(listing.lines().all(|line| line.chars().count() <= 80), "{listing}");
    }
}
