//! Outputs of vLLM's offline engine as JSON lines: one `RequestOutput` per request, as `vars()` or a
//! script of one's own writes it (`vllm/outputs.py` and `vllm/logprobs.py` of version 0.32.0).
//!
//! Read are `prompt`, and of the first of `outputs` its `token_ids` and `logprobs`: per token an object
//! from token id to `logprob`, `rank` and `decoded_token`, or the columns of `FlatLogprobs`. Keys that a
//! script adds, `id`, `answer`, `category` and `model`, say what vLLM does not know.

mod output;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::choice::Choice;
use crate::error::Fault;
use crate::exchange::{self, Exchange, Keys, Reading};
use crate::imported::{Imported, Model, Options, SourceFile};
use crate::{Format, ImportError, Problem, json, lines};

/// Where a row may have the question's id, before the request's.
const IDS: [&str; 3] = ["id", "custom_id", "question_id"];

/// Imports a file: one import per model.
pub(crate) fn import(
    path: &Path,
    bytes: &[u8],
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    let keys = options.questions.as_deref().map(Keys::read).transpose()?;
    let task = exchange::task(options.task.as_ref(), options.questions.as_ref(), path)?;
    let wanted = choice.wants(&[&task]);
    let mut models: Vec<(String, Reading<'_>)> = Vec::new();
    let mut several = 0_usize;
    let digest = lines::lines(path, bytes, |place, row: Value| {
        let at = |fault: Fault| fault.at(path, place.clone());
        let stated = json::text(&row, "/model").map(str::to_owned);
        let model = options.model.clone().or(stated);
        let model = model.ok_or_else(|| at(Problem::NoModel.into()))?;
        let outputs = row.get("outputs").and_then(Value::as_array);
        let outputs = outputs.ok_or_else(|| at(Problem::Missing.field("outputs")))?;
        several += usize::from(outputs.len() > 1);
        let (field, id) = id(&row).map_err(at)?;
        let exchange = Exchange {
            id,
            prompt: json::text(&row, "/prompt").map(str::to_owned),
            category: ["/category", "/subject"]
                .iter()
                .find_map(|pointer| json::text(&row, pointer))
                .map(str::to_owned),
            answer: row.get("answer").cloned(),
            // Also blank.
            said: outputs
                .first()
                .and_then(|it| it.get("text")?.as_str())
                .map(str::to_owned),
            tokens: output::tokens(outputs.first()),
            correct: None,
        };
        let known = models.iter().position(|(name, _)| *name == model);
        let index = known.unwrap_or_else(|| {
            let of = Model {
                name: model.clone(),
                details: BTreeMap::new(),
            };
            let import = Imported::empty(of, task.clone(), "vllm".to_owned(), Format::Vllm);
            models.push((model, Reading::new(import, choice, keys.as_ref())));
            models.len() - 1
        });
        match models.get_mut(index) {
            Some((_, reading)) => reading.add(path, &place, field, exchange),
            None => Ok(()),
        }
    })?;
    let source = SourceFile::new(path, &digest);
    if models.is_empty() {
        return Err(Problem::Empty.of(path));
    }
    let finished = models
        .into_iter()
        .filter(|_| wanted)
        .map(|(_, mut reading)| {
            let import = reading.import();
            import.files.push(source.clone());
            if several > 0 {
                let note =
                    format!("requests with several outputs, of which the first counts: {several}");
                import.notes.push(note);
            }
            reading.finish(path)
        });
    finished.collect()
}

/// The question's id, and the field that has it.
fn id(row: &Value) -> Result<(&'static str, String), Fault> {
    let own = IDS.iter().chain(&["request_id"]);
    let found = own.filter_map(|name| Some((*name, row.get(*name)?)));
    let mut found = found.filter(|(_, id)| !id.is_null());
    let (name, id) = found.next().ok_or_else(|| Problem::Missing.field("id"))?;
    Ok((name, json::id(id, name)?))
}
