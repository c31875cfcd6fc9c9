//! Rows for tables.

use sureness_conformal::{RightOptions, Row, Table};

/// Adds a row whose key is made of its number.
pub(crate) fn push(
    table: &mut Table,
    logits: &[f64],
    right: impl Into<RightOptions>,
    category: Option<u32>,
    key: u64,
) {
    let row = Row {
        key: &[],
        cluster: None,
        logits: logits.into(),
        right: right.into(),
        dont_know: None,
        none_of_the_above: None,
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&key.to_le_bytes());
    table.push(bytes, &row, category).unwrap();
}
