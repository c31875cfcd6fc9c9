//! The data of the question browser, as small text.
//!
//! A task becomes one JSON object with its questions, and one text per (model, strategy) in which
//! every question has the same width. In digits of 64:
//!
//! | what | digits |
//! |---|---|
//! | the most probable option | 1 |
//! | the probability of each option, in thousandths | 2 each |
//! | the LAC set, the APS set | 1 for six options, each |
//!
//! Dots stand for what is not there. Forty models, three strategies and three hundred questions of
//! six options come to 0.6 MB per task, and need no parsing until a question is shown. Answers in words
//! are plain JSON beside them.

use serde_json::{Value, json};

use super::browser::{Answer, ModelAnswers, QuestionBrowser, TaskQuestions};
use super::words;

const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/// The models, the strategies and the names of the tasks.
pub(super) fn index(browser: &QuestionBrowser) -> Value {
    json!({
        "models": browser.models,
        "strategies": browser.strategies,
        "tasks": browser.tasks.iter().map(|task| &task.title).collect::<Vec<_>>(),
    })
}

/// One task.
pub(super) fn task(task: &TaskQuestions) -> Value {
    let options = options(task);
    let mut categories = Names::default();
    let mut tags = Names::default();
    let questions: Vec<Value> = task
        .questions
        .iter()
        .map(|question| {
            let mut entry = json!({ "i": question.id, "a": question.right });
            let mut put = |name: &str, value: Value| {
                entry[name] = value;
            };
            if !question.category.is_empty() {
                put("c", json!(categories.number(&question.category)));
            }
            if let Some(stem) = &question.stem {
                put("s", json!(stem));
            }
            if let Some(context) = question.context.as_ref().filter(|c| !c.is_empty()) {
                put("x", json!(context));
            }
            if !question.accepted.is_empty() {
                put("k", json!(question.accepted));
            }
            if !question.options.is_empty() {
                put("o", json!(question.options));
            }
            if !question.tags.is_empty() {
                let numbers: Vec<usize> = question.tags.iter().map(|t| tags.number(t)).collect();
                put("t", json!(numbers));
            }
            entry
        })
        .collect();
    let mut texts = Names::default();
    let words = words::packed(&task.words, &mut texts);
    json!({
        "open": task.is_open,
        "words": words,
        "texts": texts.0,
        "letters": task.letters,
        "options": options,
        "categories": categories.0,
        "tags": tags.0,
        "questions": questions,
        "answers": task.answers.iter().map(|a| json!({
            "m": a.model,
            "s": a.strategy,
            "d": packed(a, task.questions.len(), options),
        })).collect::<Vec<_>>(),
    })
}

/// JSON that can stand in a script element: no tag can begin in it.
pub(super) fn embedded(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

/// How many options the questions have at most.
fn options(task: &TaskQuestions) -> usize {
    let asked = task.questions.iter().map(|q| q.options.len());
    let answered = task
        .answers
        .iter()
        .flat_map(|a| a.answers.iter().flatten())
        .map(|a| a.probabilities.len());
    let most = asked.chain(answered).chain([task.letters.len()]).max();
    most.unwrap_or(0).min(64)
}

fn packed(model: &ModelAnswers, questions: usize, options: usize) -> String {
    let set = options.div_ceil(6);
    let width = 1 + 2 * options + 2 * set;
    let mut out = String::with_capacity(width * questions);
    for at in 0..questions {
        match model.answers.get(at).and_then(Option::as_ref) {
            Some(answer) => pack(&mut out, answer, options, set),
            None => out.extend(std::iter::repeat_n('.', width)),
        }
    }
    out
}

fn pack(out: &mut String, answer: &Answer, options: usize, set: usize) {
    number(out, answer.top as u64, 1);
    for at in 0..options {
        match answer.probabilities.get(at) {
            Some(p) if p.is_finite() => {
                number(out, (p.clamp(0.0, 1.0) * 1000.0).round() as u64, 2);
            }
            _ => out.push_str(".."),
        }
    }
    for members in [answer.lac, answer.aps] {
        match members {
            Some(mask) => number(out, mask, set),
            None => out.extend(std::iter::repeat_n('.', set)),
        }
    }
}

/// The lowest digits of a number, the highest of them first.
fn number(out: &mut String, value: u64, digits: usize) {
    for at in (0..digits).rev() {
        let digit = value.checked_shr(6 * at as u32).unwrap_or(0) & 63;
        out.push(char::from(DIGITS[digit as usize]));
    }
}

/// Names, each once.
#[derive(Default)]
pub(super) struct Names(pub(super) Vec<String>);

impl Names {
    pub(super) fn number(&mut self, name: &str) -> usize {
        self.0.iter().position(|n| n == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_a_fixed_width() {
        let answer = Answer {
            probabilities: vec![0.0, 0.9996, 0.064],
            top: 1,
            lac: Some(0b110),
            aps: None,
        };
        let model = ModelAnswers {
            answers: vec![Some(answer), None],
            ..ModelAnswers::default()
        };
        // 1000 = 15 · 64 + 40, 64 = 1 · 64 + 0.
        assert_eq!(packed(&model, 3, 3), "100Fe106...................");
    }

    #[test]
    fn sets_of_many_options_keep_their_highest() {
        let mut out = String::new();
        number(&mut out, 1 << 63 | 1, 11);
        assert_eq!(out, "80000000001");
    }

    #[test]
    fn no_tag_begins_in_embedded_json() {
        let text = embedded(&json!({"a": "</script><!--<script>"}));
        assert!(!text.contains('<'));
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["a"], "</script><!--<script>");
    }
}
