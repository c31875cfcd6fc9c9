//! Whether models were measured alike enough to be ranked.

use std::collections::BTreeMap;

use sureness_conformal::Table;

use crate::ModelEvidence;
use crate::align::{Common, common_rows};
use crate::figures::{Figures, GroupFigures, ModelFigures};
use crate::text::list;

/// Shares of questions with an option that was only bounded may differ by this much.
const BOUNDED_APART: f64 = 0.05;

/// Questions of a task that not every model answered may be this share of them.
const QUESTIONS_APART: f64 = 0.05;

/// The fields of a model's identity that say how option scores were read, with their names for people.
const SCORING: [(&str, &str); 2] = [
    ("option scores", "how option scores are read"),
    ("top logprobs", "how many top tokens the server gave"),
];

/// Why the models of `common` should not be ranked or tested against each other, for people. Empty
/// where nothing speaks against it, or where a person insists.
pub(crate) fn obstacles(figures: &Figures<'_>, common: &Common) -> Vec<String> {
    if figures.settings.insist || common.models.len() < 2 {
        return Vec::new();
    }
    let models: Vec<&ModelFigures<'_>> =
        common.models.iter().map(|&m| &figures.models[m]).collect();
    let of_models: Vec<&ModelEvidence> = models.iter().map(|model| model.model).collect();
    let mut obstacles = scored_differently(&of_models);
    obstacles.extend(asked_differently(figures, common, &models));
    obstacles.extend(offered_differently(figures, &models));
    obstacles
}

/// Questions that had other numbers of options for some models: fewer are easier, and make smaller
/// sets. One obstacle per task.
fn offered_differently(figures: &Figures<'_>, models: &[&ModelFigures<'_>]) -> Vec<String> {
    let of_groups = |title: &str, groups: &[&GroupFigures<'_>]| {
        let tables: Vec<&Table> = groups.iter().map(|group| &group.rows.table).collect();
        let rows = common_rows(&tables);
        let count = |at: usize, row: usize| {
            let table = &groups[at].rows.table;
            table.row(rows[at][row]).logits.len()
        };
        let (first, others) = models.split_first()?;
        others.iter().zip(1..).find_map(|(other, at)| {
            let mut differing = (0..rows[0].len()).filter(|&row| count(0, row) != count(at, row));
            let row = differing.next()?;
            Some(format!(
                "{} had {} options and {} had {} in the same question of {title}",
                first.model.name,
                count(0, row),
                other.model.name,
                count(at, row)
            ))
        })
    };
    let mut obstacles = Vec::new();
    for (task, title) in figures.tasks() {
        obstacles.extend(figures.strategies().into_iter().find_map(|strategy| {
            let groups = models.iter().map(|model| model.group(task, strategy));
            of_groups(title, &groups.collect::<Option<Vec<_>>>()?)
        }));
    }
    obstacles
}

/// Tasks, strategies and questions that not all of them were asked.
fn asked_differently(
    figures: &Figures<'_>,
    common: &Common,
    models: &[&ModelFigures<'_>],
) -> Vec<String> {
    let mut obstacles = Vec::new();
    for (task, title) in figures.tasks() {
        let lacking = |asked: &dyn Fn(&ModelFigures<'_>) -> bool| {
            let lacking = models.iter().filter(|model| !asked(model));
            let names: Vec<&str> = lacking.map(|model| &*model.model.name).collect();
            (!names.is_empty() && names.len() < models.len()).then(|| list(&names))
        };
        if let Some(names) = lacking(&|model| model.of_task(task).next().is_some()) {
            obstacles.push(format!("{names} was not asked {title}"));
            continue;
        }
        for strategy in figures.strategies() {
            if let Some(names) = lacking(&|model| model.group(task, strategy).is_some()) {
                obstacles.push(format!("{names} was not asked {title} with {strategy}"));
            }
        }
        let found = common.tasks.iter().find(|found| found.task == task);
        if let Some(found) = found
            && found.questions as f64 <= (1.0 - QUESTIONS_APART) * found.most as f64
        {
            obstacles.push(format!(
                "of the questions of {title} all answered {}, one of them {}",
                found.questions, found.most
            ));
        }
    }
    obstacles
}

/// Differences in how option scores were read.
pub(crate) fn scored_differently(models: &[&ModelEvidence]) -> Vec<String> {
    let mut obstacles = Vec::new();
    for (detail, name) in SCORING {
        let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for model in models {
            let identity = model.source.record.model();
            if let Some(value) = identity.and_then(|identity| identity.details.get(detail)) {
                values.entry(value).or_default().push(&model.name);
            }
        }
        if values.len() > 1 {
            let each = values
                .iter()
                .map(|(value, models)| format!("{} {value}", models.join(", ")));
            obstacles.push(format!(
                "they differ in {name} ({})",
                each.collect::<Vec<_>>().join("; ")
            ));
        }
    }
    let bounded: Vec<(&str, f64)> = models
        .iter()
        .filter_map(|model| {
            let rows = || model.groups.iter().flat_map(|group| &group.bounded);
            let n = rows().count();
            let share = rows().filter(|&&bounded| bounded).count() as f64 / n as f64;
            (n > 0).then_some((&*model.name, share))
        })
        .collect();
    let by_share = |a: &&(&str, f64), b: &&(&str, f64)| a.1.total_cmp(&b.1);
    if let (Some(least), Some(most)) = (
        bounded.iter().min_by(by_share),
        bounded.iter().max_by(by_share),
    ) && most.1 - least.1 > BOUNDED_APART
    {
        obstacles.push(format!(
            "{} has options that are only bounded in {:.0} % of its questions, {} in {:.0} %",
            most.0,
            most.1 * 100.0,
            least.0,
            least.1 * 100.0
        ));
    }
    obstacles
}

#[cfg(test)]
mod tests {
    use sureness_conformal::Row;
    use sureness_record::{ImportRecord, ModelIdentity, Recorded};

    use super::*;
    use crate::{Asked, Evidence, GroupId, GroupRows, Mode, Settings, Source, document};

    /// A model that was seen through so many top tokens.
    fn model(name: &str, tokens: &str, bounded: bool) -> ModelEvidence {
        let mut table = Table::new(4);
        for index in 0..200_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&index.to_le_bytes());
            let logits = [f64::from(index % 7), f64::from(index % 5), 1.0, 0.0];
            let row = Row {
                key: &key,
                cluster: None,
                logits: (&logits).into(),
                right: 0.into(),
                dont_know: None,
                none_of_the_above: None,
            };
            table.push(key, &row, None).unwrap();
        }
        ModelEvidence {
            name: name.into(),
            source: Source {
                record: crate::SourceRecord::Run {
                    model: ModelIdentity {
                        name: name.into(),
                        backend: "openai-http".into(),
                        details: [("top logprobs".to_owned(), tokens.into())].into(),
                    },
                    settings: Recorded::Import(ImportRecord::default()),
                },
                ..Source::default()
            },
            orders: Vec::new(),
            groups: vec![GroupRows {
                id: GroupId {
                    task: "qa".into(),
                    strategy: "base".into(),
                },
                title: "Question answering".into(),
                ids: (0..200).map(|id| id.to_string()).collect(),
                table,
                categories: Vec::new(),
                mass: Vec::new(),
                bounded: vec![bounded; 200],
                drawn: Vec::new(),
                clustered: false,
                planned: 200,
            }],
        }
    }

    fn summary(models: [ModelEvidence; 2], insist: bool) -> (String, bool) {
        let evidence = Evidence {
            models: models.into(),
            ..Evidence::default()
        };
        let settings = Settings {
            insist,
            splits: 0,
            ..Settings::default()
        };
        let figures = Figures::of(&evidence, &settings, &[]);
        let document = document(&figures, &[Mode::Comparative], &Asked::default(), "test");
        let tables = &document.sections[0].tables;
        let tested = tables.iter().any(|table| table.id == "differences");
        let columns = tables.iter().flat_map(|table| &table.columns);
        let marked = columns.into_iter().any(|column| column.better.is_some());
        assert_eq!(
            marked, tested,
            "the best is marked where models are compared"
        );
        (document.summary[0].clone(), tested)
    }

    #[test]
    fn models_that_were_measured_differently_are_shown_without_a_comparison() {
        let apart = || [model("a", "20", false), model("b", "5", true)];
        let (first, tested) = summary(apart(), false);
        assert!(
            first.starts_with("The models are not compared: they differ in how many top tokens")
        );
        assert!(
            first.contains("b has options that are only bounded in 100 %"),
            "{first}"
        );
        assert!(!tested);
        let (first, tested) = summary(apart(), true);
        assert!(
            first.starts_with("a and b have the same, highest UAcc") && tested,
            "{first}"
        );
        let (first, tested) = summary([model("a", "20", false), model("c", "20", false)], false);
        assert!(
            first.starts_with("a and c have the same, highest UAcc") && tested,
            "{first}"
        );
    }

    #[test]
    fn models_with_other_numbers_of_options_are_not_compared() {
        let like = |name: &str| model(name, "20", false);
        let fewer = || {
            let mut fewer = like("b");
            let group = &mut fewer.groups[0];
            let mut table = Table::new(3);
            for (key, row) in group.table.keys().iter().zip(group.table.rows()) {
                let logits: Vec<f64> = row.logits.iter().take(3).collect();
                let row = Row {
                    logits: logits.as_slice().into(),
                    ..row
                };
                table.push(*key, &row, None).unwrap();
            }
            group.table = table;
            fewer
        };
        let (first, tested) = summary([like("a"), fewer()], false);
        assert!(
            first
                .contains("a had 4 options and b had 3 in the same question of Question answering"),
            "{first}"
        );
        assert!(!tested);
        assert!(summary([like("a"), fewer()], true).1);
    }

    #[test]
    fn models_that_were_asked_different_things_are_not_compared() {
        let like = |name: &str| model(name, "20", false);
        let first = |b: ModelEvidence| {
            let (first, tested) = summary([like("a"), b], false);
            assert!(!tested, "{first}");
            first
        };
        let mut other_task = like("b");
        other_task.groups[0].id.task = "rc".into();
        other_task.groups[0].title = "Reading".into();
        other_task.groups.push(like("b").groups.remove(0));
        assert!(first(other_task).contains("a was not asked Reading"));

        let mut other_strategy = like("b");
        let mut group = other_strategy.groups[0].clone();
        group.id.strategy = "task".into();
        other_strategy.groups.push(group);
        assert!(first(other_strategy).contains("a was not asked Question answering with task"));

        let mut fewer = like("b");
        let group = &mut fewer.groups[0];
        group.table = group.table.select(&(0..150).collect::<Vec<_>>());
        assert!(first(fewer).contains("all answered 150, one of them 200"));

        // A few that failed do not matter: the others are compared.
        let mut nearly = like("b");
        let group = &mut nearly.groups[0];
        group.table = group.table.select(&(0..195).collect::<Vec<_>>());
        assert!(summary([like("a"), nearly], false).1);
    }
}
