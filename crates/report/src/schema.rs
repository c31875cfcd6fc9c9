//! JSON Schemas of what is written as JSON, made from the types themselves.

use schemars::schema_for;
use serde_json::Value;
use sureness_analysis::Document;

use crate::Results;
use crate::export::FigureList;

/// The schema of a document (`report.json`); published as `docs/schema/document.schema.json`.
pub fn document_schema() -> Value {
    schema_for!(Document).to_value()
}

/// The schema of a run's figures (`results.json`); published as `docs/schema/results.schema.json`.
pub fn results_schema() -> Value {
    schema_for!(Results).to_value()
}

/// The schema of the figures that `sureness analyze --output json` prints; published as
/// `docs/schema/figures.schema.json`.
pub fn figures_schema() -> Value {
    schema_for!(FigureList).to_value()
}
