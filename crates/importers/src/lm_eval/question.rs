//! The question in `doc`, a row in the layout of its data set.

use serde_json::Value;
use sureness_record::RightOptions;

use crate::content::{self, Digests};

/// Fields with the question, in order of preference.
const STEMS: [&str; 4] = ["question", "query", "goal", "Question"];
/// The question of our `HellaSwag` reader, since the data set has none.
const HELLASWAG_STEM: &str = "What happens next?";

/// The digests of the question: those of a run if the row's layout is known, else of the raw content
/// and without cluster.
pub(super) fn digests(
    doc: &Value,
    doc_hash: Option<&str>,
    options: usize,
    right: RightOptions,
) -> Digests {
    known(doc, options, right).unwrap_or_else(|| match doc_hash {
        Some(hash) => content::of_name(["lm-eval document", hash]),
        None => content::of_name(["lm-eval document", &doc.to_string()]),
    })
}

/// The category of a row.
pub(super) fn category(doc: &Value) -> Option<&str> {
    ["subject", "category"]
        .iter()
        .filter_map(|name| doc.get(name)?.as_str())
        .map(str::trim)
        .find(|name| !name.is_empty())
}

fn known(doc: &Value, count: usize, right: RightOptions) -> Option<Digests> {
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
    let context = ["context", "passage", "article", "support"]
        .iter()
        .find_map(|name| text(name));
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
