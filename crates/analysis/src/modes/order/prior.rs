//! The prior of the letters (`PriDe`), and how far a correction by it is from all orders.

use std::collections::HashMap;

use sureness_conformal::{LetterPrior, ProbabilityView, Row};
use sureness_questions::{letter, prior_sample};
use sureness_record::{OrderOf, Orders};

use super::mean::{Valued, cell};
use super::seen::{Seen, row_of};
use super::{Asked, place_columns};
use crate::{Cell, Column, GroupId, GroupRows, Table, Unit};

/// The priors by number of own options.
type Priors = HashMap<usize, LetterPrior>;

/// The prior of each letter, and the error of a correction by it.
pub(super) fn tables(asked: &[Asked<'_>], seed: u64) -> Vec<Table> {
    let complete: Vec<&Asked<'_>> = asked
        .iter()
        .filter(|of| of.seen.iter().any(is_whole))
        .collect();
    if complete.is_empty() {
        return Vec::new();
    }
    vec![of_letters(&complete), errors(&complete, seed)]
}

/// Whether a question was asked in all its orders, so that each option stood at each letter.
fn is_whole(seen: &Seen<'_>) -> bool {
    seen.tops.len() == seen.question.turns[0].orders()
}

fn own(seen: &Seen<'_>) -> usize {
    seen.question.turns[0].own()
}

/// Log-probabilities by letter, order by order.
fn by_letter(seen: &Seen<'_>) -> Vec<Vec<f64>> {
    let orders = seen.question.turns.iter().zip(&seen.question.logits);
    let shown = orders.map(|(turn, logits)| {
        let mut shown = logits.clone();
        turn.show(&mut shown);
        shown
    });
    shown.collect()
}

fn prior_of(own: usize, questions: &[&Seen<'_>]) -> Option<LetterPrior> {
    let letters: Vec<Vec<Vec<f64>>> = questions.iter().map(|seen| by_letter(seen)).collect();
    let orders = letters
        .iter()
        .map(|orders| orders.iter().map(Vec::as_slice));
    LetterPrior::of(own, orders)
}

/// The questions from which `--orders auto` estimates the prior: those that it asked in every order, or as
/// many of a run in every order.
fn sampled<'a, 'b>(asked: &'b Asked<'a>, seed: u64) -> Vec<&'b Seen<'a>> {
    if asked.is_part() {
        return asked.seen.iter().filter(|seen| is_whole(seen)).collect();
    }
    let keys: Vec<[u8; 32]> = asked.seen.iter().map(|seen| seen.question.key).collect();
    let owns: Vec<usize> = asked.seen.iter().map(own).collect();
    let marked = prior_sample(&keys, &owns, Orders::SHARE, seed, &asked.rows.id.task);
    let marked = asked.seen.iter().zip(marked);
    marked
        .filter_map(|(seen, marked)| (marked && is_whole(seen)).then_some(seen))
        .collect()
}

fn priors(asked: &Asked<'_>, seed: u64) -> Priors {
    let mut by_own: HashMap<usize, Vec<&Seen<'_>>> = HashMap::new();
    for seen in sampled(asked, seed) {
        by_own.entry(own(seen)).or_default().push(seen);
    }
    let priors = by_own.iter();
    priors
        .filter_map(|(own, questions)| Some((*own, prior_of(*own, questions)?)))
        .collect()
}

/// What `--orders auto` would give, of a run in every order; `None` of one in some orders, or of `auto`
/// itself.
pub(super) fn corrected(asked: &Asked<'_>, seed: u64) -> Option<GroupRows> {
    if asked.is_part() || !asked.seen.iter().any(is_whole) {
        return None;
    }
    let priors = priors(asked, seed);
    let questions = asked.rows.questions.iter();
    let owns: HashMap<&[u8; 32], usize> = questions
        .filter_map(|question| Some((&question.key, question.turns.first()?.own())))
        .collect();
    let as_is = asked.as_is();
    let mut table = sureness_conformal::Table::new(as_is.table.stride());
    for (index, key) in as_is.table.keys().iter().enumerate() {
        let row = as_is.table.row(index);
        let mut logits: Vec<f64> = row.logits.iter().collect();
        if let Some(prior) = owns.get(key).and_then(|own| priors.get(own)) {
            prior.correct(&mut logits);
        }
        let row = Row {
            logits: (&logits).into(),
            ..row
        };
        // The row is that of a table, with other finite scores.
        let _ = table.push(*key, &row, as_is.table.categories()[index]);
    }
    Some(GroupRows {
        id: GroupId {
            task: as_is.id.task.clone(),
            strategy: OrderOf::Corrected.name(&as_is.id.strategy),
        },
        table,
        ..as_is.clone()
    })
}

/// A row per letter: its prior over all questions that were asked in every order.
fn of_letters(asked: &[&Asked<'_>]) -> Table {
    let mut columns = place_columns();
    columns.extend([
        Column::new("own", "Options", Unit::Count)
            .help("Options of their own that questions have."),
        Column::new("n", "n", Unit::Count).help("Questions asked in all their orders."),
        Column::text("letter", "Letter"),
        Column::new("prior", "Prior", Unit::Percent).help(
            "The letter's share of the probability of all turned letters, whatever stands there.",
        ),
    ]);
    Table {
        id: "order-prior".into(),
        title: "Prior of the letters".into(),
        caption: "By PriDe: the softmax of each letter's mean log-probability over the orders of a question, then the mean over questions.".into(),
        rows: asked.iter().flat_map(|of| letter_rows(of)).collect(),
        columns,
        ..Table::default()
    }
}

fn letter_rows(asked: &Asked<'_>) -> Vec<Vec<Cell>> {
    let whole = || asked.seen.iter().filter(|seen| is_whole(seen));
    let mut owns: Vec<usize> = whole().map(own).collect();
    owns.sort_unstable();
    owns.dedup();
    let mut rows = Vec::new();
    for number in owns {
        let of_number: Vec<&Seen<'_>> = whole().filter(|seen| own(seen) == number).collect();
        let each: Vec<Option<LetterPrior>> = of_number
            .iter()
            .map(|seen| prior_of(number, &[seen]))
            .collect();
        for index in 0..number {
            let values = of_number.iter().zip(&each);
            let values = values.filter_map(|(seen, prior)| {
                Some((*prior.as_ref()?.shares().get(index)?, seen.question.cluster))
            });
            let values: Vec<Valued> = values.collect();
            let mut row = asked.place(&asked.rows.id.strategy);
            row.extend([
                Cell::count(number),
                Cell::count(values.len()),
                Cell::text(letter(index).to_string()),
                cell(&values, asked.level),
            ]);
            rows.push(row);
        }
    }
    rows
}

/// How far the questions as they are, and those without the prior, are from all orders.
fn errors(asked: &[&Asked<'_>], seed: u64) -> Table {
    let mut columns = place_columns();
    columns.extend([
        Column::new("prior_n", "n prior", Unit::Count).help("Questions that the prior is estimated from."),
        Column::new("n", "n", Unit::Count).help("Questions asked in all their orders."),
        Column::new("moved", "As asked: distance", Unit::Percent)
            .help("Mean total variation distance from the mean over all orders: half the sum of absolute differences of the options' probabilities."),
        Column::new("corrected_moved", "Corrected: distance", Unit::Percent),
        Column::new("answers", "As asked: other answer", Unit::Percent)
            .help("Share of questions whose answer is not that of the mean over all orders."),
        Column::new("corrected_answers", "Corrected: other answer", Unit::Percent),
    ]);
    Table {
        id: "order-pride".into(),
        title: "Correction by the prior, beside all orders".into(),
        caption: "The prior of --orders auto, from a tenth of the questions drawn with the run's seed. Where only these were asked in every order, distances are measured on them, and may be smaller than on other questions.".into(),
        rows: asked.iter().map(|of| error_row(of, seed)).collect(),
        columns,
        ..Table::default()
    }
}

fn error_row(asked: &Asked<'_>, seed: u64) -> Vec<Cell> {
    let priors = priors(asked, seed);
    let mut values: [Vec<Valued>; 4] = Default::default();
    let mut rows = ProbabilityView::new(&asked.view);
    for seen in asked.seen.iter().filter(|seen| is_whole(seen)) {
        let mut logits = seen.question.logits[0].clone();
        if let Some(prior) = priors.get(&own(seen)) {
            prior.correct(&mut logits);
        }
        rows.load(&row_of(seen.question, &logits));
        let differs = |top: usize| f64::from(u8::from(top != seen.mean_top));
        let found = [
            distance(&seen.probabilities[0], &seen.mean),
            distance(rows.probabilities(), &seen.mean),
            differs(seen.tops[0]),
            differs(rows.order().top()),
        ];
        for (values, found) in values.iter_mut().zip(found) {
            values.push((found, seen.question.cluster));
        }
    }
    let mut row = asked.place(&asked.rows.id.strategy);
    let of_prior = priors.values().map(LetterPrior::questions).sum();
    row.extend([Cell::count(of_prior), Cell::count(values[0].len())]);
    row.extend(values.iter().map(|values| cell(values, asked.level)));
    row
}

/// Total variation distance.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0
}
