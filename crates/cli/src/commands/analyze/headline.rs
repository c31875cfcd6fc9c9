//! The highlights at the top of the page.

mod open;

use sureness_analysis::number::{counted, figure as number};
use sureness_analysis::{Cell, Document, Figures, Table, Unit};
use sureness_report::html::{Highlight, Verdict};

/// The best model, coverage, and the number of questions; of open questions alone, how often the answers
/// are right, and whether entropy tells which.
pub(super) fn highlights(figures: &Figures<'_>, document: &Document) -> Vec<Highlight> {
    if figures.models.is_empty() {
        return open::highlights(figures);
    }
    let mut highlights = Vec::new();
    let tables = document.sections.iter().flat_map(|section| &section.tables);
    let mut boards = tables.filter(|table| table.id == "leaderboard");
    // An unranked table of several models has no best model.
    let board = boards.next().filter(|board| {
        board.rows.len() == 1 || board.columns.iter().any(|column| column.key == "ranks")
    });
    if let Some(board) = board {
        let name = names_of_best(board);
        if let Some((value, range)) = figure(board, "uacc") {
            let several = board.rows.len() > 1;
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
        if let Some((value, range)) = figure(board, "set_size") {
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
        label: "Based on".into(),
        value: counted(questions, "test question"),
        detail: format!(
            "{}, {}",
            counted(figures.tasks().len(), "task"),
            counted(figures.strategies().len(), "prompt strategy")
        ),
        verdict: Verdict::Neutral,
    });
    highlights
}

/// The best model, or all that have its UAcc.
fn names_of_best(board: &Table) -> String {
    let of = |row: &[Cell], key: &str| {
        let index = board.columns.iter().position(|column| column.key == key)?;
        row.get(index).cloned()
    };
    let value = |row: &[Cell]| match of(row, "uacc") {
        Some(Cell::Figure { value, .. }) => Some(value),
        _ => None,
    };
    let best = board.rows.first().and_then(|row| value(row));
    let equal = |row: &&Vec<Cell>| {
        let difference = value(row).zip(best).map(|(value, best)| value - best);
        difference.is_some_and(|difference| difference.abs() < 1e-12)
    };
    let names = board
        .rows
        .iter()
        .filter(equal)
        .filter_map(|row| match of(row, "model") {
            Some(Cell::Text(name)) => Some(name),
            _ => None,
        });
    names.collect::<Vec<String>>().join(", ")
}

/// The best model's cell in a column, with the column's unit.
fn best<'a>(board: &'a Table, key: &str) -> Option<(&'a Cell, Unit)> {
    let index = board.columns.iter().position(|column| column.key == key)?;
    let cell = board.rows.first()?.get(index)?;
    Some((cell, board.columns.get(index)?.unit))
}

/// The best model's figure in a column, and its interval in words.
fn figure(board: &Table, key: &str) -> Option<(String, String)> {
    let (cell, unit) = best(board, key)?;
    let Cell::Figure {
        value, low, high, ..
    } = cell
    else {
        return None;
    };
    let range = low.zip(*high).map_or_else(String::new, |(low, high)| {
        format!("{} to {}", number(low, unit), number(high, unit))
    });
    Some((number(*value, unit), range))
}

fn coverage(figures: &Figures<'_>) -> Highlight {
    let promise = figures.promise();
    let alpha = figures.settings.config.alpha;
    let share = (1.0 - alpha) * 100.0;
    let kept = promise.kept(alpha);
    let (value, verdict) = match kept {
        None => ("unknown", Verdict::Neutral),
        Some(true) => ("kept", Verdict::Kept),
        Some(false) => ("broken", Verdict::Missed),
    };
    let of = format!("of {} groups", promise.told);
    Highlight {
        label: format!("Coverage of {} %", (share * 10.0).round() / 10.0),
        value: value.into(),
        detail: match (kept, promise.low) {
            (None, _) => "too few questions".into(),
            (Some(true), 0) => format!("LAC falls short in 0 {of}"),
            (Some(true), low) => format!("LAC falls short in {low} {of}, as by chance"),
            (Some(false), _) => format!("LAC falls short in {} {of}", promise.broken),
        },
        verdict,
    }
}
