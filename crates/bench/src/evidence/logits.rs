//! Joins files of saved logits with their questions and evaluates them.

mod join;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use sureness_analysis::scored::ScoredFile;
use sureness_analysis::{GroupId, GroupRows};
use sureness_conformal::{Config, EvaluateError, Guessing, Protocol, Row, Table};
use sureness_importers::QuestionNames;
use sureness_prompts::Strategy;
use sureness_questions::answers::{self, AnswerKey};
use sureness_questions::{Task, paper};
use sureness_scorers::replay::{self, FileName, RecordedLogits};

use super::Drop;
use super::key::KeyFile;
use super::own::score_table;
use super::problems::Problems;
use crate::error::Failure;

/// Evaluates files of saved logits on one set of questions.
pub struct Scoring<'a> {
    questions: &'a Path,
    /// In file order, without the dropped ids.
    key: Vec<AnswerKey>,
    by_id: HashMap<i64, usize>,
    names: QuestionNames,
    file: KeyFile<'a>,
    /// Whether the questions decide where a file's own answers contradict them.
    any_questions: bool,
    drop: Drop,
    /// Ids to drop that the questions do not have.
    unknown_drops: BTreeSet<i64>,
    config: Config,
}

/// The evaluation of a file, and what its reader should know of it.
pub struct Scored {
    /// The figures.
    pub file: ScoredFile,
    /// Its answers beside guesses.
    pub guessing: Guessing,
    /// What makes the figures doubtful.
    pub warnings: Vec<String>,
    /// Ids of its rows that were dropped.
    pub dropped: BTreeSet<i64>,
}

/// A question of a file: the row of its logits and its answer key.
#[derive(Clone, Copy)]
struct KeyedRow<'a> {
    row: usize,
    key: &'a AnswerKey,
}

/// Whether a file may be a table of several models, which repeats its ids and may have both kinds of
/// scores.
fn is_of_many(error: &replay::ReplayError) -> bool {
    use replay::Problem::{AmbiguousColumns, DuplicateId};
    matches!(error.problem, DuplicateId { .. } | AmbiguousColumns { .. })
}

impl<'a> Scoring<'a> {
    /// Reads the questions and their answers.
    pub fn new(questions: &'a Path, drop: Drop, config: Config) -> Result<Self, Failure> {
        let (mut key, source) = answers::read_with_source(questions)?;
        let names = QuestionNames::read(questions)?;
        let known: HashSet<i64> = key.iter().map(|question| question.id).collect();
        let mut unknown_drops = drop.ids.clone();
        unknown_drops.retain(|id| !known.contains(id));
        key.retain(|question| !drop.ids.contains(&question.id));
        let by_id = (0..key.len()).map(|at| (key[at].id, at)).collect();
        Ok(Self {
            questions,
            key,
            by_id,
            names,
            file: KeyFile::new(questions, source.as_deref()),
            any_questions: false,
            drop,
            unknown_drops,
            config,
        })
    }

    /// Takes, if `any`, files of logits whose names tell another data set than the questions do, and
    /// those whose own answers contradict them.
    #[must_use]
    pub fn for_any_file(self, any: bool) -> Self {
        Self {
            any_questions: any,
            file: self.file.for_any_file(any),
            ..self
        }
    }

    /// Reads a file of logits without the dropped rows, which need not be valid.
    pub fn read(&self, path: &Path) -> Result<RecordedLogits, Failure> {
        self.file.check(path)?;
        Ok(replay::read_without(path, &self.drop.ids)?)
    }

    /// Names the ids to drop that neither the questions nor any of the files have; `None` without
    /// such, and for the default ids.
    pub fn note_unknown_drops<'b>(
        &self,
        dropped: impl IntoIterator<Item = &'b BTreeSet<i64>>,
    ) -> Option<String> {
        let mut unknown = self.unknown_drops.clone();
        for ids in dropped {
            unknown.retain(|id| !ids.contains(id));
        }
        if self.drop.is_default() {
            return None;
        }
        // Questions with answers have numbers.
        let texts = self.drop.text_ids.iter().cloned();
        let ids: Vec<_> = unknown.iter().map(i64::to_string).chain(texts).collect();
        if ids.is_empty() {
            return None;
        }
        let (noun, verb) = match ids.len() {
            1 => ("id", "names"),
            _ => ("ids", "name"),
        };
        Some(format!(
            "--drop-ids: the {noun} {} {verb} no question of {} and no row",
            ids.join(", "),
            self.questions.display()
        ))
    }

    /// Says which rows were left out though nobody asked for it, since they are the few-shot examples of
    /// the paper's files; `None` where none was.
    pub fn note_default_drops<'b>(
        &self,
        dropped: impl IntoIterator<Item = &'b BTreeSet<i64>>,
    ) -> Option<String> {
        let ids: BTreeSet<i64> = dropped.into_iter().flatten().copied().collect();
        if ids.is_empty() || !self.drop.is_default() {
            return None;
        }
        let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
        Some(format!(
            "rows with the ids {} are left out, the few-shot examples of the paper's files; \
             --drop-ids none keeps them",
            ids.join(", ")
        ))
    }

    /// Evaluates one file, or each part of a table of several models, tasks or strategies.
    ///
    /// # Errors
    ///
    /// All problems of the file.
    pub fn score(&self, path: &Path) -> Result<Vec<Scored>, Failure> {
        self.file.check(path)?;
        let logits = match replay::read_without(path, &self.drop.ids) {
            Err(error) if is_of_many(&error) => {
                let key = (self.questions, self.any_questions);
                return score_table(path, Some(key), &self.drop, &self.config);
            }
            read => read?,
        };
        let (_, rows) = self.rows(path, &logits)?;
        let guessing = Guessing::of(rows.table.rows());
        let mean_mass = mean_mass(&rows.mass);
        let evaluation = rows.table.evaluate(&self.config).map_err(|error| {
            let hint = match error {
                EvaluateError::EmptyHalf { .. } => {
                    "score more questions, or change --calibration-ratio or --drop-ids"
                }
                _ => "",
            };
            Failure::new(format_args!("{}: {error}", path.display())).hint(hint)
        })?;
        let name = FileName::parse(path);
        let file = ScoredFile {
            file: path.display().to_string(),
            model: name.model,
            dataset: name.dataset,
            strategy: name.strategy.map(short_name),
            icl: name.icl,
            mean_mass,
            evaluation,
        };
        Ok(vec![Scored {
            file,
            guessing,
            warnings: Vec::new(),
            dropped: logits.dropped,
        }])
    }

    /// The model and the rows of one file, or all problems of the file.
    pub(super) fn rows(
        &self,
        path: &Path,
        logits: &RecordedLogits,
    ) -> Result<(String, GroupRows), Failure> {
        let mut problems = Problems {
            file: path,
            found: Vec::new(),
        };
        let items = self.join(logits, &mut problems);
        let kept = self.kept_options(logits.width, &mut problems);
        self.check_options(logits.width, &items, &mut problems);
        self.check_answers(logits, &items, &mut problems);
        if let Some(failure) = Failure::all(problems.found.drain(..)) {
            return Err(failure);
        }

        let scores = self.scores(logits, &items, &kept);
        let mut place = vec![None; logits.width];
        for (new, &old) in kept.iter().enumerate() {
            place[old] = Some(new);
        }
        let file = FileName::parse(path);
        let (task, id) = group_of(&file);
        let mut categories: Vec<String> = Vec::new();
        let mut clustered = false;
        let mut table = Table::new(kept.len());
        let (mut mass, mut bounded) = (Vec::new(), Vec::new());
        let by_place = abstention_by_place(&items, place.len());
        for (item, scores) in items.iter().zip(scores.chunks_exact(kept.len())) {
            let beside = logits.beside(item.row);
            bounded.push(beside.bounded);
            mass.extend(beside.mass_of(logits.kind, scores));
            let (dont_know, none_of_the_above) = abstention(item.key, by_place);
            let name = self.names.of(&task.id, item.key.id);
            clustered |= name.cluster.is_some();
            let category = name.category.map(|name| {
                let known = categories.iter().position(|other| *other == name);
                known.unwrap_or_else(|| {
                    categories.push(name);
                    categories.len() - 1
                }) as u32
            });
            let row = Row {
                key: &name.content,
                cluster: name.cluster.as_ref().map(<[u8; 32]>::as_slice),
                logits: scores.into(),
                // `check_options` ensures that they are among the kept options.
                right: item
                    .key
                    .right
                    .moved(|option| place[option])
                    .unwrap_or(usize::MAX.into()),
                dont_know: dont_know.and_then(|option| place[option]),
                none_of_the_above: none_of_the_above.and_then(|option| place[option]),
            };
            if let Err(error) = table.push(name.content, &row, category) {
                return Err(Failure::new(format_args!("{}: {error}", path.display())));
            }
        }
        let rows = GroupRows {
            id,
            title: task.title,
            ids: items.iter().map(|item| item.key.id.to_string()).collect(),
            categories,
            // Unknown for logits and for whole texts.
            mass: if mass.len() == items.len() {
                mass
            } else {
                Vec::new()
            },
            bounded,
            drawn: Vec::new(),
            clustered,
            planned: items.len(),
            table,
        };
        Ok((file.model, rows))
    }

    /// The scores of the kept options, row by row.
    fn scores(&self, logits: &RecordedLogits, items: &[KeyedRow<'_>], kept: &[usize]) -> Vec<f64> {
        let width = logits.width;
        let mut scores = Vec::with_capacity(items.len() * kept.len());
        // The paper's script reads 32-bit values, whatever the file holds.
        match &logits.values64 {
            Some(values) if self.config.protocol == Protocol::Standard => {
                for item in items {
                    let row = &values[item.row * width..][..width];
                    scores.extend(kept.iter().map(|&at| row[at]));
                }
            }
            _ => {
                for item in items {
                    let row = logits.row(item.row);
                    scores.extend(kept.iter().map(|&at| f64::from(row[at])));
                }
            }
        }
        scores
    }
}

/// Task and group of a file, by its name.
pub(super) fn group_of(file: &FileName) -> (Task, GroupId) {
    let task = task_of(file.dataset.as_deref().unwrap_or("unnamed"));
    let strategy = file.strategy.map_or("unnamed", Strategy::name);
    let id = GroupId {
        task: task.id.clone(),
        // As in imports: other prompts are another strategy.
        strategy: match file.icl {
            Some(0) => format!("{strategy}-0-shot"),
            _ => strategy.to_owned(),
        },
    };
    (task, id)
}

/// The task of a data set, as in imports.
fn task_of(dataset: &str) -> Task {
    let id = sureness_importers::task_of(dataset);
    Task::by_name(&id).unwrap_or_else(|| Task::custom(&id))
}

/// The indices of "I don't know" and "None of the above".
type Abstention = (Option<usize>, Option<usize>);

/// As the paper's tables have them; none where one is a right answer.
fn abstention_by_place(items: &[KeyedRow<'_>], width: usize) -> Abstention {
    let places = paper::abstention(width);
    let is_right = |place: Option<usize>| {
        place.is_some_and(|place| items.iter().any(|item| item.key.right.contains(place)))
    };
    if is_right(places.0) || is_right(places.1) {
        (None, None)
    } else {
        places
    }
}

fn abstention(key: &AnswerKey, by_place: Abstention) -> Abstention {
    if key.options.is_some() {
        (key.dont_know, key.none_of_the_above)
    } else {
        by_place
    }
}

/// The mean probability of the option letters; `None` if unknown.
fn mean_mass(mass: &[f64]) -> Option<f64> {
    (!mass.is_empty()).then(|| mass.iter().sum::<f64>() / mass.len() as f64)
}

/// A strategy's name in the names of the paper's files.
pub(super) fn short_name(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Base => "base",
        Strategy::SharedInstruction => "shared",
        Strategy::TaskSpecific => "task",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_shot_files_are_a_strategy_of_their_own() {
        for (name, strategy) in [
            ("m_mmlu_10k_base_icl0.pkl", "base-0-shot"),
            ("m_mmlu_10k_base_icl1.pkl", "base"),
            ("saved.pkl", "unnamed"),
        ] {
            let (_, id) = group_of(&FileName::parse(Path::new(name)));
            assert_eq!(id.strategy, strategy, "{name}");
        }
    }

    #[test]
    fn tasks_are_told_by_the_names_of_data_sets() {
        let cases = [
            ("mmlu_10k", "qa"),
            ("cosmosqa_10k", "rc"),
            ("halueval_dialogue_10k", "drs"),
            ("halueval_summarization", "ds"),
            ("emotion_10k_4", "emotion"),
            ("unnamed", "unnamed"),
        ];
        for (dataset, task) in cases {
            assert_eq!(task_of(dataset).id, task, "{dataset}");
        }
    }
}
