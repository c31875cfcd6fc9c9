//! Answering with a promise, as a table.

use sureness_conformal::{AnswerRule, Answered, Promises};

use crate::text::percent;
use crate::{Cell, Column, Table, Unit};

/// The table of answering with a promise, a row each for `rows`, which begin with cells for the
/// columns `first`. `None` without rows.
pub(crate) fn table(
    first: Vec<Column>,
    rows: impl IntoIterator<Item = (Vec<Cell>, Promises)>,
) -> Option<Table> {
    let rows: Vec<(Vec<Cell>, Promises)> = rows.into_iter().collect();
    let (_, promises) = rows.first()?;
    let caption = caption(promises);
    Some(Table {
        id: "promises".into(),
        title: "Answering with a promise".into(),
        caption,
        columns: first.into_iter().chain(columns()).collect(),
        rows: rows
            .into_iter()
            .map(|(cells, promises)| cells.into_iter().chain(row(&promises)).collect())
            .collect(),
        ..Table::default()
    })
}

fn caption(promises: &Promises) -> String {
    let alpha = percent(promises.alpha);
    format!(
        "The model answers only where it is surer than a threshold of the calibration questions. \
         First promise: at most {alpha} % of all questions are answered wrongly, on average. Second: \
         at most {alpha} % of the answers are wrong, in {} % of the calibration sets. Shares are of \
         the test questions.",
        percent(1.0 - promises.delta)
    )
}

fn columns() -> [Column; 6] {
    [
        Column::new("all_threshold", "Surer than", Unit::Number(3))
            .help("Threshold of the first promise."),
        Column::new("all_answered", "Answered", Unit::Percent)
            .higher()
            .help("Share of questions that are answered under the first promise."),
        Column::new("all_wrong", "Wrong of all", Unit::Percent)
            .help("Share of all questions that are then answered wrongly."),
        Column::new("given_threshold", "Surer than", Unit::Number(3))
            .help("Threshold of the second promise."),
        Column::new("given_answered", "Answered", Unit::Percent)
            .higher()
            .help("Share of questions that are answered under the second promise."),
        Column::new("given_wrong", "Wrong of these", Unit::Percent)
            .help("Share of these answers that are wrong."),
    ]
}

fn row(promises: &Promises) -> [Cell; 6] {
    let (all, given) = (&promises.of_all, &promises.of_answered);
    [
        threshold(all),
        Cell::figure(all.answered_share()),
        Cell::figure(all.wrong_of_all()),
        threshold(given),
        Cell::figure(given.answered_share()),
        Cell::maybe(given.wrong_of_answered()),
    ]
}

fn threshold(answered: &Answered) -> Cell {
    match answered.rule {
        AnswerRule::Everything => Cell::text("all"),
        AnswerRule::SurerThan(threshold) => Cell::figure(threshold),
        AnswerRule::Nothing => Cell::text("none"),
    }
}
