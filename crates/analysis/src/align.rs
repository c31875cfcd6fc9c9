//! The questions that several groups have in common.

use std::collections::HashMap;

use sureness_conformal::{Outcome, Panel};

use crate::figures::{Figures, GroupFigures, ModelFigures};

/// Which models are compared on which questions.
#[derive(Debug, Clone)]
pub struct Common {
    /// Models beside each other; index `i` of the panel is `models[i]` of the figures.
    pub panel: Panel,
    /// Indices of the models in the figures.
    pub models: Vec<usize>,
    /// Tasks that all of them have, with the strategies and the number of common test questions.
    pub tasks: Vec<(String, Vec<String>, usize)>,
    /// What was left out so that all models have the same, for people.
    pub notes: Vec<String>,
}

/// For each group, the positions in its test half of the questions that all groups test, in the
/// order of the first group. A question that occurs several times is paired by its occurrence.
pub fn common_questions(groups: &[&GroupFigures<'_>]) -> Vec<Vec<usize>> {
    let Some((first, others)) = groups.split_first() else {
        return Vec::new();
    };
    let places: Vec<HashMap<([u8; 32], u32), usize>> = others
        .iter()
        .map(|group| numbered(group).collect())
        .collect();
    let mut common = vec![Vec::new(); groups.len()];
    for (key, position) in numbered(first) {
        let found: Option<Vec<usize>> = places
            .iter()
            .map(|places| places.get(&key).copied())
            .collect();
        if let Some(found) = found {
            common[0].push(position);
            for (list, position) in common[1..].iter_mut().zip(found) {
                list.push(position);
            }
        }
    }
    common
}

/// Keys of a group's test rows, each with how often it came before, and its position.
fn numbered<'a>(
    group: &'a GroupFigures<'_>,
) -> impl Iterator<Item = (([u8; 32], u32), usize)> + 'a {
    let mut seen: HashMap<[u8; 32], u32> = HashMap::new();
    let keys = group.rows.table.keys();
    group
        .split
        .test
        .iter()
        .enumerate()
        .map(move |(position, &row)| {
            let count = seen.entry(keys[row]).or_default();
            *count += 1;
            ((keys[row], *count - 1), position)
        })
}

impl Figures<'_> {
    /// Puts these models beside each other on the questions that all of them answered, task by
    /// task, with the strategies that all of them were asked in.
    pub fn common(&self, models: &[usize]) -> Common {
        let chosen: Vec<&ModelFigures<'_>> = models.iter().map(|&m| &self.models[m]).collect();
        let mut common = Common {
            panel: Panel::new(models.len()),
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
                        "{title}: not every model was asked it in one strategy, so it is left out"
                    ));
                }
                continue;
            }
            let groups: Vec<&GroupFigures<'_>> = chosen
                .iter()
                .flat_map(|model| {
                    strategies
                        .iter()
                        .filter_map(|strategy| model.group(task, strategy))
                })
                .collect();
            let positions = common_questions(&groups);
            let shared = positions.first().map_or(0, Vec::len);
            let most = groups.iter().map(|g| g.split.test.len()).max().unwrap_or(0);
            if shared < most {
                common.notes.push(format!(
                    "{title}: compared on the {shared} test questions that all models answered, of up to {most}"
                ));
            }
            // Group by group, LAC and APS.
            let cells: Vec<Vec<Outcome>> = groups
                .iter()
                .zip(&positions)
                .flat_map(|(group, positions)| {
                    group.scores.iter().map(|score| {
                        positions
                            .iter()
                            .map(|&position| score.outcomes[position])
                            .collect()
                    })
                })
                .collect();
            let per_model = strategies.len() * 2;
            let outcomes: Vec<Vec<&[Outcome]>> = cells
                .chunks(per_model)
                .map(|model| model.iter().map(Vec::as_slice).collect())
                .collect();
            if shared > 0 && common.panel.add(&outcomes).is_ok() {
                let strategies = strategies.iter().map(|&s| s.to_owned()).collect();
                common.tasks.push((task.to_owned(), strategies, shared));
            }
        }
        common
    }
}
