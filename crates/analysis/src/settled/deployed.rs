//! Thresholds that an earlier run has set, at which coverage is monitored.

use std::collections::BTreeMap;

use sureness_conformal::Config;

use super::Incomparable;
use crate::results::Results;
use crate::text::list;

/// Thresholds of LAC that a run has set, by model, task and strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// The file, as it was named.
    pub source: String,
    /// How its scores were computed.
    config: Config,
    /// Infinite where every option is admitted.
    thresholds: BTreeMap<[String; 3], f64>,
    /// Digests of its tasks' questions.
    digests: BTreeMap<String, String>,
}

impl Deployed {
    /// The thresholds of a run's results.
    ///
    /// # Errors
    ///
    /// If it has none.
    pub fn of(results: &Results, source: &str) -> Result<Self, Incomparable> {
        let mut thresholds = BTreeMap::new();
        for model in &results.models {
            for group in &model.groups {
                if let Some(evaluation) = &group.evaluation {
                    let key = [&model.name, &group.task, &group.strategy].map(String::clone);
                    thresholds.insert(key, evaluation.lac.qhat.unwrap_or(f64::INFINITY));
                }
            }
        }
        if thresholds.is_empty() {
            return Err(Incomparable(format!("{source} has no thresholds")));
        }
        let tasks = results.settings.tasks.iter();
        Ok(Self {
            source: source.to_owned(),
            config: results.settings.evaluation,
            thresholds,
            digests: tasks
                .map(|task| (task.task.clone(), task.digest.clone()))
                .collect(),
        })
    }

    /// Refuses thresholds of scores that are computed otherwise, and those that were set on these very
    /// questions: `digests` are by task.
    ///
    /// # Errors
    ///
    /// If it does.
    pub fn check<'a>(
        &self,
        config: &Config,
        digests: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), Incomparable> {
        let source = &self.source;
        if (
            self.config.protocol,
            self.config.covers,
            self.config.tempered,
        ) != (config.protocol, config.covers, config.tempered)
        {
            return Err(Incomparable(format!(
                "the thresholds of {source} are of another --protocol, --covers or --tempered"
            )));
        }
        let mut digests = digests.into_iter();
        let same = digests.find(|(task, digest)| {
            let own = self.digests.get(*task);
            own.is_some_and(|own| own == digest)
        });
        same.map_or(Ok(()), |(task, _)| {
            Err(Incomparable(format!(
                "the thresholds of {source} were set on these very questions of {task}, and their coverage \
                 of them says nothing of others"
            )))
        })
    }

    /// The threshold of each strategy of a task.
    ///
    /// # Errors
    ///
    /// If one is missing.
    pub fn of_task(
        &self,
        model: &str,
        task: &str,
        strategies: &[&str],
    ) -> Result<Vec<f64>, Incomparable> {
        let threshold = |strategy: &&str| {
            let key = [model, task, strategy].map(str::to_owned);
            let found = self.thresholds.get(&key).copied();
            found.ok_or_else(|| {
                let known: Vec<String> = self.thresholds.keys().map(|key| key.join("/")).collect();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                Incomparable(format!(
                    "{} has no threshold of {}; it has those of {}",
                    self.source,
                    key.join("/"),
                    list(&known)
                ))
            })
        };
        strategies.iter().map(threshold).collect()
    }
}
