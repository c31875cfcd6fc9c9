//! One row of the details.

use serde_json::Value;
use sureness_questions::{MAX_OPTIONS, RightOptions};

use crate::Problem;
use crate::error::Fault;
use crate::json;
use crate::likelihood::{Likelihoods, Rule};

/// A multiple-choice question and the model's scores.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) query: String,
    /// The continuations, with the blanks before them.
    pub(super) choices: Vec<String>,
    pub(super) likelihoods: Likelihoods,
    pub(super) right: RightOptions,
    /// Whether a second list of options follows, which is left out.
    pub(super) has_second_list: bool,
}

impl Sample {
    pub(super) fn read(row: &Value, id: &str) -> Result<Self, Fault> {
        let scores = list(row, "/model_response/logprobs");
        if scores.is_empty() {
            return Err(Problem::Generation.field("model_response.logprobs"));
        }
        // Tasks of whole sentences, such as BLiMP, have an empty one.
        let query = row.pointer("/doc/query").and_then(Value::as_str);
        let query = query.ok_or(Problem::Missing.field("doc.query"))?;
        let choices = list(row, "/doc/choices").iter().map(|choice| {
            let text = choice.as_str().filter(|text| !text.is_empty());
            let found = || json::describe(choice);
            text.map(str::to_owned)
                .ok_or_else(|| wrong("a text", found()).field("doc.choices"))
        });
        let mut choices = choices.collect::<Result<Vec<String>, Fault>>()?;
        let all = choices.len();
        let first = first_list(row).filter(|first| *first < all);
        choices.truncate(first.unwrap_or(all));
        let options = choices.len();
        if !(2..=MAX_OPTIONS).contains(&options) {
            return Err(Problem::OptionCount(options).field("doc.choices"));
        }
        let field = "model_response.logprobs";
        // Like lighteval, which cuts the list to the options and takes one twice as long for both kinds.
        let Some((conditioned, others)) = scores.split_at_checked(all) else {
            let found = format!("{} for {all} options", scores.len());
            return Err(wrong("one score per option", found).field(field));
        };
        let (conditioned, others) = match first {
            Some(first) => (conditioned.get(..first).unwrap_or_default(), &[][..]),
            None => (conditioned, others),
        };
        let fault = |problem: Problem| problem.of_question(id).field(field);
        let sums: Vec<f64> = conditioned.iter().map(number).collect();
        let mut likelihoods = Likelihoods::new(sums.clone())
            .map_err(fault)?
            .of_texts(&choices);
        let others = match others {
            others if others.len() == options => others,
            _ => list(row, "/model_response/unconditioned_logprobs"),
        };
        if others.len() == options {
            let values = sums.iter().zip(others);
            let values = values.map(|(sum, other)| sum - number(other)).collect();
            likelihoods = likelihoods
                .with(Rule::Unconditioned, values)
                .map_err(fault)?;
        }
        // lighteval may save fewer lists than options.
        let tokens = list(row, "/model_response/output_tokens").iter();
        let tokens = tokens.map(|it| it.as_array().map_or(0.0, |tokens| tokens.len() as f64));
        let tokens = tokens.take(first.unwrap_or(usize::MAX));
        Ok(Self {
            query: query.to_owned(),
            likelihoods: likelihoods.divided(Rule::Tokens, tokens.collect()),
            right: right(row, all, options)?,
            choices,
            has_second_list: first.is_some(),
        })
    }
}

/// How many options the first of two lists has. `truthfulqa:mc` joins those of MC1, of which one is right,
/// and those of MC2 (`tasks/tasks/truthfulqa.py`).
fn first_list(row: &Value) -> Option<usize> {
    let first = row.pointer("/doc/specific/len_mc1")?.as_u64()?;
    usize::try_from(first).ok().filter(|first| *first > 0)
}

/// A number, NaN for anything else. Infinities of Parquet are texts (`value::of_row`).
fn number(value: &Value) -> f64 {
    let text = || value.as_str()?.parse().ok();
    value.as_f64().or_else(text).unwrap_or(f64::NAN)
}

/// The task's name, such as `mmlu:anatomy|5`.
pub(super) fn task(row: &Value) -> Result<String, Fault> {
    let name = json::text(row, "/doc/task_name").map(str::to_owned);
    name.ok_or_else(|| Problem::Missing.field("doc.task_name"))
}

/// Whether the prompt lost tokens to the limit of the model's context.
pub(super) fn was_cut(row: &Value) -> bool {
    let tokens = row.pointer("/model_response/truncated_tokens_count");
    tokens.and_then(Value::as_f64).is_some_and(|n| n > 0.0)
}

/// The id of a row.
pub(super) fn id(row: &Value) -> Result<String, Fault> {
    match row.pointer("/doc/id") {
        None | Some(Value::Null) => Err(Problem::Missing.field("doc.id")),
        Some(id) => json::id(id, "doc.id"),
    }
}

/// The task and the number of shots in `suite|task|shots`, whose suite newer versions leave out.
pub(super) fn name_parts(name: &str) -> (&str, Option<u64>) {
    let Some((rest, shots)) = name.rsplit_once('|') else {
        return (name, None);
    };
    let task = rest.rsplit_once('|').map_or(rest, |(_suite, task)| task);
    match shots.parse() {
        Ok(shots) if !task.is_empty() => (task, Some(shots)),
        _ => (name, None),
    }
}

fn list<'a>(row: &'a Value, pointer: &str) -> &'a [Value] {
    let list = row.pointer(pointer).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn wrong(expected: &'static str, found: String) -> Problem {
    Problem::Type { expected, found }
}

/// The right options: an index, or a list of indices, of which lighteval counts each as right. Of `all`
/// options the first ones count.
fn right(row: &Value, all: usize, options: usize) -> Result<RightOptions, Fault> {
    let gold = row.pointer("/doc/gold_index").unwrap_or(&Value::Null);
    let fault = |problem: Problem| problem.field("doc.gold_index");
    let list = gold
        .as_array()
        .map_or(std::slice::from_ref(gold), Vec::as_slice);
    let places = list.iter().filter(|gold| !gold.is_null()).map(|gold| {
        let index = gold.as_u64().and_then(|index| usize::try_from(index).ok());
        let answer = || gold.to_string();
        index.filter(|index| *index < all).ok_or_else(|| {
            fault(Problem::Answer {
                answer: answer(),
                options: all,
            })
        })
    });
    let places = places.collect::<Result<Vec<_>, _>>()?;
    let places = places.into_iter().filter(|place| *place < options);
    RightOptions::of(places).ok_or_else(|| fault(Problem::NoAnswer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_lists_the_first_one_counts() {
        let row = serde_json::json!({
            "doc": {"query": "", "choices": ["a", "b", "c", "a", "d", "b", "c"], "gold_index": [0, 3, 4],
                "specific": {"len_mc1": 3}},
            "model_response": {"logprobs": [-5.0, -3.0, -9.0, -5.0, -2.0, -3.0, -9.0],
                "output_tokens": [[1], [1, 2], [1], [1], [1], [1], [1]]}
        });
        let sample = Sample::read(&row, "1").unwrap();
        assert!(sample.has_second_list);
        assert_eq!(
            (sample.choices, sample.right),
            (vec!["a".into(), "b".into(), "c".into()], 0.into())
        );
        assert_eq!(
            sample.likelihoods.by(Rule::Sum).unwrap(),
            [-5.0, -3.0, -9.0]
        );
        assert_eq!(
            sample.likelihoods.by(Rule::Tokens).unwrap(),
            [-5.0, -1.5, -9.0]
        );
        assert_eq!(sample.likelihoods.by(Rule::Unconditioned), None);
    }

    #[test]
    fn names_of_tasks() {
        assert_eq!(name_parts("mmlu:anatomy|5"), ("mmlu:anatomy", Some(5)));
        assert_eq!(name_parts("leaderboard|arc|25"), ("arc", Some(25)));
        assert_eq!(name_parts("arc"), ("arc", None));
        assert_eq!(name_parts("a|b"), ("a|b", None));
    }
}
