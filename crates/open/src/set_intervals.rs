//! Intervals of coverage and set size: whole clusters of both halves are drawn anew, and each draw sets
//! its own threshold, as for sets of options (docs/statistics-inference.md, "Intervals").

use std::collections::{BTreeMap, BTreeSet};

use sureness_conformal::{
    Config, MIN_CLUSTERS, MIN_CLUSTERS_BEYOND, NoInterval, Stream, conformal_rank, design_effect,
    tail, threshold_law,
};

use crate::intervals::{Drawing, share};
use crate::{Item, OpenSets};

/// One draw in so many may be without a finite threshold. The intervals are about calibration halves
/// that have one.
const FULL: usize = 40;
/// Weight of the imagined cluster: Jeffreys' prior adds one half to either side of a share.
const IMAGINED_WEIGHT: f64 = 0.5;

/// The ends of both intervals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SetIntervals {
    pub(crate) coverage: [f64; 2],
    pub(crate) set_size: [f64; 2],
}

pub(crate) fn of(
    calibration: &[&Item],
    test: &[&Item],
    config: &Config,
    drawing: &Drawing,
) -> Result<SetIntervals, NoInterval> {
    let halves = Halves::of(calibration, test);
    let least = halves.calibration.clusters.min(halves.test.clusters);
    if least < MIN_CLUSTERS {
        return Err(NoInterval::TooFew);
    }
    let sets = OpenSets::of(calibration, test, config.alpha);
    let figures = sets.threshold.zip(sets.coverage.zip(sets.set_size));
    let (threshold, (coverage, set_size)) = figures.ok_or(NoInterval::Full)?;
    let law = law(calibration, threshold, config.alpha)?;

    let mut draws = Draws::default();
    for replicate in 0..drawing.replicates {
        let mut stream = Stream::new("open questions", config.seed, replicate);
        halves.draw(&mut stream, config.alpha, &law, &mut draws);
    }
    if draws.full * FULL > drawing.replicates {
        return Err(NoInterval::Full);
    }
    let tail = tail(drawing.level, least);
    let covers = |item: &Item| item.meanings.set(threshold).iter().any(|it| it.accepted);
    let of_share = share(test, covers, drawing.level);
    let of_draws = draws.hull(0, coverage, tail);
    Ok(SetIntervals {
        coverage: [of_draws[0].min(of_share[0]), of_draws[1].max(of_share[1])],
        set_size: draws.hull(1, set_size, tail),
    })
}

/// The law of the threshold, if enough clusters reach it.
fn law(calibration: &[&Item], threshold: f64, alpha: f64) -> Result<Vec<f64>, NoInterval> {
    let reaches = |item: &&Item| item.score() >= threshold;
    let reaching = calibration.iter().filter(|item| reaches(item));
    let clusters: BTreeSet<[u8; 32]> = reaching.map(|item| item.cluster).collect();
    if clusters.len() < MIN_CLUSTERS_BEYOND {
        return Err(NoInterval::TooFew);
    }
    let names: Vec<[u8; 32]> = calibration.iter().map(|item| item.cluster).collect();
    let beyond: Vec<bool> = calibration.iter().map(reaches).collect();
    let n = calibration.len();
    let rank = conformal_rank(n, alpha).ok_or(NoInterval::Full)?;
    Ok(threshold_law(n, rank, design_effect(&names, &beyond)))
}

/// The cluster of each item, by number, and how many there are.
fn clusters(items: &[&Item]) -> (Vec<usize>, usize) {
    let mut numbers: BTreeMap<&[u8; 32], usize> = BTreeMap::new();
    for item in items {
        numbers.insert(&item.cluster, 0);
    }
    for (number, of) in numbers.values_mut().enumerate() {
        *of = number;
    }
    let of_items = items.iter().map(|item| numbers[&item.cluster]).collect();
    (of_items, numbers.len())
}

/// Something of a question that a threshold admits: thresholds from this place on.
struct Admitted {
    cluster: usize,
    place: usize,
}

/// The calibration half.
struct Calibration {
    clusters: usize,
    /// The nonconformity score of each question. Sets of this half are not filled: a right answer has the
    /// score that the threshold is set from.
    scores: Vec<Admitted>,
}

/// The test half, by clusters.
struct Half {
    clusters: usize,
    /// Questions of each cluster.
    sizes: Vec<usize>,
    /// The truth of each question.
    truths: Vec<Admitted>,
    /// Each meaning of each question.
    meanings: Vec<Admitted>,
}

/// Both halves. The possible thresholds are the different finite scores of the calibration half,
/// ascending; the place behind them is that of an infinite one.
struct Halves {
    thresholds: usize,
    calibration: Calibration,
    test: Half,
    /// The largest set that a question may have.
    most: f64,
}

impl Halves {
    fn of(calibration: &[&Item], test: &[&Item]) -> Self {
        let scores = calibration.iter().map(|item| item.score());
        let mut thresholds: Vec<f64> = scores.filter(|score| score.is_finite()).collect();
        thresholds.sort_unstable_by(f64::total_cmp);
        thresholds.dedup();
        let given = test.iter().map(|item| item.meanings.given()).max();
        Self {
            calibration: Calibration::of(calibration, &thresholds),
            test: Half::of(test, &thresholds),
            thresholds: thresholds.len(),
            most: f64::from(given.unwrap_or(1)),
        }
    }

    /// Draws both halves once.
    fn draw(&self, stream: &mut Stream, alpha: f64, law: &[f64], draws: &mut Draws) {
        let times = draw(stream, self.calibration.clusters, 0).0;
        let scores = count(&self.calibration.scores, &times, self.thresholds);
        let n: usize = scores.iter().sum();
        let place = |rank: usize| {
            let mut below = 0;
            let reaches = |count: &usize| {
                below += count;
                below >= rank
            };
            let place = scores.iter().position(reaches);
            place.filter(|&place| place < self.thresholds)
        };
        let at = conformal_rank(n, alpha).and_then(place);
        // Of the score above which this share of the weight lies.
        let nodes = law.iter().filter_map(|&share| {
            let above = (share * n as f64) as usize;
            place(n.saturating_sub(above).max(1))
        });
        let nodes: Vec<usize> = nodes.collect();

        let (times, imagined) = draw(stream, self.test.clusters, 1);
        let questions = self.test.sizes.iter().zip(&times);
        let questions: usize = questions.map(|(size, times)| size * times).sum();
        let mean_size = self.test.truths.len() as f64 / self.test.clusters as f64;
        let imagined = IMAGINED_WEIGHT * imagined as f64 * mean_size;
        let all = questions as f64 + imagined;
        let tables = [(&self.test.truths, 1.0), (&self.test.meanings, self.most)];
        draws.full += usize::from(at.is_none());
        for (figure, (admitted, most)) in tables.into_iter().enumerate() {
            let mut sum = 0;
            let sums: Vec<f64> = count(admitted, &times, self.thresholds)
                .into_iter()
                .map(|count| {
                    sum += count;
                    f64::from(sum as u32)
                })
                .collect();
            let both = |sum: f64| [sum / all, (sum + imagined * most) / all];
            draws.drawn[figure].extend(at.map(|place| both(sums[place])));
            let of_nodes: f64 = nodes.iter().map(|&place| sums[place]).sum();
            let averaged = (!nodes.is_empty()).then(|| both(of_nodes / nodes.len() as f64));
            draws.averaged[figure].extend(averaged);
        }
    }
}

impl Calibration {
    fn of(items: &[&Item], thresholds: &[f64]) -> Self {
        let (of_items, clusters) = clusters(items);
        let score = |(item, cluster): (&&Item, usize)| Admitted {
            cluster,
            place: place(thresholds, item.score()),
        };
        Self {
            clusters,
            scores: items.iter().zip(of_items).map(score).collect(),
        }
    }
}

impl Half {
    fn of(items: &[&Item], thresholds: &[f64]) -> Self {
        let (of_items, count) = clusters(items);
        let mut half = Self {
            clusters: count,
            sizes: vec![0; count],
            truths: Vec::with_capacity(items.len()),
            meanings: Vec::new(),
        };
        for (item, &cluster) in items.iter().zip(&of_items) {
            half.sizes[cluster] += 1;
            // An empty set is filled with the most frequent meaning.
            let at = |filled: bool, score: f64| Admitted {
                cluster,
                place: if filled { 0 } else { place(thresholds, score) },
            };
            half.truths.push(at(item.is_right(), item.score()));
            for (rank, meaning) in item.meanings.groups().iter().enumerate() {
                let score = item.meanings.nonconformity(meaning);
                half.meanings.push(at(rank == 0, score));
            }
        }
        half
    }
}

/// The first of the thresholds that admits a score.
fn place(thresholds: &[f64], score: f64) -> usize {
    thresholds.partition_point(|&threshold| threshold < score)
}

/// How often each of `clusters` was drawn with replacement, and each of the `imagined` ones together.
fn draw(stream: &mut Stream, clusters: usize, imagined: usize) -> (Vec<usize>, usize) {
    let mut times = vec![0; clusters];
    let mut of_imagined = 0;
    for _ in 0..clusters + imagined {
        match times.get_mut(stream.below(clusters + imagined)) {
            Some(times) => *times += 1,
            None => of_imagined += 1,
        }
    }
    (times, of_imagined)
}

/// What is admitted first at each place, the one behind all thresholds included.
fn count(admitted: &[Admitted], times: &[usize], thresholds: usize) -> Vec<usize> {
    let mut counts = vec![0; thresholds + 1];
    for one in admitted {
        counts[one.place] += times[one.cluster];
    }
    counts
}

/// Coverage and set size in each draw, with the imagined questions at their worst and at their best.
#[derive(Default)]
struct Draws {
    /// Under the threshold of the draw.
    drawn: [Vec<[f64; 2]>; 2],
    /// On average over the law of the threshold.
    averaged: [Vec<[f64; 2]>; 2],
    /// Draws without a finite threshold.
    full: usize,
}

impl Draws {
    /// The smallest interval with the figure itself and both percentile intervals.
    fn hull(&self, figure: usize, value: f64, tail: f64) -> [f64; 2] {
        let mut hull = [value; 2];
        for draws in [&self.drawn[figure], &self.averaged[figure]] {
            let at = |end: usize, share: f64| {
                let mut values: Vec<f64> = draws.iter().map(|ends| ends[end]).collect();
                values.sort_unstable_by(f64::total_cmp);
                let place = values.len().saturating_sub(1) as f64 * share;
                values.get(place.round() as usize).copied()
            };
            let low = at(0, tail).unwrap_or(value);
            let high = at(1, 1.0 - tail).unwrap_or(value);
            hull = [hull[0].min(low), hull[1].max(high)];
        }
        hull
    }
}
