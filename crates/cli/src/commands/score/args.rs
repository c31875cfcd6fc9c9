//! The flags of `sureness score`.

use std::collections::HashSet;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use sureness_conformal::{Config, Protocol};

use crate::commands::values::open_share;

#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    /// Evaluation protocol
    #[arg(long, value_enum, default_value_t = Config::default().protocol)]
    protocol: Protocol,

    /// Questions in the paper's JSON layout; `id` and `answer` are enough
    #[arg(long, value_name = "FILE")]
    pub(super) questions: PathBuf,

    /// Saved logits: .pkl, .jsonl, .csv or .parquet, named
    /// {model}_{dataset}_{base|shared|task}_icl{0|1}
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(super) logits: Vec<PathBuf>,

    /// Allowed share of prediction sets without the right answer (alpha)
    #[arg(long, alias = "alpha", value_name = "SHARE", default_value_t = Config::default().alpha,
        value_parser = open_share)]
    error_rate: f64,

    /// Share of the questions that set the threshold; the rest is measured
    #[arg(long, value_name = "SHARE", default_value_t = Config::default().calibration_ratio,
        value_parser = open_share)]
    calibration_ratio: f64,

    /// Seed of the split
    #[arg(long, default_value_t = Config::default().seed)]
    seed: u64,

    /// Ids of questions to leave out, such as the few-shot examples; `none` keeps all
    #[arg(long, value_name = "IDS", default_value = "1,3,5,7,9")]
    pub(super) drop_ids: Ids,

    /// Letters of options to leave out before the softmax, such as E,F
    #[arg(long, value_name = "LETTERS")]
    pub(super) drop_options: Option<Letters>,

    /// Form of the result
    #[arg(long, value_enum, default_value = "table")]
    pub(super) output: Output,
}

impl ScoreArgs {
    pub(super) fn config(&self) -> Config {
        Config {
            protocol: self.protocol,
            alpha: self.error_rate,
            calibration_ratio: self.calibration_ratio,
            seed: self.seed,
            ..Config::default()
        }
    }
}

/// Form of the result.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Output {
    /// One object with all files and their means; fractions
    Json,
    /// For reading in a terminal; percent
    Table,
    /// One row per file; fractions
    Csv,
    /// The table for a document; percent
    Markdown,
}

/// Ids of questions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids(HashSet<i64>);

impl Ids {
    pub(crate) fn contains(&self, id: i64) -> bool {
        self.0.contains(&id)
    }
}

impl FromStr for Ids {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "none" {
            return Ok(Self::default());
        }
        let id = |word: &str| {
            let word = word.trim();
            word.parse().map_err(|_| {
                format!("{word:?} is not a whole number; give ids such as 1,3,5, or none")
            })
        };
        text.split(',').map(id).collect::<Result<_, _>>().map(Self)
    }
}

/// Options by their letter, as indices.
#[derive(Debug, Clone, Default)]
pub(crate) struct Letters(Vec<usize>);

impl Letters {
    pub(crate) fn indices(&self) -> &[usize] {
        &self.0
    }
}

impl FromStr for Letters {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let index = |word: &str| {
            let word = word.trim();
            match word.as_bytes() {
                [letter] if letter.is_ascii_alphabetic() => {
                    Ok(usize::from(letter.to_ascii_uppercase() - b'A'))
                }
                _ => Err(format!(
                    "{word:?} is not a letter; give option letters such as E,F"
                )),
            }
        };
        text.split(',')
            .map(index)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_letters_are_read() {
        let ids: Ids = "1, 3,-5".parse().unwrap();
        assert!([1, 3, -5].into_iter().all(|id| ids.contains(id)) && ids.0.len() == 3);
        assert!("none".parse::<Ids>().unwrap().0.is_empty());
        assert!("".parse::<Ids>().is_err() && "1,,3".parse::<Ids>().is_err());
        assert_eq!("E, f".parse::<Letters>().unwrap().0, [4, 5]);
        assert!("EF".parse::<Letters>().is_err() && "1".parse::<Letters>().is_err());
    }

    #[test]
    fn shares_lie_strictly_between_0_and_1() {
        assert_eq!(open_share("0.1"), Ok(0.1));
        for text in ["0", "1", "-0.1", "1.5", "NaN", "inf", "a tenth", ""] {
            assert!(open_share(text).is_err(), "{text}");
        }
    }
}
