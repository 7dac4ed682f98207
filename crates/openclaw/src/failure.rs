//! Reports a failed command: `error:`, causes, `hint:`; exit code 1, or 2 for wrong usage.

use std::fmt::{self, Display};
use std::process::ExitCode;

use telephony_config::Problems;
use telephony_providers::provider::ProviderError;
use telephony_store::StoreError;

/// A failed command: its error, hint and exit code.
#[derive(Debug)]
pub struct Failure {
    error: anyhow::Error,
    hint: Option<String>,
    code: u8,
}

/// The result of a command.
pub type Outcome = Result<ExitCode, Failure>;

impl Failure {
    /// Returns what is wrong, without causes, and the hint.
    pub fn into_parts(self) -> (String, Option<String>) {
        (self.error.to_string(), self.hint)
    }

    /// Creates a failure with exit code 1.
    pub fn new(message: impl Display) -> Self {
        Self { error: anyhow::anyhow!("{message}"), hint: None, code: 1 }
    }

    /// Creates a failure for wrong usage, with exit code 2.
    pub fn usage(message: impl Display) -> Self {
        Self { code: 2, ..Self::new(message) }
    }

    /// Reports the configuration's problems, one a line.
    pub fn from_problems(problems: Problems) -> Self {
        if problems.is_unconfigured() {
            return Self::new(problems);
        }
        Self::new(format!("the configuration cannot be used\n{}", problems.in_full()))
            .hint("`openclaw telephony config check` shows problems and warnings")
    }

    pub fn hint(self, hint: impl Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }

    /// Sets the hint unless there is one.
    pub fn hint_unless_known(self, hint: impl Display) -> Self {
        if self.hint.is_some() { self } else { self.hint(hint) }
    }

    /// Returns the failure and its hint in one line.
    pub fn in_one_line(&self) -> String {
        let hint = self.hint.as_deref().map(|hint| format!(" ({hint})"));
        format!("{}{}", self.error, hint.unwrap_or_default())
    }

    /// Returns the exit code: 1, or 2 for wrong usage.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

/// The lines that the person at the terminal sees.
impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.error)?;
        for cause in self.error.chain().skip(1) {
            write!(f, "\n  because: {cause}")?;
        }
        match self.hint.clone().or_else(|| known_hint(&self.error)) {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: error.into(), hint: None, code: 1 }
    }
}

/// Returns the hint of an error that knows its own.
fn known_hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let store = cause.downcast_ref::<StoreError>().map(|error| error.hint().to_owned());
        store.or_else(|| cause.downcast_ref::<ProviderError>().map(|error| error.hint().to_owned()))
    })
}
