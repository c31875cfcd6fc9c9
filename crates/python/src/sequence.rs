//! Confidence sequences.

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::prelude::*;
use sureness_anytime::{Bounded, Draws};

use crate::refusal::refusal;

/// The mean of the first so many `values`, and the ends of its interval, which hold at all times at
/// once; a row for each entry of `at`, which ascends.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 hands over arrays and lists"
)]
pub(crate) fn sequence<'py>(
    py: Python<'py>,
    values: PyReadonlyArray1<'py, f64>,
    bounds: (f64, f64),
    of: Option<u64>,
    alpha: f64,
    at: Vec<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let count = values.len();
    let values = values.as_slice()?;
    check(values, bounds, of)?;
    let found: Vec<[f64; 3]> = py.detach(|| {
        let draws = of.map_or(Draws::With, |of| Draws::Without { of });
        let mut seen = Bounded::new(draws, bounds.0, bounds.1);
        let mut pending = values.iter();
        let times = at.iter().filter(|&&time| time <= count);
        let times = times.map(|&time| {
            for &value in pending.by_ref().take(time.saturating_sub(seen.len())) {
                seen.push(value);
            }
            let [low, high] = seen.interval(alpha);
            [seen.mean(), low, high]
        });
        times.collect()
    });
    let flat = PyArray1::from_vec(py, found.concat());
    flat.reshape([found.len(), 3])
}

fn check(values: &[f64], (low, high): (f64, f64), of: Option<u64>) -> PyResult<()> {
    if !(low < high && low.is_finite() && high.is_finite()) {
        return Err(refusal(
            format_args!("bounds are {low} and {high}, but the first must be the smaller"),
            "give the smallest and the largest possible value",
        ));
    }
    let outside = |value: &f64| !(low..=high).contains(value);
    if let Some(row) = values.iter().position(outside) {
        return Err(refusal(
            format_args!(
                "values, row {row} (counted from 0): {} lies outside {low}..{high}",
                values[row]
            ),
            "give the bounds of all possible values",
        ));
    }
    match of {
        Some(of) if of < values.len() as u64 => Err(refusal(
            format_args!("of is {of}, but there are {} values", values.len()),
            "give the size of the whole set, or None for a source without end",
        )),
        _ => Ok(()),
    }
}
