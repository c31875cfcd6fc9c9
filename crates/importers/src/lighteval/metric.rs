//! lighteval's own figures, held against those of the imported rows.

use std::collections::BTreeMap;

use serde_json::Value;

use super::sample::Sample;
use crate::Problem;
use crate::error::{Fault, printable};
use crate::imported::{AccuracyCheck, Imported};
use crate::json;

/// How lighteval normalises log-likelihoods before it takes the greatest (`normalize_log_probs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    None,
    Chars,
    /// Without the blank before the text.
    CharsWithoutBlank,
    Tokens,
    Pmi,
}

/// The rules that a metric of this name may stand for. `acc_norm` does not say whether it counts the
/// blank before a text.
fn rules(name: &str) -> &'static [Rule] {
    match name {
        "acc" => &[Rule::None],
        "acc_norm" => &[Rule::Chars, Rule::CharsWithoutBlank],
        "acc_norm_token" => &[Rule::Tokens],
        "acc_norm_pmi" => &[Rule::Pmi],
        _ => &[],
    }
}

/// The option that is right by a rule, the first of equals; `None` where a length is unknown.
fn top(rule: Rule, sample: &Sample) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (option, score) in sample.scores.iter().enumerate() {
        let text = sample.choices.get(option)?;
        let chars = |text: &str| text.chars().count().max(1) as f64;
        let value = match rule {
            Rule::None => *score,
            Rule::Chars => score / chars(text),
            Rule::CharsWithoutBlank => score / chars(text.strip_prefix(' ').unwrap_or(text)),
            Rule::Tokens => score / *sample.tokens.as_ref()?.get(option)? as f64,
            Rule::Pmi => score - sample.unconditioned.as_ref()?.get(option)?,
        };
        if best.is_none_or(|(_, other)| value > other) {
            best = Some((option, value));
        }
    }
    best.map(|(option, _)| option)
}

/// Whether lighteval counts a row as right.
fn verdict(value: &Value) -> Option<bool> {
    let number = value.as_f64().map(|it| (it, 1.0 - it));
    match number {
        Some((zero, _)) if zero.abs() < f64::EPSILON => Some(false),
        Some((_, zero)) if zero.abs() < f64::EPSILON => Some(true),
        Some(_) => None,
        None => value.as_bool(),
    }
}

/// One rule's agreement with a metric.
#[derive(Debug)]
struct Tally {
    rule: Rule,
    right: usize,
    /// Rows that the rule can judge.
    judged: usize,
    first_difference: Option<String>,
}

/// One metric of the file.
#[derive(Debug, Default)]
struct Metric {
    rows: usize,
    right: usize,
    tallies: Vec<Tally>,
}

impl Metric {
    /// The comparison by the rule that fits best; `None` if no rule judges all rows.
    fn check(&self) -> Option<AccuracyCheck> {
        let tallies = self.tallies.iter().filter(|it| it.judged == self.rows);
        let tally = tallies.min_by_key(|it| it.first_difference.is_some())?;
        Some(AccuracyCheck {
            ours: tally.right as f64 / self.rows as f64,
            theirs: self.right as f64 / self.rows as f64,
            by_length: tally.rule != Rule::None,
            first_difference: tally.first_difference.clone(),
        })
    }
}

/// The metrics of a file, by name.
#[derive(Debug, Default)]
pub(super) struct Metrics(BTreeMap<String, Metric>);

impl Metrics {
    /// Adds the metrics of a row.
    pub(super) fn add(&mut self, id: &str, sample: &Sample, row: &Value) -> Result<(), Fault> {
        let Some(Value::Object(metrics)) = row.get("metric") else {
            return Ok(());
        };
        for (name, value) in metrics.iter().filter(|(_, value)| !value.is_null()) {
            let known = rules(name);
            let metric = self.0.entry(name.clone()).or_insert_with(|| Metric {
                tallies: known.iter().map(|rule| Tally::new(*rule)).collect(),
                ..Metric::default()
            });
            if known.is_empty() {
                continue;
            }
            let Some(verdict) = verdict(value) else {
                let (expected, found) = ("0 or 1", json::describe(value));
                let field = format!("metric.{}", printable(name));
                return Err(Problem::Type { expected, found }.field(&field));
            };
            metric.rows += 1;
            metric.right += usize::from(verdict);
            for tally in &mut metric.tallies {
                tally.add(id, sample, verdict);
            }
        }
        Ok(())
    }

    /// Puts the comparisons into the import: `acc` first, or else the first that is known, and a
    /// warning for each further one that differs.
    pub(super) fn finish(self, import: &mut Imported) {
        let mut without = Vec::new();
        let mut compared = false;
        for (name, metric) in self.0 {
            let shown = printable(&name);
            let Some(check) = metric.check() else {
                without.push(shown);
                continue;
            };
            compared = true;
            if import.check.is_none() && matches!(&*name, "acc" | "acc_norm") {
                import.check = Some(check);
            } else if !check.agrees() {
                import.warnings.push(format!(
                    "{shown} is {:.2} % here and {:.2} % in the file",
                    check.ours * 100.0,
                    check.theirs * 100.0
                ));
            }
        }
        if !without.is_empty() {
            let names = without.join(", ");
            let note = format!("no comparison with the file's {names}");
            import.notes.push(note);
        }
        if !compared {
            let note = "the file states no accuracy to compare with";
            import.notes.push(note.to_owned());
        }
    }
}

impl Tally {
    fn new(rule: Rule) -> Self {
        Self {
            rule,
            right: 0,
            judged: 0,
            first_difference: None,
        }
    }

    fn add(&mut self, id: &str, sample: &Sample, verdict: bool) {
        let Some(top) = top(self.rule, sample) else {
            return;
        };
        let right = sample.right.contains(top);
        self.judged += 1;
        self.right += usize::from(right);
        if right != verdict {
            self.first_difference.get_or_insert_with(|| id.to_owned());
        }
    }
}
