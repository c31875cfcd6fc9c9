//! The settings of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sureness_conformal::Config;
use sureness_prompts::{Strategy, Wording};
use sureness_questions::{ClusterBy, Shard};

use crate::{Answers, Judge, ModelIdentity, Orders};

/// A model with the settings under which it was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// The model.
    pub model: ModelIdentity,
    /// The settings.
    pub settings: RunSettings,
}

impl RunRecord {
    /// BLAKE3 over the model's digest and all settings, equal for the same command. An unfinished
    /// run with an equal digest is continued.
    pub fn digest(&self) -> [u8; 32] {
        let mut digest = blake3::Hasher::new();
        digest.update(&self.model.digest());
        digest.update(self.settings.to_string().as_bytes());
        *digest.finalize().as_bytes()
    }
}

/// Everything except the model that the figures depend on. No secrets.
///
/// The digest is over the JSON, so that the order of the fields matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// The tasks.
    pub tasks: Vec<TaskRecord>,
    /// The prompt strategies, in the order of asking.
    pub strategies: Vec<Strategy>,
    /// Number of questions drawn from each task; all without it.
    pub sample_size: Option<usize>,
    /// Whether "I don't know" and "None of the above" were added to the options.
    pub abstention: bool,
    /// Whether prompts went through the model's chat template.
    pub chat: bool,
    /// The settings of the evaluation.
    pub evaluation: Config,
    /// The text and labels of the prompts.
    pub wording: Wording,
    /// What defines a cluster of questions; omitted where it is the default.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cluster: ClusterBy,
    /// How answers become probabilities; omitted where it is by the letters.
    #[serde(default, skip_serializing_if = "is_default")]
    pub answers: Answers,
    /// The orders in which options were shown; omitted where each question was asked as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<Orders>,
    /// When the run stopped asking, if before all questions; omitted otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// The shard of the questions that was asked, if not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The complete shards of a merged run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Merged>,
    /// The judge of equivalence, if one compared answers to open questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<Judge>,
}

impl Default for RunSettings {
    /// Without tasks; otherwise the defaults of `sureness run`.
    fn default() -> Self {
        Self {
            tasks: Vec::new(),
            strategies: Strategy::ALL.to_vec(),
            sample_size: None,
            abstention: true,
            chat: false,
            evaluation: Config::default(),
            wording: Wording::builtin(),
            cluster: ClusterBy::default(),
            answers: Answers::default(),
            orders: None,
            until: None,
            shard: None,
            merged: None,
            judge: None,
        }
    }
}

/// The questions and prompts of one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskRecord {
    /// Task id.
    pub task: String,
    /// File or folder of the questions.
    pub source: String,
    /// Number of questions asked; in a shard, that of the whole run.
    pub questions: usize,
    /// Number of questions in the source.
    pub available: usize,
    /// Number of few-shot examples in a prompt.
    pub shots: usize,
    /// BLAKE3 over the contents of questions and few-shot examples, in hexadecimal, including named
    /// clusters.
    pub digest: String,
}

/// What a run finds out before it stops asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UntilGoal {
    /// Which model is better.
    #[default]
    Settled,
    /// Whether the second model is no worse than the first by as much as a margin.
    Gate,
    /// Figures, by intervals that are narrow enough.
    Width,
}

/// A run that asks in random order, until something is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// What is to be shown; omitted where it is which model is better.
    #[serde(default, skip_serializing_if = "is_default")]
    pub goal: UntilGoal,
    /// Probability that all verdicts and intervals are right, at all times at once.
    pub confidence: f64,
    /// Where the thresholds are from at which coverage is monitored, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<String>,
    /// The figures, by name, each with its margin or with the width of its interval.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// Questions after which to stop in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_questions: Option<usize>,
    /// Whether each task is settled on its own.
    pub per_task: bool,
}

/// The shards in a merged run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Merged {
    /// Number of shards in all.
    pub of: u32,
    /// The complete ones.
    pub shards: BTreeSet<u32>,
}

/// A setting in which two runs differ. Displays as users know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// Tasks, their questions or the contents of their few-shot examples.
    Questions,
    /// The number of few-shot examples of this task.
    Shots(String),
    /// The prompt strategies.
    Strategies,
    /// `--sample-size`.
    SampleSize,
    /// `--no-abstention`.
    Abstention,
    /// `--chat`.
    Chat,
    /// The settings of the evaluation.
    Evaluation,
    /// `--prompts`.
    Wording,
    /// `--cluster`.
    Cluster,
    /// `--answers`, `--samples`, `--temperature` or `--answer-tokens`.
    Answers,
    /// `--orders`.
    Orders,
    /// `--judge` or `--judge-pairs`.
    Judge,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Questions => "the questions or few-shot examples",
            Self::Shots(task) => {
                return write!(f, "the number of few-shot examples of {task} (--shots)");
            }
            Self::Strategies => "the prompt strategies",
            Self::SampleSize => "the values of --sample-size",
            Self::Abstention => {
                "the options \"I don't know\" and \"None of the above\" (--no-abstention)"
            }
            Self::Chat => "the values of --chat",
            Self::Evaluation => "the settings of the evaluation",
            Self::Wording => "the wording of the prompts (--prompts)",
            Self::Cluster => "the values of --cluster",
            Self::Judge => "the judges of equivalence (--judge)",
            Self::Orders => "the orders of the options (--orders)",
            Self::Answers => "the ways of asking (--answers, --samples)",
        })
    }
}

impl RunSettings {
    /// The record of this task.
    pub fn task(&self, id: &str) -> Option<&TaskRecord> {
        self.tasks.iter().find(|task| task.task == id)
    }

    /// The settings in which two runs differ.
    ///
    /// Ignores the location of the question files; the rule of the split, which changes no answer;
    /// and the shards of a run.
    pub fn differences(&self, other: &Self) -> Vec<Setting> {
        let contents = |settings: &Self| -> Vec<TaskRecord> {
            let tasks = settings.tasks.iter().cloned();
            tasks
                .map(|task| TaskRecord {
                    source: String::new(),
                    shots: 0,
                    ..task
                })
                .collect()
        };
        let evaluation = Config {
            split: self.evaluation.split,
            ..other.evaluation
        };
        let mut differences = Vec::new();
        let mut compare = |setting, is_equal: bool| {
            if !is_equal {
                differences.push(setting);
            }
        };
        compare(Setting::Questions, contents(self) == contents(other));
        for task in &self.tasks {
            if let Some(same) = other.task(&task.task) {
                compare(Setting::Shots(task.task.clone()), task.shots == same.shots);
            }
        }
        compare(Setting::Strategies, self.strategies == other.strategies);
        compare(Setting::SampleSize, self.sample_size == other.sample_size);
        compare(Setting::Abstention, self.abstention == other.abstention);
        compare(Setting::Chat, self.chat == other.chat);
        compare(Setting::Evaluation, self.evaluation == evaluation);
        compare(Setting::Wording, self.wording == other.wording);
        compare(Setting::Cluster, self.cluster == other.cluster);
        compare(Setting::Answers, self.answers == other.answers);
        compare(Setting::Orders, self.orders == other.orders);
        compare(Setting::Judge, self.judge == other.judge);
        differences
    }
}

/// The JSON in a store.
impl fmt::Display for RunSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Recorded, Sampled};

    fn asked() -> RunSettings {
        RunSettings {
            tasks: vec![TaskRecord {
                task: "qa".into(),
                source: "mmlu".into(),
                questions: 60,
                available: 100,
                shots: 5,
                digest: "00".into(),
            }],
            ..RunSettings::default()
        }
    }

    fn judge() -> Judge {
        Judge {
            model: ModelIdentity {
                name: "judge".into(),
                backend: "test".into(),
                details: std::collections::BTreeMap::default(),
            },
            pairs: std::num::NonZeroU32::MIN,
            method: 1,
        }
    }

    #[test]
    fn each_setting_that_changes_an_answer_is_a_difference() {
        type Change = fn(&mut RunSettings);
        let changes: [(Change, Setting); 12] = [
            (|s| s.tasks[0].digest.push('1'), Setting::Questions),
            (|s| s.tasks[0].shots = 0, Setting::Shots("qa".into())),
            (|s| s.strategies.truncate(1), Setting::Strategies),
            (|s| s.sample_size = Some(60), Setting::SampleSize),
            (|s| s.abstention = false, Setting::Abstention),
            (|s| s.chat = true, Setting::Chat),
            (|s| s.evaluation.alpha = 0.2, Setting::Evaluation),
            (|s| s.wording.labels.answer = "A:".into(), Setting::Wording),
            (|s| s.cluster = ClusterBy::Nothing, Setting::Cluster),
            (
                |s| s.answers = Answers::Sampled(Sampled::default()),
                Setting::Answers,
            ),
            (
                |s| s.orders = Some(Orders::Auto { share: 0.1 }),
                Setting::Orders,
            ),
            (|s| s.judge = Some(judge()), Setting::Judge),
        ];
        for (change, setting) in changes {
            let mut other = asked();
            change(&mut other);
            assert_eq!(asked().differences(&other), [setting]);
            let digest = |settings: RunSettings| {
                let model = ModelIdentity {
                    name: "m".into(),
                    backend: "test".into(),
                    details: std::collections::BTreeMap::default(),
                };
                RunRecord { model, settings }.digest()
            };
            assert_ne!(digest(asked()), digest(other));
        }
    }

    #[test]
    fn where_files_lay_and_what_was_asked_elsewhere_is_no_difference() {
        let mut other = asked();
        other.tasks[0].source = "/elsewhere".into();
        other.evaluation.split = sureness_conformal::SplitRule::Hash;
        other.shard = Shard::new(1, 2);
        assert_eq!(asked().differences(&other), []);
        // But another command: an unfinished run of one is not continued by the other.
        assert_ne!(asked().to_string(), other.to_string());
    }

    #[test]
    fn what_is_written_is_read_and_what_is_not_known_is_refused_by_name() {
        let merged = RunSettings {
            cluster: ClusterBy::Column("passage".into()),
            merged: Some(Merged {
                of: 3,
                shards: [1, 3].into(),
            }),
            ..asked()
        };
        let text = merged.to_string();
        let read: Recorded = serde_json::from_str(&text).unwrap();
        assert_eq!(read.run(), Some(&merged));
        assert_eq!(serde_json::to_string(&read).unwrap(), text);

        let newer = text.replacen('{', r#"{"thoughts":4,"#, 1);
        let error = serde_json::from_str::<Recorded>(&newer).unwrap_err();
        assert!(error.to_string().contains("`thoughts`"), "{error}");
        let shard = asked()
            .to_string()
            .replacen('{', r#"{"shard":{"index":4,"of":3},"#, 1);
        let error = serde_json::from_str::<Recorded>(&shard).unwrap_err();
        assert!(error.to_string().contains("no shard 4 of 3"), "{error}");
    }
}
