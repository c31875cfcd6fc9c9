//! `results_{date}.json`: the harness's record of the evaluation as a whole.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::imported::Model;
use crate::json;
use crate::read;
use crate::{ImportError, Problem};

/// Model arguments that can change scores. Others, such as addresses, may contain secrets.
const MODEL_ARGS: [&str; 14] = [
    "pretrained",
    "model",
    "peft",
    "delta",
    "path",
    "engine",
    "revision",
    "subfolder",
    "dtype",
    "quantization",
    "load_in_8bit",
    "load_in_4bit",
    "add_bos_token",
    "max_length",
];

/// The results of one evaluation.
#[derive(Debug)]
pub(super) struct Results(Value);

impl Results {
    /// Reads a results file.
    pub(super) fn read(path: &Path) -> Result<Self, ImportError> {
        let bytes = read::whole(path).map_err(|problem| problem.of(path))?;
        json::parse(&bytes)
            .map(Self)
            .map_err(|problem: Problem| problem.of(path))
    }

    /// The model with its details.
    pub(super) fn model(&self) -> Option<Model> {
        let name = self.name()?;
        let mut details = BTreeMap::new();
        let mut add = |key: &str, value: Option<&Value>| {
            let text = match value {
                Some(Value::String(text)) => text.clone(),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
                _ => return,
            };
            details.insert(key.to_owned(), text);
        };
        add("harness backend", self.0.pointer("/model_source"));
        for key in ["model_dtype", "model_revision", "model_sha"] {
            add(key, self.0.pointer(&format!("/config/{key}")));
        }
        match self.0.pointer("/config/model_args") {
            Some(Value::String(text)) => {
                let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
                for (key, value) in pairs {
                    if MODEL_ARGS.contains(&key.trim()) {
                        add(key.trim(), Some(&Value::from(value.trim())));
                    }
                }
            }
            Some(Value::Object(args)) => {
                for key in MODEL_ARGS {
                    add(key, args.get(key));
                }
            }
            _ => {}
        }
        Some(Model { name, details })
    }

    /// The model's name. Early versions write only the arguments that load it.
    fn name(&self) -> Option<String> {
        if let Some(name) = json::text(&self.0, "/model_name") {
            return Some(name.to_owned());
        }
        let names = ["pretrained", "model"];
        match self.0.pointer("/config/model_args")? {
            Value::String(text) => {
                let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
                let mut pairs = pairs.map(|(key, value)| (key.trim(), value.trim()));
                pairs.find_map(|(key, value)| names.contains(&key).then(|| value.to_owned()))
            }
            args => {
                let mut found = names.iter().filter_map(|name| args.get(name)?.as_str());
                found.next().map(str::to_owned)
            }
        }
        .filter(|name| !name.is_empty())
    }

    /// Whether the results are about a task.
    pub(super) fn has(&self, task: &str) -> bool {
        self.0
            .get("results")
            .is_some_and(|results| results.get(task).is_some())
    }

    /// The task in a file's name `{model}_{task}`, as early versions write it: the longest that fits.
    pub(super) fn task_of(&self, stem: &str) -> Option<&str> {
        let tasks = self.0.get("results")?.as_object()?.keys();
        let fitting = tasks.map(String::as_str).filter(|task| {
            stem.strip_suffix(task)
                .is_some_and(|model| model.ends_with('_'))
        });
        fitting.max_by_key(|task| task.len())
    }

    /// Few-shot examples per prompt.
    pub(super) fn shots(&self, task: &str) -> Option<u64> {
        self.0.get("n-shot")?.get(task)?.as_u64()
    }

    /// The strategy of a task: shots, chat template, and system instruction by its digest.
    pub(super) fn strategy(&self, task: &str) -> Option<String> {
        let shots = self.shots(task)?;
        let is_chat = json::text(&self.0, "/chat_template").is_some();
        let chat = if is_chat { "-chat" } else { "" };
        let system = json::text(&self.0, "/system_instruction_sha").or_else(|| {
            let text = json::text(&self.0, "/system_instruction");
            text.map(|_| "custom")
        });
        let system = system.map(|sha| format!("-system-{}", beginning(sha)));
        Some(format!("{shots}-shot{chat}{}", system.unwrap_or_default()))
    }

    /// What else about the chat template can change a prompt, in short; empty without a template.
    pub(super) fn template(&self) -> String {
        let sha = json::text(&self.0, "/chat_template_sha").map(beginning);
        let single = self.0.get("fewshot_as_multiturn") == Some(&Value::Bool(false));
        let turns = if single { "-one-turn" } else { "" };
        sha.map(|sha| format!("-{sha}{turns}")).unwrap_or_default()
    }

    /// The accuracy of a task by a metric: the share of questions that the harness counts as correct.
    pub(super) fn accuracy(&self, task: &str, metric: &str, filter: &str) -> Option<f64> {
        let results = self.0.get("results")?.get(task)?;
        results.get(format!("{metric},{filter}"))?.as_f64()
    }

    /// The limit of documents per task (`--limit`).
    pub(super) fn limit(&self) -> Option<String> {
        let limit = self.0.pointer("/config/limit")?;
        limit.is_number().then(|| limit.to_string())
    }

    /// How many documents the data set has.
    pub(super) fn all_documents(&self, task: &str) -> Option<u64> {
        let samples = self.0.get("n-samples")?.get(task)?;
        samples.get("original")?.as_u64()
    }

    /// How many documents were evaluated.
    pub(super) fn documents(&self, task: &str) -> Option<u64> {
        self.0
            .get("n-samples")?
            .get(task)?
            .get("effective")?
            .as_u64()
    }

    /// The harness's own version.
    pub(super) fn version(&self) -> Option<&str> {
        json::text(&self.0, "/lm_eval_version")
    }

    /// The groups with a figure whose names begin the task's, the topmost first: `mmlu` for
    /// `mmlu_anatomy`. Tasks of groups without a figure have little in common.
    pub(super) fn groups(&self, task: &str) -> Vec<&str> {
        let groups = self.0.get("groups").and_then(Value::as_object);
        let mut found: Vec<&str> = groups
            .into_iter()
            .flat_map(|groups| groups.keys())
            .map(String::as_str)
            .filter(|group| {
                let rest = task.strip_prefix(group);
                rest.is_some_and(|rest| rest.len() > 1 && rest.starts_with('_'))
                    && self.holds(group, task, 0)
            })
            .collect();
        found.sort_by_key(|group| group.len());
        found
    }

    /// All groups that hold a task.
    pub(super) fn holders(&self, task: &str) -> Vec<&str> {
        let groups = self.0.get("group_subtasks").and_then(Value::as_object);
        groups
            .into_iter()
            .flat_map(|groups| groups.keys())
            .map(String::as_str)
            .filter(|group| self.holds(group, task, 0))
            .collect()
    }

    /// Whether a group holds a task, directly or by a group within it.
    fn holds(&self, group: &str, task: &str, depth: usize) -> bool {
        // Deeper nesting is a cycle.
        if depth > 8 {
            return false;
        }
        let members = self
            .0
            .get("group_subtasks")
            .and_then(|groups| groups.get(group)?.as_array());
        members.is_some_and(|members| {
            let mut names = members.iter().filter_map(Value::as_str);
            names.any(|name| name == task || self.holds(name, task, depth + 1))
        })
    }
}

/// Enough of a digest to tell two apart.
fn beginning(sha: &str) -> &str {
    sha.get(..8).unwrap_or(sha)
}
