//! The question browser of the report page.

mod open;
mod words;

use std::collections::{HashMap, HashSet};

use sureness_analysis::{Figures, GroupFigures, Listed, Reason, listed_questions};
use sureness_bench::evidence::Texts;
use sureness_bench::{Failure, TaskData};
use sureness_questions::{Question, letter};
use sureness_report::html::{
    Answer, ModelAnswers, ModelWords, QuestionBrowser, QuestionEntry, TaskQuestions,
};

use words::WordsOf;

/// Maximum questions per kind and task, so that a page with 40 models and 5 tasks stays fast.
const MAX_PER_KIND: usize = 40;

/// The notable questions with each model's answers. Prompts are laid out from `data`, or from the data
/// that runs recorded.
pub(super) fn browser(
    figures: &Figures<'_>,
    texts: &mut Texts,
    data: &[TaskData],
) -> Result<QuestionBrowser, Failure> {
    let mut said = WordsOf::new(figures, data)?;
    let listed = listed_questions(figures, &Reason::ALL, MAX_PER_KIND);
    let strategies = strategies(figures);
    let mut tasks = Vec::new();
    for (task, title) in figures.tasks() {
        let of_task: Vec<&Listed> = listed.iter().filter(|q| q.task == task).collect();
        tasks.push(task_questions(
            figures,
            (texts, &mut said),
            (task, title),
            &of_task,
        )?);
    }
    for (task, title) in figures.open_tasks() {
        tasks.push(open::task_questions(
            figures,
            (texts, &mut said),
            (task, title),
        )?);
    }
    let mut notes = Vec::new();
    if !figures.models.is_empty() {
        notes.push(format!(
            "Up to {MAX_PER_KIND} questions per kind and task. Only test questions have prediction sets."
        ));
    }
    notes.extend(open::note(figures));
    notes.extend(texts.notes());
    notes.extend(said.notes());
    Ok(QuestionBrowser {
        models: names(figures).into_iter().map(str::to_owned).collect(),
        strategies: strategies.into_iter().map(str::to_owned).collect(),
        tasks,
        notes,
    })
}

/// All models, in the order of the page's numbers.
fn names<'a>(figures: &Figures<'a>) -> Vec<&'a str> {
    let names = figures.evidence.names().into_iter();
    names.map(|(name, _)| name).collect()
}

/// The number of a model on the page.
fn model_number(figures: &Figures<'_>, name: &str) -> usize {
    let names = names(figures);
    names.iter().position(|known| *known == name).unwrap_or(0)
}

/// The strategies of all tasks, open ones included, in the order of the page's numbers.
fn strategies<'a>(figures: &Figures<'a>) -> Vec<&'a str> {
    let mut strategies = figures.strategies();
    let open = figures.evidence.open.iter().flat_map(|model| &model.groups);
    for group in open {
        if !strategies.contains(&&*group.id.strategy) {
            strategies.push(&group.id.strategy);
        }
    }
    strategies
}

/// The notable questions of one task.
fn task_questions(
    figures: &Figures<'_>,
    (texts, said): (&mut Texts, &mut WordsOf<'_>),
    (task, title): (&str, &str),
    listed: &[&Listed],
) -> Result<TaskQuestions, Failure> {
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
    let (mut answers, mut words) = (Vec::new(), Vec::new());
    let mut widest = 0;
    for model in &figures.models {
        let model_index = model_number(figures, &model.model.name);
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
            let found = said.answers_to(model_index, (task, strategy), &keys)?;
            words.extend(found.map(|questions| ModelWords {
                model: model_index,
                strategy: strategy_index,
                questions,
            }));
        }
    }
    Ok(TaskQuestions {
        title: title.to_owned(),
        letters: (0..widest).map(|index| letter(index).to_string()).collect(),
        questions: entries.into_iter().flatten().collect(),
        answers,
        is_open: false,
        words,
    })
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
