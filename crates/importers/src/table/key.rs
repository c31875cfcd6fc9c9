//! A file of questions: the right answers and, where it has them, the texts.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use sureness_questions::{
    Format as Layout, LoadOptions, Problem as DataProblem, RightOptions, Task, answers, load,
};

use crate::content::Digests;
use crate::{ImportError, Problem};

/// A question's answer and properties.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) right: RightOptions,
    pub(crate) options: Option<usize>,
    pub(crate) dont_know: Option<usize>,
    pub(crate) none_of_the_above: Option<usize>,
    pub(crate) category: Option<String>,
    /// The question's digests, if its text is known.
    pub(crate) known: Option<Digests>,
}

impl Key {
    /// A question with only its right options.
    pub(crate) fn of(right: RightOptions) -> Self {
        Self {
            right,
            options: None,
            dont_know: None,
            none_of_the_above: None,
            category: None,
            known: None,
        }
    }
}

/// Questions by id.
#[derive(Debug)]
pub(crate) struct Keys(HashMap<i64, Key>);

impl Keys {
    /// Reads a file in the paper's layout.
    pub(crate) fn read(path: &Path) -> Result<Self, ImportError> {
        let failed = |error| Problem::Data(error).of(path);
        let mut keys: HashMap<i64, Key> = answers::read(path)
            .map_err(failed)?
            .into_iter()
            .map(|answer| {
                let key = Key {
                    right: answer.right,
                    options: answer.options,
                    dont_know: answer.dont_know,
                    none_of_the_above: answer.none_of_the_above,
                    category: None,
                    known: None,
                };
                (answer.id, key)
            })
            .collect();
        let options = LoadOptions {
            format: Some(Layout::Paper),
            abstention: false,
            ..LoadOptions::new(Task::custom("import"))
        };
        let data = match load(path, &options) {
            Ok(data) => data,
            // Answer keys without questions and sets of few-shot examples are enough.
            Err(error)
                if matches!(
                    *error.problem,
                    DataProblem::AnswerKeyOnly | DataProblem::NothingToAsk
                ) =>
            {
                return Ok(Self(keys));
            }
            Err(error) => return Err(failed(error)),
        };
        let unreadable = |error| Problem::Io(error).of(path);
        for question in data.questions.iter() {
            let question = question.map_err(unreadable)?;
            note(&mut keys, &question);
        }
        for question in &data.examples {
            note(&mut keys, question);
        }
        Ok(Self(keys))
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Key> {
        self.0.get(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The number of these ids that have a question.
    pub(crate) fn count(&self, ids: &HashSet<String>) -> usize {
        let known = |id: &&String| id.parse().is_ok_and(|id: i64| self.0.contains_key(&id));
        ids.iter().filter(known).count()
    }
}

fn note(keys: &mut HashMap<i64, Key>, question: &sureness_questions::Question) {
    let id = question.id.parse::<i64>().ok();
    if let Some(key) = id.and_then(|id| keys.get_mut(&id)) {
        key.known = Some(Digests {
            content: question.content_digest(),
            cluster: Some(question.cluster_digest()),
        });
        key.category.clone_from(&question.category);
    }
}
