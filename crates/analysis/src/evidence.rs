//! What was measured.

use std::sync::Arc;

use serde::Serialize;
use sureness_conformal::{RightOptions, Row, Table};
use sureness_questions::Turn;
use sureness_record::{ModelIdentity, Provenance, Recorded, RunSettings, tempered_shares};

use crate::OpenEvidence;

/// The runs that are looked at, in the order in which they were named.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// One entry per model that was asked questions with options.
    pub models: Vec<ModelEvidence>,
    /// One entry per model that was asked open questions.
    pub open: Vec<OpenEvidence>,
}

/// What one model answered.
#[derive(Debug, Clone)]
pub struct ModelEvidence {
    /// Name for people; unique within the evidence.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// What was asked, one entry per (task, strategy).
    pub groups: Vec<GroupRows>,
    /// What was asked in several orders of the options, one entry per (task, strategy). The groups have
    /// the figures of all orders together, unless single ones were named.
    pub orders: Vec<OrderedRows>,
}

/// One task in one prompt strategy, asked in several orders of the options.
#[derive(Debug, Clone)]
pub struct OrderedRows {
    /// Which task and prompt strategy.
    pub id: GroupId,
    /// Task title for people.
    pub title: String,
    /// Each order in which all questions were asked; the first has them as they are.
    pub orders: Vec<GroupRows>,
    /// All orders together: averaged, or without the prior of the letters.
    pub derived: GroupRows,
    /// The questions with an answer in each order in which they were asked.
    pub questions: Vec<OrderedQuestion>,
}

/// A question in several orders of its options.
#[derive(Debug, Clone)]
pub struct OrderedQuestion {
    /// Digest of its content.
    pub key: [u8; 32],
    /// Digest of its cluster.
    pub cluster: [u8; 32],
    /// Its category.
    pub category: Option<String>,
    /// The right options.
    pub right: RightOptions,
    /// How its options were shown, in the orders that differ.
    pub turns: Vec<Turn>,
    /// For each, log-probabilities in the order of the question's options.
    pub logits: Vec<Vec<f64>>,
}

/// Where a model's answers come from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Source {
    /// The folder or file, as it was named.
    pub path: String,
    /// Number of the run in its store; none for files of saved logits.
    pub run: Option<i64>,
    /// What was recorded of it.
    pub record: SourceRecord,
    /// When the run started, in UTC; none for files of saved logits.
    pub started_at: Option<String>,
    /// When and by which command its results were written, where a file tells.
    pub provenance: Option<Provenance>,
}

/// What was recorded of a model's answers. No secrets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SourceRecord {
    /// A run in a store.
    Run {
        /// Which model.
        model: ModelIdentity,
        /// The settings, or what was imported.
        settings: Recorded,
    },
    /// Files of saved logits, of which nothing else is known.
    Files {
        /// The files, as they were named.
        files: Vec<String>,
    },
}

impl SourceRecord {
    /// Whether the scores of a group are logits rather than log-probabilities.
    pub fn has_logits(&self, group: &GroupId) -> bool {
        match self {
            Self::Files { .. } => true,
            Self::Run { settings, .. } => match settings {
                Recorded::Import(import) => import.groups.iter().any(|imported| {
                    (&imported.task, &imported.strategy) == (&group.task, &group.strategy)
                        && imported.source.get("values").and_then(|it| it.as_str())
                            == Some("logits")
                }),
                Recorded::Run(_) => false,
            },
        }
    }

    /// The model, where it is known.
    pub fn model(&self) -> Option<&ModelIdentity> {
        match self {
            Self::Run { model, .. } => Some(model),
            Self::Files { .. } => None,
        }
    }

    /// The settings of a run of our own.
    pub fn settings(&self) -> Option<&RunSettings> {
        match self {
            Self::Run { settings, .. } => settings.run(),
            Self::Files { .. } => None,
        }
    }
}

impl Default for SourceRecord {
    fn default() -> Self {
        Self::Files { files: Vec::new() }
    }
}

/// Which questions were asked how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId {
    /// Task id, such as `qa`.
    pub task: String,
    /// Strategy name, such as `base`.
    pub strategy: String,
}

/// The answers drawn for one question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DrawnCounts {
    /// How often each option was chosen, in option order.
    pub chosen: Vec<u32>,
    /// Answers that choose none: refusals, cut and unreadable ones.
    pub others: u32,
}

/// All questions of one group with the model's scores.
#[derive(Debug, Clone)]
pub struct GroupRows {
    /// Which group.
    pub id: GroupId,
    /// Task title for people.
    pub title: String,
    /// Question ids, one per row of the table.
    pub ids: Arc<[String]>,
    /// Questions, options and scores.
    pub table: Table,
    /// Names of the categories that the table numbers; empty where there are none.
    pub categories: Vec<String>,
    /// Total probability on the options, one per row; empty where it is not known.
    pub mass: Vec<f64>,
    /// Whether an option was only bounded, not observed, one per row; empty where it is not known.
    pub bounded: Vec<bool>,
    /// How often each option was chosen by the answers drawn for a row; empty where options have
    /// log-probabilities.
    pub drawn: Vec<DrawnCounts>,
    /// Whether it is known which questions belong together; then the table names their clusters.
    pub clustered: bool,
    /// Questions planned, those without an answer included.
    pub planned: usize,
}

impl GroupRows {
    /// Keeps what is known of the questions once for both groups, where it is the same.
    pub fn share(&mut self, other: &Self) {
        if self.ids == other.ids {
            self.ids = Arc::clone(&other.ids);
        }
        self.table.share(&other.table);
    }
}

impl GroupRows {
    /// Replaces shares of drawn answers by logits of their tempered softmax; nothing where options have
    /// log-probabilities.
    pub fn temper(&mut self, temperature: f64) {
        if self.drawn.is_empty() {
            return;
        }
        let mut table = Table::new(self.table.stride());
        for (index, drawn) in self.drawn.iter().enumerate() {
            let logits = tempered_shares(&drawn.chosen, temperature);
            let row = Row {
                logits: (&logits).into(),
                ..self.table.row(index)
            };
            let category = self.table.categories()[index];
            // The row is that of a table, with other finite scores.
            let _ = table.push(self.table.keys()[index], &row, category);
        }
        self.table = table;
    }
}

impl Evidence {
    /// The tempered softmax of all shares, if the settings have one; see [`GroupRows::temper`].
    pub fn temper(&mut self, temperature: Option<f64>) {
        let Some(temperature) = temperature else {
            return;
        };
        for group in self.models.iter_mut().flat_map(|model| &mut model.groups) {
            group.temper(temperature);
        }
    }

    /// The names of all models, those with questions of both kinds once, with their sources.
    pub fn names(&self) -> Vec<(&str, &Source)> {
        let mut names: Vec<(&str, &Source)> = Vec::new();
        let with_options = self.models.iter().map(|it| (&*it.name, &it.source));
        let open = self.open.iter().map(|it| (&*it.name, &it.source));
        for (name, source) in with_options.chain(open) {
            if !names.iter().any(|(known, _)| *known == name) {
                names.push((name, source));
            }
        }
        names
    }

    /// Shares what a group that is about to be added knows of its questions with the groups that are
    /// there.
    pub fn share(&self, group: &mut GroupRows) {
        let groups = self.models.iter().flat_map(|model| &model.groups);
        let alike = groups.into_iter().find(|other| {
            other.table.len() == group.table.len() && other.table.keys() == group.table.keys()
        });
        if let Some(alike) = alike {
            group.share(alike);
        }
    }
}
