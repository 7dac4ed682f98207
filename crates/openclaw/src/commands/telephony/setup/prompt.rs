//! Questions on the terminal. Without a terminal, nothing is asked.

use std::fmt;
use std::io::{IsTerminal, stderr, stdin};

use dialoguer::theme::Theme;
use dialoguer::{Input, Password, Select};
use secrecy::SecretString;
use telephony_domain::number::PhoneNumber;
use telephony_domain::unprintable;

use crate::failure::Failure;
use crate::number;

/// The most choices shown at a time; a longer list has pages.
const MAX_SHOWN: usize = 15;

/// The terminal, if there is one.
pub struct SetupTerminal {
    is_there: bool,
}

impl SetupTerminal {
    /// Uses the terminal if both stdin and stderr are one.
    pub fn new() -> Self {
        Self { is_there: stdin().is_terminal() && stderr().is_terminal() }
    }

    /// Returns true if questions can be asked.
    pub fn is_there(&self) -> bool {
        self.is_there
    }

    /// Asks for a text that `check` accepts; `None` without a terminal.
    pub fn text(
        &self,
        question: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<Option<String>, Failure> {
        if !self.is_there {
            return Ok(None);
        }
        let mut input = Input::<String>::with_theme(&Plain).with_prompt(question);
        if let Some(default) = default {
            input = input.default(default.to_owned());
        }
        let checked = input.validate_with(|text: &String| check(text.trim())).interact_text();
        Ok(Some(checked.map_err(broken_off)?.trim().to_owned()))
    }

    /// Asks for a text that may be empty; the known value can be edited.
    pub fn optional(
        &self,
        question: &str,
        known: Option<&str>,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<Option<String>, Failure> {
        if !self.is_there {
            return Ok(None);
        }
        let check = |text: &String| if text.trim().is_empty() { Ok(()) } else { check(text.trim()) };
        let input = Input::<String>::with_theme(&Plain).with_prompt(question).allow_empty(true).validate_with(check);
        let input = if let Some(known) = known { input.with_initial_text(known) } else { input };
        let typed = input.interact_text().map_err(broken_off)?.trim().to_owned();
        Ok((!typed.is_empty()).then_some(typed))
    }

    /// Asks for a phone number, which may be left empty.
    pub fn number(&self, question: &str, known: Option<&str>) -> Result<Option<PhoneNumber>, Failure> {
        let check = |text: &str| {
            number::phone(text).map(drop).map_err(|_| "expected a phone number such as +15550001234".to_owned())
        };
        Ok(self.optional(question, known, check)?.and_then(|typed| number::phone(&typed).ok()))
    }

    /// Asks for a text without echoing it.
    pub fn secret(&self, question: &str) -> Result<Option<SecretString>, Failure> {
        if !self.is_there {
            return Ok(None);
        }
        let typed = Password::with_theme(&Plain).with_prompt(question).interact().map_err(broken_off)?;
        Ok(Some(SecretString::from(typed)))
    }

    /// Asks for a text without echoing it; it may be left empty.
    pub fn optional_secret(&self, question: &str) -> Result<Option<SecretString>, Failure> {
        if !self.is_there {
            return Ok(None);
        }
        let typed = Password::with_theme(&Plain)
            .with_prompt(question)
            .allow_empty_password(true)
            .interact()
            .map_err(broken_off)?;
        Ok((!typed.trim().is_empty()).then(|| SecretString::from(typed)))
    }

    /// Asks for one of `choices`; `None` without a terminal.
    pub fn choice(&self, question: &str, choices: &[String], default: usize) -> Result<Option<usize>, Failure> {
        if !self.is_there {
            return Ok(None);
        }
        let choices = choices.iter().map(|choice| unprintable::escape_line(choice));
        let chosen = Select::with_theme(&Plain)
            .with_prompt(question)
            .items(choices)
            .default(default)
            .max_length(MAX_SHOWN)
            .interact();
        Ok(Some(chosen.map_err(broken_off)?))
    }
}

/// Shows a colon after a prompt, unless the prompt is a question.
struct Plain;

fn colon_after(prompt: &str) -> &'static str {
    if prompt.ends_with('?') { "" } else { ":" }
}

impl Theme for Plain {
    fn format_prompt(&self, f: &mut dyn fmt::Write, prompt: &str) -> fmt::Result {
        write!(f, "{prompt}{}", colon_after(prompt))
    }

    fn format_input_prompt(&self, f: &mut dyn fmt::Write, prompt: &str, default: Option<&str>) -> fmt::Result {
        match default {
            Some(default) => write!(f, "{prompt} [{default}]: "),
            None => write!(f, "{prompt}{} ", colon_after(prompt)),
        }
    }

    fn format_input_prompt_selection(&self, f: &mut dyn fmt::Write, prompt: &str, answer: &str) -> fmt::Result {
        write!(f, "{prompt}{} {answer}", colon_after(prompt))
    }
}

fn broken_off(error: dialoguer::Error) -> Failure {
    Failure::new(format!("setup was interrupted; nothing was changed: {error}"))
}
