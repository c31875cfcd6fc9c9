//! A sign-flip test of equal accuracy of two models of a [`Panel`].
//!
//! Accuracy depends on no threshold. If two models are equally accurate, swapping their answers on
//! a cluster of test questions only flips the sign of its difference (Fisher 1935). A round is one
//! sum over clusters, eight of them at a time from a table.

use super::panel::Panel;
use super::random::Stream;
use super::stratum::Stratum;

/// Clusters per table of signed sums.
const BLOCK: usize = 8;

/// Rounds stop once this many are as extreme as observed: the relative standard error of the
/// p-value is then a seventh.
const SUFFICIENT_EXTREMES: usize = 50;

impl Panel {
    /// Two-sided p-value of the hypothesis that two models are equally accurate; see
    /// [`super::Resampled::test`].
    pub(super) fn accuracy_test(
        &self,
        a: usize,
        b: usize,
        rounds: usize,
        max_rounds: usize,
        seed: u64,
    ) -> f64 {
        let strata = self.strata.iter();
        let differences: Vec<f64> = strata
            .flat_map(|stratum| stratum.differences(a, b))
            .collect();
        sign_flip_p(&differences, rounds, max_rounds, seed)
    }
}

impl Stratum {
    /// The difference of two models' accuracy on each cluster, summed over its questions and cells.
    fn differences(&self, a: usize, b: usize) -> Vec<f64> {
        let mut differences = vec![0.0; self.clusters.count];
        let cells = self.cells(a).iter().zip(self.cells(b));
        // LAC and APS have the same answers.
        for (of_a, of_b) in cells.step_by(2) {
            let answers = of_a.correct.iter().zip(of_b.correct.iter());
            for ((of_a, of_b), &cluster) in answers.zip(&self.clusters.test) {
                differences[cluster as usize] += f64::from(i8::from(of_a) - i8::from(of_b));
            }
        }
        let scale = 1.0 / (self.cells(a).len() * self.clusters.test.len()) as f64;
        for difference in &mut differences {
            *difference *= scale;
        }
        differences
    }
}

/// The share of random signs for which the sum of `differences` is as far from 0 as observed, the
/// observed signs included (Davison & Hinkley 1997, section 4.2.5).
///
/// Runs `rounds` rounds, and up to `max_rounds` where few are as extreme. A sum beyond the
/// resolution of any number of rounds gets Hoeffding's bound on the same probability, 2 exp(−t²/2
/// Σd²), in place of a count.
fn sign_flip_p(differences: &[f64], rounds: usize, max_rounds: usize, seed: u64) -> f64 {
    let varying: Vec<f64> = differences.iter().copied().filter(|&d| d != 0.0).collect();
    let observed: f64 = varying.iter().sum();
    let squares: f64 = varying.iter().map(|d| d * d).sum();
    // Sums in another order differ in their last bits.
    let far = observed.abs() - 1e-9 * squares.sqrt();
    if far <= 0.0 {
        return 1.0;
    }
    let max_rounds = max_rounds.max(rounds).max(1);
    let bound = 2.0 * (-observed * observed / (2.0 * squares)).exp();
    if bound <= 1.0 / (max_rounds + 1) as f64 {
        return bound;
    }
    let (mut count, mut done) = (0, 0);
    while done < max_rounds && count < SUFFICIENT_EXTREMES {
        let batch = rounds.max(1).min(max_rounds - done);
        let mut stream = Stream::new("signs", seed, done);
        let totals = flip(&varying, batch, &mut stream);
        count += totals.iter().filter(|total| total.abs() >= far).count();
        done += batch;
    }
    (count + 1) as f64 / (done + 1) as f64
}

/// The sum of all differences under random signs, once per round.
fn flip(differences: &[f64], rounds: usize, stream: &mut Stream) -> Vec<f64> {
    let mut totals = vec![0.0; rounds];
    for block in differences.chunks(BLOCK) {
        // The sums for all 256 signs of eight clusters.
        let mut ways = [0.0; 1 << BLOCK];
        ways[0] = -block.iter().sum::<f64>();
        for cluster in 0..BLOCK {
            let difference = block.get(cluster).copied().unwrap_or(0.0);
            let half = 1 << cluster;
            let (without, with) = ways.split_at_mut(half);
            for (with, without) in with.iter_mut().zip(without) {
                *with = *without + 2.0 * difference;
            }
        }
        for totals in totals.chunks_mut(8) {
            let coins = stream.next().to_le_bytes();
            for (total, coin) in totals.iter_mut().zip(coins) {
                *total += ways[usize::from(coin)];
            }
        }
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabulated_sums_are_those_of_single_signs() {
        let mut stream = Stream::new("test", 1, 0);
        for clusters in [1, 7, 8, 9, 30] {
            let weights: Vec<f64> = (0..clusters).map(|_| stream.unit() - 0.5).collect();
            let fast = flip(&weights, 20, &mut Stream::new("signs", 3, 0));
            let mut coins = Stream::new("signs", 3, 0);
            let mut slow = vec![0.0; 20];
            for block in weights.chunks(BLOCK) {
                for rounds in slow.chunks_mut(8) {
                    let bytes = coins.next().to_le_bytes();
                    for (total, byte) in rounds.iter_mut().zip(bytes) {
                        for (cluster, weight) in block.iter().enumerate() {
                            *total += if byte >> cluster & 1 == 1 {
                                *weight
                            } else {
                                -weight
                            };
                        }
                    }
                }
            }
            for (fast, slow) in fast.iter().zip(&slow) {
                assert!((fast - slow).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn few_clusters_have_the_exact_p_value() {
        // Ten questions of one sign: both all-plus and all-minus are as far out, 2 of 1,024.
        let p = sign_flip_p(&[1.0; 10], 4999, 4999, 1);
        assert!((p - 2.0 / 1024.0).abs() < 0.002, "{p}");
        assert!((sign_flip_p(&[], 99, 99, 1) - 1.0).abs() < 1e-12);
        assert!((sign_flip_p(&[1.0, -1.0], 99, 99, 1) - 1.0).abs() < 1e-12);
        // Hoeffding's bound, far below 1 in the number of rounds.
        assert!(sign_flip_p(&[1.0; 200], 99, 99, 1) < 1e-40);
    }
}
