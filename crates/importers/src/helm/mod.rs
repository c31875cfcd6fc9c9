//! `scenario_state.json` of HELM, beside `run_spec.json` and `per_instance_stats.json`.
//!
//! The fields are those of `crfm-helm` 0.5.16 (`benchmark/adaptation/scenario_state.py`,
//! `common/request.py`, `benchmark/metrics/basic_metrics.py`). The adapters
//! `multiple_choice_separate_*` ask for each option (reference) with a request that repeats the prompt, so
//! that the tokens at its end are the option's.

mod instance;
mod run;

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::asked::{self, Asked, Group, Metrics, Ties};
use crate::choice::Choice;
use crate::error::{Fault, printable};
use crate::imported::{Imported, Options, SourceFile, Values};
use crate::likelihood::Rule;
use crate::{Format, ImportError, Place, Problem, Refusal, content, json};
use instance::Instance;
use run::Run;

/// `multiple_choice_separate_original` takes the mean per token.
const ORIGINAL: Metrics = &[("exact_match", Rule::Tokens)];
/// `multiple_choice_separate_calibrated` subtracts the log-likelihood after `Answer:` alone.
const CALIBRATED: Metrics = &[("exact_match", Rule::Unconditioned)];

/// The fields that are read.
#[derive(Debug, Deserialize)]
struct State {
    #[serde(default)]
    adapter_spec: Value,
    #[serde(default)]
    request_states: Vec<Value>,
}

/// Imports a file; nothing if its task is not chosen.
pub(crate) fn import(
    path: &Path,
    bytes: &[u8],
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    let state: State = json::parse(bytes).map_err(|problem| problem.of(path))?;
    let run = Run::of(path, &state.adapter_spec, options)?;
    if !choice.wants(&[&run.task, run.bare_task()]) {
        return Ok(Vec::new());
    }
    let metrics = match &*run.method {
        "multiple_choice_separate_original" => ORIGINAL,
        "multiple_choice_separate_calibrated" => CALIBRATED,
        "multiple_choice_joint" | "multiple_choice_joint_chain_of_thought" => {
            return Err(Problem::Refused(Refusal::Joint)
                .field("adapter_spec.method")
                .at(path, Place::File));
        }
        _ => {
            return Err(Problem::Generation
                .field("adapter_spec.method")
                .at(path, Place::File));
        }
    };
    let import = Imported {
        files: vec![SourceFile::new(path, &blake3::hash(bytes))],
        values: Values::Continuations,
        settings: run.settings(),
        ..Imported::empty(
            run.model.clone(),
            run.task.clone(),
            run.strategy.clone(),
            Format::Helm,
        )
    };
    let mut group = Group::new(import, metrics, Ties::Shared);
    let instances = instance::group(&state.request_states);
    let instances = instances.map_err(|(row, fault)| fault.at(path, Place::Row(row)))?;
    let mut cut = 0;
    for instance in &instances.first {
        let place = Place::Sample(printable(&instance.id));
        let at = |fault: Fault| fault.at(path, place.clone());
        let id = &instance.id;
        if !group
            .admits(id, "instance.id", &place, choice)
            .map_err(at)?
        {
            continue;
        }
        let read = instance.read().map_err(at)?;
        cut += usize::from(instance.was_cut());
        let Instance { id, .. } = instance;
        let verdict = run.exact_match(id);
        group.add(Asked {
            id: id.clone(),
            category: None,
            question: content::of_question(None, read.question, &read.options, read.right),
            right: read.right,
            observed: vec![true; read.options.len()],
            likelihoods: read.likelihoods,
            verdicts: verdict
                .map(|it| ("exact_match".to_owned(), it))
                .into_iter()
                .collect(),
        });
    }
    if group.len() == 0 {
        return Err(Problem::Empty.of(path));
    }
    let rows = group.len();
    let mut import = group.finish(path, options.normalise)?;
    import.notes.extend(instances.notes());
    if cut > 0 {
        import.warnings.push(format!(
            "HELM cut the prompts of {cut} of {rows} questions to fit the model's context: the figures \
             are about what was left of them"
        ));
    }
    let plain = "exact_match of HELM compares normalised ones";
    import
        .notes
        .extend(asked::note_of(import.values, options.normalise, plain));
    Ok(vec![import])
}
