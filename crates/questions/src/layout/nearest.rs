//! Which layout a row has, and which one it comes nearest to.

use serde_json::Value;

use super::{Choices, Layout, Right};
use crate::format::list;
use crate::readers::{Record, whole};

impl Layout {
    /// The layout of a row.
    pub(crate) fn of_row(row: &Record<'_>) -> Option<&'static Self> {
        Self::all().find(|layout| {
            layout.lacks(row).is_empty() && layout.options.fit(row) && layout.answer.fits(row)
        })
    }

    fn lacks(&self, row: &Record<'_>) -> Vec<&'static str> {
        self.needs()
            .filter(|column| !row.contains(column))
            .collect()
    }
}

impl Choices {
    /// Whether the options of a row have this shape.
    fn fit(&self, row: &Record<'_>) -> bool {
        let value = self.columns().next().and_then(|column| row.glance(column));
        match (self, value) {
            (Self::List(_) | Self::Prefixed(_), value) => value.is_some_and(Value::is_array),
            (Self::Dictionary(_), value) => value.is_some_and(Value::is_object),
            (Self::Labelled { text, label, .. }, Some(value)) => {
                let first = value.as_array().map_or(Some(value), |items| items.first());
                first.is_some_and(|first| first.get(text).is_some() && first.get(label).is_some())
            }
            (Self::OneHot { texts, labels, .. }, Some(value)) => {
                value.get(texts).is_some() && value.get(labels).is_some()
            }
            (Self::Labelled { .. } | Self::OneHot { .. }, None) => false,
            (Self::Columns(_) | Self::Fixed(_) | Self::RightAndWrong { .. }, _) => true,
        }
    }
}

impl Right {
    /// Whether the answer of a row is named in this way, as far as it is there.
    fn fits(&self, row: &Record<'_>) -> bool {
        let value = self.column().and_then(|column| row.glance(column));
        let Some(value) = value else {
            return true;
        };
        let text = value.as_str().map(str::trim);
        match self {
            Self::From0(_) | Self::From1(_) => match text {
                Some(text) => text.parse::<f64>().is_ok() || text.is_empty(),
                None => value.is_array() || whole(value).is_some(),
            },
            Self::Letter(_) => match text {
                Some(text) => text.len() <= 1 && !text.starts_with(|c: char| c.is_ascii_digit()),
                None => value.is_array(),
            },
            Self::Truth(_) => text.is_some() || value.is_boolean() || whole(value).is_some(),
            Self::Label(_) | Self::Text(_) | Self::InOptions => true,
        }
    }
}

/// Whether a row has all columns of a layout, if with other values.
pub(crate) fn has_columns(row: &Record<'_>) -> bool {
    Layout::all().any(|layout| layout.lacks(row).is_empty())
}

/// The end of a sentence about a row of an unknown layout: the layout that it comes nearest to, and
/// what it lacks of that. Empty where it has nothing of any.
pub(crate) fn nearest(row: &Record<'_>) -> String {
    let generic = ["question", "options", "answer"].map(Some);
    let generic = generic.into_iter().flatten();
    let generic: Vec<_> = generic.filter(|column| !row.contains(column)).collect();
    let own = (generic.len() < 3).then_some((generic, "jsonl"));
    let public = Layout::all().filter_map(|layout| {
        let lacks = layout.lacks(row);
        (lacks.len() < layout.needs().count()).then_some((lacks, layout.name))
    });
    let found = own.into_iter().chain(public);
    let Some((lacks, name)) = found.min_by_key(|(lacks, _)| lacks.len()) else {
        return String::new();
    };
    if lacks.is_empty() {
        return format!("; the layout {name} has these columns, but other values in them");
    }
    let lacks: Vec<_> = lacks.into_iter().map(str::to_owned).collect();
    format!("; the nearest layout, {name}, also has {}", list(&lacks))
}
