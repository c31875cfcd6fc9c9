//! The estimated throughput at every limit.

use super::Serving;

/// Nodes of the curve: two per doubling of the limit, from 1 to 1024.
const NODES: usize = 21;
const NODES_PER_DOUBLING: f64 = 2.0;

/// The prior, in logarithms. A doubling can gain twice the throughput (0.69) at most.
struct Expected {
    /// Gain of a first doubling, and its standard deviation.
    first_gain: f64,
    first_gain_doubt: f64,
    /// Part of a gain that is lost from node to node, and the standard deviation of its changes.
    gain_lost: f64,
    gain_doubt: f64,
}

const OF_ANY: Expected = Expected {
    first_gain: 0.1,
    first_gain_doubt: 0.3,
    gain_lost: 0.02,
    gain_doubt: 0.2,
};
/// Larger steps are cheaper by design, and requests that wait for a step disturb nothing.
const OF_STEPS: Expected = Expected {
    first_gain: 0.4,
    first_gain_doubt: 0.2,
    gain_lost: 0.0,
    gain_doubt: 0.1,
};
/// Share of a gain that is kept from node to node.
const GAIN_KEPT: f64 = 0.85;
/// Standard deviation of independent steps from node to node.
const ROUGHNESS: f64 = 0.02;
/// Standard deviation of the overall level, which is unknown.
const SPEED_DOUBT: f64 = 1000.0;

type Row = [f64; NODES];

/// The logarithm of throughput over the logarithm of the limit, as a Gaussian process: gains go on
/// for a while, so that evidence at some limits says something about their neighbours, and next to
/// nothing about limits far off.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    mean: Row,
    covariance: [Row; NODES],
}

/// A limit's position between two nodes: the lower one, and the weight of the upper.
#[derive(Debug, Clone, Copy)]
struct Position {
    node: usize,
    upper: f64,
}

impl Position {
    fn of(limit: usize) -> Self {
        let at = octaves(limit) * NODES_PER_DOUBLING;
        let node = (at as usize).min(NODES - 2);
        Self {
            node,
            upper: (at - node as f64).min(1.0),
        }
    }

    fn read(self, row: &Row) -> f64 {
        (1.0 - self.upper) * row[self.node] + self.upper * row[self.node + 1]
    }
}

/// Doublings from one to this limit.
pub(super) fn octaves(limit: usize) -> f64 {
    (limit.max(1) as f64).log2()
}

impl Curve {
    /// The curve before any evidence.
    pub(super) fn new(serving: Serving) -> Self {
        let expected = match serving {
            Serving::Unknown | Serving::Slots => OF_ANY,
            Serving::Steps => OF_STEPS,
        };
        Self::of(&expected)
    }

    /// The curve of a server where a first doubling should gain this much.
    pub(super) fn expecting(first_gain: f64) -> Self {
        Self::of(&Expected {
            first_gain,
            first_gain_doubt: 0.15,
            ..OF_ANY
        })
    }

    fn of(expected: &Expected) -> Self {
        let mut curve = Self {
            mean: gained(0, expected.first_gain, expected.gain_lost),
            covariance: [[0.0; NODES]; NODES],
        };
        curve.doubt(&[1.0; NODES], SPEED_DOUBT);
        curve.doubt(&gained(0, 1.0, 0.0), expected.first_gain_doubt);
        for node in 1..NODES {
            curve.doubt(&gained(node, 1.0, 0.0), expected.gain_doubt);
            let step = std::array::from_fn(|at| f64::from(u8::from(at >= node)));
            curve.doubt(&step, ROUGHNESS);
        }
        curve
    }

    /// Adds a source of variance with this effect and standard deviation.
    fn doubt(&mut self, effect: &Row, deviation: f64) {
        for (row, a) in self.covariance.iter_mut().zip(effect) {
            for (cell, b) in row.iter_mut().zip(effect) {
                *cell += deviation * deviation * a * b;
            }
        }
    }

    /// Learns the logarithm of a rate measured at a limit, with its variance.
    pub(super) fn observe(&mut self, limit: usize, log_rate: f64, variance: f64) {
        let place = Position::of(limit);
        let shared: Row = std::array::from_fn(|node| place.read(&self.covariance[node]));
        let total = place.read(&shared) + variance;
        let surprise = log_rate - place.read(&self.mean);
        for (node, share) in shared.iter().enumerate() {
            self.mean[node] += share / total * surprise;
            for (cell, other) in self.covariance[node].iter_mut().zip(&shared) {
                *cell -= share * other / total;
            }
        }
    }

    /// The expected logarithm of the rate at a limit. Only differences have a meaning.
    pub(super) fn mean(&self, limit: usize) -> f64 {
        Position::of(limit).read(&self.mean)
    }

    /// How far (as a standard deviation) the expected difference between two limits would move with
    /// a visit to the first one whose result has this variance.
    pub(super) fn lesson(&self, looked_at: usize, other: usize, variance: f64) -> f64 {
        let (looked_at, other) = (Position::of(looked_at), Position::of(other));
        let shared: Row = std::array::from_fn(|node| looked_at.read(&self.covariance[node]));
        let own = looked_at.read(&shared);
        (own - other.read(&shared)).abs() / (own + variance).max(f64::MIN_POSITIVE).sqrt()
    }
}

/// The curve of a gain per doubling that begins at a node and fades from there, less a loss at each
/// node.
fn gained(from: usize, gain: f64, lost: f64) -> Row {
    let mut row = [0.0; NODES];
    let mut gain = gain / NODES_PER_DOUBLING;
    for node in from + 1..NODES {
        row[node] = row[node - 1] + gain;
        gain = gain * GAIN_KEPT - lost;
    }
    row
}
