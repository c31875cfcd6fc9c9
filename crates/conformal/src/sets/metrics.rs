//! Metrics of prediction sets.

use serde::{Deserialize, Serialize};

use super::scheme::distinct;
use super::{Scores, Sets};
use crate::{Table, uacc};

/// Rows whose sets have the same size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SizeStratum {
    /// Options in each of these sets.
    pub size: usize,
    /// Rows.
    pub n: usize,
    /// Share of them whose set contains the right option.
    pub coverage: f64,
    /// Share of them whose most probable option is right (Ye et al. 2024, Table 6).
    pub accuracy: f64,
}

/// Test rows of one class (the right option's index) or category.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GroupCoverage {
    /// Index of the option, or number of the category.
    pub group: u32,
    /// Test rows; at least one.
    pub n: usize,
    /// Calibration rows.
    pub n_calibration: usize,
    /// Test rows whose set contains the right option.
    pub covered: usize,
    /// Their share.
    pub coverage: f64,
    /// Mean set size.
    pub set_size: f64,
    /// Share of test rows whose most probable option is right.
    pub accuracy: f64,
}

/// Metrics of the sets of one score under one scheme, after empty sets are filled. Every share and
/// mean is NaN without rows.
///
/// Of several right options, a set contains "the right option" if it covers as the view's
/// [`Covers`](crate::Covers) says, and the class of the row is that of the option that
/// [decides](crate::Covers::deciding).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetMetrics {
    /// Test rows.
    pub n: usize,
    /// Rows whose most probable option is right.
    pub correct: usize,
    /// Rows whose set contains the right option.
    pub covered: usize,
    /// Accuracy: `correct / n`.
    pub acc: f64,
    /// Coverage: `covered / n`.
    pub coverage: f64,
    /// Mean number of options in a set.
    pub set_size: f64,
    /// `Acc · √|Y| / SS`; |Y| is the mean number of options.
    pub uacc: f64,
    /// `sizes[k]`: sets of k options, for k from 0 (always none) to the table's stride.
    pub sizes: Vec<usize>,
    /// Share of sets that were empty before filling.
    pub empty_rate: f64,
    /// Share of sets of one option, filled ones among them.
    pub singleton_rate: f64,
    /// Share of these that contain the right option; `None` without any.
    pub singleton_accuracy: Option<f64>,
    /// One per size that occurs, ascending.
    pub strata: Vec<SizeStratum>,
    /// Size-stratified coverage violation: the largest |coverage − (1 − α)| over the strata
    /// (Angelopoulos et al. 2021, section 4; a stratum here is one size).
    pub sscv: f64,
    /// One per class that occurs among the test rows, ascending.
    pub by_class: Vec<GroupCoverage>,
    /// Mean |coverage − (1 − α)| over the classes, a fraction (`CovGap` of Ding et al. 2023,
    /// section 3.1, where it is in percent).
    pub class_gap: f64,
    /// One per category that occurs among the test rows, ascending. Omits rows without a category.
    pub by_category: Vec<GroupCoverage>,
    /// The same mean over the categories; `None` without any.
    pub category_gap: Option<f64>,
}

/// Counts over a group of rows.
#[derive(Debug, Clone, Copy, Default)]
struct GroupCounts {
    n: usize,
    n_calibration: usize,
    correct: usize,
    covered: usize,
    size: usize,
}

impl GroupCounts {
    fn add(&mut self, correct: bool, covered: bool, size: usize) {
        self.n += 1;
        self.correct += usize::from(correct);
        self.covered += usize::from(covered);
        self.size += size;
    }

    fn share(&self, part: usize) -> f64 {
        part as f64 / self.n as f64
    }

    fn group(&self, group: u32) -> GroupCoverage {
        GroupCoverage {
            group,
            n: self.n,
            n_calibration: self.n_calibration,
            covered: self.covered,
            coverage: self.share(self.covered),
            set_size: self.share(self.size),
            accuracy: self.share(self.correct),
        }
    }
}

/// The metrics of `sets`. `calibration` are the rows that set the thresholds at error rate `alpha`;
/// `scores` and `table` are those of the sets.
///
/// # Panics
/// If a row does not exist.
pub fn set_metrics(
    sets: &Sets,
    scores: &Scores,
    table: &Table,
    calibration: &[usize],
    alpha: f64,
) -> SetMetrics {
    let occurring = distinct(table.categories());
    let category = |row: usize| {
        table.categories()[row].and_then(|category| occurring.binary_search(&category).ok())
    };
    let mut total = GroupCounts::default();
    let mut strata = vec![GroupCounts::default(); scores.stride() + 1];
    let mut classes = vec![GroupCounts::default(); scores.stride()];
    let mut categories = vec![GroupCounts::default(); occurring.len()];
    let mut options = 0;
    for (&row, set) in sets.rows.iter().zip(&sets.sets) {
        let (correct, size) = (scores.correct(row), set.len());
        let covered = scores.view().covers.holds(*set, table.right(row));
        total.add(correct, covered, size);
        strata[size].add(correct, covered, size);
        classes[scores.answer(row)].add(correct, covered, size);
        if let Some(place) = category(row) {
            categories[place].add(correct, covered, size);
        }
        options += scores.options(row);
    }
    for &row in calibration {
        classes[scores.answer(row)].n_calibration += 1;
        if let Some(place) = category(row) {
            categories[place].n_calibration += 1;
        }
    }

    let violation = |coverage: f64| (coverage - (1.0 - alpha)).abs();
    let strata_that_occur: Vec<SizeStratum> = strata
        .iter()
        .enumerate()
        .filter(|(_, counts)| counts.n > 0)
        .map(|(size, counts)| SizeStratum {
            size,
            n: counts.n,
            coverage: counts.share(counts.covered),
            accuracy: counts.share(counts.correct),
        })
        .collect();
    let by_class = groups((0..).zip(&classes));
    let by_category = groups(occurring.iter().copied().zip(&categories));
    let gap = |groups: &[GroupCoverage]| {
        let gaps = groups.iter().map(|group| violation(group.coverage));
        gaps.sum::<f64>() / groups.len() as f64
    };
    let empty = sets.was_empty.iter().filter(|&&empty| empty).count();
    let acc = total.share(total.correct);
    let set_size = total.share(total.size);
    let singletons = strata.get(1).copied().unwrap_or_default();
    SetMetrics {
        n: total.n,
        correct: total.correct,
        covered: total.covered,
        acc,
        coverage: total.share(total.covered),
        set_size,
        uacc: uacc(acc, total.share(options), set_size),
        sizes: strata.iter().map(|counts| counts.n).collect(),
        empty_rate: total.share(empty),
        singleton_rate: total.share(singletons.n),
        singleton_accuracy: (singletons.n > 0).then(|| singletons.share(singletons.covered)),
        sscv: strata_that_occur
            .iter()
            .map(|stratum| violation(stratum.coverage))
            .reduce(f64::max)
            .unwrap_or(f64::NAN),
        strata: strata_that_occur,
        class_gap: gap(&by_class),
        by_class,
        category_gap: (!by_category.is_empty()).then(|| gap(&by_category)),
        by_category,
    }
}

fn groups<'a>(counts: impl Iterator<Item = (u32, &'a GroupCounts)>) -> Vec<GroupCoverage> {
    counts
        .filter(|(_, counts)| counts.n > 0)
        .map(|(group, counts)| counts.group(group))
        .collect()
}
