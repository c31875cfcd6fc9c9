//! A document as JSON, by the published schema.

use sureness_analysis::{Cell, Document};

/// The document as JSON, in the layout of [`crate::schema::document_schema`].
///
/// JSON cannot express a number that is not finite: such a figure is an empty cell, and such an end
/// of an interval is left out. Fails where a chart holds one, since no reader could take it.
pub fn json(document: &Document) -> Result<String, serde_json::Error> {
    let mut document = document.clone();
    let tables = document
        .sections
        .iter_mut()
        .flat_map(|section| &mut section.tables);
    for cell in tables.flat_map(|table| table.rows.iter_mut().flatten()) {
        keep_finite(cell);
    }
    let text = serde_json::to_string_pretty(&document)?;
    // A chart's figures that are not finite were written as null: what cannot be read back must
    // not be written.
    serde_json::from_str::<Document>(&text)?;
    Ok(text + "\n")
}

fn keep_finite(cell: &mut Cell) {
    if let Cell::Figure {
        value, low, high, ..
    } = cell
    {
        if value.is_finite() {
            for end in [low, high] {
                *end = end.filter(|end| end.is_finite());
            }
        } else {
            *cell = Cell::Empty;
        }
    }
}
