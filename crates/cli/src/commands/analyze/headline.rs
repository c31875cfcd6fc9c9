//! The figures at the top of the page.

use sureness_analysis::{Cell, Document, Figures};
use sureness_conformal::CoverageVerdict;
use sureness_report::html::{Highlight, Verdict};

/// Which model is surest, whether coverage is kept, how many questions that rests on.
pub(super) fn highlights(figures: &Figures<'_>, document: &Document) -> Vec<Highlight> {
    let mut highlights = Vec::new();
    let leaderboard = document
        .sections
        .iter()
        .flat_map(|section| &section.tables)
        .find(|table| table.id == "leaderboard");
    if let Some(table) = leaderboard
        && let Some(best) = table.rows.first()
    {
        let cell = |key: &str| {
            let index = table.columns.iter().position(|column| column.key == key)?;
            best.get(index)
        };
        let interval = |cell: Option<&Cell>, scale: f64, decimals: usize| match cell {
            Some(Cell::Figure {
                value,
                low: Some(low),
                high: Some(high),
                ..
            }) => Some((
                format!("{:.decimals$}", value * scale),
                format!("{:.decimals$} to {:.decimals$}", low * scale, high * scale),
            )),
            Some(Cell::Figure { value, .. }) => {
                Some((format!("{:.decimals$}", value * scale), String::new()))
            }
            _ => None,
        };
        let name = match cell("model") {
            Some(Cell::Text(name)) => name.clone(),
            _ => String::new(),
        };
        if let Some((value, range)) = interval(cell("uacc"), 100.0, 1) {
            let several = table.rows.len() > 1;
            highlights.push(Highlight {
                label: if several { "Highest UAcc" } else { "UAcc" }.into(),
                value: if several { name } else { format!("{value} %") },
                detail: if several {
                    format!("{value} % ({range})")
                } else {
                    range
                },
                verdict: Verdict::Neutral,
            });
        }
        if let Some((value, range)) = interval(cell("set_size"), 1.0, 2) {
            highlights.push(Highlight {
                label: "Its mean set size".into(),
                value: format!("{value} options"),
                detail: range,
                verdict: Verdict::Neutral,
            });
        }
    }
    highlights.push(coverage(figures));
    let questions: usize = figures
        .tasks()
        .iter()
        .filter_map(|(task, _)| {
            let groups = figures.models.iter().flat_map(|model| model.of_task(task));
            groups.map(|group| group.split.test.len()).max()
        })
        .sum();
    highlights.push(Highlight {
        label: "Rests on".into(),
        value: format!("{questions} test questions"),
        detail: format!(
            "{} tasks, {} prompt strategies",
            figures.tasks().len(),
            figures.strategies().len()
        ),
        verdict: Verdict::Neutral,
    });
    highlights
}

fn coverage(figures: &Figures<'_>) -> Highlight {
    let verdicts = figures.coverage_verdicts();
    let count = |wanted| {
        verdicts
            .iter()
            .filter(|&&verdict| verdict == wanted)
            .count()
    };
    let (all, low, vacuous) = (
        verdicts.len(),
        count(CoverageVerdict::TooLow),
        count(CoverageVerdict::Vacuous),
    );
    let promise = (1.0 - figures.settings.config.alpha) * 100.0;
    // About one in forty falls too low by chance alone.
    let expected = all as f64 / 40.0;
    let kept = low as f64 <= expected + 2.0 * expected.sqrt() + 0.5;
    Highlight {
        label: format!("Coverage of {promise:.0} %"),
        value: match (vacuous == all, kept) {
            (true, _) => "cannot be told",
            (_, true) => "kept",
            (_, false) => "broken",
        }
        .into(),
        detail: if vacuous == all {
            "too few calibration questions".into()
        } else {
            format!("LAC falls short in {low} of {all} groups")
        },
        verdict: match (vacuous == all, kept) {
            (true, _) => Verdict::Neutral,
            (_, true) => Verdict::Kept,
            (_, false) => Verdict::Missed,
        },
    }
}
