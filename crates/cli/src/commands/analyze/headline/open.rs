//! The highlights of a page of open questions alone.

use sureness_analysis::number::{counted, figure as number};
use sureness_analysis::{Figures, OpenGroupFigures, OpenModelFigures, Unit};
use sureness_report::html::{Highlight, Verdict};

/// Accuracy, AUROC of semantic entropy and sets of the most accurate model, and the number of questions.
pub(super) fn highlights(figures: &Figures<'_>) -> Vec<Highlight> {
    let groups: Vec<_> = figures
        .open
        .iter()
        .flat_map(|model| model.groups.iter().map(move |group| (model, group)))
        .collect();
    let most = groups.iter().map(|(_, group)| group.figures.n_test).max();
    let best = groups.into_iter().reduce(|best, other| {
        if other.1.figures.acc > best.1.figures.acc {
            other
        } else {
            best
        }
    });
    let Some((_, group)) = best else {
        return Vec::new();
    };
    let several = figures.open.len() > 1 || figures.open_tasks().len() > 1;
    let equal = |other: &&OpenModelFigures<'_>| {
        let mut groups = other
            .groups
            .iter()
            .filter(|it| it.rows.title == group.rows.title);
        groups.any(|it| (it.figures.acc - group.figures.acc).abs() < 1e-12)
    };
    let names = figures
        .open
        .iter()
        .filter(equal)
        .map(|model| &*model.model.name);
    let names = names.collect::<Vec<&str>>().join(", ");
    vec![
        accuracy(several, &names, group),
        entropy(group),
        sets(figures, group),
        neutral(
            "Based on",
            counted(most.unwrap_or(0), "test question"),
            counted(figures.open_tasks().len(), "open task"),
        ),
    ]
}

fn neutral(label: &str, value: String, detail: String) -> Highlight {
    Highlight {
        label: label.to_owned(),
        value,
        detail,
        verdict: Verdict::Neutral,
    }
}

fn accuracy(several: bool, names: &str, group: &OpenGroupFigures<'_>) -> Highlight {
    let share = number(group.figures.acc, Unit::Percent);
    let ends = group.figures.intervals.as_ref().and_then(|it| it.acc);
    let range = ends.map(|[low, high]| {
        let [low, high] = [low, high].map(|end| number(end, Unit::Percent));
        format!("{low} to {high}")
    });
    let range = range.unwrap_or_else(|| "too few questions for an interval".to_owned());
    if several {
        let detail = format!("{share} % of {} ({range})", group.rows.title);
        return neutral("Highest accuracy", names.to_owned(), detail);
    }
    neutral("Accuracy", format!("{share} %"), range)
}

fn entropy(group: &OpenGroupFigures<'_>) -> Highlight {
    let mut signs = group.figures.signs.iter();
    let sign = signs.find(|sign| sign.name == "semantic_entropy");
    let auroc = sign.and_then(|sign| sign.auroc);
    let ends = sign.and_then(|sign| sign.intervals.as_ref()?.auroc);
    let range = ends.map(|[low, high]| format!("{low:.3} to {high:.3}"));
    neutral(
        "AUROC of its entropy",
        auroc.map_or_else(|| "undefined".to_owned(), |auroc| format!("{auroc:.3}")),
        match auroc {
            None => "all answers are alike right or wrong".to_owned(),
            Some(_) => range.unwrap_or_else(|| "too few questions for an interval".to_owned()),
        },
    )
}

fn sets(figures: &Figures<'_>, group: &OpenGroupFigures<'_>) -> Highlight {
    let target = (1.0 - figures.settings.config.alpha) * 100.0;
    let label = format!("Its sets at {} %", (target * 10.0).round() / 10.0);
    let sets = &group.figures.sets;
    match sets.set_size.zip(sets.coverage) {
        Some((size, coverage)) => neutral(
            &label,
            format!("{size:.2} answers"),
            format!(
                "cover {} % of the questions",
                number(coverage, Unit::Percent)
            ),
        ),
        None => Highlight {
            label,
            value: "none".to_owned(),
            detail: format!(
                "the truth was drawn too seldom; least α {} %",
                number(sets.least_error_rate, Unit::Percent)
            ),
            verdict: Verdict::Missed,
        },
    }
}
