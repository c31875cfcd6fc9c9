//! Finds the columns of a table that hold the options' scores.

use sureness_questions::{letter, letter_index};

use super::error::{Problem, printable};
use super::{Kind, MAX_OPTIONS};

/// The column of the questions' ids.
pub(super) const ID: &str = "id";

/// Fields that hold all scores of a row as a list.
pub const LISTS: [(&str, Kind); 3] = [
    ("logits_options", Kind::Logits),
    ("logits", Kind::Logits),
    ("logprobs", Kind::LogProbs),
];

const PREFIXES: [(&str, Kind); 4] = [
    ("logit_", Kind::Logits),
    ("logits_", Kind::Logits),
    ("logprob_", Kind::LogProbs),
    ("logprobs_", Kind::LogProbs),
];

/// The option columns of one kind in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreColumns {
    /// What the values are.
    pub kind: Kind,
    /// Index of each option's column, in option order.
    pub options: Vec<usize>,
}

/// The option columns among the names of all columns, one entry for each way of naming them; an error
/// if there are none.
pub fn score_columns(names: &[&str]) -> Result<Vec<ScoreColumns>, Problem> {
    let mut prefixes: Vec<&str> = Vec::new();
    for (prefix, ..) in names.iter().filter_map(|name| option_of(name)) {
        if !prefixes.contains(&prefix) {
            prefixes.push(prefix);
        }
    }
    if prefixes.is_empty() {
        return Err(missing("A", names));
    }
    let of = |prefix: &str| {
        let own = names.iter().map(|name| match option_of(name) {
            Some((other, ..)) if other != prefix => "",
            _ => *name,
        });
        let own: Vec<&str> = own.collect();
        let Layout { kind, options, .. } = options(&own, 0)?;
        Ok(ScoreColumns { kind, options })
    };
    prefixes.into_iter().map(of).collect()
}

/// The columns that matter in a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Index of the id column.
    pub(super) id: usize,
    /// The kind of values in the option columns.
    pub(super) kind: Kind,
    /// Index of each option's column, in option order.
    pub(super) options: Vec<usize>,
}

/// The index of column `id` among the names of all columns.
pub(super) fn id_column(names: &[&str]) -> Result<usize, Problem> {
    let mut found = names.iter().enumerate().filter(|(_, name)| **name == ID);
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (Some(_), Some(_)) => Err(ambiguous(ID, ID)),
        (None, _) => Err(missing(ID, names)),
    }
}

/// Finds one column per option among the names of all columns. Options must start at `A` (or 0)
/// without a gap, so that a lost column is noticed.
pub(super) fn layout(names: &[&str]) -> Result<Layout, Problem> {
    options(names, id_column(names)?)
}

fn options(names: &[&str], id: usize) -> Result<Layout, Problem> {
    let mut family: Option<(&str, Kind, &str)> = None;
    let mut options = [None; MAX_OPTIONS];
    for (index, name) in names.iter().enumerate() {
        let Some((prefix, kind, option)) = option_of(name) else {
            continue;
        };
        let (first_prefix, _, first) = *family.get_or_insert((prefix, kind, name));
        if first_prefix != prefix {
            return Err(ambiguous(first, name));
        }
        if let Some(earlier) = options[option].replace(index) {
            return Err(ambiguous(names[earlier], name));
        }
    }
    let Some((prefix, kind, first)) = family else {
        return Err(missing("A", names));
    };
    let count = options
        .iter()
        .rposition(Option::is_some)
        .map_or(0, |last| last + 1);
    let options = options[..count]
        .iter()
        .enumerate()
        .map(|(option, column)| {
            column.ok_or_else(|| missing(&name_of(prefix, first, option), names))
        })
        .collect::<Result<_, _>>()?;
    Ok(Layout { id, kind, options })
}

/// The prefix, kind and option index that a column's name stands for.
fn option_of(name: &str) -> Option<(&'static str, Kind, usize)> {
    if let Some(option) = letter_index(name) {
        return Some(("", Kind::Logits, option));
    }
    let (prefix, kind) = PREFIXES
        .into_iter()
        .find(|(prefix, _)| name.starts_with(prefix))?;
    let rest = &name[prefix.len()..];
    let option = match rest.as_bytes() {
        [b'0'..=b'9', ..] => rest.parse().ok()?,
        _ => letter_index(&rest.to_ascii_uppercase())?,
    };
    (option < MAX_OPTIONS).then_some((prefix, kind, option))
}

/// The name of the column of `option` in a table with a column like `sample`.
fn name_of(prefix: &str, sample: &str, option: usize) -> String {
    let letter = letter(option);
    match sample.as_bytes().last() {
        Some(b'0'..=b'9') => format!("{prefix}{option}"),
        Some(b'a'..=b'z') => format!("{prefix}{}", letter.to_ascii_lowercase()),
        _ => format!("{prefix}{letter}"),
    }
}

fn ambiguous(first: &str, second: &str) -> Problem {
    Problem::AmbiguousColumns {
        first: printable(first),
        second: printable(second),
    }
}

/// The error for a missing column.
pub(super) fn missing(column: &str, names: &[&str]) -> Problem {
    Problem::MissingColumn {
        column: column.to_owned(),
        present: printable(&names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_ordered_by_letter_not_by_place() {
        let layout = layout(&["C", "note", "A", "id", "B"]).unwrap();
        assert_eq!(layout.id, 3);
        assert_eq!(layout.options, [2, 4, 0]);
        assert_eq!(layout.kind, Kind::Logits);
    }

    #[test]
    fn prefixes_letters_and_numbers() {
        for (names, kind) in [
            (["id", "logit_a", "logit_b"], Kind::Logits),
            (["id", "logits_0", "logits_1"], Kind::Logits),
            (["id", "logprob_A", "logprob_B"], Kind::LogProbs),
            (["id", "logprobs_0", "logprobs_1"], Kind::LogProbs),
        ] {
            let layout = layout(&names).unwrap();
            assert_eq!(
                (layout.kind, layout.options),
                (kind, vec![1, 2]),
                "{names:?}"
            );
        }
    }

    #[test]
    fn each_kind_of_scores_has_columns_of_its_own() {
        let names = [
            "id",
            "logprob_A",
            "logit_B",
            "logprob_B",
            "logit_A",
            "prob_A",
        ];
        let found = score_columns(&names).unwrap();
        let of = |kind, options: [usize; 2]| ScoreColumns {
            kind,
            options: options.to_vec(),
        };
        assert_eq!(
            found,
            [of(Kind::LogProbs, [1, 3]), of(Kind::Logits, [4, 2])]
        );
        let message = |names: &[&str]| score_columns(names).unwrap_err().to_string();
        assert!(message(&["id", "prob_A"]).contains("`A` is missing"));
        assert!(message(&["id", "logit_A", "logprob_B"]).contains("`logprob_A` is missing"));
    }

    #[test]
    fn gaps_doubles_and_mixtures_are_named() {
        let message = |names: &[&str]| layout(names).unwrap_err().to_string();
        assert!(
            message(&["id", "A", "C"]).contains("column `B` is missing; the columns are: id, A, C")
        );
        assert!(message(&["id", "logit_a", "logit_c"]).contains("`logit_b` is missing"));
        assert!(message(&["id", "logits_1", "logits_2"]).contains("`logits_0` is missing"));
        assert!(message(&["A", "B"]).contains("`id` is missing"));
        assert!(message(&["id", "answer"]).contains("`A` is missing"));
        assert!(message(&["id", "A", "B", "A"]).contains("`A` and `A` both"));
        assert!(message(&["id", "A", "logprob_A"]).contains("`A` and `logprob_A` both"));
        assert!(message(&["id", "logit_a", "logit_A"]).contains("`logit_a` and `logit_A` both"));
    }
}
