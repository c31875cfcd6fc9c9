//! Settings of an analysis, as Python passes them.

use std::ops::RangeInclusive;

use pyo3::prelude::*;
use serde::Deserialize;
use sureness_analysis::Settings;
use sureness_conformal::{Config, Covers, Estimand, Protocol, Resampling, SplitRule};

use crate::refusal::refusal;

/// More bins than anyone draws; each takes time in every draw.
const MOST_BINS: usize = 1000;

/// What differs from the recorded settings and the defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Options {
    protocol: Option<Protocol>,
    alpha: Option<f64>,
    calibration_ratio: Option<f64>,
    seed: Option<u64>,
    covers: Option<Covers>,
    level: Option<f64>,
    replicates: Option<usize>,
    estimand: Option<Estimand>,
    bins: Option<usize>,
    splits: Option<usize>,
    insist: Option<bool>,
}

impl Options {
    /// From JSON.
    pub(super) fn read(text: &str) -> PyResult<Self> {
        serde_json::from_str(text).map_err(|error| {
            refusal(
                format_args!("a setting cannot be read: {error}"),
                "see help(sureness.evaluate) for the settings and their values",
            )
        })
    }

    /// The settings of an evaluation.
    pub(super) fn config(&self, recorded: &Config) -> PyResult<Config> {
        let config = Config {
            protocol: self.protocol.unwrap_or(recorded.protocol),
            alpha: share(self.alpha, "alpha", recorded.alpha)?,
            calibration_ratio: share(
                self.calibration_ratio,
                "calibration_ratio",
                recorded.calibration_ratio,
            )?,
            seed: self.seed.unwrap_or(recorded.seed),
            covers: self.covers.unwrap_or(recorded.covers),
            // All runs are analysed under one rule, whatever each was evaluated with.
            split: SplitRule::Ordered,
            tempered: recorded.tempered,
        };
        if config.protocol == Protocol::Paper && u32::try_from(config.seed).is_err() {
            return Err(refusal(
                format_args!(
                    "seed {}: the paper's protocol takes seeds up to {}",
                    config.seed,
                    u32::MAX
                ),
                "choose a smaller seed; the published figures come from seed 42",
            ));
        }
        Ok(config)
    }

    /// The settings of an analysis.
    pub(super) fn settings(&self, recorded: &Config) -> PyResult<Settings> {
        let config = self.config(recorded)?;
        let defaults = Settings::default();
        let resampling = Resampling {
            replicates: count(
                self.replicates,
                "replicates",
                defaults.resampling.replicates,
                Resampling::LEAST..=Resampling::MOST,
            )?,
            level: share(self.level, "level", defaults.resampling.level)?,
            seed: config.seed,
        };
        let needed = Resampling::needed(resampling.level);
        if resampling.level > defaults.resampling.level && resampling.replicates < needed {
            return Err(refusal(
                format_args!(
                    "level {} takes {needed} replicates, and there are {}: the ends of intervals would be \
                     their extremes",
                    resampling.level, resampling.replicates
                ),
                "give more replicates, or a lower level",
            ));
        }
        Ok(Settings {
            config,
            resampling,
            estimand: self.estimand.unwrap_or(defaults.estimand),
            bins: count(self.bins, "bins", defaults.bins, 1..=MOST_BINS)?,
            splits: self.splits.unwrap_or(defaults.splits),
            insist: self.insist.unwrap_or(defaults.insist),
            ..defaults
        })
    }
}

/// A number strictly between 0 and 1.
pub(super) fn share(given: Option<f64>, name: &str, default: f64) -> PyResult<f64> {
    match given {
        None => Ok(default),
        Some(share) if share > 0.0 && share < 1.0 => Ok(share),
        Some(other) => Err(refusal(
            format_args!("{name} is {other}, but must lie between 0 and 1"),
            "give a fraction, such as 0.1",
        )),
    }
}

fn count(
    given: Option<usize>,
    name: &str,
    default: usize,
    allowed: RangeInclusive<usize>,
) -> PyResult<usize> {
    match given {
        None => Ok(default),
        Some(count) if allowed.contains(&count) => Ok(count),
        Some(other) => Err(refusal(
            format_args!(
                "{name} is {other}, but must lie between {} and {}",
                allowed.start(),
                allowed.end()
            ),
            "leave it out for the default",
        )),
    }
}
