//! Faults in the JSON or text of a good answer.

use serde_json::{Value, json};

use crate::script::{Fault, Indices, Nan};

/// Placeholder for `NaN`, which JSON lacks, until the JSON is text.
const NAN: &str = "__not_a_number__";

/// Fields that no score depends on.
const DISPENSABLE: [&str; 11] = [
    "id",
    "object",
    "created",
    "model",
    "usage",
    "timings",
    "text",
    "message",
    "finish_reason",
    "tokens_evaluated",
    "text_offset",
];

/// A body after a fault, and the prompts that it still answers.
pub(crate) struct Spoilt {
    pub(crate) body: Vec<u8>,
    pub(crate) answered: Vec<bool>,
}

/// Plays the faults that change an answer's text; ignores the others.
pub(crate) fn spoil(mut answer: Value, prompts: usize, fault: Option<&Fault>) -> Spoilt {
    let mut answered = vec![true; prompts];
    let text = match fault {
        Some(Fault::MissingField { field }) => {
            // A single prompt needs no index.
            let harmless =
                DISPENSABLE.contains(&field.as_str()) || (field == "index" && prompts == 1);
            if remove(&mut answer, field) && !harmless {
                answered.fill(false);
            }
            answer.to_string()
        }
        Some(Fault::NotANumber { spelled }) => {
            poison(&mut answer, false, *spelled);
            answered.fill(false);
            answer.to_string().replace(&format!("\"{NAN}\""), "NaN")
        }
        Some(Fault::Indices { how }) => {
            renumber(&mut answer, *how, &mut answered);
            answer.to_string()
        }
        Some(Fault::DeepJson { depth }) => {
            answered.fill(false);
            format!(
                "{{\"choices\":{}{}}}",
                "[".repeat(*depth),
                "]".repeat(*depth)
            )
        }
        Some(Fault::TruncatedJson) => {
            answered.fill(false);
            let text = answer.to_string();
            text.chars().take(text.chars().count() / 2).collect()
        }
        Some(Fault::MalformedJson) => {
            answered.fill(false);
            answer.to_string().replacen(':', ";", 1)
        }
        _ => answer.to_string(),
    };
    Spoilt {
        body: text.into_bytes(),
        answered,
    }
}

/// Removes a field everywhere; returns whether it existed.
fn remove(value: &mut Value, field: &str) -> bool {
    match value {
        Value::Object(fields) => {
            let mut found = fields.shift_remove(field).is_some();
            for inner in fields.values_mut() {
                found |= remove(inner, field);
            }
            found
        }
        Value::Array(list) => list
            .iter_mut()
            .fold(false, |found, v| remove(v, field) | found),
        _ => false,
    }
}

/// Replaces every log-probability: every number within a field that is named after them.
fn poison(value: &mut Value, inside: bool, spelled: Nan) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                poison(inner, inside || name.contains("logprob"), spelled);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|v| poison(v, inside, spelled)),
        // A log-probability has decimals; numbers without are token ids and offsets.
        Value::Number(number) if inside && number.is_f64() => {
            *value = match spelled {
                Nan::Literal => json!(NAN),
                Nan::Text => json!("NaN"),
                Nan::Null => Value::Null,
            };
        }
        _ => {}
    }
}

/// Plays with the order and numbers of the choices; llama.cpp's own lists have none to play with.
fn renumber(answer: &mut Value, how: Indices, answered: &mut [bool]) {
    let Some(choices) = answer.get_mut("choices").and_then(Value::as_array_mut) else {
        return;
    };
    let last = choices.len().saturating_sub(1);
    match how {
        Indices::Shuffled => choices.reverse(),
        Indices::Duplicated if last == 0 => {
            choices.extend_from_within(..);
            answered.fill(false);
        }
        Indices::Duplicated => {
            choices[last]["index"] = json!(0);
            answered[0] = false;
            answered[last] = false;
        }
        Indices::Missing => {
            choices.pop();
            if let Some(answered) = answered.last_mut() {
                *answered = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(prompts: usize) -> Value {
        let choices: Vec<Value> = (0..prompts)
            .map(|i| json!({"index": i, "logprobs": {"top_logprobs": [{" A": -1.5}], "text_offset": [0]}}))
            .collect();
        json!({"choices": choices, "usage": {"prompt_tokens": 3}})
    }

    fn spoilt(prompts: usize, fault: &Fault) -> (String, Vec<bool>) {
        let spoilt = spoil(answer(prompts), prompts, Some(fault));
        (String::from_utf8(spoilt.body).unwrap(), spoilt.answered)
    }

    #[test]
    fn without_a_fault_all_is_answered() {
        let whole = spoil(answer(2), 2, None);
        assert_eq!(
            serde_json::from_slice::<Value>(&whole.body).unwrap(),
            answer(2)
        );
        assert_eq!(whole.answered, [true, true]);
    }

    #[test]
    fn broken_texts_are_not_json() {
        for fault in [
            Fault::TruncatedJson,
            Fault::MalformedJson,
            Fault::NotANumber {
                spelled: Nan::Literal,
            },
            Fault::DeepJson { depth: 1000 },
        ] {
            let (text, answered) = spoilt(2, &fault);
            assert!(
                serde_json::from_str::<Value>(&text).is_err(),
                "{fault:?}: {text}"
            );
            assert_eq!(answered, [false, false]);
        }
    }

    #[test]
    fn not_a_number_replaces_log_probabilities_alone() {
        let (text, _) = spoilt(1, &Fault::NotANumber { spelled: Nan::Null });
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value["choices"][0]["logprobs"]["top_logprobs"][0][" A"],
            Value::Null
        );
        assert_eq!(value["choices"][0]["logprobs"]["text_offset"][0], 0);
        assert_eq!(value["usage"]["prompt_tokens"], 3);
    }

    #[test]
    fn a_missing_field_matters_where_scores_depend_on_it() {
        let missing = |field: &str| Fault::MissingField {
            field: field.to_owned(),
        };
        assert_eq!(spoilt(2, &missing("choices")).1, [false, false]);
        assert_eq!(spoilt(2, &missing("index")).1, [false, false]);
        assert_eq!(spoilt(1, &missing("index")).1, [true]);
        assert_eq!(spoilt(2, &missing("usage")).1, [true, true]);
        assert_eq!(spoilt(2, &missing("absent")).1, [true, true]);
        assert!(
            !spoilt(2, &missing("top_logprobs"))
                .0
                .contains("top_logprobs")
        );
    }

    #[test]
    fn indices_lose_only_the_prompts_concerned() {
        let of = |prompts, how| {
            let (text, answered) = spoilt(prompts, &Fault::Indices { how });
            let value: Value = serde_json::from_str(&text).unwrap();
            let choices = value["choices"].as_array().unwrap();
            let numbers: Vec<u64> = choices
                .iter()
                .map(|c| c["index"].as_u64().unwrap())
                .collect();
            (numbers, answered)
        };
        assert_eq!(of(3, Indices::Shuffled), (vec![2, 1, 0], vec![true; 3]));
        assert_eq!(
            of(3, Indices::Duplicated),
            (vec![0, 1, 0], vec![false, true, false])
        );
        assert_eq!(of(1, Indices::Duplicated), (vec![0, 0], vec![false]));
        assert_eq!(
            of(3, Indices::Missing),
            (vec![0, 1], vec![true, true, false])
        );
    }
}
