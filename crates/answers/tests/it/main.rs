//! Answers with their right readings, and properties of all answers.

mod properties;
mod table;
