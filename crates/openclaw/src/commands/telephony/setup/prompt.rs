//! Questions at the terminal. Where there is none, nothing is asked.

use std::io::{IsTerminal, stderr, stdin};

use dialoguer::{Input, Password, Select};
use secrecy::SecretString;
use telephony_domain::number::PhoneNumber;
use telephony_domain::unprintable;

use crate::failure::Failure;
use crate::number;

/// Whoever sits at the terminal, if anybody does.
pub struct Prompt {
    is_there: bool,
}

impl Prompt {
    /// Somebody is there when input and messages are a terminal's.
    pub fn new() -> Self {
        Self { is_there: stdin().is_terminal() && stderr().is_terminal() }
    }

    /// Whether anybody can be asked.
    pub fn is_there(&self) -> bool {
        self.is_there
    }

    /// A text that `check` takes; `None` where nobody can be asked.
    pub fn text(
        &self,
        question: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<Option<String>, Failure> {
        if !self.is_there {
            return Ok(None);
        }
        let mut input = Input::<String>::new().with_prompt(question);
        if let Some(default) = default {
            input = input.default(default.to_owned());
        }
        let checked = input.validate_with(|text: &String| check(text.trim())).interact_text();
        Ok(Some(checked.map_err(broken_off)?.trim().to_owned()))
    }

    /// The same, where an empty text is none; what is known already stands there to be changed.
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
        let input = Input::<String>::new().with_prompt(question).allow_empty(true).validate_with(check);
        let input = if let Some(known) = known { input.with_initial_text(known) } else { input };
        let typed = input.interact_text().map_err(broken_off)?.trim().to_owned();
        Ok((!typed.is_empty()).then_some(typed))
    }

    /// A phone number, or none at the wish of whoever is asked.
    pub fn number(&self, question: &str, known: Option<&str>) -> Result<Option<PhoneNumber>, Failure> {
        let check =
            |text: &str| number::phone(text).map(drop).map_err(|_| "a number looks like +15550001234".to_owned());
        Ok(self.optional(question, known, check)?.and_then(|typed| number::phone(&typed).ok()))
    }

    /// Something that is not shown while it is typed, as it was typed.
    pub fn secret(&self, question: &str) -> Result<Option<SecretString>, Failure> {
        if !self.is_there {
            return Ok(None);
        }
        let typed = Password::new().with_prompt(question).interact().map_err(broken_off)?;
        Ok(Some(SecretString::from(typed)))
    }

    /// The same, where an empty one is none.
    pub fn optional_secret(&self, question: &str) -> Result<Option<SecretString>, Failure> {
        if !self.is_there {
            return Ok(None);
        }
        let typed = Password::new().with_prompt(question).allow_empty_password(true).interact().map_err(broken_off)?;
        Ok((!typed.trim().is_empty()).then(|| SecretString::from(typed)))
    }

    /// Which of `choices`; `None` where nobody can be asked.
    pub fn choice(&self, question: &str, choices: &[String], default: usize) -> Result<Option<usize>, Failure> {
        if !self.is_there {
            return Ok(None);
        }
        let choices = choices.iter().map(|choice| unprintable::escape_line(choice));
        let chosen = Select::new().with_prompt(question).items(choices).default(default).interact();
        Ok(Some(chosen.map_err(broken_off)?))
    }
}

fn broken_off(error: dialoguer::Error) -> Failure {
    Failure::new(format!("setup was broken off, and nothing was changed: {error}"))
}
