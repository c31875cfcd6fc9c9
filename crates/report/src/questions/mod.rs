//! Every question's answer as a row of a Parquet file, for pandas, Polars and `DuckDB`.
//!
//! One column per fact and option, nothing nested: `logit_A`, `prob_A` and so on up to the most
//! options that a question of the file has. docs/exports.md describes the columns. Row groups are
//! written as they fill up, so that memory does not grow with the number of questions.

mod columns;
mod error;
mod row;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use sureness_analysis::{GroupFigures, GroupRows, ScoreFigures};
use sureness_conformal::{Covers, PredictionSet, Protocol};
use sureness_questions::letter;

use crate::export::write_whole_with;
use columns::Columns;
use row::Reader;

pub use error::QuestionsError;
pub use row::QuestionRow;

/// Rows of a row group: large enough to be read fast, some 20 MB of memory at six options.
const ROW_GROUP: usize = 65_536;

/// What the scores of the options are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreKind {
    /// Log-probabilities over the model's whole vocabulary, as when a model was asked: columns
    /// `logprob_A` and on.
    LogProbs,
    /// Logits, as in saved files: columns `logit_A` and on.
    Logits,
}

impl ScoreKind {
    /// What its columns' names begin with; as `sureness score` reads them.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::LogProbs => "logprob",
            Self::Logits => "logit",
        }
    }
}

/// The columns of a file that are not the same in every file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The most options that a question has, 2 to 26.
    pub options: usize,
    /// What the scores are: one kind, or both where some groups have logits and others do not. Each
    /// kind has columns of its own, and a row fills those of one.
    pub scores: &'static [ScoreKind],
    /// Whether a question of the file has several right options: then `answer_index` is null for these.
    pub several_right: bool,
}

/// What was found out about each row of a group; all lists as long as its table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowSets {
    /// Prediction sets by LAC; nothing for rows that have none, such as those that calibrate.
    pub lac: Vec<Option<PredictionSet>>,
    /// Prediction sets by APS.
    pub aps: Vec<Option<PredictionSet>>,
    /// Whether the row is one of the test half.
    pub test: Vec<bool>,
    /// When a set covers a row with several right options.
    pub covers: Covers,
}

impl RowSets {
    /// The sets of a group's test rows.
    pub fn of(group: &GroupFigures<'_>, covers: Covers) -> Self {
        let rows = group.rows.table.len();
        let sets = |score: &ScoreFigures| {
            let mut sets = vec![None; rows];
            for (&row, &set) in group.split.test.iter().zip(&score.sets) {
                sets[row] = Some(set);
            }
            sets
        };
        let mut test = vec![false; rows];
        for &row in &group.split.test {
            test[row] = true;
        }
        Self {
            lac: sets(group.lac()),
            aps: sets(group.aps()),
            test,
            covers,
        }
    }
}

/// Calls `visit` with each row of a group; `protocol` and `sets` are as for [`QuestionWriter::write`].
pub fn visit_rows(
    model: &str,
    group: &GroupRows,
    sets: &RowSets,
    protocol: Protocol,
    mut visit: impl FnMut(&QuestionRow<'_>),
) -> Result<(), QuestionsError> {
    check(group, sets)?;
    let mut reader = Reader::new(model, group, sets, protocol);
    for index in 0..group.table.len() {
        visit(&reader.read(index));
    }
    Ok(())
}

/// Writes answers to a Parquet file, group by group.
pub struct QuestionWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    layout: Layout,
    columns: Columns,
    rows: u64,
}

impl<W: Write + Send> QuestionWriter<W> {
    /// Begins a file.
    pub fn new(out: W, layout: Layout) -> Result<Self, QuestionsError> {
        if !(2..=26).contains(&layout.options) {
            return Err(QuestionsError::Options(layout.options));
        }
        let schema = Arc::new(parse_message_type(&columns::schema(layout))?);
        let file = SerializedFileWriter::new(out, schema, Arc::new(properties(layout)))?;
        Ok(Self {
            file,
            layout,
            columns: Columns::new(layout),
            rows: 0,
        })
    }

    /// Adds a model's rows of one group, whose scores are of `kind`, one of the layout's. `protocol` says how probabilities are made and which of
    /// equally probable options comes first; the sets are taken as given.
    pub fn write(
        &mut self,
        model: &str,
        group: &GroupRows,
        kind: ScoreKind,
        sets: &RowSets,
        protocol: Protocol,
    ) -> Result<(), QuestionsError> {
        check(group, sets)?;
        let mut reader = Reader::new(model, group, sets, protocol);
        for index in 0..group.table.len() {
            let row = reader.read(index);
            if row.scores.len() > self.layout.options {
                return Err(QuestionsError::TooManyOptions {
                    id: row.id.to_owned(),
                    found: row.scores.len(),
                    most: self.layout.options,
                });
            }
            self.columns.push(&row, kind);
            self.rows += 1;
            if self.columns.len() >= ROW_GROUP {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Ends the file; gives the number of rows.
    pub fn finish(mut self) -> Result<u64, QuestionsError> {
        self.flush()?;
        self.file.close()?;
        Ok(self.rows)
    }

    fn flush(&mut self) -> Result<(), QuestionsError> {
        if self.columns.len() > 0 {
            let mut group = self.file.next_row_group()?;
            self.columns.write(&mut group)?;
            group.close()?;
        }
        Ok(())
    }
}

/// Writes a whole file in one step; `write` adds the groups. Gives the number of rows.
pub fn write_questions(
    path: &Path,
    layout: Layout,
    write: impl FnOnce(&mut QuestionWriter<&mut BufWriter<File>>) -> Result<(), QuestionsError>,
) -> Result<u64, QuestionsError> {
    let mut rows = 0;
    write_whole_with(path, |file| {
        let mut writer = QuestionWriter::new(file, layout)?;
        write(&mut writer)?;
        rows = writer.finish()?;
        Ok::<(), QuestionsError>(())
    })
    .map_err(|error| error.of(path))?;
    Ok(rows)
}

/// Every list must have an entry per row: a missing one would shift all that follow.
fn check(group: &GroupRows, sets: &RowSets) -> Result<(), QuestionsError> {
    let rows = group.table.len();
    let known = |len: usize| len == 0 || len == rows;
    let lists = [
        ("ids", group.ids.len() == rows, group.ids.len()),
        ("mass", known(group.mass.len()), group.mass.len()),
        ("lac", sets.lac.len() == rows, sets.lac.len()),
        ("aps", sets.aps.len() == rows, sets.aps.len()),
        ("test", sets.test.len() == rows, sets.test.len()),
        ("bounded", known(group.bounded.len()), group.bounded.len()),
    ];
    match lists.into_iter().find(|(_, right, _)| !right) {
        Some((list, _, found)) => Err(QuestionsError::Length { list, found, rows }),
        None => Ok(()),
    }
}

/// What the names of the scores' columns begin with.
fn prefixes(layout: Layout) -> impl Iterator<Item = &'static str> {
    layout.scores.iter().map(|kind| kind.prefix())
}

fn properties(layout: Layout) -> WriterProperties {
    let about = serde_json::json!({
        "version": 1,
        "rows": "one per model, task, strategy and question",
        "scores": prefixes(layout).collect::<Vec<_>>().join(" "),
    });
    let program = concat!("sureness version ", env!("CARGO_PKG_VERSION"));
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(program.to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(
            "sureness".to_owned(),
            about.to_string(),
        )]));
    // Hardly a score comes twice, and no key within a group: a dictionary would only be tried.
    let scores = (0..layout.options).flat_map(|option| {
        let letter = letter(option);
        prefixes(layout)
            .chain(["prob"])
            .map(move |prefix| format!("{prefix}_{letter}"))
    });
    for name in scores.chain(["mass".to_owned()]) {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    properties.build()
}
