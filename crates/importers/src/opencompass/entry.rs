//! One question of a file.

use serde_json::Value;

use crate::error::{Fault, printable};
use crate::json;
use crate::likelihood::{Likelihoods, Rule};
use crate::{Problem, Refusal};

/// How the key of an option begins.
const LABEL: &str = "label: ";
/// How far a reconstructed number of tokens may be from a whole one, per token.
const TOLERANCE: f64 = 1e-5;

/// An entry as a question.
pub(super) struct Entry {
    pub(super) question: String,
    pub(super) options: Vec<String>,
    pub(super) answer: usize,
    pub(super) likelihoods: Likelihoods,
    pub(super) correct: Option<bool>,
    /// Whether the options' prompts differ in their few-shot examples.
    pub(super) has_other_examples: bool,
}

/// The inferencer that wrote an entry.
pub(super) fn inferencer(entry: &Value) -> &'static str {
    let clp = entry.get("choices").is_some() && entry.get("pred_label").is_some();
    if clp { "CLP" } else { "PPL" }
}

pub(super) fn read(entry: &Value) -> Result<Entry, Fault> {
    if inferencer(entry) == "CLP" {
        return of_shares(entry);
    }
    let fields = entry.as_object().into_iter().flatten();
    let labels: Vec<(&str, &Value)> = fields
        .filter_map(|(key, value)| Some((key.strip_prefix(LABEL)?, value)))
        .collect();
    if labels.is_empty() {
        return Err(Problem::Generation.field("prediction"));
    }
    if labels
        .iter()
        .any(|(_, it)| it.get("Loglikelihood").is_some())
    {
        return Err(Problem::Refused(Refusal::Loglikelihood).field("Loglikelihood"));
    }
    let names: Vec<String> = labels
        .iter()
        .map(|(label, _)| (*label).to_owned())
        .collect();
    let answer = option_of(entry.get("gold"), &names, "gold")?;
    let predicted = option_of(entry.get("prediction"), &names, "prediction").ok();
    let inputs = labels
        .iter()
        .map(|(_, it)| json::text(it, "/testing input"));
    let inputs = inputs.collect::<Option<Vec<&str>>>();
    let (question, options) = match &inputs {
        Some(inputs) => split(inputs),
        None => (String::new(), names),
    };
    let has_other_examples = have_other_examples(&labels);
    Ok(Entry {
        question,
        options,
        answer,
        likelihoods: likelihoods(&labels, has_other_examples)?,
        has_other_examples,
        correct: predicted.map(|predicted| predicted == answer),
    })
}

/// Whether some options' prompts have other few-shot examples than others: where a prompt is too long for
/// the model, OpenCompass leaves examples out, option by option (`icl_ppl_inferencer.py`). They show in what
/// a prompt has more than its part without examples.
fn have_other_examples(labels: &[(&str, &Value)]) -> bool {
    let examples = labels.iter().map(|(_, value)| {
        let prompt = value.get("prompt")?.as_str()?;
        prompt
            .len()
            .checked_sub(value.get("testing input")?.as_str()?.len())
    });
    let Some(examples) = examples.collect::<Option<Vec<usize>>>() else {
        return false;
    };
    examples.windows(2).any(|pair| pair.first() != pair.last())
}

/// Means of an option's prompt, and sums where they compare: the number of tokens is known, and the
/// options' prompts have the same examples.
fn likelihoods(labels: &[(&str, &Value)], has_other_examples: bool) -> Result<Likelihoods, Fault> {
    let (mut means, mut sums) = (Vec::new(), Vec::new());
    for (label, value) in labels {
        let field = format!("{LABEL}{}.PPL", printable(label));
        let mean = value
            .get("PPL")
            .ok_or_else(|| Problem::Missing.field(&field))?;
        let mean = mean.as_f64().unwrap_or(f64::NAN);
        if mean < 0.0 {
            return Err(Problem::Refused(Refusal::NegativePpl(mean)).field(&field));
        }
        means.push(-mean);
        sums.push(tokens(value, mean).map(|tokens| -mean * tokens));
    }
    let fault = |problem: Problem| problem.field("PPL");
    let sums: Option<Vec<f64>> = sums.into_iter().collect();
    let likelihoods = match sums.filter(|_| !has_other_examples) {
        Some(sums) => Likelihoods::relative(sums),
        None => Ok(Likelihoods::default()),
    };
    likelihoods
        .and_then(|it| it.with(Rule::Tokens, means))
        .map_err(fault)
}

/// The tokens of a prompt. `BPB` is the mean times their number, by the bytes of the prompt without its
/// few-shot examples.
fn tokens(value: &Value, mean: f64) -> Option<f64> {
    let per_byte = value.get("BPB")?.as_f64()?;
    let bytes = value.get("testing input")?.as_str()?.len() as f64;
    let tokens = per_byte * bytes / mean;
    let whole = tokens.round();
    ((tokens - whole).abs() <= TOLERANCE * whole && whole >= 1.0).then_some(whole)
}

/// The shares that `CLP` writes, of the tokens of the options.
fn of_shares(entry: &Value) -> Result<Entry, Fault> {
    let list = |name: &str| entry.get(name).and_then(Value::as_array);
    let options = list("choices").into_iter().flatten();
    let options: Vec<String> = options
        .map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned))
        .collect();
    let field = "prediction";
    let shares = list(field).ok_or_else(|| Problem::Missing.field(field))?;
    let shares = shares.iter().map(|it| it.as_f64().unwrap_or(f64::NAN).ln());
    let shares: Vec<f64> = shares.collect();
    if shares.len() != options.len() {
        let (expected, found) = ("one share per choice", format!("{}", shares.len()));
        return Err(Problem::Type { expected, found }.field(field));
    }
    let gold = entry.get("gold").unwrap_or(&Value::Null);
    let answer = match index(gold) {
        Some(index) if index < options.len() => index,
        _ => option_of(Some(gold), &options, "gold")?,
    };
    let predicted = entry.get("pred_label").and_then(index);
    Ok(Entry {
        question: json::text(entry, "/testing input")
            .unwrap_or_default()
            .to_owned(),
        likelihoods: Likelihoods::relative(shares).map_err(|problem| problem.field(field))?,
        options,
        answer,
        correct: predicted.map(|predicted| predicted == answer),
        has_other_examples: false,
    })
}

fn index(value: &Value) -> Option<usize> {
    let number = value
        .as_f64()
        .filter(|number| number.fract() == 0.0 && *number >= 0.0)?;
    Some(number as usize)
}

/// The option with the label that a field gives, as a text or a number.
fn option_of(value: Option<&Value>, labels: &[String], field: &str) -> Result<usize, Fault> {
    let written = match value {
        None | Some(Value::Null) => return Err(Problem::NoAnswer.field(field)),
        Some(Value::String(text)) => text.clone(),
        Some(list @ Value::Array(several)) if several.len() > 1 => {
            return Err(Problem::SeveralAnswers(printable(&list.to_string())).field(field));
        }
        Some(Value::Array(one)) => one.first().map(Value::to_string).unwrap_or_default(),
        Some(other) => other.to_string(),
    };
    let found = labels.iter().position(|label| *label == written);
    found.ok_or_else(|| {
        let (answer, options) = (printable(&written), labels.len());
        Problem::Answer { answer, options }.field(field)
    })
}

/// What the prompts of all options begin with, and the rest of each.
fn split(inputs: &[&str]) -> (String, Vec<String>) {
    let first = inputs.first().copied().unwrap_or_default();
    let shared = |other: &&str| {
        let mut pairs = first.char_indices().zip(other.chars());
        let differs = pairs.find(|((_, a), b)| a != b);
        differs.map_or(first.len().min(other.len()), |((at, _), _)| at)
    };
    let length = inputs.iter().map(shared).min().unwrap_or_default();
    let rest = |text: &&str| text.get(length..).unwrap_or_default().to_owned();
    let question = first.get(..length).unwrap_or_default().to_owned();
    (question, inputs.iter().map(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_split_where_options_differ() {
        let (question, options) = split(&["Q? é red", "Q? é rose"]);
        assert_eq!(
            (question.as_str(), options),
            ("Q? é r", vec!["ed".to_owned(), "ose".to_owned()])
        );
    }

    #[test]
    fn tokens_follow_from_both_quotients() {
        let value = serde_json::json!({"testing input": "four", "BPB": 2.5 * 12.0 / 4.0});
        assert_eq!(tokens(&value, 2.5), Some(12.0));
        assert_eq!(tokens(&value, 2.4), None);
    }
}
