//! The columns, and the rows in them.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int32Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use sureness_conformal::PredictionSet;
use sureness_report::questions::{Layout, QuestionRow, ScoreKind};

/// The letter of an option.
fn letter(option: usize) -> char {
    char::from(b'A' + (option % 26) as u8)
}

/// The columns in the order of [`Columns::finish`], and of `questions.parquet`.
pub(super) fn schema(layout: Layout) -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let boolean = |name: &str| Field::new(name, DataType::Boolean, true);
    let int = |name: &str| Field::new(name, DataType::Int32, true);
    let mut fields: Vec<Field> = ["model", "task", "strategy", "id", "category", "split"]
        .map(text)
        .into();
    fields.extend([int("options"), int("answer_index")]);
    fields.extend([text("answer"), text("top")]);
    fields.extend([boolean("correct"), boolean("tied")]);
    let scores = layout.scores.iter().map(|kind| kind.prefix());
    for prefix in scores.chain(["prob"]) {
        let of = |option| format!("{prefix}_{}", letter(option));
        let of = |option| Field::new(of(option), DataType::Float64, true);
        fields.extend((0..layout.options).map(of));
    }
    for score in ["lac", "aps"] {
        fields.push(text(&format!("{score}_set")));
        fields.push(int(&format!("{score}_size")));
        fields.push(boolean(&format!("covered_{score}")));
    }
    fields.push(Field::new("mass", DataType::Float64, true));
    fields.extend([boolean("bounded"), text("key"), text("cluster")]);
    Arc::new(Schema::new(fields))
}

/// Rows, column by column.
pub(super) struct Columns {
    names: [StringBuilder; 6],
    options: Int32Builder,
    answer_index: Int32Builder,
    letters: [StringBuilder; 2],
    correct: BooleanBuilder,
    tied: BooleanBuilder,
    scores: Vec<(ScoreKind, Vec<Float64Builder>)>,
    probabilities: Vec<Float64Builder>,
    sets: [SetColumns; 2],
    mass: Float64Builder,
    bounded: BooleanBuilder,
    keys: [StringBuilder; 2],
}

#[derive(Default)]
struct SetColumns {
    set: StringBuilder,
    size: Int32Builder,
    covered: BooleanBuilder,
}

impl Columns {
    pub(super) fn new(layout: Layout) -> Self {
        let per_option = || (0..layout.options).map(|_| Float64Builder::new()).collect();
        Self {
            names: std::array::from_fn(|_| StringBuilder::new()),
            options: Int32Builder::new(),
            answer_index: Int32Builder::new(),
            letters: std::array::from_fn(|_| StringBuilder::new()),
            correct: BooleanBuilder::new(),
            tied: BooleanBuilder::new(),
            scores: layout
                .scores
                .iter()
                .map(|&kind| (kind, per_option()))
                .collect(),
            probabilities: per_option(),
            sets: std::array::from_fn(|_| SetColumns::default()),
            mass: Float64Builder::new(),
            bounded: BooleanBuilder::new(),
            keys: std::array::from_fn(|_| StringBuilder::new()),
        }
    }

    /// Adds a row with scores of `kind`.
    pub(super) fn push(&mut self, row: &QuestionRow<'_>, kind: ScoreKind) {
        let split = if row.test { "test" } else { "calibration" };
        let names = [row.model, row.task, row.strategy, row.id].map(Some);
        let names = names.into_iter().chain([row.category, Some(split)]);
        for (column, name) in self.names.iter_mut().zip(names) {
            column.append_option(name);
        }
        self.options.append_value(small(row.scores.len()));
        self.answer_index.append_option(row.right.only().map(small));
        self.letters[0].append_value(row.right.to_string());
        self.letters[1].append_value(letter(row.top).to_string());
        self.correct.append_value(row.right.contains(row.top));
        self.tied.append_value(row.tied);
        for (own, columns) in &mut self.scores {
            for (option, column) in columns.iter_mut().enumerate() {
                column.append_option(row.scores.get(option).filter(|_| *own == kind));
            }
        }
        for (option, column) in self.probabilities.iter_mut().enumerate() {
            column.append_option(row.probabilities.get(option).copied());
        }
        let [lac, aps] = &mut self.sets;
        lac.push(row.lac, row);
        aps.push(row.aps, row);
        self.mass.append_option(row.mass);
        self.bounded.append_option(row.bounded);
        self.keys[0].append_value(hex(row.key));
        self.keys[1].append_option(row.cluster.map(|cluster| hex(cluster)));
    }

    /// All rows.
    pub(super) fn finish(mut self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let mut arrays: Vec<ArrayRef> = Vec::new();
        let text = |column: &mut StringBuilder| -> ArrayRef { Arc::new(column.finish()) };
        arrays.extend(self.names.iter_mut().map(text));
        arrays.push(Arc::new(self.options.finish()));
        arrays.push(Arc::new(self.answer_index.finish()));
        arrays.extend(self.letters.iter_mut().map(text));
        arrays.push(Arc::new(self.correct.finish()));
        arrays.push(Arc::new(self.tied.finish()));
        let scores = self.scores.iter_mut().flat_map(|(_, columns)| columns);
        for column in scores.chain(&mut self.probabilities) {
            arrays.push(Arc::new(column.finish()));
        }
        for sets in &mut self.sets {
            arrays.push(text(&mut sets.set));
            arrays.push(Arc::new(sets.size.finish()));
            arrays.push(Arc::new(sets.covered.finish()));
        }
        arrays.push(Arc::new(self.mass.finish()));
        arrays.push(Arc::new(self.bounded.finish()));
        arrays.extend(self.keys.iter_mut().map(text));
        RecordBatch::try_new(Arc::clone(schema), arrays)
    }
}

impl SetColumns {
    fn push(&mut self, set: Option<PredictionSet>, row: &QuestionRow<'_>) {
        let letters = set.map(|set| set.iter().map(letter).collect::<String>());
        self.set.append_option(letters);
        self.size.append_option(set.map(|set| small(set.len())));
        self.covered
            .append_option(set.map(|set| row.covers.holds(set, row.right)));
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// A number of options, at most 32.
fn small(number: usize) -> i32 {
    i32::from(number as u8)
}
