//! What readers of harnesses share: questions whose options were asked for one by one, and the
//! harness's own figures, held against those of the imported rows.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;
use sureness_questions::{RightOptions, letter};
use sureness_record::QuestionRecord;

use crate::choice::{self, Choice};
use crate::content::Digests;
use crate::error::{Fault, printable};
use crate::imported::{AccuracyCheck, Imported, ImportedRow, RowScores, Values};
use crate::likelihood::{Likelihoods, Normalise, Rule, top};
use crate::{ImportError, Place, Problem, Refusal};

/// A metric of a harness, the first of the names that a rule may have, and the rule.
pub(crate) type Metrics = &'static [(&'static str, Rule)];

/// How a harness counts a question where several options have the greatest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ties {
    /// The first of them is the answer.
    First,
    /// The share of them that is right.
    Shared,
}

/// One question as a harness asked it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) category: Option<String>,
    pub(crate) question: Digests,
    pub(crate) right: RightOptions,
    pub(crate) likelihoods: Likelihoods,
    /// Whether each log-likelihood was observed rather than bounded.
    pub(crate) observed: Vec<bool>,
    /// The harness's figures for this question, by metric: 1 if it is right, 0 if not.
    pub(crate) verdicts: Vec<(String, f64)>,
}

/// The questions of one task that are being read.
pub(crate) struct Group {
    pub(crate) import: Imported,
    metrics: Metrics,
    ties: Ties,
    asked: Vec<Asked>,
    seen: HashMap<String, Place>,
    dropped: usize,
}

impl Group {
    /// A group whose import has no rows yet. `metrics` are those that can be computed again.
    pub(crate) fn new(import: Imported, metrics: Metrics, ties: Ties) -> Self {
        Self {
            import,
            metrics,
            ties,
            asked: Vec::new(),
            seen: HashMap::new(),
            dropped: 0,
        }
    }

    /// Whether a question is to be read: an error if its id was seen before, `false` if
    /// `--drop-ids` leaves it out.
    pub(crate) fn admits(
        &mut self,
        id: &str,
        field: &str,
        place: &Place,
        choice: &Choice<'_>,
    ) -> Result<bool, Fault> {
        if let Some(first) = self.seen.insert(id.to_owned(), place.clone()) {
            let (id, first) = (printable(id), first.to_string());
            return Err(Problem::RepeatedId { id, first }.field(field));
        }
        let drops = choice.drops(&[id]);
        self.dropped += usize::from(drops);
        Ok(!drops)
    }

    pub(crate) fn add(&mut self, asked: Asked) {
        self.asked.push(asked);
    }

    /// Number of questions that were added.
    pub(crate) fn len(&self) -> usize {
        self.asked.len()
    }

    /// Whether all questions have what a rule compares.
    pub(crate) fn has(&self, rule: Rule) -> bool {
        let mut asked = self.asked.iter();
        asked.all(|asked| asked.likelihoods.by(rule).is_some())
    }

    /// The import with its rows, divided as asked for, and the comparison with the harness's figures.
    pub(crate) fn finish(
        mut self,
        path: &Path,
        normalise: Normalise,
    ) -> Result<Imported, ImportError> {
        self.import.notes.extend(choice::left_out(self.dropped));
        let rule = self.rule(normalise).map_err(|problem| problem.of(path))?;
        self.compare(rule, normalise);
        let is_label = self.import.values == Values::Labels;
        for asked in self.asked {
            let options = asked.likelihoods.len();
            let logprobs = asked.likelihoods.by(rule).unwrap_or_default();
            // Only labels are mutually exclusive: texts may be prefixes of one another.
            let mass = is_label.then(|| {
                let observed = logprobs.iter().zip(&asked.observed);
                let observed = observed.filter(|(_, observed)| **observed);
                observed.map(|(value, _)| value.exp()).sum::<f64>().min(1.0)
            });
            self.import.rows.push(ImportedRow {
                question: QuestionRecord {
                    content: asked.question.content,
                    cluster: asked.question.cluster,
                    id: asked.id,
                    category: asked.category,
                    options,
                    right: asked.right,
                    dont_know: None,
                    none_of_the_above: None,
                },
                scores: Ok(RowScores {
                    observed: asked.observed,
                    logprobs,
                    mass,
                }),
            });
        }
        Ok(self.import)
    }

    /// The rule of the imported scores. Where a normalisation may stand for several, the one that
    /// agrees with the file's metric.
    fn rule(&self, normalise: Normalise) -> Result<Rule, Problem> {
        if normalise != Normalise::None && self.import.values == Values::Labels {
            return Err(Problem::Refused(Refusal::Letters(normalise.name())));
        }
        let rules: Vec<Rule> = normalise
            .rules()
            .iter()
            .copied()
            .filter(|rule| self.has(*rule))
            .collect();
        let agrees = |rule: &Rule| {
            let mut of = self.metrics.iter().filter(|(_, of)| of == rule);
            of.any(|(name, rule)| self.tally(name, *rule).is_some_and(|check| check.agrees()))
        };
        let rule = rules.iter().copied().find(agrees);
        rule.or(rules.first().copied())
            .ok_or_else(|| match normalise {
                Normalise::None => Problem::Missing,
                divided => Refusal::NoLengths(divided.name()).into(),
            })
    }

    /// Our figure by a rule beside that of a metric; `None` if a question lacks either.
    fn tally(&self, name: &str, rule: Rule) -> Option<AccuracyCheck> {
        let (mut ours, mut theirs, mut first_difference) = (0.0, 0.0, None);
        for asked in &self.asked {
            let (_, verdict) = asked.verdicts.iter().find(|(of, _)| of == name)?;
            let values = asked.likelihoods.by(rule)?;
            let right = share(&values, asked.right, self.ties);
            ours += right;
            theirs += verdict;
            if (right - verdict).abs() > 1e-9 {
                first_difference.get_or_insert_with(|| asked.id.clone());
            }
        }
        let rows = self.asked.len() as f64;
        (rows > 0.0).then(|| AccuracyCheck {
            ours: ours / rows,
            theirs: theirs / rows,
            metric: name.to_owned(),
            first_difference,
        })
    }

    /// The comparison of a metric by the rule that fits best.
    fn best(&self, name: &str) -> Option<AccuracyCheck> {
        let rules = self.metrics.iter().filter(|(of, _)| *of == name);
        let checks = rules.filter_map(|(_, rule)| self.tally(name, *rule));
        checks.min_by_key(|check| check.first_difference.is_some())
    }

    /// Puts the comparison by `rule` into the import, and a warning for each further metric that
    /// differs; notes say what could not be compared.
    fn compare(&mut self, rule: Rule, normalise: Normalise) {
        let mut own = self.metrics.iter().filter(|(_, of)| *of == rule);
        let own = own.find_map(|(name, rule)| self.tally(name, *rule));
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.asked.iter().flat_map(|asked| &asked.verdicts) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names.sort_unstable();
        let mut without = Vec::new();
        let mut others = Vec::new();
        for name in names {
            match self.best(name) {
                None => without.push(printable(name)),
                Some(check) if own.as_ref().is_none_or(|own| own.metric != name) => {
                    others.push(check);
                }
                Some(_) => {}
            }
        }
        // Undivided scores keep the comparison by another rule, which shows that they were read right.
        let import = &mut self.import;
        import.check = match (own, normalise) {
            (None, Normalise::None) if !others.is_empty() => Some(others.remove(0)),
            (own, _) => own,
        };
        let warnings = others.iter().filter_map(AccuracyCheck::difference);
        import.warnings.extend(warnings);
        if !without.is_empty() {
            let names = without.join(", ");
            let note = format!("no comparison with the file's {names}");
            import.notes.push(note);
        }
    }
}

/// The note on scores of whole texts; `plain` says what undivided ones compare with.
pub(crate) fn note_of(values: Values, normalise: Normalise, plain: &str) -> Option<String> {
    if values == Values::Labels {
        return None;
    }
    Some(match normalise {
        Normalise::None => format!(
            "log-likelihoods are of whole continuations: probabilities are shares among the \
             options of a question, and long options have less; {plain}"
        ),
        divided => format!(
            "log-likelihoods are divided by the {} of each option: no model has the probabilities \
             that follow from them; do not compare them with undivided ones",
            match divided {
                Normalise::Chars => "characters",
                Normalise::Bytes => "bytes",
                _ => "tokens",
            }
        ),
    })
}

/// How right the answer with the greatest value is.
fn share(values: &[f64], right: RightOptions, ties: Ties) -> f64 {
    let best = top(values);
    if ties == Ties::First {
        return f64::from(u8::from(right.contains(best)));
    }
    let best = values.get(best).copied().unwrap_or(f64::NAN);
    let is_greatest = |option: &usize| values.get(*option).is_some_and(|value| *value >= best);
    let greatest = (0..values.len()).filter(is_greatest).count();
    let right = right.iter().filter(is_greatest).count();
    if right > 0 {
        right as f64 / greatest as f64
    } else {
        0.0
    }
}

/// Whether texts are the letters A, B, C …, or (A), (B), (C) ….
pub(crate) fn are_letters(texts: &[String]) -> bool {
    let is_letter = |(index, text): (usize, &String)| {
        let text = text.trim();
        let bare = text.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
        bare.unwrap_or(text).chars().eq([letter(index)])
    };
    !texts.is_empty() && texts.iter().enumerate().all(is_letter)
}

/// A figure between 0 and 1, also as a truth value.
pub(crate) fn verdict(value: &Value) -> Option<f64> {
    let number = value
        .as_f64()
        .or_else(|| value.as_bool().map(|it| f64::from(u8::from(it))));
    number.filter(|number| (0.0..=1.0).contains(number))
}
