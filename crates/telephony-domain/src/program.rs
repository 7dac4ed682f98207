//! The name that our program was started by, for the commands in hints.

use std::borrow::Cow;

/// A name of our program. Beside a real OpenClaw, `openclaw` is the host, which does not have our commands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProgramName {
    /// `openclaw`, the name used in the source of hints.
    #[default]
    Openclaw,
    /// `openclaw-telephony`, the name that OpenClaw's plugin looks for.
    OpenclawTelephony,
}

/// The first word of each of our commands.
const COMMANDS: [&str; 5] =
    ["openclaw telephony", "openclaw pairing", "openclaw gateway", "openclaw completions", "openclaw man"];

impl ProgramName {
    /// Reads the name from the first argument of a process, which can be a path.
    pub fn started_as(argument: &str) -> Self {
        let name = argument.rsplit('/').next().unwrap_or_default();
        if name == Self::OpenclawTelephony.as_str() { Self::OpenclawTelephony } else { Self::Openclaw }
    }

    /// Returns the name to type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Openclaw => "openclaw",
            Self::OpenclawTelephony => "openclaw-telephony",
        }
    }

    /// Replaces the name of our commands in a text of ours.
    pub fn in_text(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Openclaw => Cow::Borrowed(text),
            Self::OpenclawTelephony => {
                let named = |text: String, command: &str| {
                    text.replace(command, &command.replacen(Self::Openclaw.as_str(), self.as_str(), 1))
                };
                Cow::Owned(COMMANDS.iter().fold(text.to_owned(), |text, command| named(text, command)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_name_at_the_end_of_a_path_counts() {
        for argument in ["openclaw-telephony", "/usr/bin/openclaw-telephony", "./openclaw-telephony"] {
            assert_eq!(ProgramName::started_as(argument), ProgramName::OpenclawTelephony, "{argument}");
        }
        for argument in ["", "openclaw", "/opt/openclaw-telephony/openclaw", "openclaw-telephony2", "x"] {
            assert_eq!(ProgramName::started_as(argument), ProgramName::Openclaw, "{argument}");
        }
    }

    #[test]
    fn commands_in_a_text_are_named_and_nothing_else_changes() {
        let text =
            "`openclaw telephony doctor` or openclaw pairing list, then `openclaw gateway`; OpenClaw, openclaw.json";
        let named = "`openclaw-telephony telephony doctor` or openclaw-telephony pairing list, then \
                     `openclaw-telephony gateway`; OpenClaw, openclaw.json";
        assert_eq!(ProgramName::OpenclawTelephony.in_text(text), named);
        assert_eq!(ProgramName::OpenclawTelephony.in_text(named), named);
        assert_eq!(ProgramName::Openclaw.in_text(text), text);
    }
}
