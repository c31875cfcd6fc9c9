//! Answers of earlier runs in the output folder.

use std::collections::HashMap;
use std::path::Path;

use sureness_record::{Answers, Recorded};
use sureness_scorers::{ModelIdentity, RequestKey, Usage};
use sureness_store::{Reader, StoreError};

use super::tokens::TokenRate;
use crate::error::Failure;
use crate::folder::STORE;

/// Earlier answers to the questions of the run.
#[derive(Debug, Default)]
pub(super) struct Seen {
    prompts: usize,
    bytes: u64,
    tokens: u64,
    answers: u64,
    answer_tokens: u64,
}

impl Seen {
    pub(super) fn add(&mut self, bytes: u64, usage: Usage) {
        // Of several answers to one request, only the first has the prompt's tokens.
        if let Some(tokens) = usage.prompt_tokens.filter(|tokens| *tokens > 0) {
            self.prompts += 1;
            self.bytes += bytes;
            self.tokens += u64::from(tokens);
        }
        if let Some(tokens) = usage.answer_tokens {
            self.answers += 1;
            self.answer_tokens += u64::from(tokens);
        }
    }

    pub(super) fn rate(&self) -> Option<TokenRate> {
        (self.bytes > 0).then(|| TokenRate::Counted {
            rate: self.tokens as f64 / self.bytes as f64,
            prompts: self.prompts,
        })
    }

    pub(super) fn answer_tokens(&self) -> Option<f64> {
        (self.answers > 0).then(|| self.answer_tokens as f64 / self.answers as f64)
    }
}

/// The answers in the output folder, if it has any.
pub(super) struct Earlier {
    reader: Option<Reader>,
    models: Vec<(ModelIdentity, Answers)>,
}

impl Earlier {
    pub(super) fn of(folder: &Path) -> Result<Self, Failure> {
        let store = folder.join(STORE);
        if !store.exists() {
            return Ok(Self {
                reader: None,
                models: Vec::new(),
            });
        }
        let mut reader = Reader::open(&store)?;
        reader.index_the_rest()?;
        let mut models: HashMap<[u8; 32], (ModelIdentity, Answers)> = HashMap::new();
        for run in reader.runs()? {
            if let Recorded::Run(settings) = run.settings {
                models.insert(run.model.digest(), (run.model, settings.answers));
            }
        }
        Ok(Self {
            reader: Some(reader),
            models: models.into_values().collect(),
        })
    }

    /// The models in the folder that may be this one. Which it is shows only when it is opened.
    pub(super) fn identities(&self, name: Option<&str>, answers: Answers) -> Vec<&ModelIdentity> {
        let same_way = |way: &Answers| way.name() == answers.name();
        let models = self.models.iter().filter(|(model, way)| {
            name.is_none_or(|name| model.name == name || name.contains(&model.name))
                && same_way(way)
        });
        models.map(|(model, _)| model).collect()
    }

    pub(super) fn answer(&self, key: RequestKey) -> Result<Option<Usage>, StoreError> {
        match &self.reader {
            None => Ok(None),
            Some(reader) => reader.usage(key),
        }
    }
}
