//! One answered question, with what follows from its scores.

use sureness_analysis::GroupRows;
use sureness_conformal::{
    Covers, Logits, Order, PredictionSet, Protocol, Real, RightOptions, TieRule, softmax,
};

use super::RowSets;

/// What is known of one answered question.
#[derive(Debug, Clone, Copy)]
pub struct QuestionRow<'a> {
    /// The model's name.
    pub model: &'a str,
    /// Task id.
    pub task: &'a str,
    /// Strategy name.
    pub strategy: &'a str,
    /// The question's id in its data set.
    pub id: &'a str,
    /// Its category, if it has one.
    pub category: Option<&'a str>,
    /// Whether it is of the test half.
    pub test: bool,
    /// The right options.
    pub right: RightOptions,
    /// When a set covers several right options.
    pub covers: Covers,
    /// The most probable option.
    pub top: usize,
    /// Whether two options are exactly equally probable.
    pub tied: bool,
    /// One per option.
    pub scores: Logits<'a>,
    /// One per option; they add up to one.
    pub probabilities: &'a [f64],
    /// The prediction set by LAC, if it has one.
    pub lac: Option<PredictionSet>,
    /// The prediction set by APS, if it has one.
    pub aps: Option<PredictionSet>,
    /// Total probability on the options, where it is known.
    pub mass: Option<f64>,
    /// Whether the score of an option is only an upper bound, where that is known.
    pub bounded: Option<bool>,
    /// Digest of the question's content.
    pub key: &'a [u8],
    /// Unknown where the group has no clusters.
    pub cluster: Option<&'a [u8; 32]>,
}

/// Reads the rows of a group; its buffers are reused from row to row.
pub(super) struct Reader<'a> {
    model: &'a str,
    group: &'a GroupRows,
    sets: &'a RowSets,
    protocol: Protocol,
    single: View<f32>,
    double: View<f64>,
    probabilities: Vec<f64>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        model: &'a str,
        group: &'a GroupRows,
        sets: &'a RowSets,
        protocol: Protocol,
    ) -> Self {
        Self {
            model,
            group,
            sets,
            protocol,
            single: View::default(),
            double: View::default(),
            probabilities: Vec::new(),
        }
    }

    /// Row `index`, which the table must have. Lists that are too short give nothing.
    pub(super) fn read(&mut self, index: usize) -> QuestionRow<'_> {
        let (group, sets) = (self.group, self.sets);
        let row = group.table.row(index);
        let (top, tied) = match self.protocol {
            Protocol::Paper => {
                self.single
                    .load(row.logits, TieRule::Paper, &mut self.probabilities)
            }
            Protocol::Standard => self.double.load(
                row.logits,
                TieRule::Seeded(row.key),
                &mut self.probabilities,
            ),
        };
        let category = group.table.categories().get(index).copied().flatten();
        let category = category.and_then(|number| group.categories.get(number as usize));
        QuestionRow {
            model: self.model,
            task: &group.id.task,
            strategy: &group.id.strategy,
            id: group.ids.get(index).map_or("", String::as_str),
            category: category.map(String::as_str),
            test: sets.test.get(index) == Some(&true),
            right: row.right,
            covers: self.sets.covers,
            top,
            tied,
            scores: row.logits,
            probabilities: &self.probabilities,
            lac: sets.lac.get(index).copied().flatten(),
            aps: sets.aps.get(index).copied().flatten(),
            mass: group.mass.get(index).copied(),
            bounded: group.bounded.get(index).copied(),
            key: row.key,
            cluster: group
                .clustered
                .then(|| group.table.clusters().get(index))
                .flatten(),
        }
    }
}

/// A row's probabilities in a protocol's arithmetic.
#[derive(Default)]
struct View<F> {
    logits: Vec<F>,
    probabilities: Vec<F>,
    order: Order,
}

impl<F: Real> View<F> {
    /// Fills `out` with the probabilities; gives the most probable option and whether two are
    /// equal.
    fn load(&mut self, logits: Logits<'_>, rule: TieRule<'_>, out: &mut Vec<f64>) -> (usize, bool) {
        logits.copy_to(&mut self.logits);
        softmax(&self.logits, &mut self.probabilities);
        self.order.sort(&self.probabilities, rule);
        out.clear();
        out.extend(self.probabilities.iter().map(|&p| p.to_f64()));
        let mut sorted = out.clone();
        sorted.sort_by(f64::total_cmp);
        let tied = sorted
            .windows(2)
            .any(|pair| pair[0].total_cmp(&pair[1]).is_eq());
        (self.order.top(), tied)
    }
}
