//! Clusters of a task's questions, and draws of both halves.

use std::collections::HashMap;

use super::random::Stream;

/// The clusters of one task's questions, by half.
///
/// A draw takes whole clusters with replacement, as many from each side as it has. Clusters that
/// straddle the halves (under the paper's protocol) are a third side.
#[derive(Debug, Clone)]
pub(super) struct Clusters {
    /// The cluster of each calibration question, and of each test question.
    pub(super) calibration: Vec<u32>,
    pub(super) test: Vec<u32>,
    /// Number of clusters in all.
    pub(super) count: usize,
    /// [`effective_clusters`] of the smaller half.
    pub(super) effective: f64,
    /// Clusters that calibrate, that are tested, and that straddle.
    sides: [Vec<u32>; 3],
}

/// How often each question of a task was drawn.
#[derive(Debug, Clone, Default)]
pub(super) struct Drawn {
    pub(super) calibration: Vec<u8>,
    pub(super) test: Vec<u8>,
    /// Draws of calibration questions in all.
    pub(super) calibrating: usize,
    /// Weight of the imagined cluster, in test questions; see [`Clusters::draw`].
    pub(super) imagined: f64,
    clusters: Vec<u8>,
}

/// Weight of a drawn imagined cluster relative to a real one. Jeffreys' prior adds one half to
/// either side of a share.
const IMAGINED_WEIGHT: f64 = 0.5;

impl Clusters {
    /// From the names of the questions' clusters, and whether each question calibrates.
    pub(super) fn of(names: &[[u8; 32]], calibrates: &[bool]) -> Self {
        let mut numbers: HashMap<&[u8; 32], u32> = HashMap::with_capacity(names.len());
        let (mut calibration, mut test) = (Vec::new(), Vec::new());
        for (name, &calibrates) in names.iter().zip(calibrates) {
            let next = numbers.len() as u32;
            let number = *numbers.entry(name).or_insert(next);
            if calibrates {
                calibration.push(number);
            } else {
                test.push(number);
            }
        }
        let count = numbers.len();
        let mut touches = vec![0_u8; count];
        for (half, mark) in [(&calibration, 1), (&test, 2)] {
            for &cluster in half {
                touches[cluster as usize] |= mark;
            }
        }
        let side = |which: u8| -> Vec<u32> {
            (0..count as u32)
                .filter(|&c| touches[c as usize] == which)
                .collect()
        };
        Self {
            effective: effective(&calibration, count).min(effective(&test, count)),
            calibration,
            test,
            count,
            sides: [side(1), side(2), side(3)],
        }
    }

    /// Numbers of clusters with a calibration question and with a test question.
    pub(super) fn in_halves(&self) -> (usize, usize) {
        let [calibration, test, both] = self.sides.each_ref().map(Vec::len);
        (calibration + both, test + both)
    }

    /// Whether every question is a cluster of its own.
    pub(super) fn are_single(&self) -> bool {
        self.count == self.calibration.len() + self.test.len()
    }

    /// Draws whole clusters with replacement, one per `thinning` clusters. Draws the calibration
    /// set only if `calibration` is true.
    ///
    /// One imagined test cluster takes part, with the worst possible outcome for lower ends of
    /// intervals and the best possible for upper ones. Without it an unobserved outcome could never
    /// be drawn: an interval around 0 of 30 would have no width.
    pub(super) fn draw(
        &self,
        stream: &mut Stream,
        calibration: bool,
        thinning: usize,
        drawn: &mut Drawn,
    ) {
        drawn.clusters.clear();
        drawn.clusters.resize(self.count, u8::from(!calibration));
        let [fixed, test, both] = &self.sides;
        if calibration {
            add(stream, fixed, 0, thinning, &mut drawn.clusters);
        } else {
            for &cluster in test.iter().chain(both) {
                drawn.clusters[cluster as usize] = 0;
            }
        }
        let imagined_in_test = usize::from(!test.is_empty());
        let imagined = add(
            stream,
            test,
            imagined_in_test,
            thinning,
            &mut drawn.clusters,
        ) + add(
            stream,
            both,
            1 - imagined_in_test,
            thinning,
            &mut drawn.clusters,
        );
        let (_, clusters) = self.in_halves();
        let mean_size = self.test.len() as f64 / clusters.max(1) as f64;
        drawn.imagined = IMAGINED_WEIGHT * imagined as f64 * mean_size;
        let of = |questions: &[u32], weights: &mut Vec<u8>| {
            weights.clear();
            weights.extend(questions.iter().map(|&c| drawn.clusters[c as usize]));
        };
        of(&self.test, &mut drawn.test);
        if calibration {
            of(&self.calibration, &mut drawn.calibration);
        } else {
            drawn.calibration.clear();
            drawn.calibration.resize(self.calibration.len(), 1);
        }
        let weights = drawn.calibration.iter();
        drawn.calibrating = weights.map(|&weight| usize::from(weight)).sum();
    }

    /// The [`design_effect`] of a share of calibration questions, which counts those in `inside`.
    pub(super) fn design_effect(&self, inside: &[u32]) -> f64 {
        if self.are_single() {
            return 1.0;
        }
        effect(&self.calibration, self.count, inside)
    }

    /// The [`design_effect`] of the share of test questions for which `inside` is true.
    pub(super) fn test_design_effect(&self, inside: impl Fn(usize) -> bool) -> f64 {
        if self.are_single() {
            return 1.0;
        }
        let inside: Vec<u32> = (0..self.test.len())
            .filter(|&question| inside(question))
            .map(|question| question as u32)
            .collect();
        effect(&self.test, self.count, &inside)
    }
}

/// Draws one cluster per `thinning` of `clusters` and `imagined` more. Returns how often the latter
/// were drawn.
fn add(
    stream: &mut Stream,
    clusters: &[u32],
    imagined: usize,
    thinning: usize,
    times: &mut [u8],
) -> usize {
    let all = clusters.len() + imagined;
    let mut of_imagined = 0;
    for _ in 0..all.div_ceil(thinning.max(1)) {
        match clusters.get(stream.below(all)) {
            Some(&cluster) => {
                let times = &mut times[cluster as usize];
                *times = times.saturating_add(1);
            }
            None => of_imagined += 1,
        }
    }
    of_imagined
}

/// [`effective_clusters`] of questions whose clusters are numbered below `count`.
pub(super) fn effective(questions: &[u32], count: usize) -> f64 {
    let mut sizes = vec![0.0_f64; count];
    for &cluster in questions {
        sizes[cluster as usize] += 1.0;
    }
    effective_clusters(sizes)
}

/// Clusters of one size that would say as much: `(Σ mᵢ)² / Σ mᵢ²` for *mᵢ* questions in each (Kish 1965).
///
/// ```
/// use sureness_conformal::effective_clusters;
///
/// assert_eq!(effective_clusters([4.0, 4.0, 4.0]), 3.0);
/// assert_eq!(effective_clusters([6.0, 1.0, 1.0, 1.0, 1.0]), 2.5);
/// ```
pub fn effective_clusters(sizes: impl IntoIterator<Item = f64>) -> f64 {
    let sums = |(n, squares), size| (n + size, squares + size * size);
    let (n, squares): (f64, f64) = sizes.into_iter().fold((0.0, 0.0), sums);
    n * n / squares.max(1.0)
}

/// The design effect of clusters on a share of questions (Kish 1965, section 5.4): the factor by
/// which its variance exceeds that of independent questions, at least 1. `clusters` names each
/// question's cluster, `inside` marks the questions that the share counts.
///
/// ```
/// use sureness_conformal::design_effect;
///
/// // Four copies of each of two questions are worth two questions.
/// let clusters: Vec<[u8; 32]> = (0..8).map(|i| [i / 4; 32]).collect();
/// let inside: Vec<bool> = (0..8).map(|i| i < 4).collect();
/// assert_eq!(design_effect(&clusters, &inside), 4.0);
/// ```
pub fn design_effect(clusters: &[[u8; 32]], inside: &[bool]) -> f64 {
    let all = Clusters::of(clusters, &vec![false; clusters.len()]);
    all.test_design_effect(|question| inside.get(question).copied().unwrap_or(false))
}

/// `(Σ rᵢ² + m²) / (n p (1 − p) + m)` over clusters of `mᵢ` questions, `aᵢ` of them inside, with the
/// residuals `rᵢ = (aᵢ − p·mᵢ)·(n − m̄)/(n − mᵢ)` for `m̄` questions on average, and `m = Σ mᵢ² / n`. At
/// least 1: a smaller value is chance.
///
/// A cluster that holds much of the questions sets the share itself, which makes its residual too small:
/// the factor makes it that from the share of the others, relative to clusters of one size. The terms with
/// `m` are those of one imagined cluster whose questions agree, as large as the one of a question drawn at
/// random. Where all questions are inside, or none, nothing else tells how much clusters agree: they count
/// as one question each.
fn effect(questions: &[u32], clusters: usize, inside: &[u32]) -> f64 {
    let n = questions.len() as f64;
    let share = inside.len() as f64 / n;
    let mut sums = vec![(0.0, 0.0); clusters];
    for &cluster in questions {
        sums[cluster as usize].1 += 1.0;
    }
    for &question in inside {
        sums[questions[question as usize] as usize].0 += 1.0;
    }
    let residuals = sums.iter().filter(|(_, size)| *size > 0.0);
    let residuals = residuals.map(|(inside, size)| (inside - share * size, *size));
    effect_of_residuals(residuals, n * share * (1.0 - share)).max(1.0)
}

/// The same of the residuals and sizes of clusters, for values from 0 to 1 whose variance as shares would
/// add up to `expected`. It may be below 1, where values vary less than shares do.
///
/// ```
/// use sureness_conformal::effect_of_residuals;
///
/// // Two clusters of four questions each, all of the first right, none of the second.
/// assert_eq!(effect_of_residuals([(2.0, 4.0), (-2.0, 4.0)].into_iter(), 2.0), 4.0);
/// ```
pub fn effect_of_residuals(
    clusters: impl Iterator<Item = (f64, f64)> + Clone,
    expected: f64,
) -> f64 {
    let sizes = clusters.clone().map(|(_, size)| size);
    let (count, n) = (
        sizes.clone().count().max(1) as f64,
        sizes.clone().sum::<f64>(),
    );
    let of_one_question = sizes.map(|size| size * size).sum::<f64>() / n;
    let squares = clusters.map(|(residual, size)| {
        let from_others = if size < n {
            (n - n / count) / (n - size)
        } else {
            1.0
        };
        (residual * from_others).powi(2)
    });
    (squares.sum::<f64>() + of_one_question * of_one_question) / (expected + of_one_question)
}
