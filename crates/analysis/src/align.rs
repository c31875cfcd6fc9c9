//! The questions that several groups have in common.

use std::collections::HashMap;

use sureness_conformal::{Answers, Panel, Table, split_of};

use crate::figures::{Figures, GroupFigures, ModelFigures};

/// Which models are compared on which questions.
#[derive(Debug, Clone)]
pub struct Common {
    /// The compared models; index `i` of the panel is `models[i]` of the figures.
    pub panel: Panel,
    /// Indices of the models in the figures.
    pub models: Vec<usize>,
    /// Tasks that all of them have, in the order of the panel.
    pub tasks: Vec<CommonTask>,
    /// What was left out so that all models have the same, for people.
    pub notes: Vec<String>,
}

/// One task of a [`Common`].
#[derive(Debug, Clone)]
pub struct CommonTask {
    /// Task id.
    pub task: String,
    /// Strategies that all models were asked in.
    pub strategies: Vec<String>,
    /// Questions that all of them answered.
    pub questions: usize,
    /// Questions that one of them answered, the most.
    pub most: usize,
    /// Whether every model answered the same questions, so that nothing is left out.
    pub whole: bool,
}

/// For each table, the rows of the questions that all tables have, in the order of the first.
/// A question that occurs several times is paired by its occurrence.
pub(crate) fn common_rows(tables: &[&Table]) -> Vec<Vec<usize>> {
    let Some((first, others)) = tables.split_first() else {
        return Vec::new();
    };
    let keys = first.keys();
    if others.iter().all(|table| table.keys() == keys) {
        return vec![(0..keys.len()).collect(); tables.len()];
    }
    let places: Vec<HashMap<([u8; 32], u32), usize>> = others
        .iter()
        .map(|table| numbered(table).collect())
        .collect();
    let mut common = vec![Vec::new(); tables.len()];
    for (key, row) in numbered(first) {
        let found: Option<Vec<usize>> = places
            .iter()
            .map(|places| places.get(&key).copied())
            .collect();
        if let Some(found) = found {
            common[0].push(row);
            for (list, row) in common[1..].iter_mut().zip(found) {
                list.push(row);
            }
        }
    }
    common
}

/// Keys of a table's rows, each with how often it came before, and its row.
pub(crate) fn numbered(table: &Table) -> impl Iterator<Item = (([u8; 32], u32), usize)> + '_ {
    numbered_keys(table.keys())
}

/// The same for keys alone.
pub(crate) fn numbered_keys(
    keys: &[[u8; 32]],
) -> impl Iterator<Item = (([u8; 32], u32), usize)> + '_ {
    let mut seen: HashMap<[u8; 32], u32> = HashMap::new();
    keys.iter().enumerate().map(move |(row, key)| {
        let count = seen.entry(*key).or_default();
        *count += 1;
        ((*key, *count - 1), row)
    })
}

impl Figures<'_> {
    /// A panel of so many models, as the settings have it.
    pub(crate) fn panel(&self, models: usize) -> Panel {
        let settings = self.settings;
        Panel::new(
            models,
            settings.view(),
            settings.config.alpha,
            settings.estimand,
        )
    }

    /// Puts these groups side by side on the questions that all of them answered: per model, its
    /// strategies. The number of common questions, and the most that a group has.
    pub(crate) fn add_groups(
        &self,
        panel: &mut Panel,
        models: &[Vec<&GroupFigures<'_>>],
    ) -> (usize, usize) {
        let groups: Vec<&GroupFigures<'_>> = models.iter().flatten().copied().collect();
        let tables: Vec<&Table> = groups.iter().map(|group| &group.rows.table).collect();
        let rows = common_rows(&tables);
        let shared = rows.first().map_or(0, Vec::len);
        let most = groups.iter().map(|g| g.rows.table.len()).max();
        let most = most.unwrap_or(0);
        // Who knows which questions belong together tells it to the others.
        let teller = groups.iter().position(|group| group.rows.clustered);
        let Some(of_teller) = rows.get(teller.unwrap_or(0)) else {
            return (0, most);
        };
        let names = groups[teller.unwrap_or(0)].rows.table.select(of_teller);
        let Ok(split) = split_of(&names, &self.settings.config) else {
            return (0, most);
        };
        let mut calibrates = vec![false; shared];
        for row in split.calibration {
            calibrates[row] = true;
        }
        let mut rows = rows.iter();
        let answers: Vec<Vec<Answers<'_>>> = models
            .iter()
            .map(|groups| {
                let pairs = groups.iter().zip(rows.by_ref());
                let answers = pairs.map(|(group, rows)| Answers {
                    table: &group.rows.table,
                    rows,
                });
                answers.collect()
            })
            .collect();
        match panel.add(&answers, names.clusters(), &calibrates) {
            Ok(()) => (shared, most),
            Err(_) => (0, most),
        }
    }

    /// Compares these models on the questions that all of them answered, task by
    /// task, with the strategies that all of them were asked in.
    pub fn common(&self, models: &[usize]) -> Common {
        let chosen: Vec<&ModelFigures<'_>> = models.iter().map(|&m| &self.models[m]).collect();
        let mut common = Common {
            panel: self.panel(models.len()),
            models: models.to_vec(),
            tasks: Vec::new(),
            notes: Vec::new(),
        };
        for (task, title) in self.tasks() {
            let strategies: Vec<&str> = self
                .strategies()
                .into_iter()
                .filter(|strategy| chosen.iter().all(|m| m.group(task, strategy).is_some()))
                .collect();
            if strategies.is_empty() {
                let some = chosen
                    .iter()
                    .any(|model| model.of_task(task).next().is_some());
                if some {
                    common.notes.push(format!(
                        "{title}: skipped: no prompt strategy is common to all models"
                    ));
                }
                continue;
            }
            let groups: Vec<Vec<&GroupFigures<'_>>> = chosen
                .iter()
                .map(|model| {
                    let strategies = strategies.iter();
                    strategies
                        .filter_map(|strategy| model.group(task, strategy))
                        .collect()
                })
                .collect();
            let (shared, most) = self.add_groups(&mut common.panel, &groups);
            if shared < most {
                common.notes.push(format!(
                    "{title}: compared on the {shared} questions that every model answered, of up to {most}"
                ));
            }
            if shared > 0 {
                common.tasks.push(CommonTask {
                    task: task.to_owned(),
                    strategies: strategies.iter().map(|&s| s.to_owned()).collect(),
                    questions: shared,
                    most,
                    whole: groups
                        .iter()
                        .flatten()
                        .all(|g| g.rows.table.len() == shared),
                });
            }
        }
        common
    }
}
