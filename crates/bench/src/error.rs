//! Failures, with hints and kinds.

use std::fmt;

use sureness_hint::Hint;

/// How far the work got before a failure; a program derives its exit code from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Bad settings or bad input: nothing was asked.
    #[default]
    Input,
    /// Questions were asked, but too many failed, or answers could not be saved.
    Unfinished,
    /// Interrupted; all answers so far are saved.
    Interrupted,
}

/// An error message that says what is wrong and where, with a hint that says what to do.
///
/// ```
/// use sureness_bench::{Failure, Kind};
///
/// let failure = Failure::new("task qa has no question to ask").hint("raise --sample-size");
/// assert_eq!(failure.to_string(), "task qa has no question to ask");
/// assert_eq!(failure.to_do(), Some("raise --sample-size"));
/// assert_eq!(failure.of_kind(), Kind::Input);
/// ```
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: Option<String>,
    kind: Kind,
    earlier: Vec<Failure>,
}

impl Failure {
    /// A failure of [`Kind::Input`].
    pub fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            hint: None,
            kind: Kind::Input,
            earlier: Vec::new(),
        }
    }

    /// Combines failures into one, in order; `None` for an empty list.
    pub fn all(failures: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut all = Vec::new();
        for mut failure in failures {
            all.append(&mut failure.earlier);
            all.push(failure);
        }
        let last = all.pop()?;
        Some(Self {
            earlier: all,
            ..last
        })
    }

    /// Sets the hint; an empty one removes it.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        let hint = hint.to_string();
        self.hint = (!hint.is_empty()).then_some(hint);
        self
    }

    /// Sets the kind.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The hint.
    pub fn to_do(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The kind.
    pub fn of_kind(&self) -> Kind {
        self.kind
    }

    /// Failures that the same check found before this one.
    pub fn earlier(&self) -> &[Self] {
        &self.earlier
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl<E: Hint> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(&error).hint(error.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_failures_stay_in_order_however_they_were_put_together() {
        let of = |names: &[&str]| Failure::all(names.iter().map(Failure::new)).unwrap();
        let all = Failure::all([of(&["a", "b"]), of(&["c", "d"])]).unwrap();
        let earlier: Vec<String> = all.earlier().iter().map(Failure::to_string).collect();
        assert_eq!(
            (earlier, all.to_string()),
            (["a", "b", "c"].map(String::from).to_vec(), "d".into())
        );
        assert!(Failure::all([]).is_none());
    }
}
