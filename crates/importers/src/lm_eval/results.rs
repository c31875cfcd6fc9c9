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
        let name = json::text(&self.0, "/model_name")?.to_owned();
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
        for key in [
            "chat_template_sha",
            "system_instruction_sha",
            "fewshot_as_multiturn",
        ] {
            add(key, self.0.get(key));
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

    /// Few-shot examples per prompt.
    pub(super) fn shots(&self, task: &str) -> Option<u64> {
        self.0.get("n-shot")?.get(task)?.as_u64()
    }

    /// Whether prompts used a chat template.
    pub(super) fn is_chat(&self) -> bool {
        json::text(&self.0, "/chat_template").is_some()
    }

    /// The accuracy of a task or a group: the share of questions whose likeliest option is right.
    pub(super) fn accuracy(&self, task: &str) -> Option<f64> {
        self.0.get("results")?.get(task)?.get("acc,none")?.as_f64()
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

    /// The topmost group with a figure whose name is a prefix of the task's: `mmlu` for
    /// `mmlu_anatomy`. Tasks of groups without a figure have little in common.
    pub(super) fn group(&self, task: &str) -> Option<&str> {
        let groups = self.0.get("groups")?.as_object()?;
        let mut found: Option<&str> = None;
        for group in groups.keys() {
            let is_prefix = task
                .strip_prefix(group.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.starts_with('_'));
            if is_prefix
                && found.is_none_or(|other| group.len() < other.len())
                && self.holds(group, task, 0)
            {
                found = Some(group);
            }
        }
        found
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
