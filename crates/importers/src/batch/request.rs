//! The requests of a batch.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde_json::Value;

use super::{custom_id, repeated};
use crate::exchange::{self, name_of};
use crate::imported::SourceFile;
use crate::{ImportError, Place, json};

/// Where a request may have the right answer; the interface takes only texts in `metadata`.
const ANSWERS: [&str; 3] = ["/body/metadata/answer", "/metadata/answer", "/answer"];
/// Where it may have the question's category.
const CATEGORIES: [&str; 4] = [
    "/body/metadata/category",
    "/body/metadata/subject",
    "/metadata/category",
    "/category",
];
/// Settings of a request that can move a score.
const SETTINGS: [&str; 6] = [
    "temperature",
    "top_p",
    "top_logprobs",
    "logprobs",
    "max_tokens",
    "max_completion_tokens",
];

/// What a request asks.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub(super) prompt: Option<String>,
    pub(super) answer: Option<Value>,
    pub(super) category: Option<String>,
    /// Whether the answer begins with the prompt.
    pub(super) echo: bool,
    /// Whether it asks for the log-probabilities of certain tokens (vLLM's `logprob_token_ids`).
    pub(super) by_id: bool,
    /// Whose answers come in one result.
    pub(super) prompts: usize,
}

/// All requests, by `custom_id`.
#[derive(Debug, Default)]
pub(super) struct Requests {
    by_id: HashMap<String, (Request, String)>,
    /// The values that each setting has in the requests.
    settings: BTreeMap<&'static str, BTreeSet<String>>,
    /// Requests with a `logit_bias`.
    pub(super) biased: usize,
    pub(super) files: Vec<SourceFile>,
    /// Whether the file that is being read has a request.
    has_request: bool,
}

impl Requests {
    /// Adds a request. The same one may stand in several files, as where several models are asked.
    pub(super) fn add(
        &mut self,
        path: &Path,
        place: Place,
        row: &Value,
    ) -> Result<(), ImportError> {
        self.has_request = true;
        let id = custom_id(row).map_err(|fault| fault.at(path, place.clone()))?;
        let body = row.get("body").unwrap_or(&Value::Null);
        let request = Request {
            prompt: exchange::prompt::of_body(body),
            answer: ANSWERS
                .iter()
                .find_map(|pointer| row.pointer(pointer))
                .cloned(),
            category: CATEGORIES
                .iter()
                .find_map(|pointer| json::text(row, pointer))
                .map(str::to_owned),
            echo: body.get("echo").and_then(Value::as_bool) == Some(true),
            by_id: body
                .get("logprob_token_ids")
                .is_some_and(|ids| !ids.is_null()),
            prompts: body
                .get("prompt")
                .and_then(Value::as_array)
                .filter(|prompts| prompts.iter().all(|it| !it.is_number()))
                .map_or(1, Vec::len),
        };
        for name in SETTINGS {
            let value = body.get(name).map_or_else(String::new, Value::to_string);
            self.settings.entry(name).or_default().insert(value);
        }
        let bias = body.get("logit_bias").and_then(Value::as_object);
        self.biased += usize::from(bias.is_some_and(|bias| !bias.is_empty()));
        let here = format!("{place} of {}", name_of(path));
        match self.by_id.get(&id) {
            Some((other, first)) if *other != request => Err(repeated(&id, first, path, place)),
            Some(_) => Ok(()),
            None => {
                self.by_id.insert(id, (request, here));
                Ok(())
            }
        }
    }

    /// Ends a file.
    pub(super) fn file(&mut self, path: &Path, digest: &blake3::Hash) {
        if std::mem::take(&mut self.has_request) {
            self.files.push(SourceFile::new(path, digest));
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Request> {
        self.by_id.get(id).map(|(request, _)| request)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The settings that all requests share.
    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let shared = self.settings.iter().filter_map(|(name, values)| {
            let value = values
                .first()
                .filter(|value| values.len() == 1 && !value.is_empty())?;
            Some(((*name).to_owned(), value.clone()))
        });
        shared.collect()
    }
}
