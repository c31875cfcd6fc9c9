//! Answering open questions with a promise.

use sureness_conformal::{Promises, SureAnswer, share_grid};

use crate::Item;

/// Both promises about the most frequent meaning, as sure as it is frequent.
pub(crate) fn of(calibration: &[&Item], test: &[&Item], alpha: f64) -> Promises {
    let [calibrates, tested] = [calibration, test].map(|items| {
        let answers = items.iter().map(|item| answer(item));
        answers.collect::<Vec<_>>()
    });
    // The number of answers asked for. It does not depend on what they say, as the grid must not.
    let draws = calibration.iter().map(|item| item.meanings.given()).max();
    let grid = share_grid(draws.unwrap_or(1) as usize);
    Promises::of(&calibrates, &tested, alpha, &grid)
}

fn answer(item: &Item) -> SureAnswer {
    let top = item.meanings.top();
    SureAnswer {
        sureness: top.map_or(f64::NEG_INFINITY, |top| item.meanings.frequency(top)),
        wrong: !item.is_right(),
        cluster: item.cluster,
    }
}
