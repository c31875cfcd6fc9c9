//! One model on one task in one strategy by one score, indexed for drawing both halves anew.
//!
//! The threshold of a draw is always the score of some calibration question. So each option is
//! characterised by the place of the first threshold that excludes it: the threshold at place `t`
//! is the `t`-th largest calibration score, and place 0 is an infinite one. Most options are on the
//! same side of all thresholds within reach of a draw; the others are a short list of changes.

use super::clusters::{Clusters, Drawn};
use super::mask::Mask;
use crate::{Protocol, Scores, Threshold};

/// Thresholds of draws are clamped to this many standard deviations around the given one.
const REACH: f64 = 9.0;

/// Sums over drawn test questions, without the imagined cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) covered: i64,
    pub(super) size: i64,
    pub(super) single: i64,
    pub(super) empty: i64,
}

/// Changes of one test question's counts where the threshold moves down by one place.
#[derive(Debug, Clone, Copy)]
struct Change {
    question: u32,
    covered: i8,
    size: i8,
    single: i8,
    empty: i8,
}

/// A threshold of a draw, by its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct DrawnThreshold {
    at: usize,
    /// Whether it is a node of the threshold's law: that of a further calibration set.
    is_node: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// Calibration questions by the score of the right option, largest first.
    strangest: Vec<u32>,
    /// Place of the given threshold.
    given: usize,
    /// At the given threshold, by test question.
    covered: Mask,
    size: Vec<u8>,
    single: Mask,
    empty: Mask,
    /// Most probable option is right, by test question.
    pub(super) correct: Mask,
    /// Changes between places `first + i` and `first + i + 1` end at `ends[i]`.
    changes: Vec<Change>,
    ends: Vec<u32>,
    first: usize,
    /// The protocol's rule for the rank of the threshold.
    protocol: Protocol,
    alpha: f64,
    /// The law of the threshold, as shares of weight above it; see [`super::law`].
    nodes: Vec<f64>,
    /// Mean number of options.
    pub(super) options: f64,
    /// Clusters of the calibration questions at or above the threshold.
    pub(super) clusters_beyond: usize,
}

/// Which rows of `scores` calibrate and which are tested, in the order of the clusters.
pub(super) struct Rows<'a> {
    pub(super) calibration: &'a [usize],
    pub(super) test: &'a [usize],
}

/// The place of the threshold of `n` calibration questions.
fn threshold_place(protocol: Protocol, n: usize, alpha: f64) -> usize {
    protocol.rank(n, alpha).map_or(0, |rank| n + 1 - rank)
}

impl Cell {
    /// The law of the threshold of `n` calibration questions. Slow to compute, and the same for all
    /// cells of a task.
    pub(super) fn law(protocol: Protocol, n: usize, alpha: f64) -> Vec<f64> {
        super::law::nodes(n, threshold_place(protocol, n, alpha))
    }

    /// `law` is that of the threshold, from [`Self::law`].
    pub(super) fn of(
        scores: &Scores,
        rows: &Rows<'_>,
        clusters: &Clusters,
        alpha: f64,
        law: &[f64],
    ) -> Self {
        let protocol = scores.view().protocol;
        let n = rows.calibration.len();
        let answer = |question: u32| scores.ranked_answer(rows.calibration[question as usize]);
        let mut strangest: Vec<u32> = (0..n as u32).collect();
        strangest
            .sort_unstable_by(|&a, &b| answer(b).total_cmp(&answer(a)).then_with(|| a.cmp(&b)));
        let given = threshold_place(protocol, n, alpha);
        let beyond = &strangest[..given];
        let design = clusters.design_effect(beyond);
        let share = given as f64 / n.max(1) as f64;
        let spread = (n as f64 * share * (1.0 - share) * design).sqrt();
        let reach = (REACH * spread).ceil() as usize + 16;
        let first = given.saturating_sub(reach);
        let last = (given + reach).min(n);

        let mut distinct: Vec<u32> = beyond
            .iter()
            .map(|&question| clusters.calibration[question as usize])
            .collect();
        distinct.sort_unstable();
        distinct.dedup();

        let bounds: Vec<f64> = (first..=last)
            .map(|place| match place.checked_sub(1) {
                None => scores.bound(Threshold::Infinite),
                Some(index) => scores.bound(Threshold::Finite(answer(strangest[index]))),
            })
            .collect();
        let mut cell = Self {
            given,
            first,
            protocol,
            alpha,
            nodes: super::law::widened(law, n, given, design),
            options: mean(rows.test.iter().map(|&row| scores.options(row) as f64)),
            clusters_beyond: distinct.len(),
            correct: Mask::with_capacity(rows.test.len()),
            covered: Mask::with_capacity(rows.test.len()),
            size: Vec::with_capacity(rows.test.len()),
            single: Mask::with_capacity(rows.test.len()),
            empty: Mask::with_capacity(rows.test.len()),
            changes: Vec::new(),
            ends: Vec::new(),
            strangest,
        };
        cell.lay_out_tests(scores, rows.test, &bounds);
        cell
    }

    /// Counts each test question at the given threshold, and lists its changes at others.
    fn lay_out_tests(&mut self, scores: &Scores, test: &[usize], bounds: &[f64]) {
        let given = self.given - self.first;
        let (highest, lowest) = (bounds[0], bounds[bounds.len() - 1]);
        let mut changes: Vec<(u32, Change)> = Vec::new();
        // The place that excludes an option, and whether it is the right one.
        let mut falls: Vec<(u32, bool)> = Vec::new();
        for (question, &row) in test.iter().enumerate() {
            let (answer, correct) = (scores.answer(row), scores.correct(row));
            let mut state = State {
                inside: 0,
                holds: false,
                top_covers: scores.top_covers(row),
            };
            falls.clear();
            for (option, &score) in scores.compared(row).iter().enumerate() {
                if score > highest {
                    continue;
                }
                state.inside += 1;
                state.holds |= option == answer;
                if score > lowest {
                    let place = bounds.partition_point(|&bound| score <= bound);
                    falls.push((place as u32, option == answer));
                }
            }
            falls.sort_unstable_by_key(|&(place, _)| place);
            let mut at_given = None;
            for same in falls.chunk_by(|a, b| a.0 == b.0) {
                let place = same.first().map_or(0, |fall| fall.0);
                if place as usize > given {
                    at_given.get_or_insert(state);
                }
                let before = state.counts();
                state.inside -= same.len();
                state.holds &= same.iter().all(|fall| !fall.1);
                let after = state.counts();
                let change = |k: usize| (after[k] - before[k]) as i8;
                changes.push((
                    place,
                    Change {
                        question: question as u32,
                        covered: change(0),
                        size: change(1),
                        single: change(2),
                        empty: change(3),
                    },
                ));
            }
            let [covered, size, single, empty] = at_given.unwrap_or(state).counts();
            self.correct.push(correct);
            self.covered.push(covered == 1);
            self.size.push(size as u8);
            self.single.push(single == 1);
            self.empty.push(empty == 1);
        }
        changes.sort_by_key(|&(place, _)| place);
        let mut at = 0;
        for place in 1..bounds.len() as u32 {
            at += changes[at..]
                .iter()
                .take_while(|(to, _)| *to == place)
                .count();
            self.ends.push(at as u32);
        }
        self.changes = changes.into_iter().map(|(_, change)| change).collect();
    }

    /// Whether the threshold is infinite, and every set full.
    pub(super) fn is_full(&self) -> bool {
        self.given == 0
    }

    /// The sums at the given threshold, not resampled.
    pub(super) fn given(&self) -> Sums {
        Sums {
            covered: self.covered.count(),
            size: self.size.iter().map(|&size| i64::from(size)).sum(),
            single: self.single.count(),
            empty: self.empty.count(),
        }
    }

    /// The places of the drawn calibration set's threshold and of the nodes of its law, ascending.
    fn places(&self, drawn: &Drawn, places: &mut Vec<DrawnThreshold>) {
        let n = drawn.calibrating;
        places.clear();
        let mut push = |at: usize, is_node: bool| {
            let at = at.clamp(self.first, self.first + self.ends.len());
            places.push(DrawnThreshold { at, is_node });
        };
        // The smallest whole weight above each share.
        let mut shares = self
            .nodes
            .iter()
            .map(|&share| (share * n as f64) as usize + 1);
        let mut next = || shares.next().unwrap_or(usize::MAX);
        let (mut node, mut weight) = (next(), 0);
        let mut wanted = match threshold_place(self.protocol, n, self.alpha) {
            0 => {
                push(0, false);
                usize::MAX
            }
            wanted => wanted,
        };
        // `t` questions lie above place `t + 1`.
        for (above, &question) in self.strangest.iter().enumerate() {
            weight += usize::from(drawn.calibration[question as usize]);
            while weight >= wanted.min(node) {
                let is_node = node < wanted;
                push(above + 1, is_node);
                if is_node {
                    node = next();
                } else {
                    wanted = usize::MAX;
                }
            }
            if wanted.min(node) == usize::MAX {
                return;
            }
        }
        while node < usize::MAX {
            push(self.strangest.len(), true);
            node = next();
        }
    }

    /// The sums of drawn test questions under the drawn threshold, `push(false, …)`, and under each
    /// node of its law, `push(true, …)`.
    pub(super) fn drawn(
        &self,
        drawn: &Drawn,
        places: &mut Vec<DrawnThreshold>,
        mut push: impl FnMut(bool, &Sums),
    ) {
        self.places(drawn, places);
        let base = Sums {
            covered: self.covered.weigh(&drawn.test),
            size: dot(&self.size, &drawn.test),
            single: self.single.weigh(&drawn.test),
            empty: self.empty.weigh(&drawn.test),
        };
        // From the given place upwards, and downwards.
        let split = places.partition_point(|place| place.at < self.given);
        let (higher, lower) = places.split_at(split);
        let (mut at, mut sums) = (self.given, base);
        for place in lower {
            while at < place.at {
                self.shift(at - self.first, 1, &drawn.test, &mut sums);
                at += 1;
            }
            push(place.is_node, &sums);
        }
        (at, sums) = (self.given, base);
        for place in higher.iter().rev() {
            while at > place.at {
                at -= 1;
                self.shift(at - self.first, -1, &drawn.test, &mut sums);
            }
            push(place.is_node, &sums);
        }
    }

    /// Applies the changes between a place and the next, forwards (`times` 1) or backwards (−1).
    fn shift(&self, index: usize, times: i64, test: &[u8], sums: &mut Sums) {
        let end = self.ends[index] as usize;
        let begin = index
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize);
        for change in &self.changes[begin..end] {
            let weight = times * i64::from(test[change.question as usize]);
            sums.covered += weight * i64::from(change.covered);
            sums.size += weight * i64::from(change.size);
            sums.single += weight * i64::from(change.single);
            sums.empty += weight * i64::from(change.empty);
        }
    }

    /// Whether test question `question` is covered at the given threshold.
    pub(super) fn covers(&self, question: usize) -> bool {
        self.covered.holds(question)
    }
}

/// One test question at some threshold.
#[derive(Debug, Clone, Copy)]
struct State {
    inside: usize,
    holds: bool,
    top_covers: bool,
}

impl State {
    /// Covered, size, single, empty; an empty set is filled with the most probable option.
    fn counts(self) -> [i32; 4] {
        let empty = self.inside == 0;
        let size = self.inside.max(1);
        [
            i32::from(if empty { self.top_covers } else { self.holds }),
            // 26 options at most.
            i32::from(size as u8),
            i32::from(size == 1),
            i32::from(empty),
        ]
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len().max(1) as f64;
    values.sum::<f64>() / n
}

/// The sum of products, in chunks whose sums fit 32 bits, so that the compiler vectorises it.
fn dot(a: &[u8], b: &[u8]) -> i64 {
    let chunks = a.chunks(1 << 14).zip(b.chunks(1 << 14));
    chunks
        .map(|(a, b)| {
            let products = a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b));
            i64::from(products.sum::<i32>())
        })
        .sum()
}
