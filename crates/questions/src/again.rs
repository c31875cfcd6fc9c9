//! Second statements of the right answer, which must agree with the first: an index beside a letter, a
//! text beside a label.

use serde_json::Value;

use crate::draft::Options;
use crate::error::Problem;
use crate::readers::{Record, marked, whole};
use crate::source::At;
use crate::{DataError, RightOptions, letter_index};

/// Fields that name the right option once more, beside the one that is read.
pub(crate) const FIELDS: [&str; 4] = ["answer_index", "answer_idx", "answer_letter", "answer_text"];

/// The statements of a row beside the one that is read.
#[derive(Debug, Default)]
pub(crate) struct Again {
    /// Field and value.
    found: Vec<(String, Value)>,
    /// The number of the first option.
    first: i64,
}

impl Again {
    /// Those of a row in these fields; the field that is read, and missing ones, do not count.
    pub(crate) fn of<'a>(
        record: &Record<'_>,
        fields: impl IntoIterator<Item = &'a str>,
        read: &str,
    ) -> Self {
        let fields = fields.into_iter().filter(|field| *field != read);
        let found = fields.filter_map(|field| Some((field.to_owned(), record.get(field)?.clone())));
        Self {
            found: found.collect(),
            first: 0,
        }
    }

    /// Adds a cell of a table.
    pub(crate) fn add(&mut self, field: &str, cell: &str) {
        self.found.push((field.to_owned(), cell.into()));
    }

    /// Numbers count from here.
    pub(crate) fn counted_from(self, first: i64) -> Self {
        Self { first, ..self }
    }

    /// Refuses a row of which a statement names another option than `right`. A statement of one option
    /// may name any of several right ones; a list must have them all. A text that is none of the options
    /// may be a longer form of one, and is no contradiction.
    pub(crate) fn check(
        &self,
        at: At<'_>,
        options: &Options,
        read: &str,
        right: RightOptions,
    ) -> Result<(), DataError> {
        for (field, value) in &self.found {
            let named = match self.named(value, options, right) {
                Named::Unclear => continue,
                Named::Options(named) if named == right => continue,
                Named::Options(named) if named.only().is_some_and(|it| right.contains(it)) => {
                    continue;
                }
                Named::Options(named) => Some(named),
                Named::Outside => None,
            };
            let problem = Problem::Contradicted {
                value: value.to_string(),
                named,
                field: read.to_owned(),
                right,
            };
            return Err(at.field(field, problem));
        }
        Ok(())
    }

    /// What a statement names; the right options if it can be read so.
    fn named(&self, value: &Value, options: &Options, right: RightOptions) -> Named {
        let each = match value {
            Value::Array(list) => list.as_slice(),
            Value::String(text) => {
                let parts: Vec<&str> = text.split([',', ';']).map(str::trim).collect();
                let are_letters = parts.iter().all(|part| letter_index(part).is_some());
                if are_letters && parts.len() > 1 {
                    let parts: Vec<Value> = parts.into_iter().map(Value::from).collect();
                    return self.listed(&parts, options, right);
                }
                return self.one(value, options, right);
            }
            _ => return self.one(value, options, right),
        };
        // Marks are in the order of the file.
        match marked(each, options.texts().len()) {
            Ok(None) => self.listed(each, options, right),
            Ok(Some(places)) if !options.are_labelled() => {
                RightOptions::of(places).map_or(Named::Outside, Named::Options)
            }
            _ => Named::Unclear,
        }
    }

    /// What a list of statements names.
    fn listed(&self, each: &[Value], options: &Options, right: RightOptions) -> Named {
        let mut named = Vec::with_capacity(each.len());
        for one in each {
            match self.one(one, options, right) {
                Named::Options(option) => named.extend(option.iter()),
                other => return other,
            }
        }
        RightOptions::of(named).map_or(Named::Unclear, Named::Options)
    }

    /// What a statement of one option names.
    fn one(&self, value: &Value, options: &Options, right: RightOptions) -> Named {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            other => match whole(other) {
                Some(number) => number.to_string(),
                None => return Named::Unclear,
            },
        };
        let (labels, texts) = (options.labels(), options.texts());
        let number = text.parse::<i64>().ok();
        let index = number.and_then(|number| usize::try_from(number.checked_sub(self.first)?).ok());
        let index = index.filter(|&index| index < texts.len());
        let says = |place: &usize| {
            labels[*place] == text || texts[*place] == text || index == Some(*place)
        };
        if let Some(place) = right.iter().find(says) {
            return Named::Options(place.into());
        }
        let place = |all: &[String]| all.iter().position(|one| *one == text);
        let letter = letter_index(&text.to_uppercase()).filter(|&index| index < texts.len());
        let found = place(labels).or(letter).or_else(|| place(texts)).or(index);
        match found {
            Some(index) => Named::Options(index.into()),
            None if number.is_some() => Named::Outside,
            None => Named::Unclear,
        }
    }
}

/// What a statement names.
enum Named {
    Options(RightOptions),
    /// A number beyond the options.
    Outside,
    /// Neither an option nor a number.
    Unclear,
}
