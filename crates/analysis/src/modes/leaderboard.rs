//! Who is first, and which differences are significant.

use rayon::prelude::*;
use sureness_conformal::{
    COMPARED, Interval, NoInterval, RankBand, benjamini_hochberg, holm, rank_bands,
};

use crate::comparable::obstacles;
use crate::figures::{Board, Figures};
use crate::number::counted;
use crate::text::{list, measured};

/// Index of each headline figure in the panel.
pub(super) const ACC: usize = 0;
pub(super) const COVERAGE: usize = 1;
pub(super) const SET_SIZE: usize = 2;
pub(super) const UACC: usize = 3;
pub(super) const SINGLE: usize = 4;
pub(super) const EMPTY: usize = 5;

/// Sign-flip tests have no more rounds than this: enough for 64 models at a level of 5 %.
const MAX_ROUNDS: usize = 50_000;

/// The leaderboard: everything that the summary, the section and other modes need of it.
pub(super) struct Leaderboard<'a> {
    pub(super) board: &'a Board,
    /// Models by `UAcc`, the best first, or as they were named where they are not compared: indices
    /// into the panel.
    pub(super) order: Vec<usize>,
    /// By model; none where a model has no rank.
    pub(super) bands: Vec<Option<RankBand>>,
    pub(super) pairs: Vec<Pair>,
    /// Why the models are not compared, for people; empty where they are.
    pub(super) obstacles: Vec<String>,
    /// Rounds of each pair's test.
    rounds: usize,
}

/// Two models, by index in the panel, the better one by `UAcc` first.
pub(super) struct Pair {
    pub(super) a: usize,
    pub(super) b: usize,
    /// p-values of the tests, and adjusted for all pairs, by figure.
    p: [f64; COMPARED],
    pub(super) holm: [f64; COMPARED],
    pub(super) bh: [f64; COMPARED],
}

impl<'a> Leaderboard<'a> {
    /// What a reader should know of the tests.
    pub(super) fn notes(&self, figures: &Figures<'_>, level: f64) -> Vec<String> {
        let pairs = self.pairs.len();
        let mut notes = Vec::new();
        if pairs > 0 {
            notes.push(format!(
                "Sign-flip tests have {} rounds and more.",
                figures.settings.swaps
            ));
        }
        if pairs as f64 / (self.rounds + 1) as f64 > level {
            notes.push(format!(
                "That is too few for Holm's correction over {pairs} pairs to find a difference in accuracy significant unless it is very clear: compare fewer models with --models or --top-k."
            ));
        }
        for model in 0..self.bands.len() {
            let name = self.name(figures, model);
            match self.board.resampled.absent(model, SET_SIZE) {
                Some(NoInterval::Full) => notes.push(format!(
                    "{name} has no rank: a threshold is infinite, so that every set is full."
                )),
                Some(NoInterval::TooFew) => notes.push(format!(
                    "{name} has no rank: too few questions for an interval."
                )),
                None => {}
            }
        }
        notes
    }

    /// `None` where no question was answered by all models.
    pub(super) fn of(figures: &'a Figures<'_>) -> Option<Self> {
        let board = figures.board.as_ref()?;
        let settings = figures.settings;
        let resampled = &board.resampled;
        let models = board.common.models.len();
        let mut leaderboard = Self {
            board,
            order: (0..models).collect(),
            bands: vec![None; models],
            pairs: Vec::new(),
            obstacles: Vec::new(),
            rounds: 0,
        };
        leaderboard.obstacles = obstacles(figures, &board.common);
        if !leaderboard.obstacles.is_empty() {
            return Some(leaderboard);
        }
        let uacc = |model: usize| resampled.figures(model)[UACC];
        // Models without a rank come last: nothing says that they are better than the others.
        let unranked = |model: usize| resampled.absent(model, SET_SIZE).is_some();
        leaderboard.order.sort_by(|&a, &b| {
            let by_rank = unranked(a).cmp(&unranked(b));
            by_rank.then(uacc(b).total_cmp(&uacc(a)))
        });
        let ranked: Vec<usize> = leaderboard
            .order
            .iter()
            .copied()
            .filter(|&model| resampled.absent(model, SET_SIZE).is_none())
            .collect();
        let level = 1.0 - settings.resampling.level;
        let pairs: Vec<(usize, usize)> = ranked
            .iter()
            .enumerate()
            .flat_map(|(place, &a)| ranked[place + 1..].iter().map(move |&b| (a, b)))
            .collect();
        let most = rounds(settings.swaps, pairs.len(), level);
        leaderboard.rounds = most;
        let panel = &board.common.panel;
        leaderboard.pairs = pairs
            .into_par_iter()
            .map(|(a, b)| {
                let rounds = [settings.swaps, most];
                let p = resampled.test(panel, [a, b], rounds, settings.config.seed);
                Pair {
                    a,
                    b,
                    p,
                    holm: p,
                    bh: p,
                }
            })
            .collect();
        leaderboard.adjust();
        let values: Vec<f64> = ranked.iter().map(|&model| uacc(model)).collect();
        let bands = rank_bands(&values, true, |i, j| {
            leaderboard.significant(ranked[i], ranked[j], UACC, level)
        });
        for (&model, band) in ranked.iter().zip(bands) {
            leaderboard.bands[model] = (ranked.len() > 1).then_some(band);
        }
        Some(leaderboard)
    }

    fn adjust(&mut self) {
        for figure in 0..COMPARED {
            let p: Vec<f64> = self.pairs.iter().map(|pair| pair.p[figure]).collect();
            let (holm, bh) = (holm(&p), benjamini_hochberg(&p));
            for ((pair, holm), bh) in self.pairs.iter_mut().zip(holm).zip(bh) {
                pair.holm[figure] = holm;
                pair.bh[figure] = bh;
            }
        }
    }

    /// Whether two models differ significantly in a figure, adjusted for all pairs.
    pub(super) fn significant(&self, a: usize, b: usize, figure: usize, level: f64) -> bool {
        self.pairs
            .iter()
            .find(|pair| (pair.a, pair.b) == (a, b) || (pair.a, pair.b) == (b, a))
            .is_some_and(|pair| pair.holm[figure] <= level)
    }

    pub(super) fn name<'b>(&self, figures: &'b Figures<'_>, model: usize) -> &'b str {
        &figures.models[self.board.common.models[model]].model.name
    }

    pub(super) fn figures(&self, model: usize) -> [f64; sureness_conformal::FIGURES] {
        self.board.resampled.figures(model)
    }

    pub(super) fn interval(&self, model: usize, figure: usize) -> Result<Interval, NoInterval> {
        self.board.resampled.interval(model, figure)
    }

    /// Ends of an interval, for charts.
    pub(super) fn ends(&self, model: usize, figure: usize) -> Option<(f64, f64)> {
        self.interval(model, figure)
            .ok()
            .map(|interval| interval.ends())
    }
}

/// The mean number of options: whole where all questions have as many.
fn mean_options(n: f64) -> String {
    if n.fract() == 0.0 {
        format!("{n:.0}")
    } else {
        format!("{n:.1}")
    }
}

/// Rounds of a sign-flip test whose p-value is adjusted for `pairs` tests at `level`.
///
/// The least p-value is one in the rounds and one. Holm multiplies it by the number of pairs, so
/// that with few rounds and many models no difference could be significant, however large.
fn rounds(least: usize, pairs: usize, level: f64) -> usize {
    let wanted = 1.25 * pairs as f64 / level;
    least.max(wanted.min(MAX_ROUNDS as f64) as usize)
}

/// The findings in a few sentences.
pub(super) fn summary(figures: &Figures<'_>, board: Option<&Leaderboard<'_>>) -> Vec<String> {
    let Some(board) = board else {
        return vec!["The models cannot be compared: they have no question in common in the same task and strategy.".into()];
    };
    let mut sentences = Vec::new();
    if !board.obstacles.is_empty() {
        sentences.push(format!(
            "The models are not compared: {}. Restrict the comparison with --tasks, --prompt-strategies and --models, or pass --insist to rank and test them anyway.",
            board.obstacles.join("; ")
        ));
    }
    sentences.extend(
        board
            .board
            .common
            .notes
            .iter()
            .cloned()
            .map(|note| note + "."),
    );
    let panel = &board.board.common.panel;
    let base = format!(
        "{} and {} in {}",
        counted(panel.calibration_questions(), "calibration question"),
        counted(panel.questions(), "test question"),
        counted(board.board.common.tasks.len(), "task")
    );
    let of_options = panel
        .options()
        .map_or_else(String::new, |n| format!(" of {}", mean_options(n)));
    let words = Words {
        figures,
        board,
        base,
        of_options,
    };
    match board.order.as_slice() {
        [only] => sentences.push(words.single(*only)),
        order if board.obstacles.is_empty() => {
            let ranked: Vec<usize> = order
                .iter()
                .copied()
                .filter(|&m| board.bands[m].is_some())
                .collect();
            sentences.extend(words.ranking(&ranked));
            if ranked.len() < 2 {
                sentences.push(
                    "Fewer than two models have enough calibration questions to be ranked.".into(),
                );
            }
        }
        _ => {}
    }
    sentences.extend(crate::fullness::sentences(figures));
    sentences.push(figures.promise().sentence(figures.settings.config.alpha));
    sentences
}

/// What sentences are made of.
struct Words<'a> {
    figures: &'a Figures<'a>,
    board: &'a Leaderboard<'a>,
    base: String,
    of_options: String,
}

impl Words<'_> {
    fn name(&self, model: usize) -> &str {
        self.board.name(self.figures, model)
    }

    /// An interval in brackets, or why there is none.
    fn range(&self, model: usize, figure: usize, show: &dyn Fn(f64) -> String) -> String {
        match self.board.interval(model, figure) {
            Ok(interval) => format!(" ({} to {})", show(interval.low), show(interval.high)),
            Err(NoInterval::TooFew) => " (too few questions for an interval)".into(),
            Err(NoInterval::Full) => " (every set is full)".into(),
        }
    }

    fn single(&self, model: usize) -> String {
        let of = self.board.figures(model);
        let two = |x: f64| format!("{x:.2}");
        format!(
            "{} is right on {} %{} of the test questions ({}); its prediction sets hold {}{} options on average{}.",
            self.name(model),
            measured(of[ACC]),
            self.range(model, ACC, &measured),
            self.base,
            two(of[SET_SIZE]),
            self.of_options,
            self.range(model, SET_SIZE, &two),
        )
    }

    /// Who leads in `UAcc`, what that hides, and whose sets are smallest: each with what was tested.
    fn ranking(&self, ranked: &[usize]) -> Vec<String> {
        let (Some(&best), true) = (ranked.first(), ranked.len() > 1) else {
            return Vec::new();
        };
        let level = 1.0 - self.figures.settings.resampling.level;
        let of = |model: usize, figure: usize| self.board.figures(model)[figure];
        let open = |from: usize, figure: usize| -> Vec<&str> {
            let others = ranked.iter().filter(|&&model| model != from);
            others
                .filter(|&&model| !self.board.significant(from, model, figure, level))
                .map(|&model| self.name(model))
                .collect()
        };
        let verdict = |open: &[&str]| match open {
            [] => "its lead over every other model is statistically significant".to_owned(),
            [one] => format!("{one} is not significantly different"),
            several => format!("{} are not significantly different", list(several)),
        };
        // Of models with the same figure none is the best.
        let equal = |model: usize, figure: usize| -> Vec<&str> {
            let same = |other: &&usize| (of(**other, figure) - of(model, figure)).abs() < 1e-12;
            let same = ranked.iter().filter(same);
            same.map(|&model| self.name(model)).collect()
        };
        let figure = measured(of(best, UACC));
        let mut sentences = vec![match equal(best, UACC).as_slice() {
            [_] => format!(
                "{} has the highest UAcc, {figure} %{}, over {}; {}.",
                self.name(best),
                self.range(best, UACC, &measured),
                self.base,
                verdict(&open(best, UACC)),
            ),
            several => format!(
                "{} have the same, highest UAcc, {figure} %, over {}.",
                list(several),
                self.base
            ),
        }];
        let more_accurate: Vec<String> = ranked
            .iter()
            .filter(|&&model| {
                of(model, ACC) > of(best, ACC) && self.board.significant(best, model, ACC, level)
            })
            .map(|&model| {
                let lead = measured(of(model, ACC) - of(best, ACC));
                format!("{} by {lead} points", self.name(model))
            })
            .collect();
        if !more_accurate.is_empty() {
            sentences.push(format!(
                "In accuracy {} is significantly behind: {}.",
                self.name(best),
                list(&more_accurate)
            ));
        }
        let by_size = |a: &usize, b: &usize| of(*a, SET_SIZE).total_cmp(&of(*b, SET_SIZE));
        if let Some(smallest) = ranked.iter().copied().min_by(by_size) {
            let two = |x: f64| format!("{x:.2}");
            let size = two(of(smallest, SET_SIZE));
            sentences.push(match equal(smallest, SET_SIZE).as_slice() {
                [_] => format!(
                    "{} has the smallest mean set size, {size}{} options{}; {}.",
                    self.name(smallest),
                    self.range(smallest, SET_SIZE, &two),
                    self.of_options,
                    verdict(&open(smallest, SET_SIZE)),
                ),
                several => format!(
                    "{} have the same, smallest mean set size, {size} options{}.",
                    list(several),
                    self.of_options
                ),
            });
        }
        sentences
    }
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
        assert_eq!(rounds(1999, 1_000_000, 0.05), MAX_ROUNDS);
    }
}
