//! Answers in words in the browser of questions.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::pack::Names;

/// One model's answers in words to the questions of a task, asked in one strategy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelWords {
    /// Index of the model.
    pub model: usize,
    /// Index of the strategy.
    pub strategy: usize,
    /// One per question; nothing where there is no answer.
    pub questions: Vec<Option<QuestionWords>>,
}

/// One model's answers in words to one question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QuestionWords {
    /// What the prompts of all questions begin with, such as few-shot examples; empty for none.
    pub prefix: String,
    /// The rest of the prompt; nothing where it is not known.
    pub prompt: Option<String>,
    /// Meanings of the answers to an open question, the most frequent first; none of any other.
    pub meanings: Vec<MeaningEntry>,
    /// Further meanings, which are not among these.
    pub more_meanings: usize,
    /// Semantic entropy in nats, of an open question.
    pub entropy: Option<f64>,
    /// How many of the first meanings the set of answers holds; nothing for questions that set the
    /// threshold, and without a finite one.
    pub held: Option<usize>,
    /// Different answers, in the order in which they were given.
    pub answers: Vec<AnswerEntry>,
    /// Answers that are none of these.
    pub more_answers: usize,
}

/// A meaning of answers to an open question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MeaningEntry {
    /// The first answer with this meaning.
    pub text: String,
    /// Answers with this meaning.
    pub count: u32,
    /// Their share, of 0 to 1, among the answers that have a meaning.
    pub share: f64,
    /// Whether it is accepted.
    pub accepted: bool,
}

/// An answer in words, with how it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerEntry {
    /// Its text.
    pub text: String,
    /// The thought before it.
    pub thought: Option<String>,
    /// How it was read, such as `B` or `cut`.
    pub reading: String,
    /// How often exactly this was answered.
    pub count: usize,
}

/// The answers of a task as small JSON. Prompts, which models share, are numbered in `texts`.
pub(super) fn packed(words: &[ModelWords], texts: &mut Names) -> Vec<Value> {
    let of_model = |of: &ModelWords| {
        let questions = of.questions.iter();
        let questions: Vec<Value> = questions
            .map(|question| question.as_ref().map_or(Value::Null, |it| entry(it, texts)))
            .collect();
        json!({ "m": of.model, "s": of.strategy, "q": questions })
    };
    words.iter().map(of_model).collect()
}

fn entry(words: &QuestionWords, texts: &mut Names) -> Value {
    let meanings = words.meanings.iter();
    let meanings: Vec<Value> = meanings
        .map(|it| {
            let share = (it.share * 1000.0).round() / 1000.0;
            json!([it.text, it.count, share, u8::from(it.accepted)])
        })
        .collect();
    let answers = words.answers.iter();
    let answers: Vec<Value> = answers
        .map(|it| json!([it.reading, it.count, it.text, it.thought]))
        .collect();
    let mut entry = json!({ "a": answers });
    let mut put = |name: &str, value: Value| entry[name] = value;
    if let Some(prompt) = &words.prompt {
        put(
            "p",
            json!([texts.number(&words.prefix), texts.number(prompt)]),
        );
    }
    if words.more_answers > 0 {
        put("b", json!(words.more_answers));
    }
    if let Some(entropy) = words.entropy {
        put("g", json!(meanings));
        put("e", json!((entropy * 1000.0).round() / 1000.0));
        put("h", json!(words.held));
        put("f", json!(words.more_meanings));
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_that_models_share_are_kept_once() {
        let words = |model| ModelWords {
            model,
            strategy: 0,
            questions: vec![
                None,
                Some(QuestionWords {
                    prefix: "Q: 1\nA: 2\n".into(),
                    prompt: Some("Q: 2\nA:".into()),
                    answers: vec![AnswerEntry {
                        text: "3".into(),
                        thought: None,
                        reading: "B".into(),
                        count: 4,
                    }],
                    ..QuestionWords::default()
                }),
            ],
        };
        let mut texts = Names::default();
        let packed = packed(&[words(0), words(1)], &mut texts);
        assert_eq!(texts.0.len(), 2);
        assert_eq!(packed[1]["q"][1]["p"], json!([0, 1]));
        assert_eq!(packed[0]["q"], packed[1]["q"]);
        assert_eq!(packed[0]["q"][0], Value::Null);
        assert_eq!(packed[0]["q"][1]["a"], json!([["B", 4, "3", null]]));
    }
}
