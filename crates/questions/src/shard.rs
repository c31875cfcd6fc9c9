//! Parts of a data set for several processes.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::draw::head;
use crate::error::Problem;
use crate::question::Digest;
use crate::question::is_abstention;
use crate::{DataError, Dataset, Question};

/// One of several parts of the questions, written `3/16`: the third of sixteen.
///
/// A hash of a question's text decides its part. Neither the order of rows nor a seed matters, and
/// questions with equal text are in the same part, so that they are asked once.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "Unchecked")]
pub struct Shard {
    /// Number of this part, from 1.
    index: u32,
    /// Number of parts.
    of: u32,
}

/// A shard as written, before validation.
#[derive(Deserialize, JsonSchema)]
struct Unchecked {
    index: u32,
    of: u32,
}

impl TryFrom<Unchecked> for Shard {
    type Error = String;

    fn try_from(Unchecked { index, of }: Unchecked) -> Result<Self, String> {
        Self::new(index, of).ok_or_else(|| format!("there is no shard {index} of {of}"))
    }
}

impl Shard {
    /// The part `index`, from 1, of `of` parts; `None` if out of range.
    pub fn new(index: u32, of: u32) -> Option<Self> {
        (1..=of).contains(&index).then_some(Self { index, of })
    }

    /// Number of this part, from 1.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Number of parts.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Whether the question is in this part.
    pub fn holds(self, question: &Question) -> bool {
        part(question, self.of) == self.index
    }
}

/// The part that a question is in, from 1.
fn part(question: &Question, of: u32) -> u32 {
    let digest = Digest::new("sureness shard 1")
        .text(question.context.as_deref().unwrap_or_default())
        .text(&question.stem);
    // As in its content digest, but without the answer: a prompt does not show it.
    let digest = question
        .options
        .iter()
        .filter(|option| !is_abstention(option))
        .fold(digest, |digest, option| digest.text(option));
    (head(&digest.finish()) % u64::from(of)) as u32 + 1
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    /// Reads `3/16`. A scheduler that counts from 0 writes `2+1/16`.
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || {
            "must be of the form i/n, such as 3/16; where a scheduler counts from 0, 2+1/16 is \
             the same"
                .to_owned()
        };
        let (index, of) = text.split_once('/').ok_or_else(form)?;
        let (index, more) = index.split_once('+').unwrap_or((index, "0"));
        let number = |text: &str| text.parse::<u32>().map_err(|_| form());
        let (index, of) = (number(index)?.checked_add(number(more)?), number(of)?);
        index
            .and_then(|index| Self::new(index, of))
            .ok_or_else(|| match of {
                0 => "n must be at least 1".to_owned(),
                _ => format!("i must be between 1 and {of}"),
            })
    }
}

impl Dataset {
    /// Keeps the questions of this part, in order, and returns their original positions.
    pub fn shard(&mut self, shard: Shard) -> Result<Vec<u32>, DataError> {
        let mut places = Vec::new();
        for index in 0..self.questions.len() {
            let question = self.questions.get(index).map_err(|error| {
                DataError::of_file(Path::new(&self.source), Problem::Bank(error))
            })?;
            if shard.holds(&question) {
                places.push(index as u32);
            }
        }
        let mut kept = places.iter().copied().peekable();
        self.questions
            .keep(|index| kept.next_if_eq(&(index as u32)).is_some());
        Ok(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bank, Task};
    use proptest::prelude::*;

    fn dataset(questions: &[Question]) -> Dataset {
        Dataset {
            task: Task::custom("own"),
            source: "test".to_owned(),
            questions: Bank::of(questions).unwrap(),
            examples: Vec::new(),
            split: None,
            unread: crate::Unread::default(),
            left_out: 0,
            unshown: 0,
        }
    }

    fn question() -> impl Strategy<Value = Question> {
        (
            ".{0,6}",
            prop::option::of("[ab]{1,2}"),
            "[xy]{0,3}",
            0_usize..2,
        )
            .prop_map(|(id, context, stem, answer)| Question {
                accepted: Vec::new(),
                id,
                category: None,
                context,
                stem,
                options: vec!["yes".into(), "no".into()],
                right: answer.into(),
            })
    }

    proptest! {
        #[test]
        fn every_question_is_in_exactly_one_part_wherever_it_stands(
            mut questions in prop::collection::vec(question(), 0..40),
            of in 1_u32..20,
        ) {
            let mut back: Vec<Option<Question>> = vec![None; questions.len()];
            for index in 1..=of {
                let shard = Shard::new(index, of).unwrap();
                let mut part = dataset(&questions);
                let places = part.shard(shard).unwrap();
                let held = part.questions.to_vec().unwrap();
                prop_assert_eq!(places.len(), held.len());
                prop_assert!(places.is_sorted());
                for (place, question) in places.into_iter().zip(held) {
                    prop_assert!(shard.holds(&question));
                    // None was here before.
                    prop_assert!(back[place as usize].replace(question).is_none());
                }
            }
            let back: Vec<Question> = back.into_iter().flatten().collect();
            prop_assert_eq!(&back, &questions);
            // Neither order, id, answer nor the abstention options move a question.
            let before: Vec<u32> = questions.iter().map(|question| part(question, of)).collect();
            for question in &mut questions {
                question.id.push('x');
                question.right = (1 - question.right.first()).into();
            }
            let after: Vec<u32> = questions
                .into_iter()
                .map(|question| part(&question.with_abstention(), of))
                .collect();
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn parts_are_about_equally_large() {
        let mut counts = [0; 16];
        for n in 0..16_000 {
            let question = Question {
                accepted: Vec::new(),
                id: String::new(),
                category: None,
                context: None,
                stem: format!("What is {n}?"),
                options: vec!["a number".into(), "a word".into()],
                right: 0.into(),
            };
            counts[part(&question, 16) as usize - 1] += 1;
        }
        assert!(counts.iter().all(|n| (850..1150).contains(n)), "{counts:?}");
    }

    #[test]
    fn a_part_is_written_as_a_fraction() {
        let read = |text: &str| text.parse::<Shard>();
        assert_eq!(read("3/16").unwrap(), Shard::new(3, 16).unwrap());
        assert_eq!(read("0+1/16").unwrap(), Shard::new(1, 16).unwrap());
        assert_eq!(read("15+1/16").unwrap().to_string(), "16/16");
        for bad in [
            "",
            "x",
            "3",
            "/",
            "3/",
            "/4",
            "0/4",
            "5/4",
            "0/0",
            "1/0",
            "-1/4",
            "1/4/4",
            "1.5/4",
            "4+1/4",
            "4294967295+1/4",
            "1/99999999999",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
