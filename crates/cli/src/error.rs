//! What a user is told when something is wrong.

use std::process::ExitCode;

/// Questions were asked, but not all came to a good end: more failed than allowed, or what came
/// could not be kept.
pub(crate) const EXIT_FAILED_QUESTIONS: u8 = 1;
/// Wrong usage or bad input; nothing was asked.
pub(crate) const EXIT_INPUT: u8 = 2;
/// Interrupted; everything answered so far is kept.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;

/// A sentence that says what was wrong and where, and one that says what to do.
#[derive(Debug)]
pub(crate) struct CliError {
    message: String,
    hint: Option<String>,
    code: u8,
}

impl CliError {
    /// Bad input or usage (exit code 2).
    pub(crate) fn input(message: impl std::fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            hint: None,
            code: EXIT_INPUT,
        }
    }

    /// The same with what to do about it.
    pub(crate) fn hint(mut self, hint: impl std::fmt::Display) -> Self {
        let hint = hint.to_string();
        self.hint = (!hint.is_empty()).then_some(hint);
        self
    }

    /// The same with another exit code.
    pub(crate) fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Prints to stderr; gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        // Meaning is never carried by colour alone, so plain text will do everywhere.
        eprintln!("error: {}", self.message);
        if let Some(hint) = &self.hint {
            eprintln!("hint: {hint}");
        }
        ExitCode::from(self.code)
    }
}
