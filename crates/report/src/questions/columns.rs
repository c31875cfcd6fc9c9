//! The columns of the file, and the rows that wait to be written.

use std::fmt::Write as _;
use std::io::Write;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;
use sureness_conformal::PredictionSet;
use sureness_questions::letter;

use super::row::QuestionRow;
use super::{Layout, ScoreKind, prefixes};

/// The file's schema in Parquet's own notation; the order is that in which [`Columns::write`]
/// writes.
pub(super) fn schema(layout: Layout) -> String {
    let mut fields = vec![
        "required binary model (STRING)".to_owned(),
        "required binary task (STRING)".to_owned(),
        "required binary strategy (STRING)".to_owned(),
        "required binary id (STRING)".to_owned(),
        "optional binary category (STRING)".to_owned(),
        "required binary split (STRING)".to_owned(),
        "required int32 options".to_owned(),
        format!(
            "{} int32 answer_index",
            if layout.several_right {
                "optional"
            } else {
                "required"
            }
        ),
        "required binary answer (STRING)".to_owned(),
        "required binary top (STRING)".to_owned(),
        "required boolean correct".to_owned(),
        "required boolean tied".to_owned(),
    ];
    for prefix in prefixes(layout).chain(["prob"]) {
        let of = |option| format!("optional double {prefix}_{}", letter(option));
        fields.extend((0..layout.options).map(of));
    }
    for score in ["lac", "aps"] {
        fields.push(format!("optional binary {score}_set (STRING)"));
        fields.push(format!("optional int32 {score}_size"));
        fields.push(format!("optional boolean covered_{score}"));
    }
    fields.extend([
        "optional double mass".to_owned(),
        "optional boolean bounded".to_owned(),
        "required binary key (STRING)".to_owned(),
        "optional binary cluster (STRING)".to_owned(),
    ]);
    format!("message question {{ {}; }}", fields.join("; "))
}

/// Rows that wait to be written, column by column.
pub(super) struct Columns {
    model: Column<ByteArray>,
    task: Column<ByteArray>,
    strategy: Column<ByteArray>,
    id: Column<ByteArray>,
    category: Column<ByteArray>,
    split: Column<ByteArray>,
    options: Column<i32>,
    answer_index: Column<i32>,
    answer: Column<ByteArray>,
    top: Column<ByteArray>,
    correct: Column<bool>,
    tied: Column<bool>,
    scores: Vec<(ScoreKind, Vec<Column<f64>>)>,
    probabilities: Vec<Column<f64>>,
    lac: SetColumns,
    aps: SetColumns,
    mass: Column<f64>,
    bounded: Column<bool>,
    key: Column<ByteArray>,
    cluster: Column<ByteArray>,
}

impl Columns {
    pub(super) fn new(layout: Layout) -> Self {
        let per_option = || (0..layout.options).map(|_| Column::optional()).collect();
        let scores = layout.scores.iter().map(|kind| (*kind, per_option()));
        Self {
            model: Column::required(),
            task: Column::required(),
            strategy: Column::required(),
            id: Column::required(),
            category: Column::optional(),
            split: Column::required(),
            options: Column::required(),
            answer_index: if layout.several_right {
                Column::optional()
            } else {
                Column::required()
            },
            answer: Column::required(),
            top: Column::required(),
            correct: Column::required(),
            tied: Column::required(),
            scores: scores.collect(),
            probabilities: per_option(),
            lac: SetColumns::new(),
            aps: SetColumns::new(),
            mass: Column::optional(),
            bounded: Column::optional(),
            key: Column::required(),
            cluster: Column::optional(),
        }
    }

    /// Rows that wait.
    pub(super) fn len(&self) -> usize {
        self.options.values.len()
    }

    /// Adds a row with scores of `kind`.
    pub(super) fn push(&mut self, row: &QuestionRow<'_>, kind: ScoreKind) {
        self.model.push_text(row.model);
        self.task.push_text(row.task);
        self.strategy.push_text(row.strategy);
        self.id.push_text(row.id);
        self.category.push(row.category.map(ByteArray::from));
        self.split
            .push_text(if row.test { "test" } else { "calibration" });
        self.options.push(Some(small(row.scores.len())));
        self.answer_index.push(row.right.only().map(small));
        self.answer.push_text(&row.right.to_string());
        self.top.push_text(&letter(row.top).to_string());
        self.correct.push(Some(row.right.contains(row.top)));
        self.tied.push(Some(row.tied));
        for (own, columns) in &mut self.scores {
            for (option, column) in columns.iter_mut().enumerate() {
                column.push(row.scores.get(option).filter(|_| *own == kind));
            }
        }
        for (option, column) in self.probabilities.iter_mut().enumerate() {
            column.push(row.probabilities.get(option).copied());
        }
        self.lac.push(row.lac, row);
        self.aps.push(row.aps, row);
        self.mass.push(row.mass);
        self.bounded.push(row.bounded);
        self.key.push_text(&hex(row.key));
        let cluster = row.cluster.map(|cluster| hex(cluster));
        self.cluster.push(cluster.as_deref().map(ByteArray::from));
    }

    /// Writes all rows as one row group, and forgets them.
    pub(super) fn write<W: Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        for column in [
            &mut self.model,
            &mut self.task,
            &mut self.strategy,
            &mut self.id,
            &mut self.category,
            &mut self.split,
        ] {
            column.write::<ByteArrayType, W>(group)?;
        }
        self.options.write::<Int32Type, W>(group)?;
        self.answer_index.write::<Int32Type, W>(group)?;
        self.answer.write::<ByteArrayType, W>(group)?;
        self.top.write::<ByteArrayType, W>(group)?;
        self.correct.write::<BoolType, W>(group)?;
        self.tied.write::<BoolType, W>(group)?;
        let scores = self.scores.iter_mut().flat_map(|(_, columns)| columns);
        for column in scores.chain(&mut self.probabilities) {
            column.write::<DoubleType, W>(group)?;
        }
        self.lac.write(group)?;
        self.aps.write(group)?;
        self.mass.write::<DoubleType, W>(group)?;
        self.bounded.write::<BoolType, W>(group)?;
        self.key.write::<ByteArrayType, W>(group)?;
        self.cluster.write::<ByteArrayType, W>(group)
    }
}

/// The columns of one score's prediction sets.
struct SetColumns {
    set: Column<ByteArray>,
    size: Column<i32>,
    covered: Column<bool>,
}

impl SetColumns {
    fn new() -> Self {
        Self {
            set: Column::optional(),
            size: Column::optional(),
            covered: Column::optional(),
        }
    }

    fn push(&mut self, set: Option<PredictionSet>, row: &QuestionRow<'_>) {
        let letters = set.map(|set| set.iter().map(letter).collect::<String>());
        self.set.push(letters.as_deref().map(ByteArray::from));
        self.size.push(set.map(|set| small(set.len())));
        self.covered
            .push(set.map(|set| row.covers.holds(set, row.right)));
    }

    fn write<W: Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        self.set.write::<ByteArrayType, W>(group)?;
        self.size.write::<Int32Type, W>(group)?;
        self.covered.write::<BoolType, W>(group)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A number of options, at most 32.
fn small(number: usize) -> i32 {
    i32::from(number as u8)
}

/// The values of one column that are there, and which rows have one.
struct Column<T> {
    values: Vec<T>,
    /// One for each row: 1 where it has a value, 0 where not. None for columns without gaps.
    levels: Option<Vec<i16>>,
}

impl<T> Column<T> {
    fn required() -> Self {
        Self {
            values: Vec::new(),
            levels: None,
        }
    }

    fn optional() -> Self {
        Self {
            values: Vec::new(),
            levels: Some(Vec::new()),
        }
    }

    fn push(&mut self, value: Option<T>) {
        if let Some(levels) = &mut self.levels {
            levels.push(value.is_some().into());
        }
        self.values.extend(value);
    }

    fn write<D: DataType<T = T>, W: Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        let Some(mut writer) = group.next_column()? else {
            return Err(ParquetError::General(
                "the schema lacks a column".to_owned(),
            ));
        };
        writer
            .typed::<D>()
            .write_batch(self.values.as_slice(), self.levels.as_deref(), None)?;
        writer.close()?;
        self.values.clear();
        if let Some(levels) = &mut self.levels {
            levels.clear();
        }
        Ok(())
    }
}

impl Column<ByteArray> {
    /// Adds words. Those of the row before are shared rather than copied: names of models and
    /// tasks are the same for thousands of rows.
    fn push_text(&mut self, text: &str) {
        let same = self
            .values
            .last()
            .filter(|last| last.data() == text.as_bytes());
        let value = same.cloned().unwrap_or_else(|| ByteArray::from(text));
        self.push(Some(value));
    }
}
