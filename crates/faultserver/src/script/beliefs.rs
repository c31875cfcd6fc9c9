//! Logits of options by their texts, and a bias of the letters that show them.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserializer;

use super::jsonl;

/// What the model believes of each option, whatever letter it stands at; and what each letter adds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beliefs(Arc<HashMap<String, f64>>);

impl FromIterator<(String, f64)> for Beliefs {
    fn from_iter<T: IntoIterator<Item = (String, f64)>>(rows: T) -> Self {
        Self(Arc::new(rows.into_iter().collect()))
    }
}

impl Beliefs {
    /// The logits of the letters at the end of a prompt, from A on: that of the option beside each, 0 if it
    /// is not known, and the letter's bias. `None` without a known option.
    pub(crate) fn of(&self, prompt: &str, bias: &[f64]) -> Option<Vec<f64>> {
        let (_, question) = prompt.rsplit_once("Choices:\n")?;
        let options = question.lines().zip('A'..='Z');
        let options = options.map_while(|(line, letter)| line.strip_prefix(&format!("{letter}. ")));
        let options: Vec<&str> = options.collect();
        options.iter().any(|it| self.0.contains_key(*it)).then(|| {
            let biases = bias.iter().copied().chain(std::iter::repeat(0.0));
            let beliefs = options.iter().map(|it| self.0.get(*it).unwrap_or(&0.0));
            beliefs
                .zip(biases)
                .map(|(logit, bias)| logit + bias)
                .collect()
        })
    }
}

#[derive(serde::Deserialize)]
struct Row {
    option: String,
    logit: f64,
}

/// Reads the file that a script names: a JSONL file of `{"option": "…", "logit": 1.5}`.
pub(super) fn from_file<'de, D: Deserializer<'de>>(path: D) -> Result<Option<Beliefs>, D::Error> {
    let rows = jsonl::rows(path, |_: &Row| Ok(()))?;
    Ok(rows.map(|rows: Vec<Row>| {
        rows.into_iter()
            .map(|row| (row.option, row.logit))
            .collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_keeps_its_logit_and_a_letter_its_bias() {
        let beliefs: Beliefs = [("one".to_owned(), 1.0), ("two".to_owned(), 2.0)]
            .into_iter()
            .collect();
        let prompt = |options: &str| {
            format!(
                "Question: Which?\nChoices:\nA. two\nB. one\nAnswer: B\n\nQuestion: Which?\nChoices:\n{options}Answer:"
            )
        };
        let of = |options: &str| beliefs.of(&prompt(options), &[0.5]);
        assert_eq!(of("A. one\nB. two\nC. three\n"), Some(vec![1.5, 2.0, 0.0]));
        assert_eq!(of("A. two\nB. one\nC. three\n"), Some(vec![2.5, 1.0, 0.0]));
        assert_eq!(of("A. four\n"), None);
    }
}
