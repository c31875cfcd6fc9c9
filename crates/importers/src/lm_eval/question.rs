//! The question in `doc`, a row in the layout of its data set.

use serde_json::Value;
use sureness_record::RightOptions;

use crate::content::{self, Digests};

/// Fields with the question, in order of preference.
const STEMS: [&str; 4] = ["question", "query", "goal", "Question"];
/// The question of our `HellaSwag` reader, since the data set has none.
const HELLASWAG_STEM: &str = "What happens next?";

/// Fields with the text that a question is about, in order of preference.
const CONTEXTS: [&str; 4] = ["context", "passage", "article", "support"];
/// Fields with the category.
const CATEGORIES: [&str; 2] = ["subject", "category"];
/// Mean length in characters from which a field is a text rather than a name, a topic or a letter.
const TEXT: usize = 20;

/// The digests of the question: those of a run if the row's layout is known, else of the raw content
/// and without cluster. `background` names the field with the text that the question is about, for
/// rows without one of [`CONTEXTS`].
pub(super) fn digests(
    doc: &Value,
    doc_hash: Option<&str>,
    background: Option<&str>,
    options: usize,
    right: RightOptions,
) -> Digests {
    known(doc, background, options, right).unwrap_or_else(|| of_document(doc, doc_hash))
}

/// The digests of a document as a whole, which no other program's file has.
pub(super) fn of_document(doc: &Value, doc_hash: Option<&str>) -> Digests {
    match doc_hash {
        Some(hash) => content::of_name(["lm-eval document", hash]),
        None => content::of_name(["lm-eval document", &doc.to_string()]),
    }
}

/// The fields that the prompt shows beside the question and its options.
pub(super) fn shown(doc: &Value, prompt: Option<&str>) -> Vec<String> {
    let (Some(doc), Some(prompt)) = (doc.as_object(), prompt) else {
        return Vec::new();
    };
    let stem = STEMS.iter().find_map(|name| doc.get(*name)?.as_str());
    let is_question = |text: &str| stem.is_some_and(|stem| text.contains(stem.trim()));
    let named = |name: &str| {
        [&STEMS[..], &CONTEXTS, &CATEGORIES]
            .concat()
            .contains(&name)
    };
    let texts = doc.iter().filter(|(name, _)| !named(name.as_str()));
    let texts = texts.filter_map(|(name, value)| Some((name, value.as_str()?.trim())));
    let shown =
        texts.filter(|(_, text)| !text.is_empty() && prompt.contains(text) && !is_question(text));
    shown.map(|(name, _)| name.clone()).collect()
}

/// The field with the text that the questions of a file are about, where it has none of [`CONTEXTS`]:
/// the longest field that all prompts show and that is not the same in all of them, as an instruction is.
/// Each row is a document and the fields that its prompt shows.
pub(super) fn background(rows: &[(&Value, &[String])]) -> Option<String> {
    let mut names: Vec<&String> = rows.iter().flat_map(|(_, shown)| *shown).collect();
    names.sort_unstable();
    names.dedup();
    let lengths = names.into_iter().filter_map(|name| {
        let mut texts = Vec::new();
        for (doc, shown) in rows {
            let text = doc.get(name).and_then(Value::as_str).unwrap_or_default();
            if !text.trim().is_empty() {
                shown.contains(name).then_some(())?;
                texts.push(text);
            }
        }
        let varies = texts.iter().any(|text| *text != texts[0]);
        let length: usize = texts.iter().map(|text| text.chars().count()).sum();
        (varies && length >= TEXT * texts.len()).then_some((length, name))
    });
    lengths.max().map(|(_, name)| name.clone())
}

/// The category of a row.
pub(super) fn category(doc: &Value) -> Option<&str> {
    CATEGORIES
        .iter()
        .filter_map(|name| doc.get(name)?.as_str())
        .map(str::trim)
        .find(|name| !name.is_empty())
}

fn known(
    doc: &Value,
    background: Option<&str>,
    count: usize,
    right: RightOptions,
) -> Option<Digests> {
    let text = |name: &str| doc.get(name)?.as_str();
    let of = |context: Option<&str>, stem: &str, options: Vec<String>| {
        let complete = options.len() == count && !stem.trim().is_empty();
        complete.then(|| content::of_question(context, stem, &options, right))
    };
    // HellaSwag keeps its own fields beside those that the harness adds.
    if let (Some(context), Some(endings)) = (text("ctx"), list(doc.get("endings"))) {
        return of(Some(context), HELLASWAG_STEM, endings);
    }
    let stem = STEMS.iter().find_map(|name| text(name))?;
    let contexts = CONTEXTS.iter().copied().chain(background);
    let context = contexts.filter_map(text).find(|it| !it.trim().is_empty());
    // CosmosQA, and data sets with a column per option.
    for names in ["answer", "option"] {
        let columns = (0..count).map(|index| Some(text(&format!("{names}{index}"))?.to_owned()));
        if let Some(options) = columns.collect::<Option<Vec<_>>>() {
            return of(context, stem, options);
        }
    }
    let options = ["choices", "options"].iter().find_map(|name| {
        let value = doc.get(name)?;
        // ARC: {"text": […], "label": […]}
        list(Some(value)).or_else(|| list(value.get("text")))
    })?;
    of(context, stem, options)
}

fn list(value: Option<&Value>) -> Option<Vec<String>> {
    let items = value?.as_array()?.iter();
    items.map(|item| item.as_str().map(str::to_owned)).collect()
}
