//! Who is first, and who can be told apart.

use rayon::prelude::*;
use sureness_conformal::{FIGURES, RankBand, Resampled, benjamini_hochberg, holm, rank_bands};

use crate::align::Common;
use crate::figures::Figures;
use crate::text::{list, measured, plural};

/// Index of each headline figure in the panel.
pub(super) const ACC: usize = 0;
pub(super) const COVERAGE: usize = 1;
pub(super) const SET_SIZE: usize = 2;
pub(super) const UACC: usize = 3;

/// Permutation tests have no more rounds than this: enough for 64 models at a level of 5 %.
const MOST_ROUNDS: usize = 50_000;

/// The leaderboard: everything that the summary, the section and other modes need of it.
pub(super) struct Leaderboard {
    pub(super) common: Common,
    pub(super) resampled: Resampled,
    /// Models by `UAcc`, the best first: indices into the panel.
    pub(super) order: Vec<usize>,
    pub(super) bands: Vec<RankBand>,
    pub(super) pairs: Vec<Pair>,
    /// Rounds of each pair's permutation test.
    rounds: usize,
}

/// Two models, by index in the panel, the better one by `UAcc` first.
pub(super) struct Pair {
    pub(super) a: usize,
    pub(super) b: usize,
    /// p-values of the permutation tests, and adjusted for all pairs, by figure.
    p: [f64; FIGURES],
    pub(super) holm: [f64; FIGURES],
    pub(super) bh: [f64; FIGURES],
}

impl Leaderboard {
    /// What a reader should know of the tests.
    pub(super) fn notes(&self, level: f64) -> Vec<String> {
        let pairs = self.pairs.len();
        let mut notes = vec![format!("Permutation tests have {} rounds.", self.rounds)];
        if pairs as f64 / (self.rounds + 1) as f64 > level {
            notes.push(format!(
                "That is too few for Holm's correction over {pairs} pairs to tell any two models apart: compare fewer models with --models or --top-k."
            ));
        }
        notes
    }

    /// `None` where no question was answered by all models.
    pub(super) fn of(figures: &Figures<'_>) -> Option<Self> {
        let all: Vec<usize> = (0..figures.models.len()).collect();
        let common = figures.common(&all);
        if common.panel.questions() == 0 {
            return None;
        }
        let settings = figures.settings;
        let resampled = common.panel.resample(&settings.resampling);
        let mut order = all;
        order.sort_by(|&a, &b| resampled.figures(b)[UACC].total_cmp(&resampled.figures(a)[UACC]));
        let level = 1.0 - settings.resampling.level;
        let rounds = rounds(
            settings.swaps,
            order.len() * order.len().saturating_sub(1) / 2,
            level,
        );
        let mut pairs: Vec<Pair> = order
            .iter()
            .enumerate()
            .flat_map(|(place, &a)| order[place + 1..].iter().map(move |&b| (a, b)))
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(a, b)| {
                let p = common.panel.permutation(a, b, rounds, settings.config.seed);
                Pair {
                    a,
                    b,
                    p,
                    holm: p,
                    bh: p,
                }
            })
            .collect();
        for figure in 0..FIGURES {
            let p: Vec<f64> = pairs.iter().map(|pair| pair.p[figure]).collect();
            let (holm, bh) = (holm(&p), benjamini_hochberg(&p));
            for ((pair, holm), bh) in pairs.iter_mut().zip(holm).zip(bh) {
                pair.holm[figure] = holm;
                pair.bh[figure] = bh;
            }
        }
        let values: Vec<f64> = (0..common.models.len())
            .map(|model| resampled.figures(model)[UACC])
            .collect();
        let bands = rank_bands(&values, true, |a, b| {
            pairs
                .iter()
                .find(|pair| (pair.a, pair.b) == (a, b) || (pair.a, pair.b) == (b, a))
                .is_some_and(|pair| pair.holm[UACC] <= level)
        });
        Some(Self {
            common,
            resampled,
            order,
            bands,
            pairs,
            rounds,
        })
    }

    pub(super) fn name<'a>(&self, figures: &'a Figures<'_>, model: usize) -> &'a str {
        &figures.models[self.common.models[model]].model.name
    }

    pub(super) fn interval(&self, model: usize, figure: usize) -> Option<(f64, f64)> {
        self.resampled.interval(model, figure).map(|i| i.bca)
    }
}

/// Rounds of a permutation test whose p-value is adjusted for `pairs` tests at `level`.
///
/// The least p-value is one in the rounds and one. Holm multiplies it by the number of pairs, so
/// that with few rounds and many models no difference could be significant, however large.
fn rounds(least: usize, pairs: usize, level: f64) -> usize {
    let wanted = 1.25 * pairs as f64 / level;
    least.max(wanted.min(MOST_ROUNDS as f64) as usize)
}

/// The findings in a few sentences.
pub(super) fn summary(figures: &Figures<'_>, board: Option<&Leaderboard>) -> Vec<String> {
    let Some(board) = board else {
        return vec!["There is no question that all models answered, so that they cannot be put beside each other.".into()];
    };
    let mut sentences = Vec::new();
    let questions = board.common.panel.questions();
    let tasks = board.common.tasks.len();
    let best = board.order[0];
    let of = |model: usize| board.resampled.figures(model);
    let range = |model, figure, show: &dyn Fn(f64) -> String| {
        board
            .interval(model, figure)
            .map_or_else(String::new, |(low, high)| {
                format!(" ({} to {})", show(low), show(high))
            })
    };
    let two = |x: f64| format!("{x:.2}");
    let of_options = board
        .common
        .panel
        .options()
        .map_or_else(String::new, |n| format!(" of {n:.0}"));
    if board.order.len() == 1 {
        sentences.push(format!(
            "{} is right on {} %{} of {} in {}, and needs {}{} options{of_options} to hold the right answer as often as promised.",
            board.name(figures, best),
            measured(of(best)[ACC]),
            range(best, ACC, &measured),
            plural(questions, "test question"),
            plural(tasks, "task"),
            two(of(best)[SET_SIZE]),
            range(best, SET_SIZE, &two),
        ));
    } else {
        let tied: Vec<&str> = board
            .order
            .iter()
            .filter(|&&model| model != best && board.bands[model].best == 1)
            .map(|&model| board.name(figures, model))
            .collect();
        let surest = format!(
            "{} has the highest UAcc, {} %{}, over {} in {}",
            board.name(figures, best),
            measured(of(best)[UACC]),
            range(best, UACC, &measured),
            plural(questions, "test question"),
            plural(tasks, "task"),
        );
        sentences.push(if tied.is_empty() {
            format!("{surest}; no other model can be first by chance alone.")
        } else {
            format!("{surest}; {} cannot be told apart from it.", list(&tied))
        });
        if let Some(smallest) = board
            .order
            .iter()
            .copied()
            .min_by(|&a, &b| of(a)[SET_SIZE].total_cmp(&of(b)[SET_SIZE]))
        {
            sentences.push(format!(
                "The surest sets are those of {}: {}{} options{of_options}.",
                board.name(figures, smallest),
                two(of(smallest)[SET_SIZE]),
                range(smallest, SET_SIZE, &two),
            ));
        }
    }
    sentences.push(figures.promise().sentence(figures.settings.config.alpha));
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_pairs_take_many_rounds() {
        assert_eq!(rounds(1999, 1, 0.05), 1999);
        assert_eq!(rounds(1999, 0, 0.05), 1999);
        // 34 models: the least p-value survives the correction.
        let pairs = 34 * 33 / 2;
        let many = rounds(1999, pairs, 0.05);
        assert!(pairs as f64 / (many + 1) as f64 <= 0.05, "{many}");
        assert_eq!(rounds(1999, 1_000_000, 0.05), MOST_ROUNDS);
    }
}
