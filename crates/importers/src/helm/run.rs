//! What the adapter's settings and the files beside a scenario's state tell.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value;

use crate::imported::{Model, Options};
use crate::{ImportError, Problem, asked, json, read};

/// A run of HELM.
pub(super) struct Run {
    pub(super) model: Model,
    pub(super) task: String,
    pub(super) method: String,
    pub(super) strategy: String,
    /// `exact_match` of each instance in the first trial.
    exact_matches: HashMap<String, f64>,
}

impl Run {
    pub(super) fn of(path: &Path, adapter: &Value, options: &Options) -> Result<Self, ImportError> {
        let spec = beside(path, "run_spec.json")?;
        let name = json::text(&spec, "/name").map(str::to_owned);
        // HELM names the folder after the run.
        let name = name.or_else(|| {
            let folder = path.parent()?.file_name()?.to_string_lossy().into_owned();
            folder.contains("model=").then_some(folder)
        });
        let task = name
            .as_deref()
            .map(task_of)
            .or_else(|| options.task.clone());
        let model = options.model.clone();
        let model = model.or_else(|| json::text(adapter, "/model").map(str::to_owned));
        let shots = adapter.get("max_train_instances").and_then(Value::as_u64);
        let deployment = json::text(adapter, "/model_deployment");
        let deployment = deployment.map(|it| ("model_deployment".to_owned(), it.to_owned()));
        let stats = beside(path, "per_instance_stats.json")?;
        let method = json::text(adapter, "/method")
            .unwrap_or_default()
            .to_owned();
        let is_calibrated = method.ends_with("_calibrated");
        let calibrated = if is_calibrated { "-calibrated" } else { "" };
        Ok(Self {
            model: Model {
                name: model.ok_or_else(|| Problem::NoModel.of(path))?,
                details: deployment.into_iter().collect(),
            },
            task: task.ok_or_else(|| Problem::NoTask.of(path))?,
            strategy: shots.map_or_else(
                || format!("helm{calibrated}"),
                |shots| format!("{shots}-shot{calibrated}"),
            ),
            method,
            exact_matches: exact_matches(&stats),
        })
    }

    /// The task without the scenario's arguments.
    pub(super) fn bare_task(&self) -> &str {
        self.task.split(':').next().unwrap_or_default()
    }

    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("method".to_owned(), self.method.clone())])
    }

    pub(super) fn exact_match(&self, id: &str) -> Option<f64> {
        self.exact_matches.get(id).copied()
    }
}

/// A JSON file in the same folder; `null` if there is none.
fn beside(path: &Path, name: &str) -> Result<Value, ImportError> {
    let beside = path.with_file_name(name);
    if !beside.is_file() {
        return Ok(Value::Null);
    }
    let bytes = read::whole(&beside).map_err(|problem| problem.of(&beside))?;
    json::parse(&bytes).map_err(|problem| problem.of(&beside))
}

/// The scenario in a run's name, without the model and the method:
/// `commonsense:dataset=hellaswag,method=…,model=…` is `commonsense:dataset=hellaswag`.
fn task_of(name: &str) -> String {
    let (scenario, arguments) = name.split_once(':').unwrap_or((name, ""));
    let own = |argument: &&str| {
        let key = argument.split('=').next().unwrap_or_default();
        !matches!(key, "" | "model" | "model_deployment" | "method")
    };
    let arguments: Vec<&str> = arguments.split(',').filter(own).collect();
    if arguments.is_empty() {
        scenario.to_owned()
    } else {
        format!("{scenario}:{}", arguments.join(","))
    }
}

/// The figures of the first trial, without those of perturbed instances.
fn exact_matches(stats: &Value) -> HashMap<String, f64> {
    let mut found = HashMap::new();
    for entry in stats.as_array().into_iter().flatten() {
        let trial = entry.get("train_trial_index").and_then(Value::as_u64);
        let perturbed = entry.get("perturbation").is_some_and(|it| !it.is_null());
        let id = entry.get("instance_id").and_then(Value::as_str);
        let (Some(id), false, None | Some(0)) = (id, perturbed, trial) else {
            continue;
        };
        let stats = entry.get("stats").and_then(Value::as_array);
        let of_name = |stat: &&Value| json::text(stat, "/name/name") == Some("exact_match");
        let stat = stats.into_iter().flatten().find(of_name);
        let mean = stat.and_then(|stat| asked::verdict(stat.get("mean")?));
        if let Some(mean) = mean {
            found.insert(id.to_owned(), mean);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_is_the_scenario_with_its_arguments() {
        let task = |name| task_of(name);
        let name =
            "commonsense:dataset=hellaswag,method=multiple_choice_separate_original,model=a_b";
        assert_eq!(task(name), "commonsense:dataset=hellaswag");
        assert_eq!(task("boolq:model=a/b"), "boolq");
        assert_eq!(task("boolq"), "boolq");
    }
}
