//! Open questions on the page.

use std::collections::HashMap;

use sureness_analysis::{Figures, OpenGroupFigures};
use sureness_bench::Failure;
use sureness_bench::evidence::Texts;
use sureness_open::{Item, Meanings};
use sureness_report::html::{
    MeaningEntry, ModelWords, QuestionEntry, QuestionWords, TaskQuestions,
};

use super::words::{WordsOf, beginning};
use super::{MAX_PER_KIND, model_number, strategies};

/// Questions of a task at least, where it has so many: the first ones fill up those of each kind.
const FEWEST: usize = 60;
/// Meanings of one question.
const MAX_MEANINGS: usize = 10;

/// Digest of a question's content.
type Key = [u8; 32];

/// Which open questions the page shows; `None` without any.
pub(super) fn note(figures: &Figures<'_>) -> Option<String> {
    (!figures.open.is_empty()).then(|| {
        format!(
            "Open questions: up to {MAX_PER_KIND} of each kind and task, and the first others up to \
             {FEWEST}; up to {MAX_MEANINGS} meanings each. Only test questions have sets."
        )
    })
}

/// What all models made of one question.
#[derive(Default)]
struct Seen {
    models: f64,
    /// Summed over models: the share of a most frequent meaning that is wrong.
    wrong: f64,
    entropy: f64,
    generated: bool,
}

/// How much a question is of a kind.
type Score = fn(&Seen) -> f64;

/// Kinds of questions, with how much a question is of that kind.
const KINDS: [(&str, Score); 3] = [
    ("confidently wrong", |seen| seen.wrong / seen.models),
    ("divided", |seen| seen.entropy / seen.models),
    ("truth never drawn", |seen| {
        f64::from(u8::from(!seen.generated))
    }),
];

/// The notable questions of one open task.
pub(super) fn task_questions(
    figures: &Figures<'_>,
    (texts, said): (&mut Texts, &mut WordsOf<'_>),
    (task, title): (&str, &str),
) -> Result<TaskQuestions, Failure> {
    let (keys, tags) = chosen(figures, task);
    let found = texts.find(figures, task, &keys);
    let mut entries: Vec<Option<QuestionEntry>> = vec![None; keys.len()];
    let mut words = Vec::new();
    for model in &figures.open {
        let Some(group) = model.of_task(task) else {
            continue;
        };
        let rows = places(group);
        for (entry, key) in entries.iter_mut().zip(&keys) {
            if let (None, Some(&row)) = (&entry, rows.get(key)) {
                let question = found.get(key).and_then(|question| texts.fit(question));
                *entry = Some(QuestionEntry {
                    id: group.rows.ids[row].clone(),
                    category: group.rows.categories[row].clone().unwrap_or_default(),
                    accepted: question
                        .as_ref()
                        .map_or(Vec::new(), |it| it.accepted.clone()),
                    stem: question.as_ref().map(|it| it.stem.clone()),
                    context: question.and_then(|it| it.context),
                    tags: tags.get(key).cloned().unwrap_or_default(),
                    ..QuestionEntry::default()
                });
            }
        }
        let strategy = &group.rows.id.strategy;
        let model_index = model_number(figures, &model.model.name);
        let all = said.answers_to(model_index, (task, strategy), &keys)?;
        let mut all = all.unwrap_or_else(|| vec![None; keys.len()]);
        for (words, key) in all.iter_mut().zip(&keys) {
            if let Some(&row) = rows.get(key) {
                let mut with = words.take().unwrap_or_default();
                add_meanings(&mut with, group, row);
                let bytes = with.meanings.iter().map(|it| it.text.len()).sum();
                *words = said.has_room(bytes).then_some(with);
            }
        }
        let known = strategies(figures);
        words.push(ModelWords {
            model: model_index,
            strategy: known.iter().position(|it| it == strategy).unwrap_or(0),
            questions: all,
        });
    }
    Ok(TaskQuestions {
        title: title.to_owned(),
        questions: entries.into_iter().flatten().collect(),
        is_open: true,
        words,
        ..TaskQuestions::default()
    })
}

/// The questions of each kind, the most striking first, then others in the order of the data; and the
/// kinds of each.
fn chosen(figures: &Figures<'_>, task: &str) -> (Vec<Key>, HashMap<Key, Vec<String>>) {
    let (order, seen) = seen(figures, task);
    let mut keys: Vec<Key> = Vec::new();
    let mut tags: HashMap<Key, Vec<String>> = HashMap::new();
    for (kind, score) in KINDS {
        let mut ranked: Vec<(f64, Key)> =
            order.iter().map(|key| (score(&seen[key]), *key)).collect();
        ranked.retain(|(score, _)| *score > 0.0);
        // Stable: equals stay in the order of the data.
        ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        for (_, key) in ranked.into_iter().take(MAX_PER_KIND) {
            let of_question = tags.entry(key).or_insert_with(|| {
                keys.push(key);
                Vec::new()
            });
            of_question.push(kind.to_owned());
        }
    }
    let others = order.into_iter().filter(|key| !tags.contains_key(key));
    let room = FEWEST.saturating_sub(keys.len());
    keys.extend(others.take(room));
    (keys, tags)
}

/// The questions in the order in which they first occur, with what the models made of them.
fn seen(figures: &Figures<'_>, task: &str) -> (Vec<Key>, HashMap<Key, Seen>) {
    let mut order = Vec::new();
    let mut seen: HashMap<Key, Seen> = HashMap::new();
    let groups = figures.open.iter().filter_map(|model| model.of_task(task));
    for item in groups.flat_map(|group| &group.rows.items) {
        let of_question = seen.entry(item.key).or_insert_with(|| {
            order.push(item.key);
            Seen::default()
        });
        of_question.add(&item.meanings);
    }
    (order, seen)
}

impl Seen {
    fn add(&mut self, meanings: &Meanings) {
        self.models += 1.0;
        self.entropy += meanings.entropy();
        self.generated |= meanings.is_generated();
        if let Some(top) = meanings.top().filter(|top| !top.accepted) {
            self.wrong += meanings.frequency(top);
        }
    }
}

/// The row of each question; of doubles, the first.
fn places(group: &OpenGroupFigures<'_>) -> HashMap<Key, usize> {
    let items = group.rows.items.iter().enumerate().rev();
    items.map(|(row, item)| (item.key, row)).collect()
}

fn add_meanings(words: &mut QuestionWords, group: &OpenGroupFigures<'_>, row: usize) {
    let Item { meanings, .. } = &group.rows.items[row];
    let is_tested = group.split.test.contains(&row);
    let threshold = group.figures.sets.threshold.filter(|_| is_tested);
    words.entropy = Some(meanings.entropy());
    words.held = threshold.map(|threshold| meanings.set(threshold).len());
    words.more_meanings = meanings.groups().len().saturating_sub(MAX_MEANINGS);
    let shown = meanings.groups().iter().take(MAX_MEANINGS);
    words.meanings = shown
        .map(|meaning| MeaningEntry {
            text: beginning(&meaning.text),
            count: meaning.count,
            share: meanings.frequency(meaning),
            accepted: meaning.accepted,
        })
        .collect();
}
