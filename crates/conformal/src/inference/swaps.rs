//! The permutation test of a [`Panel`]: random swaps of what two models said, many times.
//!
//! A swap adds the difference of the two models' words to the sums of one and takes it from those
//! of the other. So one sum over the swapped questions is enough, and the other follows from the
//! total. Eight questions at a time, the sums of all 256 ways to swap them are made once and then
//! looked up in every round: a round of 5,000 questions costs 625 additions.

use super::panel::{CHUNK, FIGURES, Panel, Stratum, add, difference};
use super::random::Stream;

/// Questions whose swaps are looked up together.
const BLOCK: usize = 8;
/// Blocks that one word of coins decides.
const BLOCKS: usize = 64 / BLOCK;
/// Cells that are added in one go: as many as fit a register on any machine of today.
const LANES: usize = 2;

/// Rounds that are counted together, so that memory does not grow with them. The more, the less the
/// 256 ways of each block cost; measured, this many are faster than fewer whose sums stay in the
/// nearest cache.
const BATCH: usize = 1 << 14;

/// Words of so many neighbouring cells.
type Words = [u64; LANES];

impl Panel {
    /// Two-sided p-values of the hypothesis that two models do not differ, one per figure: on each
    /// question by itself the two may swap all that they said, without a difference (a paired
    /// permutation test with random swaps; Fisher 1935). With `swaps` rounds the least value is
    /// `1 / (swaps + 1)`. 1 for a model and itself.
    pub fn permutation(&self, a: usize, b: usize, swaps: usize, seed: u64) -> [f64; FIGURES] {
        let observed = difference(&self.figures(a), &self.figures(b));
        let mut totals = vec![[0.0; FIGURES]; swaps];
        for (index, stratum) in self.strata.iter().enumerate() {
            let purpose = format!("swaps {index}");
            let mut streams: Vec<Stream> = (0..swaps)
                .map(|round| Stream::new(&purpose, seed, round))
                .collect();
            let batches = streams.chunks_mut(BATCH).zip(totals.chunks_mut(BATCH));
            for (streams, totals) in batches {
                stratum.add_swapped(a, b, streams, totals);
            }
        }
        let mut as_far = [0_usize; FIGURES];
        for total in totals {
            let swapped = total.map(|total| total / self.strata.len() as f64);
            for ((count, swapped), observed) in as_far.iter_mut().zip(swapped).zip(observed) {
                *count += usize::from(swapped.abs() >= observed.abs() - 1e-12);
            }
        }
        as_far.map(|count| (count + 1) as f64 / (swaps + 1) as f64)
    }
}

impl Stratum {
    /// Adds the difference of two models after random swaps, one per stream of coins.
    fn add_swapped(
        &self,
        a: usize,
        b: usize,
        streams: &mut [Stream],
        totals: &mut [[f64; FIGURES]],
    ) {
        let cells = self.cells();
        // Round by round, cell by cell.
        let mut of_a = vec![[0.0; 3]; streams.len() * cells];
        let mut of_b = of_a.clone();
        let mut words = vec![0_u64; cells];
        let chunks = self.words[a].chunks(CHUNK * cells);
        for (said_a, said_b) in chunks.zip(self.words[b].chunks(CHUNK * cells)) {
            let (whole_a, whole_b) = (sums_of(said_a, cells), sums_of(said_b, cells));
            let moved = moved(said_a, said_b, cells, streams);
            let rounds = of_a
                .chunks_exact_mut(cells)
                .zip(of_b.chunks_exact_mut(cells));
            for (round, (of_a, of_b)) in rounds.enumerate() {
                // Words are exact modulo 2⁶⁴, and the counts in them fit.
                let moved = |cell: usize| moved[cell / LANES][round][cell % LANES];
                for (cell, (word, whole)) in words.iter_mut().zip(&whole_a).enumerate() {
                    *word = whole.wrapping_add(moved(cell));
                }
                add(of_a, &words);
                for (cell, (word, whole)) in words.iter_mut().zip(&whole_b).enumerate() {
                    *word = whole.wrapping_sub(moved(cell));
                }
                add(of_b, &words);
            }
        }
        let questions = self.questions as f64;
        let both = of_a.chunks_exact(cells).zip(of_b.chunks_exact(cells));
        for (total, (a, b)) in totals.iter_mut().zip(both) {
            let swapped = difference(&self.figures(a, questions), &self.figures(b, questions));
            for (total, figure) in total.iter_mut().zip(swapped) {
                *total += figure;
            }
        }
    }
}

/// The sum of each cell over the questions.
fn sums_of(said: &[u64], cells: usize) -> Vec<u64> {
    let mut sums = vec![0_u64; cells];
    for question in said.chunks_exact(cells) {
        for (sum, word) in sums.iter_mut().zip(question) {
            *sum += word;
        }
    }
    sums
}

/// What the swaps of each round add to the first model's sums: per [`LANES`] cells, per round.
fn moved(said_a: &[u64], said_b: &[u64], cells: usize, streams: &mut [Stream]) -> Vec<Vec<Words>> {
    let mut moved = vec![vec![[0; LANES]; streams.len()]; cells.div_ceil(LANES)];
    let mut coins = vec![0_u64; streams.len()];
    let (of_a, of_b) = (said_a.chunks(64 * cells), said_b.chunks(64 * cells));
    for (of_a, of_b) in of_a.zip(of_b) {
        for (coins, stream) in coins.iter_mut().zip(streams.iter_mut()) {
            *coins = stream.next();
        }
        let blocks = of_a.chunks(BLOCK * cells).zip(of_b.chunks(BLOCK * cells));
        for (block, (of_a, of_b)) in blocks.enumerate().take(BLOCKS) {
            for (lane, moved) in moved.iter_mut().enumerate() {
                let Some(ways) = ways(of_a, of_b, cells, lane * LANES) else {
                    continue;
                };
                for (moved, coins) in moved.iter_mut().zip(&coins) {
                    let way = (coins >> (block * BLOCK)) as u8;
                    plus(moved, &ways[usize::from(way)]);
                }
            }
        }
    }
    moved
}

/// What each way to swap up to eight questions adds to these cells of the first model; `None`
/// where the models do not differ in any of them.
fn ways(of_a: &[u64], of_b: &[u64], cells: usize, from: usize) -> Option<[Words; 1 << BLOCK]> {
    let mut single = [[0_u64; LANES]; BLOCK];
    let questions = of_a.chunks_exact(cells).zip(of_b.chunks_exact(cells));
    let mut differ = false;
    for (single, (a, b)) in single.iter_mut().zip(questions) {
        for ((single, a), b) in single
            .iter_mut()
            .zip(a.iter().skip(from))
            .zip(b.iter().skip(from))
        {
            *single = b.wrapping_sub(*a);
            differ |= *single != 0;
        }
    }
    differ.then(|| {
        let mut ways = [[0_u64; LANES]; 1 << BLOCK];
        for (question, single) in single.iter().enumerate() {
            // The ways without this question are there; those with it are these and it.
            let half = 1 << question;
            let (without, with) = ways.split_at_mut(half);
            for (with, without) in with.iter_mut().zip(without) {
                *with = *without;
                plus(with, single);
            }
        }
        ways
    })
}

fn plus(sums: &mut Words, words: &Words) {
    for (sum, word) in sums.iter_mut().zip(words) {
        *sum = sum.wrapping_add(*word);
    }
}

#[cfg(test)]
mod tests {
    use super::super::panel::Sums;
    use super::*;
    use crate::Outcome;

    /// The same, swap by swap.
    fn plainly(panel: &Panel, a: usize, b: usize, swaps: usize, seed: u64) -> [f64; FIGURES] {
        let observed = difference(&panel.figures(a), &panel.figures(b));
        let mut as_far = [0_usize; FIGURES];
        for round in 0..swaps {
            let mut total = [0.0; FIGURES];
            for (index, stratum) in panel.strata.iter().enumerate() {
                let mut stream = Stream::new(&format!("swaps {index}"), seed, round);
                let cells = stratum.cells();
                let mut sums = [vec![[0.0; 3]; cells], vec![[0.0; 3]; cells]];
                let mut coins = 0;
                let words = |model: usize| stratum.words[model].chunks_exact(cells);
                for (question, (of_a, of_b)) in words(a).zip(words(b)).enumerate() {
                    if question % 64 == 0 {
                        coins = stream.next();
                    }
                    let swap = (coins >> (question % 64) & 1) as usize;
                    add(&mut sums[swap], of_a);
                    add(&mut sums[1 - swap], of_b);
                }
                let figures = |sums: &Vec<Sums>| stratum.figures(sums, stratum.questions as f64);
                let of_stratum = difference(&figures(&sums[0]), &figures(&sums[1]));
                for (total, figure) in total.iter_mut().zip(of_stratum) {
                    *total += figure;
                }
            }
            for ((count, total), observed) in as_far.iter_mut().zip(total).zip(observed) {
                let swapped = total / panel.strata.len() as f64;
                *count += usize::from(swapped.abs() >= observed.abs() - 1e-12);
            }
        }
        as_far.map(|count| (count + 1) as f64 / (swaps + 1) as f64)
    }

    #[test]
    fn looked_up_swaps_are_those_made_one_by_one() {
        // Numbers of questions around the block and the word of coins, odd numbers of cells.
        for (case, (questions, cells)) in
            [(1, 1), (7, 2), (8, 3), (63, 2), (64, 1), (65, 5), (200, 6)]
                .into_iter()
                .enumerate()
        {
            let mut stream = Stream::new("test", 7, case);
            let mut cell = |skill: f64| -> Vec<Outcome> {
                (0..questions)
                    .map(|_| Outcome {
                        correct: stream.unit() < skill,
                        covered: stream.unit() < 0.9,
                        size: 1 + stream.below(6) as u8,
                        options: 6,
                    })
                    .collect()
            };
            let mut panel = Panel::new(2);
            for _ in 0..2 {
                let a: Vec<_> = (0..cells).map(|_| cell(0.5)).collect();
                let b: Vec<_> = (0..cells).map(|_| cell(0.6)).collect();
                panel
                    .add(&[
                        a.iter().map(Vec::as_slice).collect(),
                        b.iter().map(Vec::as_slice).collect(),
                    ])
                    .unwrap();
            }
            // Once more rounds than are counted together.
            let rounds = if questions == 7 { BATCH + 9 } else { 99 };
            assert_eq!(
                panel.permutation(0, 1, rounds, 3).map(f64::to_bits),
                plainly(&panel, 0, 1, rounds, 3).map(f64::to_bits),
                "{questions} questions, {cells} cells"
            );
        }
    }
}
