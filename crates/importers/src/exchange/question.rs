//! Which question a request asks, and which option each letter of its prompt is.

use serde_json::Value;
use sureness_questions::Question;

use super::Exchange;
use super::answer::{as_text, right_of};
use super::key::{Keys, Known, Shown};
use super::prompt::{self, plain};
use crate::Problem;
use crate::error::{Fault, printable};

/// A question as it was asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) question: Question,
    /// For each letter of the prompt, the index of its option.
    pub(super) order: Vec<usize>,
    /// Whether the right answer is written as a number.
    pub(super) numbered: bool,
}

/// The question of an exchange; `field` names its id.
pub(super) fn of(exchange: &Exchange, keys: Option<&Keys>, field: &str) -> Result<Asked, Fault> {
    match keys {
        Some(keys) if keys.has_questions() => of_keys(exchange, keys, field),
        _ => of_prompt(exchange, keys, field),
    }
}

/// The prompt as the question.
fn of_prompt(exchange: &Exchange, keys: Option<&Keys>, field: &str) -> Result<Asked, Fault> {
    let prompt = exchange.prompt.as_deref();
    let prompt = prompt.ok_or_else(|| Problem::NoPrompt.field(field))?;
    let shown = prompt::lettered(prompt).ok_or(Problem::NoLetters)?;
    let options = shown.options;
    if !prompt::is_size(options.len()) {
        return Err(Problem::OptionCount(options.len()).into());
    }
    let id = &exchange.id;
    let given = match keys {
        Some(keys) => Some(
            keys.answer(id)
                .ok_or_else(|| unknown(id, keys).field(field))?,
        ),
        None => None,
    };
    let own = exchange.answer.as_ref().filter(|own| !own.is_null());
    let written = given.or(own).ok_or(Problem::NoAnswers)?;
    let (right, numbered) = right_of(written, &options)?;
    let question = Question {
        accepted: Vec::new(),
        id: id.clone(),
        category: None,
        context: None,
        stem: shown.before.to_owned(),
        options,
        right,
    };
    agree(own, &question, &[], keys)?;
    Ok(Asked {
        order: (0..question.options.len()).collect(),
        question,
        numbered,
    })
}

/// The question of `--questions` that the prompt shows.
fn of_keys(exchange: &Exchange, keys: &Keys, field: &str) -> Result<Asked, Fault> {
    let id = &exchange.id;
    let by_id = keys.question(id);
    let Some(prompt) = exchange.prompt.as_deref() else {
        let known = by_id.ok_or_else(|| unknown(id, keys).field(field))?;
        let question = known.question.clone();
        let order: Vec<usize> = (0..question.options.len()).collect();
        agree(exchange.answer.as_ref(), &question, &order, Some(keys))?;
        return Ok(Asked {
            question,
            order,
            numbered: false,
        });
    };
    let text = plain(prompt);
    let shown = prompt::lettered(prompt);
    // Nothing behind its options is of the question.
    let asked = shown.as_ref().map_or(0, |shown| plain(shown.before).len());
    let asked = text.get(..asked).unwrap_or(&text);
    let lettered = shown.map(|shown| shown.options);
    let known = match &lettered {
        Some(options) => shown_with(options, asked, &text, keys, id)?,
        None => by_id.map_or(Ok(None), |known| {
            last(&keys.with_stem_of(known), &text, keys, id)
        })?,
    };
    let known = match known {
        Some(known) => known,
        None => by_id.ok_or_else(|| unknown(id, keys).field(field))?,
    };
    let shown = known.shown_in(&text).or_else(|| known.background_in(&text));
    let Some(shown) = shown else {
        return Err(Problem::OtherPrompt {
            id: printable(id),
            questions: keys.file.clone(),
        }
        .field(field));
    };
    let question = &known.question;
    let found = lettered.and_then(|shown| with_letters(question, shown));
    let found = found.or_else(|| {
        let behind = text.get(shown.end..).unwrap_or_default();
        let order = prompt::inline(behind, &question.options)?;
        Some((question.clone(), order))
    });
    let Some((question, order)) = found else {
        return Err(Problem::OtherOptions {
            id: printable(&question.id),
            questions: keys.file.clone(),
        }
        .field(field));
    };
    agree(exchange.answer.as_ref(), &question, &order, Some(keys))?;
    Ok(Asked {
        question,
        order,
        numbered: false,
    })
}

/// The question whose text and options a prompt shows, if there is one. `asked` is the text before the
/// options.
fn shown_with<'a>(
    options: &[String],
    asked: &str,
    text: &str,
    keys: &'a Keys,
    id: &str,
) -> Result<Option<&'a Known>, Problem> {
    // Before all others, since many questions may have the same options.
    let by_id = keys.question(id);
    if let Some(known) = by_id.filter(|known| known.is_alone_in(asked, keys))
        && with_letters(&known.question, options.to_vec()).is_some()
    {
        return Ok(Some(known));
    }
    let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut fitting = keys.with_options(&options);
    // The prompt may add abstention options.
    options.retain(|option| !is_abstention(option));
    fitting.extend(keys.with_options(&options));
    match last(&fitting, asked, keys, id)? {
        Some(known) => Ok(Some(known)),
        None => last(&fitting, text, keys, id),
    }
}

/// The question that a text asks last; of several that it shows alike, the one with the request's id.
fn last<'a>(
    fitting: &[&'a Known],
    text: &str,
    keys: &Keys,
    id: &str,
) -> Result<Option<&'a Known>, Problem> {
    let shown = |how: fn(&Known, &str) -> Option<Shown>| {
        let shown = fitting.iter();
        let shown = shown.filter_map(|known| Some((how(known, text)?, *known)));
        shown.collect::<Vec<_>>()
    };
    let mut found = shown(Known::shown_in);
    if found.is_empty() {
        found = shown(Known::background_in);
    }
    let greatest = found.iter().map(|(shown, _)| *shown).max();
    found.retain(|(shown, _)| Some(*shown) == greatest);
    if let Some((_, known)) = found.iter().find(|(_, known)| known.question.id == id) {
        return Ok(Some(known));
    }
    let Some(((_, first), others)) = found.split_first() else {
        return Ok(None);
    };
    let same = |other: &Known| other.question.content_digest() == first.question.content_digest();
    match others.iter().find(|(_, other)| !same(other)) {
        None => Ok(Some(first)),
        Some((_, other)) => Err(Problem::Ambiguous {
            id: printable(id),
            first: printable(&first.question.id),
            second: printable(&other.question.id),
            questions: keys.file.clone(),
        }),
    }
}

/// The question, with the abstention options that the prompt adds, and the option of each letter.
fn with_letters(question: &Question, shown: Vec<String>) -> Option<(Question, Vec<usize>)> {
    let mut question = question.clone();
    let own = question.options.len();
    let texts: Vec<String> = question.options.iter().map(|text| plain(text)).collect();
    let mut order = Vec::with_capacity(shown.len());
    for (at, option) in shown.into_iter().enumerate() {
        let text = plain(&option);
        let fits = |index: &usize| texts.get(*index) == Some(&text) && !order.contains(index);
        // Two options may have the same text.
        let index = Some(at).filter(fits).or_else(|| (0..own).find(fits));
        let index = match index {
            Some(index) => index,
            None if is_abstention(&text) => {
                question.options.push(option);
                question.options.len() - 1
            }
            None => return None,
        };
        order.push(index);
    }
    let complete = order.len() == question.options.len() && prompt::is_size(order.len());
    complete.then_some((question, order))
}

/// Refuses a right answer beside the request that is another one than that of `--questions`. `order`
/// has the option of each letter.
fn agree(
    own: Option<&Value>,
    question: &Question,
    order: &[usize],
    keys: Option<&Keys>,
) -> Result<(), Problem> {
    let (Some(own), Some(keys)) = (own.filter(|own| !own.is_null()), keys) else {
        return Ok(());
    };
    let shown = order
        .iter()
        .filter_map(|index| question.options.get(*index));
    let shown: Vec<String> = shown.cloned().collect();
    let options = if shown.is_empty() {
        &question.options
    } else {
        &shown
    };
    let (right, _) = right_of(own, options)?;
    let right = right.moved(|index| Some(order.get(index).copied().unwrap_or(index)));
    if right == Some(question.right) {
        return Ok(());
    }
    Err(Problem::Contradicted {
        id: printable(&question.id),
        own: printable(&as_text(own)),
        theirs: question.right,
        questions: keys.file.clone(),
        others: String::new(),
    })
}

/// Whether an option is "I don't know" or "None of the above".
fn is_abstention(text: &str) -> bool {
    let question = Question {
        accepted: Vec::new(),
        id: String::new(),
        category: None,
        context: None,
        stem: String::new(),
        options: vec![text.to_owned()],
        right: 0.into(),
    };
    question
        .dont_know()
        .or(question.none_of_the_above())
        .is_some()
}

fn unknown(id: &str, keys: &Keys) -> Problem {
    Problem::UnknownId {
        id: printable(id),
        others: " is".to_owned(),
        questions: keys.file.clone(),
    }
}
