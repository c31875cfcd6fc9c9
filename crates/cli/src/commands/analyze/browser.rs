//! The question browser of the report page.

use std::collections::{HashMap, HashSet};

use sureness_analysis::{Figures, GroupFigures, Listed, Reason, listed_questions};
use sureness_bench::evidence::Texts;
use sureness_questions::{Question, letter};
use sureness_report::html::{Answer, ModelAnswers, QuestionBrowser, QuestionEntry, TaskQuestions};

/// Maximum questions per kind and task, so that a page with 40 models and 5 tasks stays fast.
const MAX_PER_KIND: usize = 40;

/// The notable questions with each model's answers.
pub(super) fn browser(figures: &Figures<'_>, texts: &mut Texts) -> QuestionBrowser {
    let listed = listed_questions(figures, &Reason::ALL, MAX_PER_KIND);
    let strategies = figures.strategies();
    let tasks = figures
        .tasks()
        .into_iter()
        .map(|(task, title)| {
            let of_task: Vec<&Listed> = listed.iter().filter(|q| q.task == task).collect();
            task_questions(figures, texts, task, title, &of_task)
        })
        .collect();
    let mut notes = vec![format!(
        "Up to {MAX_PER_KIND} questions per kind and task. Only test questions have prediction sets."
    )];
    notes.extend(texts.notes());
    QuestionBrowser {
        models: figures
            .models
            .iter()
            .map(|m| m.model.name.clone())
            .collect(),
        strategies: strategies.into_iter().map(str::to_owned).collect(),
        tasks,
        notes,
    }
}

/// The notable questions of one task.
fn task_questions(
    figures: &Figures<'_>,
    texts: &mut Texts,
    task: &str,
    title: &str,
    listed: &[&Listed],
) -> TaskQuestions {
    // Each question once, with all its reasons.
    let mut keys: Vec<[u8; 32]> = Vec::new();
    let mut tags: HashMap<[u8; 32], Vec<String>> = HashMap::new();
    for question in listed {
        let of_question = tags.entry(question.key).or_insert_with(|| {
            keys.push(question.key);
            Vec::new()
        });
        of_question.push(question.reason.title().to_owned());
    }
    let found = texts.find(figures, task, &keys);
    let mut entries: Vec<Option<QuestionEntry>> = vec![None; keys.len()];
    let mut answers = Vec::new();
    let mut widest = 0;
    for (model_index, model) in figures.models.iter().enumerate() {
        for (strategy_index, strategy) in figures.strategies().iter().enumerate() {
            let Some(group) = model.group(task, strategy) else {
                continue;
            };
            widest = widest.max(group.rows.table.stride());
            let rows = rows_of(group, &tags);
            let tested = positions_of(group, &rows);
            for (entry, key) in entries.iter_mut().zip(&keys) {
                if let (None, Some(&row)) = (&entry, rows.get(key)) {
                    let text = found.get(key).and_then(|question| texts.fit(question));
                    *entry = Some(entry_of(group, row, &tags[key], text));
                }
            }
            answers.push(ModelAnswers {
                model: model_index,
                strategy: strategy_index,
                answers: keys
                    .iter()
                    .map(|key| {
                        let row = *rows.get(key)?;
                        Some(answer(figures, group, row, tested.get(&row).copied()))
                    })
                    .collect(),
            });
        }
    }
    TaskQuestions {
        title: title.to_owned(),
        letters: (0..widest).map(|index| letter(index).to_string()).collect(),
        questions: entries.into_iter().flatten().collect(),
        answers,
    }
}

/// The rows of the shown questions; of duplicates, the last.
fn rows_of(
    group: &GroupFigures<'_>,
    shown: &HashMap<[u8; 32], Vec<String>>,
) -> HashMap<[u8; 32], usize> {
    let keys = group.rows.table.keys().iter().enumerate();
    keys.filter(|(_, key)| shown.contains_key(*key))
        .map(|(row, &key)| (key, row))
        .collect()
}

/// The positions of these rows in the test set, for those in it.
fn positions_of(
    group: &GroupFigures<'_>,
    rows: &HashMap<[u8; 32], usize>,
) -> HashMap<usize, usize> {
    let shown: HashSet<usize> = rows.values().copied().collect();
    let test = group.split.test.iter().enumerate();
    test.filter(|(_, row)| shown.contains(row))
        .map(|(position, &row)| (row, position))
        .collect()
}

fn entry_of(
    group: &GroupFigures<'_>,
    row: usize,
    tags: &[String],
    text: Option<Question>,
) -> QuestionEntry {
    let table = &group.rows.table;
    let category =
        table.categories()[row].and_then(|category| group.rows.categories.get(category as usize));
    let mut entry = QuestionEntry {
        id: group.rows.ids[row].clone(),
        category: category.cloned().unwrap_or_default(),
        right: Some(table.right(row)),
        tags: tags.to_vec(),
        ..QuestionEntry::default()
    };
    if let Some(question) = text {
        let asked = table.row(row).logits.len();
        entry.options = options_as_asked(&question, asked).unwrap_or_default();
        (entry.stem, entry.context) = (Some(question.stem), question.context);
    }
    entry
}

/// The options as they were asked. The content digest ignores the two abstention options, so
/// their number decides whether they were asked.
fn options_as_asked(question: &Question, asked: usize) -> Option<Vec<String>> {
    let with = || question.clone().with_abstention().options;
    let shown = if question.options.len() == asked {
        question.options.clone()
    } else {
        with()
    };
    (shown.len() == asked).then_some(shown)
}

/// A model's answer to a row; `position` is the row's position in the test set.
fn answer(
    figures: &Figures<'_>,
    group: &GroupFigures<'_>,
    row: usize,
    position: Option<usize>,
) -> Answer {
    let mut probabilities = Vec::new();
    let view = figures.settings.view();
    sureness_conformal::probabilities(&group.rows.table, row, &view, &mut probabilities);
    let mask = |score: &sureness_analysis::ScoreFigures| {
        let set = score.sets.get(position?)?;
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
