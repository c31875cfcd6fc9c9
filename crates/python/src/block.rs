//! Rows without surprises, many at a time.
//!
//! For the usual numbers of options the compiler unrolls what is done to a row, several times as fast
//! as [`Reader`](crate::reader::Reader), which is left the rest: rows with ties, with several right
//! options, with an empty set to fill, and those that are no probabilities.

use std::borrow::Cow;
use std::ops::Range;

use sureness_conformal::{Arithmetic, Ranked, RightOptions, Score, Threshold};

use crate::arrays::Rows;
use crate::reader::{Native, Rule, is_distribution};

/// Rows of `N` options, converted where they come in the other precision.
fn arrays<F: Native, const N: usize>(rows: Rows<'_>, range: Range<usize>) -> Cow<'_, [[F; N]]> {
    if let Some(all) = F::of(&rows.values) {
        return Cow::Borrowed(&all.as_chunks::<N>().0[range]);
    }
    let mut converted = Vec::with_capacity(N);
    let array = |row| {
        rows.row(row).copy_to(&mut converted);
        std::array::from_fn(|option| converted[option])
    };
    Cow::Owned(range.map(array).collect())
}

/// The nonconformity score of the right option of each row from `first` on, and the rows that are left,
/// counted from there.
pub(crate) fn scores<F: Native>(
    rows: Rows<'_>,
    first: usize,
    right: &[RightOptions],
    rule: Rule,
) -> (Vec<F>, Vec<usize>) {
    let range = first..first + right.len();
    match rows.options {
        4 => scores_of::<F, 4>(&arrays(rows, range), right, rule),
        5 => scores_of::<F, 5>(&arrays(rows, range), right, rule),
        6 => scores_of::<F, 6>(&arrays(rows, range), right, rule),
        _ => (vec![F::ZERO; range.len()], (0..range.len()).collect()),
    }
}

fn scores_of<F: Native, const N: usize>(
    rows: &[[F; N]],
    right: &[RightOptions],
    rule: Rule,
) -> (Vec<F>, Vec<usize>) {
    match rule.score {
        Score::Lac => scores_by(rows, right, |row, option| (rule.lac(row[option]), true)),
        Score::Aps => scores_by(rows, right, |row, option| {
            let ranked = Ranked::aps(row, rule.arithmetic());
            let score = ranked.map(|ranked| ranked.score(row[option]));
            (score.unwrap_or(F::ZERO), score.is_some())
        }),
    }
}

/// `of` gives a score, and whether it is one: with an `Option` the loop takes twice as long.
fn scores_by<F: Native, const N: usize>(
    rows: &[[F; N]],
    right: &[RightOptions],
    of: impl Fn(&[F; N], usize) -> (F, bool),
) -> (Vec<F>, Vec<usize>) {
    let (mut scores, mut left) = (Vec::with_capacity(rows.len()), Vec::new());
    for (index, (row, right)) in rows.iter().zip(right).enumerate() {
        let (score, is_one) = of(row, right.first().min(N - 1));
        scores.push(score);
        if !(is_one & is_distribution(row) & (right.count() == 1)) {
            left.push(index);
        }
    }
    (scores, left)
}

/// Writes the prediction set of each row from `first` on; returns the rows that are left, counted from
/// there.
pub(crate) fn sets<F: Native>(
    rows: Rows<'_>,
    first: usize,
    rule: Rule,
    threshold: Threshold<F>,
    fill: bool,
    into: &mut [bool],
) -> Vec<usize> {
    let range = first..first + into.len() / rows.options;
    match rows.options {
        4 => sets_of::<F, 4>(&arrays(rows, range), rule, threshold, fill, into),
        5 => sets_of::<F, 5>(&arrays(rows, range), rule, threshold, fill, into),
        6 => sets_of::<F, 6>(&arrays(rows, range), rule, threshold, fill, into),
        _ => (0..range.len()).collect(),
    }
}

fn sets_of<F: Native, const N: usize>(
    rows: &[[F; N]],
    rule: Rule,
    threshold: Threshold<F>,
    fill: bool,
    into: &mut [bool],
) -> Vec<usize> {
    let into = into.as_chunks_mut::<N>().0;
    match (rule.score, rule.arithmetic(), threshold) {
        // As `Score::set` compares.
        (Score::Lac, Arithmetic::Script, Threshold::Finite(threshold)) => {
            let least = F::ONE - threshold;
            sets_by(rows, fill, into, |row| (row.map(|p| p >= least), true))
        }
        (Score::Lac, Arithmetic::Definition, Threshold::Finite(threshold)) => {
            sets_by(rows, fill, into, |row| {
                (row.map(|p| F::ZERO - p <= threshold), true)
            })
        }
        (Score::Aps, arithmetic, _) => sets_by(rows, fill, into, |row| {
            let ranked = Ranked::aps(row, arithmetic);
            let least = ranked.and_then(|ranked| ranked.least(threshold));
            (
                row.map(|p| least.is_some_and(|least| p >= least)),
                least.is_some(),
            )
        }),
        (Score::Lac, _, Threshold::Infinite) => (0..rows.len()).collect(),
    }
}

/// `of` gives a set, and whether it is one.
fn sets_by<F: Native, const N: usize>(
    rows: &[[F; N]],
    fill: bool,
    into: &mut [[bool; N]],
    of: impl Fn(&[F; N]) -> ([bool; N], bool),
) -> Vec<usize> {
    let mut left = Vec::new();
    for (index, (row, into)) in rows.iter().zip(into).enumerate() {
        let (set, is_one) = of(row);
        *into = set;
        let is_enough = set.iter().fold(!fill, |any, &is_in| any | is_in);
        if !(is_one & is_distribution(row) & is_enough) {
            left.push(index);
        }
    }
    left
}
