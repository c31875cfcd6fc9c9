//! The effect of instruction tuning.

use sureness_conformal::COMPARED;

use super::basic::estimate;
use crate::comparable::obstacles;
use crate::figures::Figures;
use crate::text::list;
use crate::{Cell, Column, Section, Table, Unit};

/// A base model and its instruction-tuned partner, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Name of the base model.
    pub base: String,
    /// Name of the tuned one.
    pub tuned: String,
}

/// Endings that tell an instruction-tuned model from its base.
const TUNED: [&str; 8] = [
    "-instruct",
    "-chat",
    "-it",
    "-sft",
    "-dpo",
    "_instruct",
    "_chat",
    ".instruct",
];

/// Pairs whose names differ only in such an ending (and in versions behind it).
fn by_name(names: &[&str]) -> Vec<Pair> {
    let plain = |name: &str| name.to_lowercase();
    let mut pairs = Vec::new();
    for tuned in names {
        let lower = plain(tuned);
        let Some(stem) = TUNED.iter().find_map(|ending| {
            let at = lower.find(ending)?;
            Some(format!("{}{}", &lower[..at], &lower[at + ending.len()..]))
        }) else {
            continue;
        };
        let base = names.iter().find(|name| {
            let name = plain(name);
            name == stem || name.strip_suffix("-base").is_some_and(|name| name == stem)
        });
        if let Some(base) = base {
            pairs.push(Pair {
                base: (*base).to_owned(),
                tuned: (*tuned).to_owned(),
            });
        }
    }
    pairs
}

/// Each pair, the tuned model's figure less the base model's.
pub(super) fn section(figures: &Figures<'_>, given: &[Pair]) -> Section {
    let mut section = Section {
        id: "instruct".into(),
        title: "Effect of instruction tuning".into(),
        ..Section::default()
    };
    let names: Vec<&str> = figures.models.iter().map(|m| &*m.model.name).collect();
    let pairs = if given.is_empty() {
        by_name(&names)
    } else {
        given.to_vec()
    };
    let index = |name: &str| names.iter().position(|other| *other == name);
    let mut rows = Vec::new();
    for pair in &pairs {
        let (Some(base), Some(tuned)) = (index(&pair.base), index(&pair.tuned)) else {
            section.notes.push(format!(
                "{} and {}: at least one is not among the models",
                pair.base, pair.tuned
            ));
            continue;
        };
        let common = figures.common(&[tuned, base]);
        section.notes.extend(common.notes.iter().cloned());
        if common.panel.questions() == 0 {
            section.notes.push(format!(
                "{} and {} have no question in common",
                pair.base, pair.tuned
            ));
            continue;
        }
        let obstacles = obstacles(figures, &common);
        if !obstacles.is_empty() {
            section.notes.push(format!(
                "{} and {} are not compared: {}",
                pair.base,
                pair.tuned,
                obstacles.join("; ")
            ));
            continue;
        }
        let settings = figures.settings;
        let resampled = common.panel.resample(&settings.resampling);
        let rounds = [settings.swaps; 2];
        let p = resampled.test(&common.panel, [0, 1], rounds, settings.config.seed);
        let tested = resampled.absent(0, 2).is_none() && resampled.absent(1, 2).is_none();
        let mut row = vec![
            Cell::text(pair.base.clone()),
            Cell::text(pair.tuned.clone()),
            Cell::count(common.panel.questions()),
        ];
        let order: [usize; COMPARED] = [0, 2, 1, 3];
        for figure in order {
            let value = resampled.figures(0)[figure] - resampled.figures(1)[figure];
            row.push(estimate(value, resampled.difference(0, 1, figure)));
            row.push(if tested {
                Cell::figure(p[figure])
            } else {
                Cell::Empty
            });
        }
        rows.push(row);
    }
    if rows.is_empty() {
        section.text.push(format!(
            "No pair of a base model and its instruction-tuned version among {}. Names such as `m` and `m-instruct` form a pair; name others with `--pair BASE=TUNED`.",
            list(&names)
        ));
        return section;
    }
    section.text.push("Tuned minus base, paired by question, over the tasks and strategies of both. A tuned model that hedges between more options at equal accuracy has become less certain.".into());
    section.tables.push(Table {
        id: "instruct".into(),
        title: "Tuned less base".into(),
        caption: "With paired intervals; p-values not adjusted.".into(),
        columns: vec![
            Column::text("base", "Base"),
            Column::text("tuned", "Tuned"),
            Column::new("n", "n", Unit::Count),
            Column::new("acc", "ΔAcc", Unit::PercentDifference).higher(),
            Column::new("acc_p", "p(ΔAcc)", Unit::PValue),
            Column::new("set_size", "ΔSS", Unit::Difference(2)).lower(),
            Column::new("set_size_p", "p(ΔSS)", Unit::PValue),
            Column::new("coverage", "ΔCov", Unit::PercentDifference),
            Column::new("coverage_p", "p(ΔCov)", Unit::PValue),
            Column::new("uacc", "ΔUAcc", Unit::PercentDifference).higher(),
            Column::new("uacc_p", "p(ΔUAcc)", Unit::PValue),
        ],
        rows,
        ..Table::default()
    });
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partners_are_found_by_name() {
        let names = [
            "Llama-2-7b",
            "Llama-2-7b-chat",
            "Qwen-7B-Base",
            "Qwen-7B-Instruct",
            "Mistral-7B-Instruct-v0.2",
            "Mistral-7B-v0.2",
            "Yi-34B",
        ];
        let pairs: Vec<_> = by_name(&names)
            .into_iter()
            .map(|p| (p.base, p.tuned))
            .collect();
        let expected = [
            ("Llama-2-7b", "Llama-2-7b-chat"),
            ("Qwen-7B-Base", "Qwen-7B-Instruct"),
            ("Mistral-7B-v0.2", "Mistral-7B-Instruct-v0.2"),
        ];
        assert_eq!(pairs, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
