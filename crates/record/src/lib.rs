#![doc = include_str!("../README.md")]

mod answers;
mod import;
mod judge;
mod mass;
mod model;
mod noise;
mod orders;
mod provenance;
mod question;
mod run;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

pub use answers::{Answers, Reasoned, Sampled, log_shares, tempered_shares};
pub use import::{ImportRecord, ImportedGroup};
pub use judge::Judge;
pub use mass::{LEAST_MASS, LOW_MASS, percentage};
pub use model::ModelIdentity;
pub use noise::Noise;
pub use orders::{OrderOf, Orders};
pub use provenance::Provenance;
pub use question::QuestionRecord;
pub use run::{Merged, RunRecord, RunSettings, Setting, TaskRecord, Until, UntilGoal};
pub use sureness_questions::RightOptions;

/// The record of a run in a store, apart from its model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Recorded {
    /// The settings of a run.
    Run(Box<RunSettings>),
    /// The groups of an imported run.
    Import(ImportRecord),
}

impl Recorded {
    /// The settings, unless the run was imported.
    pub fn run(&self) -> Option<&RunSettings> {
        match self {
            Self::Run(settings) => Some(settings),
            Self::Import(_) => None,
        }
    }
}

// By hand: errors of `untagged` do not name the field.
impl<'de> Deserialize<'de> for Recorded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.get("imported").is_some() {
            ImportRecord::deserialize(value).map(Self::Import)
        } else {
            RunSettings::deserialize(value).map(|settings| Self::Run(Box::new(settings)))
        }
        .map_err(D::Error::custom)
    }
}
