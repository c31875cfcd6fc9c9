//! Questions with the answers of each model.

use serde::{Deserialize, Serialize};
use sureness_conformal::RightOptions;

use super::ModelWords;

/// Questions to look through, with every model's probabilities and prediction sets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QuestionBrowser {
    /// Names of the models, in the order of the report.
    pub models: Vec<String>,
    /// Names of the strategies.
    pub strategies: Vec<String>,
    /// The tasks.
    pub tasks: Vec<TaskQuestions>,
    /// What a reader should know, such as which questions were chosen and by what rule.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// The questions of one task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskQuestions {
    /// The heading.
    pub title: String,
    /// Labels of the options, such as A to F; at most 64.
    pub letters: Vec<String>,
    /// The questions.
    pub questions: Vec<QuestionEntry>,
    /// What was answered, at most one entry per model and strategy; none to open questions.
    pub answers: Vec<ModelAnswers>,
    /// Whether the questions are open, without options.
    #[serde(default)]
    pub is_open: bool,
    /// Answers in words, at most one entry per model and strategy; none where letters were scored.
    #[serde(default)]
    pub words: Vec<ModelWords>,
}

/// One question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QuestionEntry {
    /// Its id in the data set.
    pub id: String,
    /// Its category; empty where there is none.
    #[serde(default)]
    pub category: String,
    /// The question itself, where it is at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem: Option<String>,
    /// What it refers to, such as a dialogue or a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Texts of the options; empty where they are not at hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The right option, or several; none of an open question.
    pub right: Option<RightOptions>,
    /// Accepted answers of an open question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
    /// Labels, such as "confidently wrong" or "divided".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// One model's answers to the questions of a task, asked in one strategy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelAnswers {
    /// Index of the model.
    pub model: usize,
    /// Index of the strategy.
    pub strategy: usize,
    /// One per question; nothing where there is no answer.
    pub answers: Vec<Option<Answer>>,
}

/// One model's answer to one question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Probability of each option, of 0 to 1; the page shows them to a thousandth.
    pub probabilities: Vec<f64>,
    /// Index of the most probable option, by the protocol's rule for ties.
    pub top: usize,
    /// The LAC set, bit k for option k; nothing for rows that set the threshold.
    pub lac: Option<u64>,
    /// The APS set, bit k for option k; nothing for rows that set the threshold.
    pub aps: Option<u64>,
}

impl QuestionBrowser {
    /// Questions over all tasks.
    pub fn len(&self) -> usize {
        self.tasks.iter().map(|task| task.questions.len()).sum()
    }

    /// Whether there is no question.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
