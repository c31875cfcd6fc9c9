//! The questions worth a look.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::figures::{Figures, GroupFigures};
use crate::text::measured;
use crate::{Cell, Column, Section, Table, Unit};

/// Why a question is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Models are sure of a wrong answer.
    ConfidentlyWrong,
    /// Models are divided between options.
    Divided,
    /// The answer depends on the prompt strategy.
    PromptSensitive,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ConfidentlyWrong, Self::Divided, Self::PromptSensitive];

    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ConfidentlyWrong => "confidently wrong",
            Self::Divided => "divided",
            Self::PromptSensitive => "sensitive to the prompt",
        }
    }
}

/// A question that is worth a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Task id.
    pub task: String,
    /// Digest of the question's content.
    pub key: [u8; 32],
    /// The question's id.
    pub id: String,
    /// Why.
    pub reason: Reason,
    /// How much so: mean probability on the wrong answer, mean entropy in bits, or the share of
    /// strategies that disagree with the most frequent answer.
    pub score: f64,
    /// How often it was answered.
    pub answers: usize,
    /// Letters: the right one, and the ones given, the most frequent first.
    pub right: char,
    /// See `right`.
    pub given: String,
}

#[derive(Default)]
struct Seen<'a> {
    id: &'a str,
    right: u8,
    answers: usize,
    wrong_confidence: f64,
    entropy: f64,
    /// How often each option was chosen.
    chosen: [u32; 26],
    /// Per model: how often each option was chosen.
    disagreement: f64,
    models: usize,
}

/// The questions of each task for each of these reasons: up to `most` of each, task by task, the
/// most striking first. All rows are looked at once, whatever the number of reasons.
pub fn listed_questions(figures: &Figures<'_>, reasons: &[Reason], most: usize) -> Vec<Listed> {
    let of_tasks: Vec<Vec<Listed>> = figures
        .tasks()
        .into_par_iter()
        .map(|(task, _)| {
            let seen = seen_of(figures, task);
            let listed = reasons.iter().map(|&reason| {
                let mut ranked: Vec<(f64, &[u8; 32], &Seen)> = seen
                    .iter()
                    .map(|(key, seen)| (seen.score(reason), key, seen))
                    .filter(|(score, ..)| *score > 0.0)
                    .collect();
                // Of two with one id, the key decides: never the order of a map.
                ranked.sort_by(|a, b| {
                    let by_id = || a.2.id.cmp(b.2.id).then_with(|| a.1.cmp(b.1));
                    b.0.total_cmp(&a.0).then_with(by_id)
                });
                ranked.truncate(most);
                ranked
                    .into_iter()
                    .map(|(score, key, seen)| seen.listed(task, *key, reason, score))
                    .collect::<Vec<_>>()
            });
            listed.flatten().collect()
        })
        .collect();
    let of = |reason| {
        let all = of_tasks.iter().flatten();
        all.filter(move |listed| listed.reason == reason).cloned()
    };
    reasons.iter().flat_map(|&reason| of(reason)).collect()
}

/// What all models made of each question of a task.
fn seen_of<'a>(figures: &'a Figures<'_>, task: &str) -> HashMap<[u8; 32], Seen<'a>> {
    let mut seen: HashMap<[u8; 32], Seen<'_>> = HashMap::new();
    for model in &figures.models {
        let mut of_model: HashMap<[u8; 32], [u32; 26]> = HashMap::new();
        for group in model.of_task(task) {
            look_at(group, figures, &mut seen, &mut of_model);
        }
        for (key, chosen) in of_model {
            let (all, top) = (chosen.iter().sum::<u32>(), chosen.iter().max());
            if let (Some(seen), Some(&top)) = (seen.get_mut(&key), top) {
                seen.disagreement += f64::from(all - top) / f64::from(all.max(1));
                seen.models += 1;
            }
        }
    }
    seen
}

fn look_at<'a>(
    group: &'a GroupFigures<'_>,
    figures: &Figures<'_>,
    seen: &mut HashMap<[u8; 32], Seen<'a>>,
    of_model: &mut HashMap<[u8; 32], [u32; 26]>,
) {
    let table = &group.rows.table;
    let view = figures.settings.view();
    let mut probabilities = Vec::new();
    for row in 0..table.len() {
        sureness_conformal::probabilities(table, row, &view, &mut probabilities);
        let top = probabilities
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .map_or(0, |(index, _)| index);
        let key = table.keys()[row];
        let entry = seen.entry(key).or_default();
        if entry.answers == 0 {
            entry.id = &group.rows.ids[row];
            entry.right = table.answers()[row];
        }
        entry.answers += 1;
        if top != usize::from(entry.right) {
            entry.wrong_confidence += probabilities[top];
        }
        entry.entropy -= probabilities
            .iter()
            .filter(|p| **p > 0.0)
            .map(|p| p * p.log2())
            .sum::<f64>();
        entry.chosen[top] += 1;
        of_model.entry(key).or_default()[top] += 1;
    }
}

fn letter(index: usize) -> char {
    char::from(b'A' + index as u8)
}

impl Seen<'_> {
    fn score(&self, reason: Reason) -> f64 {
        let answers = self.answers as f64;
        match reason {
            Reason::ConfidentlyWrong => self.wrong_confidence / answers,
            Reason::Divided => self.entropy / answers,
            Reason::PromptSensitive => self.disagreement / self.models.max(1) as f64,
        }
    }

    fn listed(&self, task: &str, key: [u8; 32], reason: Reason, score: f64) -> Listed {
        let mut given: Vec<usize> = (0..26).filter(|&option| self.chosen[option] > 0).collect();
        given.sort_by_key(|&option| std::cmp::Reverse(self.chosen[option]));
        Listed {
            task: task.to_owned(),
            key,
            id: self.id.to_owned(),
            reason,
            score,
            answers: self.answers,
            right: letter(usize::from(self.right)),
            given: given.into_iter().map(letter).collect(),
        }
    }
}

/// One table per reason.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let most = figures.settings.questions;
    let mut section = Section {
        id: "questions".into(),
        title: "Questions worth a look".into(),
        text: vec![format!(
            "Over all models and strategies, calibration questions included; up to {most} of each kind and task. Questions that many models get wrong with confidence are often wrong themselves."
        )],
        ..Section::default()
    };
    let kinds = [
        (
            Reason::ConfidentlyWrong,
            "Confidently wrong",
            "Mean probability on a wrong answer, counted as nothing where the answer is right.",
            "Confidence",
            Unit::Percent,
        ),
        (
            Reason::Divided,
            "Divided",
            "Mean entropy of the options' probabilities.",
            "Entropy, bits",
            Unit::Number(2),
        ),
        (
            Reason::PromptSensitive,
            "Sensitive to the prompt",
            "Mean share of a model's strategies that disagree with its most frequent answer.",
            "Disagree",
            Unit::Percent,
        ),
    ];
    let listed = listed_questions(figures, &Reason::ALL, most.max(1));
    let of = |reason| {
        listed
            .iter()
            .filter(move |question| question.reason == reason)
    };
    for (reason, title, caption, score, unit) in kinds {
        if reason == Reason::PromptSensitive && figures.strategies().len() < 2 {
            continue;
        }
        let rows = of(reason)
            .map(|q| {
                vec![
                    Cell::text(q.task.clone()),
                    Cell::text(q.id.clone()),
                    Cell::figure(q.score),
                    Cell::count(q.answers),
                    Cell::text(q.right.to_string()),
                    Cell::text(q.given.clone()),
                ]
            })
            .collect();
        section.tables.push(Table {
            id: reason.title().replace(' ', "-"),
            title: title.into(),
            caption: caption.into(),
            columns: vec![
                Column::text("task", "Task"),
                Column::text("id", "Question"),
                Column::new("score", score, unit),
                Column::new("answers", "Answers", Unit::Count),
                Column::text("right", "Right"),
                Column::text("given", "Given").help("Options chosen, the most frequent first."),
            ],
            rows,
            ..Table::default()
        });
    }
    // The first of equals.
    let worst = of(Reason::ConfidentlyWrong).reduce(|worst, question| {
        if question.score > worst.score {
            question
        } else {
            worst
        }
    });
    if let Some(worst) = worst {
        section.text.push(format!(
            "The most confidently wrong: {} of {}, where {} % went to wrong answers on average; the key says {}.",
            worst.id,
            worst.task,
            measured(worst.score),
            worst.right
        ));
    }
    section
}
