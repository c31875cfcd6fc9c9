//! Accuracy by the letter of the right option, and the probability of each letter.

use sureness_conformal::ProbabilityView;
use sureness_questions::letter;

use super::mean::{Valued, cell, mean};
use super::{Asked, place_columns};
use crate::modes::comparative::axis;
use crate::{Cell, Chart, ChartKind, Column, Dot, GroupRows, Reference, Table, Unit};

/// What is known of one letter.
#[derive(Default)]
struct OfLetter {
    /// Whether the answer is right, of questions whose right option stands there.
    right: [Vec<Valued>; 3],
    /// The letter's probability.
    probable: [Vec<Valued>; 3],
}

/// The questions as they are, in every order, all orders together.
const AS_IS: usize = 0;
const EVERY: usize = 1;
const TOGETHER: usize = 2;

/// A row per model, task, prompt strategy and letter.
pub(super) fn table(asked: &[Asked<'_>]) -> Table {
    let mut columns = place_columns();
    columns.extend([
        Column::text("letter", "Letter"),
        Column::new("n", "n right", Unit::Count)
            .help("Questions whose right option stands at this letter as they are."),
        Column::new("acc", "Acc as asked", Unit::Percent)
            .help("Share of these that are answered right."),
        Column::new("acc_orders", "Acc every order", Unit::Percent)
            .help("Share of all turned questions that are answered right in the order that shows the right option at this letter. Over all orders these are the same questions for every letter."),
        Column::new("acc_together", "Acc together", Unit::Percent)
            .help("As the first, by all orders together: averaged or corrected."),
        Column::new("p", "P as asked", Unit::Percent).help("Mean probability of the letter."),
        Column::new("p_orders", "P every order", Unit::Percent)
            .help("Its mean over the orders. Where each option stands at each letter once, letters differ by their own prior alone."),
        Column::new("p_together", "P together", Unit::Percent)
            .help("Mean probability of the option that stands at this letter as asked, by all orders together."),
    ]);
    let rows = asked.iter().flat_map(|of| {
        let letters = letters(of).into_iter().enumerate();
        letters.map(|(index, letter)| row(of, index, &letter))
    });
    Table {
        id: "order-letters".into(),
        title: "Letters".into(),
        caption: "Over all answered questions, calibration and test; questions with several right options count in probabilities alone. Intervals are over clusters of questions.".into(),
        rows: rows.collect(),
        columns,
        ..Table::default()
    }
}

fn row(asked: &Asked<'_>, index: usize, of: &OfLetter) -> Vec<Cell> {
    let mut row = asked.place(&asked.rows.id.strategy);
    row.push(Cell::text(letter(index).to_string()));
    row.push(Cell::count(of.right[AS_IS].len()));
    let shares = of.right.iter().chain(&of.probable);
    row.extend(shares.map(|values| cell(values, asked.level)));
    row
}

/// What is known of each letter, in their order.
fn letters(asked: &Asked<'_>) -> Vec<OfLetter> {
    let mut letters: Vec<OfLetter> = Vec::new();
    letters.resize_with(asked.as_is().table.stride(), OfLetter::default);
    add_group(&mut letters, AS_IS, asked.as_is(), asked);
    add_group(&mut letters, TOGETHER, &asked.rows.derived, asked);
    for seen in &asked.seen {
        let cluster = seen.question.cluster;
        for (index, of) in letters.iter_mut().enumerate() {
            let right = seen.right_at(index);
            // An abstention option that is right stays at its letter in every order.
            let right = right.filter(|_| index < seen.question.turns[0].own());
            of.right[EVERY].extend(right.map(|right| (f64::from(u8::from(right)), cluster)));
            of.probable[EVERY].extend(seen.letter(index).map(|value| (value, cluster)));
        }
    }
    letters
}

/// Adds questions by the letters at which their options stand as they are.
fn add_group(letters: &mut [OfLetter], which: usize, group: &GroupRows, asked: &Asked<'_>) {
    let mut rows = ProbabilityView::new(&asked.view);
    let clusters = group.table.clusters();
    for (row, cluster) in group.table.rows().zip(clusters) {
        rows.load(&row);
        let probable = letters.iter_mut().zip(rows.probabilities());
        probable.for_each(|(of, value)| of.probable[which].push((*value, *cluster)));
        if let Some(right) = row.right.only()
            && let Some(of) = letters.get_mut(right)
        {
            let correct = rows.order().top() == right;
            of.right[which].push((f64::from(u8::from(correct)), *cluster));
        }
    }
}

/// Accuracy by letter and the letters' probabilities: two charts per model, task and prompt strategy.
pub(super) fn charts(asked: &[Asked<'_>]) -> Vec<Chart> {
    let charts = asked.iter().enumerate().flat_map(|(index, of)| {
        let letters = letters(of);
        [accuracy(index, of, &letters), priors(index, of, &letters)]
    });
    charts.collect()
}

fn name(asked: &Asked<'_>) -> String {
    format!(
        "{}: {}, {}",
        asked.model, asked.rows.title, asked.rows.id.strategy
    )
}

fn together(asked: &Asked<'_>) -> &'static str {
    if asked.is_part() {
        "corrected"
    } else {
        "averaged"
    }
}

fn accuracy(index: usize, asked: &Asked<'_>, letters: &[OfLetter]) -> Chart {
    let series = ["as asked", "every order", together(asked)];
    Chart {
        id: format!("order-accuracy-{}", index + 1),
        title: format!("{}, accuracy by letter of the right option", name(asked)),
        caption: "Without a preference for letters, \"every order\" has the same accuracy at each letter, but for chance."
            .into(),
        kind: ChartKind::Dots {
            axis: axis("Accuracy", Unit::Percent),
            rows: dots(letters, asked, |of| &of.right, series),
            reference: None,
        },
    }
}

fn priors(index: usize, asked: &Asked<'_>, letters: &[OfLetter]) -> Chart {
    let series = ["as asked", "every order", together(asked)];
    Chart {
        id: format!("order-prior-{}", index + 1),
        title: format!("{}, probability of letters", name(asked)),
        caption: "The mean probability of each letter; \"every order\" is its prior, whatever stands there. The line is the even share of the letters that are turned.".into(),
        kind: ChartKind::Dots {
            axis: axis("Mean probability", Unit::Percent),
            rows: dots(letters, asked, |of| &of.probable, series),
            reference: even(asked, letters),
        },
    }
}

/// The mean over the turned letters, where all questions have equally many.
fn even(asked: &Asked<'_>, letters: &[OfLetter]) -> Option<Reference> {
    let own = asked.seen.first()?.question.turns[0].own();
    let alike = asked
        .seen
        .iter()
        .all(|seen| seen.question.turns[0].own() == own);
    let means = letters.iter().take(own);
    let means = means.filter_map(|of| Some(mean(&of.probable[EVERY], asked.level)?.0));
    alike.then(|| Reference::At(means.sum::<f64>() / own as f64))
}

fn dots(
    letters: &[OfLetter],
    asked: &Asked<'_>,
    of: impl Fn(&OfLetter) -> &[Vec<Valued>; 3],
    series: [&str; 3],
) -> Vec<Dot> {
    let mut dots = Vec::new();
    for (index, letter_values) in letters.iter().enumerate() {
        for (values, series) in of(letter_values).iter().zip(series) {
            dots.extend(mean(values, asked.level).map(|(value, interval)| Dot {
                label: letter(index).to_string(),
                series: series.to_owned(),
                value,
                interval,
            }));
        }
    }
    dots
}
