//! Imported evaluations, recorded as finished runs.

use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::Value;
use sureness_record::QuestionRecord;
use sureness_record::{ImportRecord, ImportedGroup};
use sureness_scorers::{ModelIdentity, OptionScores, ScoreError};

use crate::rows::{encode_logprobs, encode_observed, encode_right};
use crate::writer::now;
use crate::{Store, StoreError};

/// Stands for an unknown mass: `SQLite` stores NaN as NULL.
const UNKNOWN_MASS: f64 = -1.0;

/// One model's imported answers.
#[derive(Debug, Clone)]
pub struct RunImport {
    /// The model. Imports of equal identities share a run.
    pub model: ModelIdentity,
    /// The imported groups.
    pub groups: Vec<GroupImport>,
}

/// All questions of one (task, strategy).
#[derive(Debug, Clone)]
pub struct GroupImport {
    /// The task's name.
    pub task: String,
    /// The strategy's name.
    pub strategy: String,
    /// Its source, for the record. No secrets.
    pub source: Value,
    /// The questions, in order.
    pub rows: Vec<RowImport>,
}

/// One question with its outcome.
#[derive(Debug, Clone)]
pub struct RowImport {
    /// The question.
    pub question: QuestionRecord,
    /// The scores, or why there are none. A mass of NaN is unknown.
    pub outcome: Result<OptionScores, ScoreError>,
}

/// The result of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportOutcome {
    /// The import is a new run.
    New {
        /// The run's number.
        run: i64,
    },
    /// Some groups were added to an imported run of the same model, which had the others.
    Added {
        /// The run's number.
        run: i64,
        /// Number of groups added.
        groups: usize,
    },
    /// The store had all of it; nothing was written.
    Known {
        /// The run's number.
        run: i64,
    },
}

impl ImportOutcome {
    /// The run of the import.
    pub fn run(self) -> i64 {
        match self {
            Self::New { run } | Self::Added { run, .. } | Self::Known { run } => run,
        }
    }
}

impl Store {
    /// Records finished runs in one transaction: all or none.
    ///
    /// Skips groups that an imported run of the same model has, and adds the others to it. If it
    /// has different contents for one of their tasks and strategies, the import becomes a new run.
    pub fn import_runs(&mut self, runs: &[RunImport]) -> Result<Vec<ImportOutcome>, StoreError> {
        let path = self.path().to_owned();
        self.import(runs)
            .map_err(|source| StoreError::Sqlite { path, source })
    }

    fn import(&mut self, runs: &[RunImport]) -> rusqlite::Result<Vec<ImportOutcome>> {
        let transaction = self.connection().transaction()?;
        let outcomes = runs.iter().map(|run| write(&transaction, run));
        let outcomes = outcomes.collect::<rusqlite::Result<Vec<_>>>()?;
        transaction.commit()?;
        Ok(outcomes)
    }
}

fn write(transaction: &Transaction<'_>, import: &RunImport) -> rusqlite::Result<ImportOutcome> {
    let model_digest = import.model.digest();
    let digests: Vec<String> = import
        .groups
        .iter()
        .map(|group| group_digest(&model_digest, group).to_hex().to_string())
        .collect();
    let run_digest = run_digest(&model_digest);
    let earlier: Vec<(i64, String)> = transaction
        .prepare("SELECT id, record FROM runs WHERE digest = ? ORDER BY id DESC")?
        .query_map([run_digest], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut target = None;
    for (run, record) in earlier {
        let Ok(record) = serde_json::from_str::<ImportRecord>(&record) else {
            continue;
        };
        let missing: Vec<usize> = (0..digests.len())
            .filter(|&index| {
                digests
                    .get(index)
                    .is_some_and(|digest| !record.holds(digest))
            })
            .collect();
        if missing.is_empty() {
            return Ok(ImportOutcome::Known { run });
        }
        let fits = missing
            .iter()
            .filter_map(|&index| import.groups.get(index))
            .all(|group| !record.names(&group.task, &group.strategy));
        if fits && target.is_none() {
            target = Some((run, record, missing));
        }
    }
    let is_new = target.is_none();
    let (run, mut record, groups) = if let Some(target) = target {
        target
    } else {
        let record = ImportRecord::default();
        let model = serde_json::to_string(&import.model).unwrap_or_default();
        transaction.execute(
            "INSERT INTO runs (started_at, finished_at, digest, model, record) \
             VALUES (?, ?, ?, ?, ?)",
            params![now(), now(), run_digest, model, json(&record)],
        )?;
        let all = (0..digests.len()).collect();
        (transaction.last_insert_rowid(), record, all)
    };
    for &index in &groups {
        if let (Some(group), Some(digest)) = (import.groups.get(index), digests.get(index)) {
            write_group(transaction, run, &model_digest, group)?;
            record.groups.push(noted(group, digest));
        }
    }
    transaction.execute(
        "UPDATE runs SET record = ?, finished_at = ? WHERE id = ?",
        params![json(&record), now(), run],
    )?;
    Ok(if is_new {
        ImportOutcome::New { run }
    } else {
        let groups = groups.len();
        ImportOutcome::Added { run, groups }
    })
}

fn noted(group: &GroupImport, digest: &str) -> ImportedGroup {
    ImportedGroup {
        task: group.task.clone(),
        strategy: group.strategy.clone(),
        questions: group.rows.len(),
        answered: group.rows.iter().filter(|row| row.outcome.is_ok()).count(),
        digest: digest.to_owned(),
        source: group.source.clone(),
    }
}

fn json(record: &ImportRecord) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

fn write_group(
    transaction: &Transaction<'_>,
    run: i64,
    model: &[u8; 32],
    group: &GroupImport,
) -> rusqlite::Result<()> {
    let next: Option<i64> = transaction
        .query_row(
            "SELECT max(idx) + 1 FROM groups WHERE run = ?",
            [run],
            |row| row.get(0),
        )
        .optional()?
        .flatten();
    let index = next.unwrap_or(0);
    transaction.execute(
        "INSERT INTO groups (run, idx, task, strategy) VALUES (?, ?, ?, ?)",
        params![run, index, group.task, group.strategy],
    )?;
    let mut answer = transaction.prepare_cached(
        "INSERT INTO answers (key, logprobs, observed, mass, prompt_tokens, cached_tokens, \
         answered_at, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut item = transaction.prepare_cached(
        "INSERT INTO items (run, grp, pos, key, question, content, category, options, answer, \
         dont_know, none, reply, error, cluster) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let now = now();
    for (position, row) in (0_i64..).zip(&group.rows) {
        let question = &row.question;
        let key = row_key(model, group, question);
        let (reply, error) = match &row.outcome {
            Ok(scores) => {
                let mass = if scores.mass.is_nan() {
                    UNKNOWN_MASS
                } else {
                    scores.mass
                };
                answer.execute(params![
                    key,
                    encode_logprobs(&scores.logprobs),
                    encode_observed(&scores.observed),
                    mass,
                    scores.usage.prompt_tokens,
                    scores.usage.cached_tokens,
                    now,
                    run,
                ])?;
                (Some(transaction.last_insert_rowid()), None)
            }
            Err(error) => (None, serde_json::to_string(error).ok()),
        };
        item.execute(params![
            run,
            index,
            position,
            key,
            question.id,
            question.content,
            question.category,
            question.options,
            encode_right(question.right),
            question.dont_know,
            question.none_of_the_above,
            reply,
            error,
            question.cluster,
        ])?;
    }
    Ok(())
}

/// A hash of parts, each prefixed with its length.
fn hash<'a>(purpose: &'a str, parts: impl IntoIterator<Item = &'a [u8]>) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    for part in std::iter::once(purpose.as_bytes()).chain(parts) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher
}

/// The digest of all imported runs of a model. No other run has it.
fn run_digest(model: &[u8; 32]) -> [u8; 32] {
    hash("sureness import 1", [model.as_slice()])
        .finalize()
        .into()
}

/// The key of an imported answer. It differs from the key of any request, so that imported answers
/// are never cached answers.
fn row_key(model: &[u8; 32], group: &GroupImport, question: &QuestionRecord) -> [u8; 32] {
    let parts: [&[u8]; 5] = [
        model,
        group.task.as_bytes(),
        group.strategy.as_bytes(),
        question.id.as_bytes(),
        &question.content,
    ];
    hash("sureness imported answer 1", parts).finalize().into()
}

/// A digest over a group's contents.
fn group_digest(model: &[u8; 32], group: &GroupImport) -> blake3::Hash {
    let parts: [&[u8]; 3] = [model, group.task.as_bytes(), group.strategy.as_bytes()];
    let mut hasher = hash("sureness imported group 1", parts);
    for row in &group.rows {
        let question = &row.question;
        let number = |index: Option<usize>| index.map_or(u64::MAX, |index| index as u64);
        let numbers = [
            question.options as u64,
            encode_right(question.right) as u64,
            number(question.dont_know),
            number(question.none_of_the_above),
        ];
        let numbers: Vec<u8> = numbers.into_iter().flat_map(u64::to_le_bytes).collect();
        let outcome = match &row.outcome {
            Ok(scores) => {
                let mut bytes = encode_logprobs(&scores.logprobs);
                bytes.extend(encode_observed(&scores.observed).to_le_bytes());
                bytes.extend(scores.mass.to_bits().to_le_bytes());
                bytes
            }
            Err(error) => error.to_string().into_bytes(),
        };
        let category = question.category.as_deref().unwrap_or_default();
        let parts: [&[u8]; 5] = [
            question.id.as_bytes(),
            &question.content,
            category.as_bytes(),
            &numbers,
            &outcome,
        ];
        hasher.update(hash("row", parts).finalize().as_bytes());
    }
    hasher.finalize()
}
