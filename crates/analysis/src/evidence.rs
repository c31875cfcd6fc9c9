//! What was measured.

use std::sync::Arc;

use sureness_conformal::Table;

/// The runs that are looked at, in the order in which they were named.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// One entry per model.
    pub models: Vec<ModelEvidence>,
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
}

/// Where a model's answers come from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Source {
    /// The folder or file, as it was named.
    pub path: String,
    /// Number of the run in its store; none for files of saved logits.
    pub run: Option<i64>,
    /// The model's identity and the run's settings, as they were recorded. No secrets.
    pub record: serde_json::Value,
}

/// Which questions were asked how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId {
    /// Task id, such as `qa`.
    pub task: String,
    /// Strategy name, such as `base`.
    pub strategy: String,
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

impl Evidence {
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
