//! What the name of a file and the metrics beside it tell.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::{ImportError, json, read};

/// The end of the names of predictions.
const PREDICTIONS: &str = "-predictions.jsonl";
/// Properties of a model that can change a score.
const MODEL_CONFIG: [&str; 5] = [
    "revision",
    "dtype",
    "max_length",
    "model_type",
    "add_bos_token",
];

/// Task, model and way of asking.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) task: Option<String>,
    pub(super) model: Option<String>,
    pub(super) details: BTreeMap<String, String>,
    pub(super) strategy: String,
}

impl Settings {
    /// Those of a file, from `task-000-x-metrics.json` or `x-metrics.json` beside it.
    pub(super) fn beside(path: &Path) -> Result<Self, ImportError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let stem = name.strip_suffix(PREDICTIONS);
        let beside = stem.map(|stem| path.with_file_name(format!("{stem}-metrics.json")));
        let metrics = match beside.filter(|beside| beside.is_file()) {
            None => Value::Null,
            Some(beside) => {
                let bytes = read::whole(&beside).map_err(|problem| problem.of(&beside))?;
                json::parse(&bytes).map_err(|problem| problem.of(&beside))?
            }
        };
        let told = json::text(&metrics, "/task_name").map(str::to_owned);
        let model = json::text(&metrics, "/model_config/model")
            .or_else(|| json::text(&metrics, "/model_config/model_path"));
        let detail = |key: &str| {
            let value = metrics.pointer(&format!("/model_config/{key}"))?;
            let value = match value {
                Value::Null => return None,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some((key.to_owned(), value))
        };
        Ok(Self {
            task: told.or_else(|| stem.map(task_of)),
            model: model.map(str::to_owned),
            details: MODEL_CONFIG.iter().filter_map(|key| detail(key)).collect(),
            strategy: strategy(&metrics),
        })
    }
}

/// The task in `task-000-arc_challenge`.
fn task_of(stem: &str) -> String {
    let numbered = stem.strip_prefix("task-").and_then(|it| it.split_once('-'));
    let numbered = numbered.filter(|(number, _)| number.bytes().all(|it| it.is_ascii_digit()));
    numbered.map_or(stem, |(_, task)| task).to_owned()
}

/// Shots, formulation (`rc`: texts, `mc`: letters) and chat format.
fn strategy(metrics: &Value) -> String {
    let shots = metrics.pointer("/task_config/num_shots");
    let Some(shots) = shots.and_then(Value::as_u64) else {
        return "olmes".to_owned();
    };
    let alias = json::text(metrics, "/task_config/metadata/alias").unwrap_or_default();
    let formulation = alias.split("::").next().and_then(|it| it.split_once(':'));
    let formulation = formulation.map(|(_, it)| format!("-{it}"));
    let is_chat = metrics.pointer("/task_config/use_chat_format") == Some(&Value::Bool(true));
    let chat = if is_chat { "-chat" } else { "" };
    format!("{shots}-shot{}{chat}", formulation.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_settings() {
        assert_eq!(task_of("task-012-mmlu_anatomy"), "mmlu_anatomy");
        assert_eq!(task_of("task-force-one"), "task-force-one");
        let metrics = serde_json::json!({"task_config": {
            "num_shots": 5, "metadata": {"alias": "arc_challenge:mc::olmes"}, "use_chat_format": true,
        }});
        assert_eq!(strategy(&metrics), "5-shot-mc-chat");
        assert_eq!(strategy(&Value::Null), "olmes");
    }
}
