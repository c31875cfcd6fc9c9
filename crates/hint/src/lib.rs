#![doc = include_str!("../README.md")]

use std::borrow::Cow;
use std::error::Error;

/// An error that knows what to do about it.
pub trait Hint: Error {
    /// What to do: starts with a verb in lower case, without a full stop. Empty where nothing helps.
    fn hint(&self) -> Cow<'_, str>;
}
