//! Tables with any columns, for readers that need more of a row than its scores.

use std::path::Path;

use super::ReplayError;
use super::parquet;

/// A value of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Cell>),
    /// A value of another kind, such as an object.
    Other,
}

/// Passes each row of a Parquet file to `visit`: its number from 1, and the cells of the columns that
/// `wanted` chooses, by name. `visit` may end the reading with an error of its own.
///
/// # Errors
///
/// The outer one if the file cannot be read.
pub fn visit_cells<E>(
    path: &Path,
    bytes: Vec<u8>,
    wanted: &dyn Fn(&str) -> bool,
    mut visit: impl FnMut(usize, Vec<(String, Cell)>) -> Result<(), E>,
) -> Result<Result<(), E>, ReplayError> {
    let mut outcome = Ok(());
    let mut each = |row: usize, cells: Vec<(String, Cell)>| match visit(row, cells) {
        Ok(()) => true,
        Err(error) => {
            outcome = Err(error);
            false
        }
    };
    parquet::visit(bytes, wanted, &mut each).map_err(|fault| fault.of(path))?;
    Ok(outcome)
}
