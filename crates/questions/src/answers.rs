//! Answer keys: the part of a question that `sureness score` needs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use crate::error::Problem;
use crate::question::{DONT_KNOW, NONE_OF_THE_ABOVE, normalised};
use crate::readers::{Record, array, paper, whole};
use crate::source::{At, Source};
use crate::{DataError, RightOptions, letter_index};

/// The right answer of one question, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerKey {
    /// The question's id.
    pub id: i64,
    /// The right option, or several: 0 is `A`.
    pub right: RightOptions,
    /// Number of options, if the file has them.
    pub options: Option<usize>,
    /// Index of "I don't know", if it is among the options.
    pub dont_know: Option<usize>,
    /// Index of "None of the above", if it is among the options.
    pub none_of_the_above: Option<usize>,
}

/// Reads ids and answers from a file in the paper's layout. Questions and choices are optional.
pub fn read(path: &Path) -> Result<Vec<AnswerKey>, DataError> {
    read_with_source(path).map(|(keys, _)| keys)
}

/// Reads the same, and the `source` that all questions name, if they do.
pub fn read_with_source(path: &Path) -> Result<(Vec<AnswerKey>, Option<String>), DataError> {
    keys(&Source::open(path)?)
}

/// Reads the same from memory; errors name `path`.
pub fn read_bytes(path: &Path, bytes: Vec<u8>) -> Result<Vec<AnswerKey>, DataError> {
    keys(&Source::from_bytes(path, bytes)).map(|(keys, _)| keys)
}

fn keys(source: &Source) -> Result<(Vec<AnswerKey>, Option<String>), DataError> {
    let text = source.text()?;
    let Ok(items) = serde_json::from_str::<Vec<Item<'_>>>(&text) else {
        return Err(first_fault(source, &text));
    };
    if items.is_empty() {
        return Err(source.error(Problem::Empty));
    }
    let mut seen = HashMap::with_capacity(items.len());
    let mut keys = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let first = seen.insert(item.id, index);
        let key = match first {
            Some(first) => Err((
                "id",
                Problem::RepeatedId {
                    id: item.id.to_string(),
                    first: format!("item {}", first + 1),
                },
            )),
            None => item.key(),
        };
        keys.push(
            key.map_err(|(field, problem)| place(source, &text, index).field(field, problem))?,
        );
    }
    let first = items.first().and_then(|item| item.source.as_str());
    let shared = items.iter().all(|item| item.source.as_str() == first);
    Ok((keys, first.filter(|_| shared).map(str::to_owned)))
}

/// The line of item `index`, for errors.
fn place<'a>(source: &'a Source, text: &'a str, index: usize) -> At<'a> {
    array::items(source, text)
        .ok()
        .and_then(|items| items.get(index).map(|(at, _)| *at))
        .unwrap_or(source.at(1))
}

/// Finds the item that made the fast path fail.
fn first_fault(source: &Source, text: &str) -> DataError {
    let walk = || {
        for (at, text) in array::items(source, text)? {
            let record = Record::parse(at, text)?;
            record.integer("id")?;
            paper::answers(&record)?;
            if record.has("choices") {
                paper::choices(&record)?;
            }
        }
        Ok(())
    };
    match walk() {
        Err(error) => error,
        Ok(()) => source.error(Problem::Json("the items cannot be read".to_owned())),
    }
}

/// One item, its text borrowed from the file.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(deserialize_with = "whole_number")]
    id: i64,
    #[serde(borrow)]
    answer: Letters<'a>,
    #[serde(borrow, default)]
    choices: Option<Choices<'a>>,
    /// A text in the paper's files; anything elsewhere.
    #[serde(default)]
    source: Value,
}

/// One letter, several with commas between them, or a list of letters.
#[derive(Deserialize)]
#[serde(untagged)]
enum Letters<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    List(Vec<String>),
}

impl Letters<'_> {
    fn right(&self) -> Result<RightOptions, Problem> {
        let letters: Vec<&str> = match self {
            Self::Text(text) => text.split(',').map(str::trim).collect(),
            Self::List(letters) => letters.iter().map(|letter| letter.trim()).collect(),
        };
        let mut places = Vec::with_capacity(letters.len());
        for letter in letters {
            let place =
                letter_index(letter).ok_or_else(|| Problem::NotALetter(letter.to_owned()))?;
            if places.contains(&place) {
                return Err(Problem::RepeatedAnswer(letter.to_owned()));
            }
            places.push(place);
        }
        RightOptions::of(places).ok_or(Problem::NoneRight)
    }
}

/// Letters and texts in the file's order.
struct Choices<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Item<'_> {
    fn key(&self) -> Result<AnswerKey, (&'static str, Problem)> {
        let right = self.answer.right().map_err(|problem| ("answer", problem))?;
        let mut key = AnswerKey {
            id: self.id,
            right,
            options: None,
            dont_know: None,
            none_of_the_above: None,
        };
        let Some(Choices(choices)) = &self.choices else {
            return Ok(key);
        };
        let count = choices.len();
        let mut taken = [false; 26];
        for (name, text) in choices {
            let index = letter_index(name.trim()).filter(|&index| index < count && !taken[index]);
            let Some(index) = index else {
                let names: Vec<_> = choices.iter().map(|(name, _)| name.as_ref()).collect();
                return Err(("choices", Problem::Letters(names.join(", "))));
            };
            taken[index] = true;
            // A question can have such an option of its own; the last is the one that was added.
            let text = normalised(text);
            if text == normalised(DONT_KNOW) {
                key.dont_know = key.dont_know.max(Some(index));
            } else if text == normalised(NONE_OF_THE_ABOVE) {
                key.none_of_the_above = key.none_of_the_above.max(Some(index));
            }
        }
        if right.last() >= count {
            let labels: Vec<_> = (0..count)
                .map(|index| crate::letter(index).to_string())
                .collect();
            return Err((
                "answer",
                Problem::Answer {
                    answer: format!("{:?}", right.to_string()),
                    options: crate::error::describe_labels(&labels),
                },
            ));
        }
        key.options = Some(count);
        Ok(key)
    }
}

/// An id, also where a table library made it a fraction.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    whole(&Value::deserialize(deserializer)?)
        .ok_or_else(|| D::Error::custom("the id is not a whole number"))
}

impl<'de: 'a, 'a> Deserialize<'de> for Choices<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Letters;

        /// Borrows where it can; `Cow` alone always copies.
        #[derive(Deserialize)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

        impl<'de> Visitor<'de> for Letters {
            type Value = Choices<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object from letter to text")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut choices = Vec::with_capacity(6);
                while let Some((Text(name), text)) = map.next_entry::<_, Option<Text<'de>>>()? {
                    // Only nulls at the end leave the letters without a gap.
                    if let Some(Text(text)) = text {
                        choices.push((name, text));
                    }
                }
                Ok(Choices(choices))
            }
        }

        deserializer.deserialize_map(Letters)
    }
}
