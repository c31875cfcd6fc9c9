//! The answers in words to some questions of a run, with their prompts, for a report page.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use sureness_analysis::Source;
use sureness_prompts::Prompt;
use sureness_store::{Reader, RunInfo, StoredAnswer};

use crate::error::Failure;
use crate::layout::Layout;
use crate::settings::TaskData;

/// A run whose answers can be read.
#[derive(Debug)]
pub struct AnsweredRun {
    reader: Reader,
    info: RunInfo,
}

/// What was asked and answered.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The prompt exactly as it was sent, in a chat as one user message; `None` where it is not known.
    pub prompt: Option<Prompt>,
    /// The answers, in the order of their numbers.
    pub answers: Vec<StoredAnswer>,
}

impl AnsweredRun {
    /// Opens the store of a source; `None` for files of saved logits.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn of(source: &Source) -> Result<Option<Self>, Failure> {
        let Some(run) = source.run else {
            return Ok(None);
        };
        let reader = Reader::open(Path::new(&source.path))?;
        let info = reader.run(run)?;
        Ok(Some(Self { reader, info }))
    }

    /// The answers in words to the questions with these contents; none where letters were scored.
    /// Prompts are laid out from `data`, or from the data that the run recorded.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn exchanges(
        &self,
        (task, strategy): (&str, &str),
        contents: &HashSet<[u8; 32]>,
        data: &[TaskData],
    ) -> Result<HashMap<[u8; 32], Exchange>, Failure> {
        let mut groups = self.info.groups.iter();
        let Some(group) = groups.position(|(t, s)| t == task && s == strategy) else {
            return Ok(HashMap::new());
        };
        let places = self.reader.places_of_drawn(self.info.id, group, contents)?;
        if places.is_empty() {
            return Ok(HashMap::new());
        }
        // Data that are gone only leave prompts out of the page.
        let layout = Layout::of(&self.info, data, task, strategy).ok();
        let mut found = HashMap::with_capacity(places.len());
        for (content, place) in places {
            let prompt = layout.as_ref().and_then(|layout| {
                let question = layout.question(&content).ok()?;
                layout.prompt(&question, place.key, true).ok()
            });
            let answers = self.reader.answers(self.info.id, group, place.position)?;
            found.insert(content, Exchange { prompt, answers });
        }
        Ok(found)
    }
}
