//! The spread of probabilities over the options.

use serde::{Deserialize, Serialize};

use super::visit_answers;
use crate::{Table, View};

/// Entropy of the probabilities over the options.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Entropy {
    /// Mean entropy, in nats.
    pub entropy: f64,
    /// Mean of `2^H` with `H` in bits: the number of equally probable options of the same entropy.
    /// Ye et al. 2024, table 2, compare it with the set size.
    pub perplexity: f64,
}

/// Entropy over `rows` of `table`. `None` for no rows, or a temperature that is not above 0.
pub fn entropy(table: &Table, rows: &[usize], view: &View) -> Option<Entropy> {
    let (mut entropy, mut perplexity) = (0.0, 0.0);
    visit_answers(table, rows, view, |_, probabilities, _| {
        // p ln p goes to 0 with p.
        let positive = probabilities.iter().filter(|&&p| p > 0.0);
        let nats = -positive.map(|p| p * p.ln()).sum::<f64>();
        entropy += nats;
        perplexity += nats.exp();
    })?;
    let n = rows.len() as f64;
    Some(Entropy {
        // An entropy of 0 is summed up as −0.
        entropy: (entropy / n).max(0.0),
        perplexity: perplexity / n,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{all, table};
    use super::*;

    #[test]
    fn of_known_distributions() {
        let table = table(&[(&[0.25; 4], 0), (&[0.5, 0.5], 0), (&[1.0, 1e-320], 0)]);
        let all = all(&table);
        let e = entropy(&table, &all, &View::default()).unwrap();
        let ln2 = std::f64::consts::LN_2;
        assert!((e.entropy - 3.0 * ln2 / 3.0).abs() < 1e-12);
        assert!((e.perplexity - (4.0 + 2.0 + 1.0) / 3.0).abs() < 1e-12);
        let sure = entropy(&table, &all[2..], &View::default()).unwrap();
        assert!(sure.entropy >= 0.0 && sure.entropy < 1e-300);
        assert!(entropy(&table, &[], &View::default()).is_none());
    }
}
