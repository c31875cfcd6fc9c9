//! Predictions of OpenCompass: `predictions/{model}/{data set}.json`, one object per file with an entry
//! per question.
//!
//! The fields are those of version 0.5.4 (`openicl/icl_inferencer/icl_ppl_inferencer.py`,
//! `icl_clp_inferencer.py` and the handlers in `icl_base_inferencer.py`). The inferencer `PPL` writes the
//! mean negative log-likelihood per token of each option's whole prompt, `CLP` the shares of the options'
//! tokens.

mod entry;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::asked::{Asked, Group, Metrics, Ties};
use crate::choice::Choice;
use crate::error::{Fault, printable};
use crate::imported::{Imported, Model, Options, SourceFile, Values};
use crate::likelihood::{Normalise, Rule};
use crate::{Format, ImportError, Place, Problem, Refusal, content, json};

/// The accuracy of the answers that `PPL` writes.
const BY_PPL: &str = "accuracy by PPL";
/// The answer of `PPL` is the option with the least mean.
const PPL: Metrics = &[(BY_PPL, Rule::Tokens)];
/// That of `CLP` is the likeliest token.
const CLP: Metrics = &[("accuracy", Rule::Sum)];

/// Imports a file; nothing if its task is not chosen.
pub(crate) fn import(
    path: &Path,
    bytes: &[u8],
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let task = options.task.clone().unwrap_or_else(|| stem.into_owned());
    if !choice.wants(&[&task]) {
        return Ok(Vec::new());
    }
    let entries: Map<String, Value> = json::parse(bytes).map_err(|problem| problem.of(path))?;
    let model = options.model.clone().or_else(|| model_of(path));
    let model = Model {
        name: model.ok_or_else(|| Problem::NoModel.of(path))?,
        details: BTreeMap::new(),
    };
    let first = entries.values().next();
    let inferencer = first.map_or("PPL", entry::inferencer);
    let metrics = if inferencer == "CLP" { CLP } else { PPL };
    let mut import = Imported {
        files: vec![SourceFile::new(path, &blake3::hash(bytes))],
        // Whole prompts differ from their options by a part that all options share.
        values: Values::Logits,
        ..Imported::empty(model, task, "opencompass".to_owned(), Format::OpenCompass)
    };
    let inferencer = inferencer.to_owned();
    import.settings.insert("inferencer".to_owned(), inferencer);
    let mut group = Group::new(import, metrics, Ties::First);
    // Questions whose options have one mean.
    let mut equal = 0;
    let mut shortened = 0;
    for (id, value) in &entries {
        let place = Place::Sample(printable(id));
        let at = |fault: Fault| fault.at(path, place.clone());
        if !group.admits(id, "id", &place, choice).map_err(at)? {
            continue;
        }
        let read = entry::read(value).map_err(at)?;
        shortened += usize::from(read.has_other_examples);
        let means = read.likelihoods.by(Rule::Tokens).unwrap_or_default();
        let is_equal = means.windows(2).all(|pair| pair.first() == pair.last());
        equal += usize::from(!means.is_empty() && is_equal);
        group.add(Asked {
            id: id.clone(),
            category: None,
            question: content::of_question(None, &read.question, &read.options, read.answer.into()),
            right: read.answer.into(),
            observed: vec![true; read.options.len()],
            likelihoods: read.likelihoods,
            verdicts: read
                .correct
                .map(|correct| (metrics[0].0.to_owned(), f64::from(u8::from(correct))))
                .into_iter()
                .collect(),
        });
    }
    if group.len() == 0 {
        return Err(Problem::Empty.of(path));
    }
    if metrics == PPL && options.normalise == Normalise::None && !group.has(Rule::Sum) {
        let refusal = match shortened {
            0 => Refusal::OnlyMeans,
            _ => Refusal::OtherExamples(shortened),
        };
        return Err(Problem::Refused(refusal).field("PPL").at(path, Place::File));
    }
    let rows = group.len();
    let mut import = group.finish(path, options.normalise)?;
    if equal > 0 {
        import.warnings.push(format!(
            "all options of {equal} of {rows} questions have the same PPL: the model may have cut their \
             prompts before the options"
        ));
    }
    if shortened > 0 {
        import.warnings.push(format!(
            "the prompts of {shortened} of {rows} questions have more few-shot examples for some options \
             than for others, since OpenCompass shortens prompts that are too long for the model"
        ));
    }
    import.notes.extend(note(metrics == PPL, options.normalise));
    Ok(vec![import])
}

fn note(is_ppl: bool, normalise: Normalise) -> Option<String> {
    let note = match (is_ppl, normalise) {
        (false, _) => return None,
        (true, Normalise::None) => {
            "scores are the log-likelihoods of whole prompts, reconstructed from PPL and BPB; \
             OpenCompass compares means per token, which --normalise tokens imports"
        }
        (true, _) => {
            "scores are means over the tokens of whole prompts, few-shot examples included, so that \
             the probabilities of the options are nearly equal; only their order is OpenCompass's"
        }
    };
    Some(note.to_owned())
}

/// The model, from the folder `predictions/{model}`.
fn model_of(path: &Path) -> Option<String> {
    let folder = path.parent()?;
    let is_it = folder.parent()?.file_name()? == "predictions";
    is_it.then(|| {
        folder
            .file_name()
            .map(|it| it.to_string_lossy().into_owned())
    })?
}
