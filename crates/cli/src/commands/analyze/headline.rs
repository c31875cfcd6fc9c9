//! The figures at the top of the page.

use sureness_analysis::{Cell, Document, Figures};
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
    let promise = figures.promise();
    let share = (1.0 - figures.settings.config.alpha) * 100.0;
    let (value, verdict) = match promise.kept() {
        None => ("cannot be told", Verdict::Neutral),
        Some(true) => ("kept", Verdict::Kept),
        Some(false) => ("broken", Verdict::Missed),
    };
    let of = format!("of {} groups", promise.told);
    Highlight {
        label: format!("Coverage of {} %", (share * 10.0).round() / 10.0),
        value: value.into(),
        detail: match (promise.kept(), promise.low) {
            (None, _) => "too few calibration questions".into(),
            (Some(true), 0) => format!("LAC falls short in 0 {of}"),
            (Some(true), low) => format!("LAC falls short in {low} {of}, as by chance"),
            (Some(false), _) => format!("LAC falls short in {} {of}", promise.broken),
        },
        verdict,
    }
}
