//! Every answered question as an Arrow table, with the columns of `questions.parquet`.

mod columns;

use std::sync::Arc;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use sureness_analysis::{Figures, GroupFigures, ModelEvidence};
use sureness_report::questions::{Layout, RowSets, ScoreKind, visit_rows};

use crate::refusal::refusal;
use columns::Columns;

/// Answered questions: one record batch per model, task and strategy, in memory that readers share.
#[pyclass(frozen, module = "sureness._sureness")]
pub(crate) struct Questions {
    schema: SchemaRef,
    batches: Arc<[RecordBatch]>,
}

#[pymethods]
impl Questions {
    /// The Arrow `PyCapsule` interface: a stream of record batches without copying.
    ///
    /// A requested schema is not obeyed, as the interface allows; readers then cast by themselves.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "PyO3 hands over what Python passes"
    )]
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batches: Vec<Result<RecordBatch, ArrowError>> =
            self.batches.iter().cloned().map(Ok).collect();
        let reader = RecordBatchIterator::new(batches, Arc::clone(&self.schema));
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// Names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        let fields = self.schema.fields().iter();
        fields.map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __repr__(&self) -> String {
        format!(
            "<Questions: {} rows, {} columns>",
            self.__len__(),
            self.schema.fields().len()
        )
    }
}

impl Questions {
    /// The rows of all groups that could be evaluated.
    pub(crate) fn of(figures: &Figures<'_>) -> PyResult<Self> {
        let layout = layout(figures);
        let schema = columns::schema(layout);
        let mut batches = Vec::new();
        for model in &figures.models {
            for group in &model.groups {
                let batch = batch(model.model, group, figures, layout, &schema)?;
                batches.push(batch);
            }
        }
        Ok(Self {
            schema,
            batches: batches.into(),
        })
    }
}

/// What the scores of a group are.
fn kind(model: &ModelEvidence, group: &GroupFigures<'_>) -> ScoreKind {
    if model.source.record.has_logits(&group.rows.id) {
        ScoreKind::Logits
    } else {
        ScoreKind::LogProbs
    }
}

fn layout(figures: &Figures<'_>) -> Layout {
    let groups = || {
        let models = figures.models.iter();
        models.flat_map(|model| model.groups.iter().map(move |group| (model.model, group)))
    };
    let has = |wanted| groups().any(|(model, group)| kind(model, group) == wanted);
    Layout {
        options: groups()
            .map(|(_, group)| group.rows.table.stride())
            .max()
            .unwrap_or(2),
        scores: match (has(ScoreKind::LogProbs), has(ScoreKind::Logits)) {
            (true, true) => &[ScoreKind::LogProbs, ScoreKind::Logits],
            (false, true) => &[ScoreKind::Logits],
            (_, false) => &[ScoreKind::LogProbs],
        },
        several_right: true,
    }
}

fn batch(
    model: &ModelEvidence,
    group: &GroupFigures<'_>,
    figures: &Figures<'_>,
    layout: Layout,
    schema: &SchemaRef,
) -> PyResult<RecordBatch> {
    let config = figures.settings.config;
    let sets = RowSets::of(group, config.covers);
    let kind = kind(model, group);
    let mut columns = Columns::new(layout);
    visit_rows(&model.name, group.rows, &sets, config.protocol, |row| {
        columns.push(row, kind);
    })
    .map_err(|error| refusal(error, ""))?;
    columns
        .finish(schema)
        .map_err(|error| refusal(format_args!("the questions make no table: {error}"), ""))
}
