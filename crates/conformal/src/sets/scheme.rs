//! Thresholds for all rows, per class or per category, and their prediction sets.

use serde::{Deserialize, Serialize};

use super::Scores;
use crate::{PredictionSet, Table, Threshold};

/// The rows for which coverage is guaranteed.
///
/// A group has a threshold of its own only if it has at least `least` calibration rows; smaller
/// groups use the threshold of all rows, without a guarantee of their own. With `least` 0 the
/// guarantee holds for every group: one with too few rows for a finite threshold has an infinite
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// One threshold: over all rows together (Papadopoulos et al. 2002; Vovk et al. 2005).
    Split,
    /// One threshold per option index, set by the rows whose right option it is: for the rows of
    /// each right option (Vovk 2012, "Conditional validity of inductive conformal predictors").
    /// Rows with several right options belong to the class of the one that
    /// [decides](crate::Covers::deciding). Under [`Covers::All`](crate::Covers::All) nothing is
    /// guaranteed for these: a set can hold that option and lack another, whose threshold is lower.
    ClassConditional {
        /// Minimum number of calibration rows of a class.
        least: usize,
    },
    /// One threshold per category: for the rows of each category (Vovk et al. 2005, section
    /// 4.5). Rows without a category use the threshold of all rows.
    Mondrian {
        /// Minimum number of calibration rows of a category.
        least: usize,
    },
}

impl Scheme {
    /// Minimum number of rows for a finite threshold under the standard protocol: `⌈1/α⌉ − 1`. A
    /// `least` below this can give infinite thresholds.
    pub fn least_for_finite(alpha: f64) -> usize {
        // The slack is that of `conformal_rank`: the ceiling of 1/0.1 must not be 11.
        ((1.0 / alpha - 1e-9).ceil() as usize).saturating_sub(1)
    }
}

/// Thresholds set on the calibration rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// The allowed share of sets without the right option.
    pub alpha: f64,
    /// Calibration rows.
    pub n: usize,
    /// Classes or categories that use the common threshold, ascending.
    pub fallbacks: Vec<u32>,
    common: Threshold<f64>,
    groups: Groups,
    /// Added to a threshold, gives a score.
    offset: f64,
}

#[derive(Debug, Clone, PartialEq)]
enum Groups {
    None,
    /// By option index.
    Classes(Vec<Threshold<f64>>),
    /// By category, ascending.
    Categories(Vec<(u32, Threshold<f64>)>),
}

impl Calibrated {
    /// The threshold of rows without a group, on the scale of comparison.
    pub(super) fn common(&self) -> Threshold<f64> {
        self.common
    }

    /// The threshold of all rows together; `None` where it is infinite.
    pub fn qhat(&self) -> Option<f64> {
        self.score(self.common)
    }

    fn score(&self, threshold: Threshold<f64>) -> Option<f64> {
        threshold.value().map(|value| value + self.offset)
    }

    /// The threshold of each class or category, ascending; `None` where it is infinite.
    /// Empty for [`Scheme::Split`].
    pub fn group_thresholds(&self) -> Vec<(u32, Option<f64>)> {
        match &self.groups {
            Groups::None => Vec::new(),
            Groups::Classes(classes) => (0..).zip(classes.iter().map(|&t| self.score(t))).collect(),
            Groups::Categories(categories) => categories
                .iter()
                .map(|&(c, t)| (c, self.score(t)))
                .collect(),
        }
    }

    /// The options of row `row` whose score is at most the threshold; may be empty. `scores` and
    /// `table` may differ from those of the calibration rows, but must have the same score and
    /// view.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn set(&self, scores: &Scores, table: &Table, row: usize) -> PredictionSet {
        let one = |threshold| within(scores, row, threshold);
        match &self.groups {
            Groups::None => one(self.common),
            Groups::Categories(thresholds) => one(table.categories()[row]
                .and_then(|category| {
                    let found = thresholds.binary_search_by_key(&category, |&(c, _)| c);
                    found.ok().map(|i| thresholds[i].1)
                })
                .unwrap_or(self.common)),
            Groups::Classes(thresholds) => {
                let mut set = PredictionSet::EMPTY;
                for (option, &score) in scores.compared(row).iter().enumerate() {
                    let threshold = thresholds.get(option).copied().unwrap_or(self.common);
                    if threshold == Threshold::Infinite || score <= scores.bound(threshold) {
                        set.insert(option);
                    }
                }
                set
            }
        }
    }
}

fn within(scores: &Scores, row: usize, threshold: Threshold<f64>) -> PredictionSet {
    let compared = scores.compared(row);
    if threshold == Threshold::Infinite {
        return PredictionSet::full(compared.len());
    }
    let bound = scores.bound(threshold);
    let mut set = PredictionSet::EMPTY;
    for (option, &score) in compared.iter().enumerate() {
        if score <= bound {
            set.insert(option);
        }
    }
    set
}

/// Sets the thresholds on the rows `calibration`, at the rank of the protocol in the scores' view.
///
/// ```
/// use sureness_conformal::{
///     Nonconformity, Row, Scheme, Scores, Table, View, calibrate, predict, set_metrics,
/// };
///
/// let mut table = Table::new(3);
/// for i in 0..40_u8 {
///     let logits = [1.0, f64::from(i % 4) / 4.0, -1.0];
///     let row = Row {
///         key: &[],
///         cluster: None,
///         logits: (&logits).into(),
///         right: 0.into(),
///         dont_know: None,
///         none_of_the_above: None,
///     };
///     table.push([i; 32], &row, None).unwrap();
/// }
/// let (calibration, test): (Vec<usize>, Vec<usize>) = (0..40).partition(|row| row % 2 == 0);
/// let scores = Scores::of(&table, Nonconformity::Lac, &View::default());
/// let calibrated = calibrate(&scores, &table, &calibration, 0.1, Scheme::Split);
/// let sets = predict(&calibrated, &scores, &table, &test);
/// let metrics = set_metrics(&sets, &scores, &table, &calibration, 0.1);
/// assert_eq!((metrics.n, metrics.acc), (20, 1.0));
/// ```
///
/// # Panics
/// If a row does not exist.
pub fn calibrate(
    scores: &Scores,
    table: &Table,
    calibration: &[usize],
    alpha: f64,
    scheme: Scheme,
) -> Calibrated {
    let mut calibrated = calibrate_jointly(&[(scores, calibration)], alpha);
    let threshold = |of_group: &mut [f64], least: usize| {
        (of_group.len() >= least).then(|| scores.view().protocol.threshold(of_group, alpha))
    };
    match scheme {
        Scheme::Split => {}
        Scheme::ClassConditional { least } => {
            let mut by_class = vec![Vec::new(); scores.stride()];
            for &row in calibration {
                by_class[scores.answer(row)].push(scores.ranked_answer(row));
            }
            let mut classes = Vec::with_capacity(by_class.len());
            for (class, of_class) in (0..).zip(&mut by_class) {
                classes.push(threshold(of_class, least).unwrap_or_else(|| {
                    calibrated.fallbacks.push(class);
                    calibrated.common
                }));
            }
            calibrated.groups = Groups::Classes(classes);
        }
        Scheme::Mondrian { least } => {
            let occurring = distinct(table.categories());
            let mut by_category = vec![Vec::new(); occurring.len()];
            for &row in calibration {
                let found = table.categories()[row].map(|c| occurring.binary_search(&c));
                if let Some(Ok(place)) = found {
                    by_category[place].push(scores.ranked_answer(row));
                }
            }
            let mut categories = Vec::with_capacity(occurring.len());
            for (&category, of_category) in occurring.iter().zip(&mut by_category) {
                let own = threshold(of_category, least).unwrap_or_else(|| {
                    calibrated.fallbacks.push(category);
                    calibrated.common
                });
                categories.push((category, own));
            }
            calibrated.groups = Groups::Categories(categories);
        }
    }
    calibrated
}

/// One threshold for several tables: pools their calibration rows (Ye et al. 2024, Table 11). The
/// guarantee is for the mixture, and coverage may differ from table to table. All scores must be of
/// one kind and view.
///
/// # Panics
/// If a row does not exist.
pub fn calibrate_jointly(parts: &[(&Scores, &[usize])], alpha: f64) -> Calibrated {
    let n = parts.iter().map(|(_, rows)| rows.len()).sum();
    let mut pooled = Vec::with_capacity(n);
    for (scores, rows) in parts {
        pooled.extend(rows.iter().map(|&row| scores.ranked_answer(row)));
    }
    let common = parts.first().map_or(Threshold::Infinite, |(scores, _)| {
        scores.view().protocol.threshold(&mut pooled, alpha)
    });
    Calibrated {
        alpha,
        n,
        fallbacks: Vec::new(),
        common,
        groups: Groups::None,
        offset: parts.first().map_or(0.0, |(scores, _)| scores.offset()),
    }
}

/// The categories that occur, ascending.
pub(super) fn distinct(categories: &[Option<u32>]) -> Vec<u32> {
    let mut occurring: Vec<u32> = categories.iter().flatten().copied().collect();
    // Rows of a category are often adjacent, which leaves little to sort.
    occurring.dedup();
    occurring.sort_unstable();
    occurring.dedup();
    occurring
}

/// Prediction sets of the test rows. An empty set is filled with the top option, so that users
/// always get an answer. This can only raise coverage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sets {
    /// The rows.
    pub rows: Vec<usize>,
    /// The prediction set of each row, after filling.
    pub sets: Vec<PredictionSet>,
    /// Whether each set was empty before filling.
    pub was_empty: Vec<bool>,
}

/// The sets of the rows `test`.
///
/// # Panics
/// If a row does not exist.
pub fn predict(calibrated: &Calibrated, scores: &Scores, table: &Table, test: &[usize]) -> Sets {
    let mut sets = Vec::with_capacity(test.len());
    let mut was_empty = Vec::with_capacity(test.len());
    for &row in test {
        let mut set = calibrated.set(scores, table, row);
        was_empty.push(set.is_empty());
        if set.is_empty() {
            set.insert(scores.top(row));
        }
        sets.push(set);
    }
    Sets {
        rows: test.to_vec(),
        sets,
        was_empty,
    }
}
