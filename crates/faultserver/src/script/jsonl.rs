//! The JSONL files that a script names.

use std::fmt::Display;
use std::path::PathBuf;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

/// The rows of the file at `path`, each of which `check` may refuse; `None` where no file is named.
pub(super) fn rows<'de, D: Deserializer<'de>, Row: DeserializeOwned>(
    path: D,
    check: impl Fn(&Row) -> Result<(), String>,
) -> Result<Option<Vec<Row>>, D::Error> {
    let Some(path) = Option::<PathBuf>::deserialize(path)? else {
        return Ok(None);
    };
    let failed = |error: &dyn Display| D::Error::custom(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| failed(&error))?;
    let rows: Result<Vec<Row>, _> = text.lines().map(serde_json::from_str).collect();
    let rows = rows.map_err(|error| failed(&error))?;
    for row in &rows {
        check(row).map_err(|error| failed(&error))?;
    }
    Ok(Some(rows))
}
