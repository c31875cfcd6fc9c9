//! One nonconformity score per row and option.

use super::{Nonconformity, View};
use crate::row::RowView;
use crate::split::keyed_unit;
use crate::{PredictionSet, Protocol, Real, Table, Threshold};

/// The scores of a whole table, and the model's answers.
#[derive(Debug, Clone)]
pub struct Scores {
    nonconformity: Nonconformity,
    view: View,
    stride: usize,
    /// Row after row, `stride` each; infinity where a row has fewer options.
    values: Vec<f64>,
    /// Compared in place of `values`, with the same layout; see [`Scale`].
    compared: Option<Vec<f64>>,
    scale: Scale,
    rows: Rows,
}

/// How scores are compared with a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// Directly.
    Plain,
    /// LAC under the paper's protocol is `p ≥ 1 − q` in float32, where `1 − p ≤ q` would admit
    /// other options: thresholds are scores, and options are compared by −p.
    Negated,
    /// LAC and APS under the standard protocol: by the score minus 1, which is exact where the score
    /// itself would round to 1; see [`Score::of`](crate::Score::of). Thresholds are on this scale as well.
    LessOne,
}

impl Scale {
    fn of(nonconformity: Nonconformity, paper: bool) -> Self {
        match (nonconformity, paper) {
            (Nonconformity::Lac, true) => Self::Negated,
            (Nonconformity::Lac | Nonconformity::Aps, false) => Self::LessOne,
            _ => Self::Plain,
        }
    }
}

/// The part that does not depend on the score.
#[derive(Debug, Clone, Default)]
struct Rows {
    options: Vec<u8>,
    /// The right option that decides whether a set covers.
    deciding: Vec<u8>,
    tops: Vec<u8>,
    correct: Vec<bool>,
    /// Whether the most probable option alone covers. Differs from `correct` only in rows with
    /// several right options that must all be in a set.
    top_covers: Vec<bool>,
    top_probabilities: Vec<f64>,
    tied: usize,
}

impl Scores {
    /// The scores of all options of all rows under `view`. A view that [`View::check`] refuses
    /// gives NaN throughout.
    ///
    /// The random number of a row depends on the question's key and the view's seed alone: it is
    /// the same for every score, model and order of rows.
    pub fn of(table: &Table, score: Nonconformity, view: &View) -> Self {
        let mut all = Self::of_each(table, &[score], view);
        all.swap_remove(0)
    }

    /// Several scores of one table, in the order of `scores`. Computes the probabilities once.
    pub fn of_each(table: &Table, scores: &[Nonconformity], view: &View) -> Vec<Self> {
        match view.protocol {
            Protocol::Paper => read(
                table,
                scores,
                view,
                RowView::<f32>::tempered(true, view.temperature),
            ),
            Protocol::Standard => read(
                table,
                scores,
                view,
                RowView::<f64>::tempered(false, view.temperature),
            ),
        }
    }

    /// Which score.
    pub fn nonconformity(&self) -> Nonconformity {
        self.nonconformity
    }

    /// How probabilities were computed.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.deciding.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Maximum number of options of a row.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// One score per option of row `i`. Larger is stranger.
    ///
    /// # Panics
    /// This and the following, if the row does not exist.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.stride..][..self.options(i)]
    }

    /// The score of the right option; of several, the least under [`Covers::Any`](crate::Covers) and
    /// the largest under `All`.
    pub fn of_answer(&self, i: usize) -> f64 {
        self.values[i * self.stride + self.answer(i)]
    }

    /// The candidate for a threshold: [`Self::of_answer`] on the scale of comparison.
    pub(crate) fn ranked_answer(&self, i: usize) -> f64 {
        match (self.scale, &self.compared) {
            (Scale::LessOne, Some(compared)) => compared[i * self.stride + self.answer(i)],
            _ => self.of_answer(i),
        }
    }

    /// Added to a threshold on the scale of [`Self::ranked_answer`], gives its score.
    pub(super) fn offset(&self) -> f64 {
        match self.scale {
            Scale::LessOne => 1.0,
            Scale::Plain | Scale::Negated => 0.0,
        }
    }

    /// Number of options.
    pub fn options(&self, i: usize) -> usize {
        usize::from(self.rows.options[i])
    }

    /// Index of the right option; of several, the one that
    /// [decides](crate::Covers::deciding) whether a set covers.
    pub fn answer(&self, i: usize) -> usize {
        usize::from(self.rows.deciding[i])
    }

    /// Index of the most probable option: the model's answer. Ties as the protocol says.
    pub fn top(&self, i: usize) -> usize {
        usize::from(self.rows.tops[i])
    }

    /// Whether the model's answer is right.
    pub fn correct(&self, i: usize) -> bool {
        self.rows.correct[i]
    }

    /// Whether the model's answer alone covers, as in a set that was empty before it was filled.
    pub(crate) fn top_covers(&self, i: usize) -> bool {
        self.rows.top_covers[i]
    }

    /// Probability of the model's answer.
    pub fn top_probability(&self, i: usize) -> f64 {
        self.rows.top_probabilities[i]
    }

    /// Rows in which two options have exactly the same probability, which may be 0: in float32 the
    /// least probable options of a confident model underflow.
    pub fn tied_rows(&self) -> usize {
        self.rows.tied
    }

    /// Whether the prediction set of row `i` covers at a threshold that was set elsewhere, on the scale of
    /// [`Self::of_answer`]; infinite for one that admits every option. An empty set is filled with the
    /// model's answer.
    ///
    /// # Panics
    /// If the row does not exist.
    pub fn covers_at(&self, i: usize, threshold: f64) -> bool {
        match self.scale {
            // Rounded as the threshold was: less 1, it may lie beside the score that set it.
            Scale::LessOne => self.covers_up_to(i, self.row(i), threshold.min(f64::MAX)),
            Scale::Plain | Scale::Negated => {
                let is_finite = threshold.is_finite();
                let threshold = is_finite.then_some(Threshold::Finite(threshold));
                self.covers_within(i, self.bound(threshold.unwrap_or(Threshold::Infinite)))
            }
        }
    }

    /// The same for options up to this [`bound`](Self::bound).
    pub(crate) fn covers_within(&self, i: usize, bound: f64) -> bool {
        self.covers_up_to(i, self.compared(i), bound)
    }

    fn covers_up_to(&self, i: usize, compared: &[f64], bound: f64) -> bool {
        let is_empty = compared.iter().all(|&score| score > bound);
        compared[self.answer(i)] <= bound || (is_empty && self.top_covers(i))
    }

    /// Compared with [`Self::bound`]: a prediction set contains the options of row `i` that are not
    /// above it.
    pub(crate) fn compared(&self, i: usize) -> &[f64] {
        &self.padded(i)[..self.options(i)]
    }

    /// The same with infinity for the options that the row does not have.
    pub(crate) fn padded(&self, i: usize) -> &[f64] {
        let values = self.compared.as_ref().unwrap_or(&self.values);
        &values[i * self.stride..][..self.stride]
    }

    /// The largest value that `threshold` admits. An infinite one admits every finite value, and so
    /// no padding.
    pub(crate) fn bound(&self, threshold: Threshold<f64>) -> f64 {
        match (threshold, self.scale) {
            (Threshold::Infinite, _) => f64::MAX,
            (Threshold::Finite(q), Scale::Negated) => -f64::from(1.0 - q as f32),
            (Threshold::Finite(q), Scale::Plain | Scale::LessOne) => q,
        }
    }
}

fn read<F: Real>(
    table: &Table,
    scores: &[Nonconformity],
    view: &View,
    mut row_view: RowView<F>,
) -> Vec<Scores> {
    let (n, stride) = (table.len(), table.stride());
    let paper = row_view.paper();
    let padding = || vec![f64::INFINITY; n * stride];
    let mut all: Vec<Scores> = scores
        .iter()
        .map(|&nonconformity| {
            let scale = Scale::of(nonconformity, paper);
            Scores {
                nonconformity,
                view: *view,
                stride,
                values: padding(),
                compared: (scale != Scale::Plain).then(padding),
                scale,
                rows: Rows::default(),
            }
        })
        .collect();
    let randomized = scores.iter().any(|score| score.is_randomized());
    let mut rows = Rows::default();
    let mut wide = Vec::with_capacity(stride);
    for (index, row) in table.rows().enumerate() {
        row_view.load(&row);
        wide.clear();
        wide.extend(row_view.probabilities().iter().map(|p| p.to_f64()));
        let u = if randomized {
            keyed_unit(b"sureness score draw", row.key, view.seed)
        } else {
            0.0
        };
        let place = index * stride..index * stride + wide.len();
        for scores in &mut all {
            let out = &mut scores.values[place.clone()];
            scores.nonconformity.fill(&row_view, &wide, u, out);
            if let Some(compared) = &mut scores.compared {
                let compared = &mut compared[place.clone()];
                if scores.scale == Scale::Negated {
                    for (negated, p) in compared.iter_mut().zip(&wide) {
                        *negated = -p;
                    }
                } else {
                    // `fill` gives the score minus 1; `values` holds the score itself.
                    compared.copy_from_slice(out);
                    for score in out {
                        *score += 1.0;
                    }
                }
            }
        }
        let top = row_view.order().top();
        rows.options.push(wide.len() as u8);
        rows.deciding
            .push(view.covers.deciding(row.right, row_view.order()) as u8);
        rows.correct.push(row.right.contains(top));
        let mut top_alone = PredictionSet::EMPTY;
        top_alone.insert(top);
        rows.top_covers
            .push(view.covers.holds(top_alone, row.right));
        rows.tops.push(top as u8);
        rows.top_probabilities.push(wide[top]);
        rows.tied += usize::from(row_view.order().has_ties());
    }
    for scores in &mut all {
        scores.rows = rows.clone();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sets::probabilities;
    use crate::split::keyed_unit;
    use crate::{Arithmetic, Row};
    use proptest::prelude::*;

    /// A table of one row with these probabilities.
    fn table(p: &[f64]) -> Table {
        let logits: Vec<f64> = p.iter().map(|p| p.ln()).collect();
        let mut table = Table::new(p.len());
        let row = Row {
            key: &[],
            cluster: None,
            logits: (&logits).into(),
            right: 0.into(),
            dont_know: None,
            none_of_the_above: None,
        };
        table.push([3; 32], &row, None).unwrap();
        table
    }

    #[test]
    fn what_rounds_to_one_keeps_its_order() {
        // The right options of the calibration questions lie 40 and 50 nats below the first.
        let mut table = Table::new(3);
        for (gap, key) in [(40.0, 1), (50.0, 2)] {
            let logits = [gap, 0.0, -20.0];
            let row = Row {
                key: &[],
                cluster: None,
                logits: (&logits).into(),
                right: 1.into(),
                dont_know: None,
                none_of_the_above: None,
            };
            table.push([key; 32], &row, None).unwrap();
        }
        let view = View {
            protocol: Protocol::Standard,
            ..View::default()
        };
        let scores = Scores::of(&table, Nonconformity::Lac, &view);
        let bound = scores.bound(Threshold::Finite(scores.ranked_answer(0)));
        let sizes = [0, 1].map(|i| scores.compared(i).iter().filter(|it| **it <= bound).count());
        assert_eq!(sizes, [2, 1]);
        // A threshold from elsewhere is a score, and so is rounded.
        assert!(scores.covers_at(1, scores.of_answer(0)));
    }

    #[test]
    fn scores_by_hand() {
        // Options by rank: 1 (0.5), 3 (0.3), 0 (0.15), 2 (0.05).
        let table = table(&[0.15, 0.5, 0.05, 0.3]);
        let view = View::default();
        let u = keyed_unit(b"sureness score draw", &[3; 32], view.seed);
        assert!(u > 0.0 && u < 1.0);
        let raps = Nonconformity::Raps {
            lambda: 0.1,
            k_reg: 1,
        };
        let saps = Nonconformity::Saps { lambda: 0.25 };
        let expected: [(Nonconformity, [f64; 4]); 7] = [
            (Nonconformity::Lac, [0.85, 0.5, 0.95, 0.7]),
            (Nonconformity::Aps, [0.95, 0.5, 1.0, 0.8]),
            (
                Nonconformity::ApsRandomized,
                [0.8 + 0.15 * u, 0.5 * u, 0.95 + 0.05 * u, 0.5 + 0.3 * u],
            ),
            (
                raps,
                [1.0 + 0.15 * u, 0.5 * u, 1.25 + 0.05 * u, 0.6 + 0.3 * u],
            ),
            (
                saps,
                [0.75 + 0.25 * u, 0.5 * u, 1.0 + 0.25 * u, 0.5 + 0.25 * u],
            ),
            (Nonconformity::Margin, [0.35, -0.2, 0.45, 0.2]),
            (Nonconformity::TopK, [3.0, 1.0, 4.0, 2.0]),
        ];
        for protocol in [Protocol::Standard, Protocol::Paper] {
            let view = View { protocol, ..view };
            let slack = if protocol == Protocol::Paper {
                1e-6
            } else {
                1e-14
            };
            for (score, row) in expected {
                let scores = Scores::of(&table, score, &view);
                for (got, want) in scores.row(0).iter().zip(row) {
                    assert!((got - want).abs() < slack, "{score}: {got} for {want}");
                }
                assert_eq!((scores.top(0), scores.correct(0)), (1, false));
                assert!((scores.top_probability(0) - 0.5).abs() < slack);
                assert_eq!(scores.tied_rows(), 0);
            }
        }
    }

    #[test]
    fn equal_probabilities_are_counted_and_ranked_apart() {
        let table = table(&[0.25; 4]);
        for protocol in [Protocol::Standard, Protocol::Paper] {
            let view = View {
                protocol,
                ..View::default()
            };
            let scores = Scores::of(&table, Nonconformity::TopK, &view);
            let mut ranks = scores.row(0).to_vec();
            ranks.sort_by(f64::total_cmp);
            assert_eq!(ranks, [1.0, 2.0, 3.0, 4.0]);
            assert_eq!(scores.tied_rows(), 1);
        }
    }

    #[test]
    fn the_draw_is_the_keys_and_the_seeds() {
        let mut table = Table::new(2);
        for key in [[1; 32], [2; 32], [1; 32]] {
            let row = Row {
                key: &[],
                cluster: None,
                logits: (&[0.0, 1.0]).into(),
                right: 1.into(),
                dont_know: None,
                none_of_the_above: None,
            };
            table.push(key, &row, None).unwrap();
        }
        let of = |seed| {
            let view = View {
                seed,
                ..View::default()
            };
            Scores::of(&table, Nonconformity::ApsRandomized, &view)
        };
        let (a, b) = (of(1), of(2));
        assert_eq!(a.row(0), a.row(2));
        assert_ne!(a.row(0), a.row(1));
        assert_ne!(a.row(0), b.row(0));
    }

    proptest! {
        /// The published scores are those of [`crate::Score`], option by option, to the last bit.
        #[test]
        fn lac_and_aps_have_one_home(
            logits in prop::collection::vec(-20..20_i32, 2..26), protocol in prop::sample::select(vec![Protocol::Paper, Protocol::Standard]),
        ) {
            // Whole numbers make ties frequent.
            let logits: Vec<f64> = logits.into_iter().map(f64::from).collect();
            let mut table = Table::new(26);
            let row = Row { key: &[], cluster: None, logits: (&logits).into(), right: 1.into(), dont_know: None, none_of_the_above: None };
            table.push([9; 32], &row, None).unwrap();
            let view = View { protocol, ..View::default() };
            let all = Scores::of_each(&table, &Nonconformity::ALL, &view);
            for (scores, score) in all.iter().zip([crate::Score::Lac, crate::Score::Aps]) {
                let one_by_one: Vec<f64> = (0..logits.len()).map(|option| match protocol {
                    Protocol::Paper => {
                        let mut view = RowView::<f32>::new(true);
                        view.load(&table.row(0));
                        f64::from(score.of(view.probabilities(), view.order(), option, Arithmetic::Script))
                    }
                    Protocol::Standard => {
                        let mut view = RowView::<f64>::new(false);
                        view.load(&table.row(0));
                        let arithmetic = Arithmetic::Definition;
                        let compared = score.of(view.probabilities(), view.order(), option, arithmetic);
                        score.value(compared, arithmetic)
                    }
                }).collect();
                prop_assert_eq!(scores.row(0), &one_by_one[..]);
                prop_assert_eq!(scores.of_answer(0).to_bits(), one_by_one[1].to_bits());
            }
            for (scores, &score) in all.iter().zip(&Nonconformity::ALL) {
                let alone = Scores::of(&table, score, &view);
                prop_assert_eq!(scores.row(0), alone.row(0));
            }
        }

        /// No score puts a less probable option before a more probable one.
        #[test]
        fn less_probable_is_never_less_strange(
            logits in prop::collection::vec(-9.0..9.0_f64, 2..7), key in any::<[u8; 32]>(),
        ) {
            let mut table = Table::new(6);
            let row = Row { key: &[], cluster: None, logits: (&logits).into(), right: 0.into(), dont_know: None, none_of_the_above: None };
            table.push(key, &row, None).unwrap();
            let view = View::default();
            let mut p = Vec::new();
            probabilities(&table, 0, &view, &mut p);
            for scores in Scores::of_each(&table, &Nonconformity::ALL, &view) {
                let row = scores.row(0);
                for (i, j) in (0..p.len()).flat_map(|i| (0..p.len()).map(move |j| (i, j))) {
                    prop_assert!(p[i] <= p[j] || row[i] <= row[j], "{}", scores.nonconformity());
                }
            }
        }
    }
}
