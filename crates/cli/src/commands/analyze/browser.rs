//! The questions that a page shows one by one.

use std::collections::HashMap;

use sureness_analysis::{Figures, GroupFigures, Reason, listed_questions};
use sureness_report::html::{Answer, ModelAnswers, QuestionBrowser, QuestionEntry, TaskQuestions};

/// So many questions of each kind and task: a page with 40 models and 5 tasks stays quick.
const OF_EACH_KIND: usize = 40;

/// The questions worth a look, with what each model said.
pub(super) fn browser(figures: &Figures<'_>) -> QuestionBrowser {
    let listed: Vec<_> = Reason::ALL
        .into_iter()
        .flat_map(|reason| listed_questions(figures, reason, OF_EACH_KIND))
        .collect();
    let strategies = figures.strategies();
    let tasks = figures
        .tasks()
        .into_iter()
        .map(|(task, title)| {
            let mut order: Vec<[u8; 32]> = Vec::new();
            let mut tags: HashMap<[u8; 32], Vec<String>> = HashMap::new();
            for question in listed.iter().filter(|question| question.task == task) {
                let of_question = tags.entry(question.key).or_insert_with(|| {
                    order.push(question.key);
                    Vec::new()
                });
                of_question.push(question.reason.title().to_owned());
            }
            let mut entries: Vec<Option<QuestionEntry>> = vec![None; order.len()];
            let mut answers = Vec::new();
            let mut widest = 0;
            for (model_index, model) in figures.models.iter().enumerate() {
                for (strategy_index, strategy) in strategies.iter().enumerate() {
                    let Some(group) = model.group(task, strategy) else {
                        continue;
                    };
                    widest = widest.max(group.rows.table.stride());
                    let rows = rows_of(group);
                    for (entry, key) in entries.iter_mut().zip(&order) {
                        if let (None, Some(&row)) = (&entry, rows.get(key)) {
                            *entry = Some(entry_of(group, row, &tags[key]));
                        }
                    }
                    answers.push(ModelAnswers {
                        model: model_index,
                        strategy: strategy_index,
                        answers: order
                            .iter()
                            .map(|key| rows.get(key).map(|&row| answer(figures, group, row)))
                            .collect(),
                    });
                }
            }
            TaskQuestions {
                title: title.to_owned(),
                letters: (0..widest).map(letter).collect(),
                questions: entries.into_iter().flatten().collect(),
                answers,
            }
        })
        .collect();
    QuestionBrowser {
        models: figures
            .models
            .iter()
            .map(|m| m.model.name.clone())
            .collect(),
        strategies: strategies.into_iter().map(str::to_owned).collect(),
        tasks,
        notes: vec![format!(
            "Up to {OF_EACH_KIND} questions of each kind and task. Sets are those of test questions; calibration questions have none."
        )],
    }
}

fn letter(index: usize) -> String {
    char::from(b'A' + index as u8).to_string()
}

/// Where each question is, by its key.
fn rows_of(group: &GroupFigures<'_>) -> HashMap<[u8; 32], usize> {
    let keys = group.rows.table.keys().iter().enumerate();
    keys.map(|(row, &key)| (key, row)).collect()
}

fn entry_of(group: &GroupFigures<'_>, row: usize, tags: &[String]) -> QuestionEntry {
    let table = &group.rows.table;
    let category =
        table.categories()[row].and_then(|category| group.rows.categories.get(category as usize));
    QuestionEntry {
        id: group.rows.ids[row].clone(),
        category: category.cloned().unwrap_or_default(),
        stem: None,
        context: None,
        options: Vec::new(),
        answer: usize::from(table.answers()[row]),
        tags: tags.to_vec(),
    }
}

fn answer(figures: &Figures<'_>, group: &GroupFigures<'_>, row: usize) -> Answer {
    let mut probabilities = Vec::new();
    let view = figures.settings.view();
    sureness_conformal::probabilities(&group.rows.table, row, &view, &mut probabilities);
    let position = group.split.test.iter().position(|&test| test == row);
    let mask = |score: &sureness_analysis::ScoreFigures| {
        let set = score.sets.sets.get(position?)?;
        Some(set.iter().fold(0_u64, |mask, option| mask | 1 << option))
    };
    let top = position.map_or_else(
        || {
            let best = probabilities
                .iter()
                .enumerate()
                .max_by(|a, b| a.1.total_cmp(b.1));
            best.map_or(0, |(index, _)| index)
        },
        |position| group.top(position),
    );
    Answer {
        top,
        lac: mask(group.lac()),
        aps: mask(group.aps()),
        probabilities,
    }
}
