//! Whether two models of a [`Panel`] differ: a sign-flip test over both halves.
//!
//! Under the hypothesis that two models are alike, each cluster of questions may swap what the two
//! answered, calibration questions as well as test questions, and nothing changes but signs. The
//! statistic is a sum over clusters, so that a round costs one sum:
//!
//! - a test question adds what the models differ by *at one threshold for both*, which is the one that
//!   their pooled calibration scores set;
//! - a calibration question adds the difference of the indicators that its right option lies within
//!   that threshold, times the exchange rate: by how much the figure grows where coverage grows, taken
//!   over the distance that a threshold moves by chance.
//!
//! That is the difference of the figures to first order, a threshold of each model's own included.
//! Threshold and rates are the same whoever answered what, so that the test holds its level exactly
//! at any number of questions, at an atom of the scores, too: only its power hangs on how good the
//! first order is.

use super::cell::dot;
use super::panel::{ACC, COMPARED, COVERAGE, Estimand, Panel, SET_SIZE, Stratum, UACC, difference};
use super::profile::Profile;
use super::random::Stream;

/// Clusters whose signs are looked up together.
const BLOCK: usize = 8;

/// A figure is settled once so many rounds came as far as observed: its p-value is then known to
/// within a seventh of itself.
const ENOUGH: usize = 50;

/// What each cluster adds to each compared figure.
type Weights = [f64; COMPARED];

impl Panel {
    /// Two-sided p-values of the hypothesis that two models are alike, for accuracy, coverage, set size
    /// and `UAcc`: the share of random signs that bring the statistic as far from 0 as it is, with the
    /// observed one counted (Fisher 1935; Davison & Hinkley 1997, section 4.2.5).
    ///
    /// There are `rounds` rounds, and up to `most` where few came as far. A statistic that is so far
    /// out that no number of rounds could tell has Hoeffding's bound on the same probability, 2
    /// exp(−t²/2 Σd²), in place of a count. A figure whose statistic and whose difference point
    /// different ways has a p-value of 1.
    pub fn test(
        &self,
        a: usize,
        b: usize,
        rounds: usize,
        most: usize,
        seed: u64,
    ) -> [f64; COMPARED] {
        let mut weights = Vec::new();
        for stratum in &self.strata {
            let scale = 1.0 / self.strata.len() as f64;
            weights.extend(match self.estimand {
                Estimand::Procedure => stratum.weights(a, b, scale),
                Estimand::Deployed => stratum.deployed_weights(a, b, scale),
            });
        }
        let figures = difference(&self.figures(a), &self.figures(b));
        let mut observed = [0.0; COMPARED];
        let mut squares = [0.0; COMPARED];
        for weight in &weights {
            for figure in 0..COMPARED {
                observed[figure] += weight[figure];
                squares[figure] += weight[figure].powi(2);
            }
        }
        weights.retain(|weight| weight.iter().any(|&w| w != 0.0));
        let bounds: [f64; COMPARED] = std::array::from_fn(|figure| {
            2.0 * (-observed[figure].powi(2) / (2.0 * squares[figure])).exp()
        });
        let most = most.max(rounds);
        let least = 1.0 / (most + 1) as f64;
        let mut count = [0_usize; COMPARED];
        let mut done = 0;
        // NaN, where nothing varies, is settled: no round would tell anything.
        let settled = |figure: usize, count: usize| !(bounds[figure] > least) || count >= ENOUGH;
        while done < most && !(0..COMPARED).all(|figure| settled(figure, count[figure])) {
            let batch = rounds.max(1).min(most - done);
            let mut stream = Stream::new("signs", seed, done);
            for total in flip(&weights, batch, &mut stream) {
                for figure in 0..COMPARED {
                    // Sums of other signs come in another order, and differ in their last bits.
                    let far = observed[figure].abs() - 1e-9 * squares[figure].sqrt();
                    count[figure] += usize::from(total[figure].abs() >= far);
                }
            }
            done += batch;
        }
        std::array::from_fn(|figure| {
            if squares[figure] <= 0.0 || observed[figure] * figures[figure] <= 0.0 {
                1.0
            } else if bounds[figure] <= least {
                bounds[figure]
            } else {
                (count[figure] + 1) as f64 / (done + 1) as f64
            }
        })
    }
}

/// The sums of all weights under random signs, once per round.
fn flip(weights: &[Weights], rounds: usize, stream: &mut Stream) -> Vec<Weights> {
    let mut totals = vec![[0.0; COMPARED]; rounds];
    for block in weights.chunks(BLOCK) {
        // All 256 ways to give eight clusters a sign.
        let mut ways = [[0.0; COMPARED]; 1 << BLOCK];
        ways[0] = block
            .iter()
            .fold([0.0; COMPARED], |sum, weight| plus(sum, *weight, -1.0));
        for cluster in 0..BLOCK {
            let weight = block.get(cluster).copied().unwrap_or([0.0; COMPARED]);
            let half = 1 << cluster;
            let (without, with) = ways.split_at_mut(half);
            for (with, without) in with.iter_mut().zip(without) {
                *with = plus(*without, weight, 2.0);
            }
        }
        for totals in totals.chunks_mut(8) {
            let coins = stream.next().to_le_bytes();
            for (total, coin) in totals.iter_mut().zip(coins) {
                *total = plus(*total, ways[usize::from(coin)], 1.0);
            }
        }
    }
    totals
}

fn plus(mut sum: Weights, weight: Weights, times: f64) -> Weights {
    for (sum, weight) in sum.iter_mut().zip(weight) {
        *sum += times * weight;
    }
    sum
}

impl Stratum {
    /// What each cluster adds to the difference of two models, `scale` times.
    fn weights(&self, a: usize, b: usize, scale: f64) -> Vec<Weights> {
        let mut weights = vec![[0.0; COMPARED]; self.clusters.count];
        let strategies = self.profiles[a].iter().zip(&self.profiles[b]);
        let cells = self.cells(a).chunks_exact(2);
        let scale = scale / self.cells(a).len() as f64;
        for ((of_a, of_b), cells) in strategies.zip(cells) {
            let pair = [of_a, of_b];
            for (which, cell) in cells.iter().enumerate() {
                let size = self.clusters.mean_neighbours();
                let common = Common::of(pair, which, cell.given_place(), size, cell.options);
                common.add(pair, which, self, scale, &mut weights);
            }
        }
        weights
    }

    /// The same where thresholds stay as they are: test questions alone.
    fn deployed_weights(&self, a: usize, b: usize, scale: f64) -> Vec<Weights> {
        let mut weights = vec![[0.0; COMPARED]; self.clusters.count];
        let n = self.clusters.test.len() as f64;
        let scale = scale / (self.cells(a).len() as f64 * n);
        for (of_a, of_b) in self.cells(a).iter().zip(self.cells(b)) {
            let ones = vec![1; self.clusters.test.len()];
            let mean = |column: fn(&super::cell::Cell) -> &[u8]| {
                (dot(column(of_a), &ones) + dot(column(of_b), &ones)) as f64 / (2.0 * n)
            };
            let rate = Rates {
                acc: mean(|cell| &cell.correct),
                size: mean(|cell| cell.sizes()),
                options: of_a.options,
            };
            for (question, &cluster) in self.clusters.test.iter().enumerate() {
                let less = |of: fn(&super::cell::Cell) -> &[u8]| {
                    f64::from(of(of_a)[question]) - f64::from(of(of_b)[question])
                };
                rate.add(
                    &mut weights[cluster as usize],
                    scale,
                    less(|cell| &cell.correct),
                    less(|cell| cell.coverages()),
                    less(|cell| cell.sizes()),
                );
            }
        }
        weights
    }
}

/// How accuracy and set size make `UAcc`, at the mean of both models.
struct Rates {
    acc: f64,
    size: f64,
    options: f64,
}

impl Rates {
    fn add(&self, weights: &mut Weights, scale: f64, correct: f64, covered: f64, size: f64) {
        let root = self.options.sqrt() / self.size;
        weights[ACC] += scale * correct;
        weights[COVERAGE] += scale * covered;
        weights[SET_SIZE] += scale * size;
        weights[UACC] += scale * root * (correct - self.acc / self.size * size);
    }
}

/// What two models share in one cell, and would share if they swapped answers.
struct Common {
    threshold: f64,
    rates: Rates,
    /// By how much size and coverage of test sets grow with the coverage of calibration questions.
    size_rate: f64,
    coverage_rate: f64,
}

impl Common {
    fn of(pair: [&Profile; 2], which: usize, given: usize, neighbours: f64, options: f64) -> Self {
        let mut calibration = Vec::new();
        for profile in pair {
            profile.scores(&profile.calibration, |_, scores, answer| {
                calibration.push(scores[which][answer]);
            });
        }
        let n = calibration.len() / 2;
        let share = given as f64 / n.max(1) as f64;
        // One standard deviation of the rank of one model's threshold, in pooled ranks; at most, where
        // questions come in clusters. What it rests on must not depend on who answered what.
        let step = 2.0 * (n as f64 * share * (1.0 - share) * neighbours).sqrt();
        let place = 2 * given.max(1) - 1;
        let mut at = |place: usize| {
            let place = place.min(calibration.len().saturating_sub(1));
            *calibration
                .select_nth_unstable_by(place, |a, b| b.total_cmp(a))
                .1
        };
        let threshold = at(place);
        let high = at(place.saturating_sub(step.ceil() as usize));
        let low = at(place + step.ceil() as usize);
        let within = |bound: f64| calibration.iter().filter(|&&s| s <= bound).count() as f64;
        let moved = (within(high) - within(low)) / calibration.len() as f64;
        let (mut acc, mut questions) = (0.0, 0.0);
        // Size and coverage at the lower, the common and the higher threshold.
        let mut sums = [[0.0; 2]; 3];
        for profile in pair {
            profile.scores(&profile.test, |_, scores, answer| {
                questions += 1.0;
                acc += f64::from(u8::from(answer == 0));
                for (sums, bound) in sums.iter_mut().zip([low, threshold, high]) {
                    let (size, covered) = placed(scores[which], answer, bound);
                    sums[0] += size;
                    sums[1] += covered;
                }
            });
        }
        let rate = |k: usize| {
            let grown = (sums[2][k] - sums[0][k]) / questions;
            if moved > 0.0 { grown / moved } else { 0.0 }
        };
        Self {
            threshold,
            size_rate: rate(0),
            coverage_rate: rate(1),
            rates: Rates {
                acc: acc / questions,
                size: sums[1][0] / questions,
                options,
            },
        }
    }

    fn add(
        &self,
        pair: [&Profile; 2],
        which: usize,
        stratum: &Stratum,
        scale: f64,
        weights: &mut [Weights],
    ) {
        let clusters = &stratum.clusters;
        for (profile, sign) in pair.into_iter().zip([1.0, -1.0]) {
            let each = sign * scale / clusters.test.len() as f64;
            profile.scores(&profile.test, |question, scores, answer| {
                let (size, covered) = placed(scores[which], answer, self.threshold);
                let weights = &mut weights[clusters.test[question] as usize];
                let correct = f64::from(u8::from(answer == 0));
                self.rates.add(weights, each, correct, covered, size);
            });
            let each = -sign * scale / clusters.calibration.len() as f64;
            profile.scores(&profile.calibration, |question, scores, answer| {
                if scores[which][answer] <= self.threshold {
                    let weights = &mut weights[clusters.calibration[question] as usize];
                    let (covered, size) = (self.coverage_rate, self.size_rate);
                    self.rates.add(weights, each, 0.0, covered, size);
                }
            });
        }
    }
}

/// Size of the set that options with these ascending scores make, and whether it covers.
fn placed(scores: &[f64], answer: usize, bound: f64) -> (f64, f64) {
    let inside = scores.iter().filter(|&&score| score <= bound).count();
    let covered = answer < inside.max(1);
    (inside.max(1) as f64, f64::from(u8::from(covered)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looked_up_signs_are_those_given_one_by_one() {
        let mut stream = Stream::new("test", 1, 0);
        for clusters in [1, 7, 8, 9, 30] {
            let weights: Vec<Weights> = (0..clusters)
                .map(|_| std::array::from_fn(|_| stream.unit() - 0.5))
                .collect();
            let fast = flip(&weights, 20, &mut Stream::new("signs", 3, 0));
            let mut coins = Stream::new("signs", 3, 0);
            let mut slow = vec![[0.0; COMPARED]; 20];
            for block in weights.chunks(BLOCK) {
                for rounds in slow.chunks_mut(8) {
                    let bytes = coins.next().to_le_bytes();
                    for (total, byte) in rounds.iter_mut().zip(bytes) {
                        for (cluster, weight) in block.iter().enumerate() {
                            let sign = if byte >> cluster & 1 == 1 { 1.0 } else { -1.0 };
                            *total = plus(*total, *weight, sign);
                        }
                    }
                }
            }
            for (fast, slow) in fast.iter().flatten().zip(slow.iter().flatten()) {
                assert!((fast - slow).abs() < 1e-12);
            }
        }
    }
}
