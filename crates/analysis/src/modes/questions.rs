//! Questions worth a closer look.

use std::collections::HashMap;

use rayon::prelude::*;
use sureness_conformal::{ProbabilityView, RightOptions, View};
use sureness_questions::letter;

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
    /// The right option, or several.
    pub right: RightOptions,
    /// Letters of the answers given, the most frequent first.
    pub given: String,
}

/// What all models made of the questions of a task.
#[derive(Debug, Clone)]
pub(crate) struct TaskSeen {
    task: String,
    questions: Vec<Seen>,
}

/// What all models made of one question.
#[derive(Debug, Clone)]
struct Seen {
    key: [u8; 32],
    id: String,
    right: RightOptions,
    answers: usize,
    wrong_confidence: f64,
    entropy: f64,
    /// How often each option was chosen.
    chosen: [u32; 26],
    /// Summed over models: the share of strategies that disagree with the most frequent answer.
    disagreement: f64,
    models: usize,
}

/// The questions of each task for each of these reasons: up to `most` of each, task by task, the
/// most striking first. All rows are looked at once, however often this is asked.
pub fn listed_questions(figures: &Figures<'_>, reasons: &[Reason], most: usize) -> Vec<Listed> {
    let seen = figures.seen.get_or_init(|| {
        let tasks = figures.tasks().into_par_iter();
        tasks.map(|(task, _)| TaskSeen::of(figures, task)).collect()
    });
    let of = |reason| seen.iter().flat_map(move |task| task.listed(reason, most));
    reasons.iter().flat_map(|&reason| of(reason)).collect()
}

impl TaskSeen {
    fn of(figures: &Figures<'_>, task: &str) -> Self {
        let mut questions = Questions::default();
        for model in &figures.models {
            let mut of_model: Vec<[u32; 26]> = Vec::new();
            for group in model.of_task(task) {
                questions.look_at(group, &figures.settings.view(), &mut of_model);
            }
            for (seen, chosen) in questions.seen.iter_mut().zip(of_model) {
                let all: u32 = chosen.iter().sum();
                let top = chosen.iter().max().copied().unwrap_or(0);
                if all > 0 {
                    seen.disagreement += f64::from(all - top) / f64::from(all);
                    seen.models += 1;
                }
            }
        }
        Self {
            task: task.to_owned(),
            questions: questions.seen,
        }
    }

    fn listed(&self, reason: Reason, most: usize) -> Vec<Listed> {
        let scored = self.questions.iter().map(|seen| (seen.score(reason), seen));
        let mut ranked: Vec<(f64, &Seen)> = scored.filter(|(score, _)| *score > 0.0).collect();
        // Of two with one id, the key decides: never the order of a map.
        ranked.sort_by(|(a_score, a), (b_score, b)| {
            let by_id = || a.id.cmp(&b.id).then_with(|| a.key.cmp(&b.key));
            b_score.total_cmp(a_score).then_with(by_id)
        });
        let ranked = ranked.into_iter().take(most);
        ranked
            .map(|(score, seen)| seen.listed(&self.task, reason, score))
            .collect()
    }
}

/// The questions of a task as they are found.
#[derive(Default)]
struct Questions<'a> {
    seen: Vec<Seen>,
    places: HashMap<[u8; 32], usize>,
    /// Keys and places of the group before: the next one mostly has the same questions.
    keys: &'a [[u8; 32]],
    of_rows: Vec<usize>,
}

impl<'a> Questions<'a> {
    fn find(&mut self, group: &'a GroupFigures<'_>) {
        let table = &group.rows.table;
        if self.keys == table.keys() {
            return;
        }
        self.keys = table.keys();
        self.of_rows.clear();
        for (row, &key) in self.keys.iter().enumerate() {
            let place = *self.places.entry(key).or_insert_with(|| {
                self.seen.push(Seen {
                    key,
                    id: group.rows.ids[row].clone(),
                    right: table.right(row),
                    answers: 0,
                    wrong_confidence: 0.0,
                    entropy: 0.0,
                    chosen: [0; 26],
                    disagreement: 0.0,
                    models: 0,
                });
                self.seen.len() - 1
            });
            self.of_rows.push(place);
        }
    }

    fn look_at(&mut self, group: &'a GroupFigures<'_>, view: &View, of_model: &mut Vec<[u32; 26]>) {
        self.find(group);
        of_model.resize(self.seen.len(), [0; 26]);
        let table = &group.rows.table;
        let mut rows = ProbabilityView::new(view);
        for (row, &place) in self.of_rows.iter().enumerate() {
            rows.load(&table.row(row));
            let probabilities = rows.probabilities();
            let top = probabilities
                .iter()
                .enumerate()
                .max_by(|a, b| a.1.total_cmp(b.1))
                .map_or(0, |(index, _)| index);
            let seen = &mut self.seen[place];
            seen.answers += 1;
            if !seen.right.contains(top) {
                seen.wrong_confidence += probabilities[top];
            }
            seen.entropy -= probabilities
                .iter()
                .filter(|p| **p > 0.0)
                .map(|p| p * p.log2())
                .sum::<f64>();
            seen.chosen[top] += 1;
            of_model[place][top] += 1;
        }
    }
}

impl Seen {
    fn score(&self, reason: Reason) -> f64 {
        let answers = self.answers as f64;
        match reason {
            Reason::ConfidentlyWrong => self.wrong_confidence / answers,
            Reason::Divided => self.entropy / answers,
            Reason::PromptSensitive => self.disagreement / self.models.max(1) as f64,
        }
    }

    fn listed(&self, task: &str, reason: Reason, score: f64) -> Listed {
        let mut given: Vec<usize> = (0..26).filter(|&option| self.chosen[option] > 0).collect();
        given.sort_by_key(|&option| std::cmp::Reverse(self.chosen[option]));
        Listed {
            task: task.to_owned(),
            key: self.key,
            id: self.id.clone(),
            reason,
            score,
            answers: self.answers,
            right: self.right,
            given: given.into_iter().map(letter).collect(),
        }
    }
}

/// One table per reason.
pub(super) fn section(figures: &Figures<'_>) -> Section {
    let most = figures.settings.questions;
    let mut section = Section {
        id: "questions".into(),
        title: "Questions worth a closer look".into(),
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
