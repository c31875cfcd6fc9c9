//! Right options in a list.

use serde_json::Value;

use super::{whole, wrong_type};
use crate::draft::{Answer, Answers};
use crate::error::Problem;

/// The right options that a list names, of so many options: by indices, by labels or texts that are read
/// as `named` says, or by a mark for each option.
pub(crate) fn several<'a>(
    items: &'a [Value],
    options: usize,
    named: impl Fn(&'a str) -> Answer<'a>,
) -> Result<Answers<'a>, Problem> {
    if let Some(places) = marked(items, options)? {
        return Ok(Answers::Marked(places));
    }
    let each = items.iter().map(|item| match item {
        Value::String(text) => Ok(named(text)),
        _ => whole(item)
            .map(Answer::Index)
            .ok_or_else(|| wrong_type("a list of strings or of whole numbers", item)),
    });
    each.collect::<Result<_, _>>().map(Answers::Each)
}

/// The places of the right options, if the list marks each option as right or wrong: by true and false,
/// or by 1 and 0. `None` if it names right options.
pub(crate) fn marked(items: &[Value], options: usize) -> Result<Option<Vec<usize>>, Problem> {
    let mark = |item: &Value| match item {
        Value::Bool(right) => Some(*right),
        _ => match whole(item)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    };
    let marks: Option<Vec<bool>> = items.iter().map(mark).collect();
    let Some(marks) = marks.filter(|_| !items.is_empty()) else {
        return Ok(None);
    };
    let are_truths = items.iter().any(Value::is_boolean);
    if marks.len() != options {
        return if are_truths {
            Err(Problem::MarkCount {
                marks: marks.len(),
                options,
            })
        } else {
            Ok(None)
        };
    }
    let places: Vec<usize> = (0..options).filter(|&place| marks[place]).collect();
    // Of more options, a list of indices would name one twice.
    if options == 2 && places.len() == 1 && !are_truths {
        return Err(Problem::IndicesOrMarks);
    }
    Ok(Some(places))
}
