//! Made-up questions.

use sureness_report::html::{Answer, ModelAnswers, QuestionBrowser, QuestionEntry, TaskQuestions};

use super::figures::{all, noise};
use super::{STRATEGIES, Size, TASKS};

pub(super) const SUBJECTS: [&str; 30] = [
    "Abstract algebra",
    "Anatomy",
    "Astronomy",
    "Business ethics",
    "Clinical knowledge",
    "College biology",
    "College chemistry",
    "College mathematics",
    "College physics",
    "Computer security",
    "Econometrics",
    "Electrical engineering",
    "Formal logic",
    "Global facts",
    "Human aging",
    "International law",
    "Jurisprudence",
    "Logical fallacies",
    "Machine learning",
    "Management",
    "Marketing",
    "Medical genetics",
    "Moral disputes",
    "Nutrition",
    "Philosophy",
    "Prehistory",
    "Sociology",
    "Virology",
    "World history",
    "World religions",
];

/// Options of a question, the two abstentions included.
const OPTIONS: usize = 6;

pub(super) fn browser(size: Size) -> QuestionBrowser {
    let figures = all(size.models);
    let tasks = TASKS.iter().enumerate().map(|(t, (id, title))| {
        let questions = (0..size.questions).map(|q| question(t, id, q)).collect();
        let answers = (0..size.models)
            .flat_map(|m| (0..STRATEGIES.len()).map(move |s| (m, s)))
            .map(|(model, strategy)| ModelAnswers {
                model,
                strategy,
                answers: (0..size.questions)
                    .map(|q| answer(t, q, (model, figures[model].acc), strategy))
                    .collect(),
            })
            .collect();
        TaskQuestions {
            title: (*title).to_owned(),
            letters: ["A", "B", "C", "D", "E", "F"].map(str::to_owned).to_vec(),
            questions,
            answers,
            ..TaskQuestions::default()
        }
    });
    QuestionBrowser {
        tasks: tasks.collect(),
        models: figures.iter().map(|f| f.name.clone()).collect(),
        strategies: STRATEGIES.map(str::to_owned).to_vec(),
        notes: vec!["A sample of the questions; the most instructive first.".to_owned()],
    }
}

fn right(task: usize, question: usize) -> usize {
    (noise(task, question, 11) * 4.0) as usize
}

fn question(task: usize, id: &str, at: usize) -> QuestionEntry {
    let subject = SUBJECTS[(noise(task, at, 12) * SUBJECTS.len() as f64) as usize % SUBJECTS.len()];
    let (a, b) = (12 + at * 7 % 80, 3 + at * 5 % 40);
    let answer = right(task, at);
    let mut options: Vec<String> = (0..4)
        .map(|k| (a * b + (k + 4 - answer) * b).to_string())
        .collect();
    options[answer] = (a * b).to_string();
    options.push("I don't know".to_owned());
    options.push("None of the above".to_owned());
    let mut tags = Vec::new();
    if noise(task, at, 13) < 0.08 {
        tags.push("confidently wrong".to_owned());
    }
    if noise(task, at, 14) < 0.12 {
        tags.push("divided".to_owned());
    }
    QuestionEntry {
        id: format!("{id}-{at:04}"),
        category: if task == 0 {
            subject.to_owned()
        } else {
            String::new()
        },
        stem: Some(format!(
            "A depot holds {a} crates, each with {b} lamps. A clerk counts them twice and arrives \
             at the same number both times. How many lamps are in the depot?"
        )),
        context: (task == 1 || task == 4).then(|| {
            format!(
                "The depot lies {} kilometres from the harbour. It was built in 19{:02} and has \
                 been extended twice, once after a fire. ",
                at + 2,
                at % 100
            )
            .repeat(if at.is_multiple_of(2) { 1 } else { 6 })
        }),
        options,
        right: Some(answer.into()),
        tags,
        ..QuestionEntry::default()
    }
}

fn answer(task: usize, question: usize, model: (usize, f64), strategy: usize) -> Option<Answer> {
    let (model, skill) = model;
    if noise(model, question, 77) < 0.004 {
        return None;
    }
    let key = model * 31 + strategy;
    let hard = noise(task, question, 15);
    let mut weights: Vec<f64> = (0..OPTIONS)
        .map(|k| (2.5 * noise(key * 64 + k, question, task)).exp() * if k > 3 { 0.15 } else { 1.0 })
        .collect();
    weights[right(task, question)] *= (4.5 * skill - 2.5 * hard + 0.8).exp();
    let total: f64 = weights.iter().sum();
    let probabilities: Vec<f64> = weights.iter().map(|w| w / total).collect();
    let top = (0..OPTIONS).max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]))?;
    let above = |threshold: f64| {
        (0..OPTIONS)
            .filter(|k| *k == top || probabilities[*k] >= threshold)
            .fold(0_u64, |mask, k| mask | 1 << k)
    };
    let tested = question.is_multiple_of(2);
    Some(Answer {
        top,
        lac: tested.then(|| above(0.12)),
        aps: tested.then(|| above(0.06)),
        probabilities,
    })
}
