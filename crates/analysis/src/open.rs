//! Answers to open questions, which have no options: evidence and figures.

use rayon::prelude::*;
use sureness_conformal::{EvaluateError, Split};
use sureness_open::{Item, OpenFigures, evaluate, split_items};

use crate::{Evidence, GroupId, Settings, Source};

/// What one model answered to open questions.
#[derive(Debug, Clone)]
pub struct OpenEvidence {
    /// Name for people: that of [`crate::ModelEvidence`] where the run also asked questions with options,
    /// unique otherwise.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// What was asked, one entry per (task, strategy).
    pub groups: Vec<OpenRows>,
}

/// All open questions of one group with the model's answers.
#[derive(Debug, Clone)]
pub struct OpenRows {
    /// Which group.
    pub id: GroupId,
    /// Task title for people.
    pub title: String,
    /// The questions and their answers, grouped into meanings.
    pub items: Vec<Item>,
    /// Question ids, one per item.
    pub ids: Vec<String>,
    /// Categories, one per item.
    pub categories: Vec<Option<String>>,
    /// Questions planned, those without an answer included.
    pub planned: usize,
}

/// The figures of one model's open questions.
#[derive(Debug, Clone)]
pub struct OpenModelFigures<'a> {
    /// The model.
    pub model: &'a OpenEvidence,
    /// One entry per group that could be evaluated.
    pub groups: Vec<OpenGroupFigures<'a>>,
    /// Groups that could not, with the reason.
    pub skipped: Vec<(GroupId, EvaluateError)>,
}

/// The figures of one group of open questions.
#[derive(Debug, Clone)]
pub struct OpenGroupFigures<'a> {
    /// The questions.
    pub rows: &'a OpenRows,
    /// The figures.
    pub figures: OpenFigures,
    /// Which items calibrate and which are tested.
    pub split: Split,
}

impl OpenRows {
    /// The number of answers that were drawn to a question: that of most, since a few may be missing.
    pub fn draws(&self) -> u32 {
        let given = self.items.iter().map(|item| item.meanings.given());
        given.max().unwrap_or(0)
    }
}

impl<'a> OpenModelFigures<'a> {
    /// The figures of all models, on all cores.
    pub(crate) fn of_all(evidence: &'a Evidence, settings: &Settings) -> Vec<Self> {
        let models = evidence.open.par_iter();
        models.map(|model| Self::of(model, settings)).collect()
    }

    fn of(model: &'a OpenEvidence, settings: &Settings) -> Self {
        let mut found = Self {
            model,
            groups: Vec::new(),
            skipped: Vec::new(),
        };
        for rows in &model.groups {
            match OpenGroupFigures::of(rows, settings) {
                Ok(figures) => found.groups.push(figures),
                Err(error) => found.skipped.push((rows.id.clone(), error)),
            }
        }
        found
    }

    /// The figures of one task, which is asked in one prompt.
    pub fn of_task(&self, task: &str) -> Option<&OpenGroupFigures<'a>> {
        self.groups.iter().find(|group| group.rows.id.task == task)
    }
}

impl<'a> OpenGroupFigures<'a> {
    fn of(rows: &'a OpenRows, settings: &Settings) -> Result<Self, EvaluateError> {
        let level = settings.resampling.level;
        Ok(Self {
            rows,
            figures: evaluate(&rows.items, &settings.config, level)?,
            split: split_items(&rows.items, &settings.config)?,
        })
    }
}

impl<'a> crate::Figures<'a> {
    /// Open tasks in the order in which they first occur, with their titles.
    pub fn open_tasks(&self) -> Vec<(&'a str, &'a str)> {
        let mut tasks: Vec<(&str, &str)> = Vec::new();
        for group in self.evidence.open.iter().flat_map(|model| &model.groups) {
            if !tasks.iter().any(|(task, _)| *task == group.id.task) {
                tasks.push((&group.id.task, &group.title));
            }
        }
        tasks
    }
}
