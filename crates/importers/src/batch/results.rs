//! The results of a batch, one import per model.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sureness_scorers::ScoreError;

use super::custom_id;
use super::request::Requests;
use crate::choice::Choice;
use crate::error::Fault;
use crate::exchange::{self, Exchange, Keys, Reading, tokens};
use crate::imported::{Imported, Model, Options, SourceFile};
use crate::letter::Token;
use crate::{Format, ImportError, Place, Problem, json};

/// The results as they are read.
pub(super) struct Results<'a> {
    requests: &'a Requests,
    choice: &'a Choice<'a>,
    keys: Option<&'a Keys>,
    options: &'a Options,
    models: Vec<(String, Reading<'a>)>,
    /// Results without an answer. Their request may have been repeated, and they name no model.
    failed: Vec<Failed>,
    files: Vec<SourceFile>,
    /// Whether the file that is being read has a result.
    has_result: bool,
    /// Results with several answers, of which the first counts.
    several: usize,
    wanted: bool,
}

/// A result without an answer.
struct Failed {
    id: String,
    file: PathBuf,
    place: Place,
    error: ScoreError,
}

impl<'a> Results<'a> {
    pub(super) fn new(
        requests: &'a Requests,
        choice: &'a Choice<'a>,
        keys: Option<&'a Keys>,
        options: &'a Options,
    ) -> Self {
        Self {
            requests,
            choice,
            keys,
            options,
            models: Vec::new(),
            failed: Vec::new(),
            files: Vec::new(),
            has_result: false,
            several: 0,
            wanted: true,
        }
    }

    /// Adds a result.
    pub(super) fn add(
        &mut self,
        path: &Path,
        place: &Place,
        row: &Value,
    ) -> Result<(), ImportError> {
        self.has_result = true;
        let at = |fault: Fault| fault.at(path, place.clone());
        let id = custom_id(row).map_err(at)?;
        let body = match body(row) {
            Ok(body) => body,
            Err(error) => {
                self.failed.push(Failed {
                    id,
                    file: path.to_owned(),
                    place: place.clone(),
                    error,
                });
                return Ok(());
            }
        };
        let stated = json::text(body, "/model").map(str::to_owned);
        let model = self.options.model.clone().or(stated);
        let model = model.ok_or_else(|| at(Problem::NoModel.field("response.body.model")))?;
        let request = self.requests.get(&id);
        let tokens = if request.is_some_and(|request| request.prompts > 1) {
            Err(tokens::malformed("the request has several prompts"))
        } else {
            self.several += usize::from(tokens::answers(body) > 1);
            tokens::of_body(body)
        };
        let exchange = self.exchange(id, tokens, tokens::text_of_body(body));
        self.reading(path, &model)?
            .add(path, place, "custom_id", exchange)
    }

    /// Ends a file.
    pub(super) fn file(&mut self, path: &Path, digest: &blake3::Hash) {
        if std::mem::take(&mut self.has_result) {
            self.files.push(SourceFile::new(path, digest));
        }
    }

    fn exchange(
        &self,
        id: String,
        tokens: Result<Vec<Token>, ScoreError>,
        said: Option<String>,
    ) -> Exchange {
        let request = self.requests.get(&id);
        let echo = request.is_some_and(|request| request.echo);
        let by_id = request.is_some_and(|request| request.by_id);
        let tokens = tokens.map(|mut tokens| {
            for token in &mut tokens {
                token.by_id |= by_id;
            }
            tokens
        });
        Exchange {
            prompt: request.and_then(|it| it.prompt.clone()),
            category: request.and_then(|it| it.category.clone()),
            answer: request.and_then(|it| it.answer.clone()),
            tokens: if echo && tokens.is_ok() {
                Err(tokens::malformed("the answer repeats the prompt (echo)"))
            } else {
                tokens
            },
            said,
            correct: None,
            id,
        }
    }

    /// The import of a model.
    fn reading(&mut self, path: &Path, model: &str) -> Result<&mut Reading<'a>, ImportError> {
        let known = self.models.iter().position(|(name, _)| name == model);
        let index = if let Some(index) = known {
            index
        } else {
            let (task, questions) = (&self.options.task, &self.options.questions);
            let task = exchange::task(task.as_ref(), questions.as_ref(), path)?;
            self.wanted = self.choice.wants(&[&task]);
            let of = Model {
                name: model.to_owned(),
                details: BTreeMap::new(),
            };
            let import = Imported {
                settings: self.requests.settings(),
                ..Imported::empty(of, task, "batch".to_owned(), Format::Batch)
            };
            let reading = Reading::new(import, self.choice, self.keys);
            self.models.push((model.to_owned(), reading));
            self.models.len() - 1
        };
        let reading = self.models.get_mut(index).map(|(_, reading)| reading);
        reading.ok_or_else(|| Problem::Empty.of(path))
    }

    /// All imports. Each row without an answer belongs to the only model, unless a later request with
    /// its id was answered.
    pub(super) fn finish(mut self, first: &Path) -> Result<Vec<Imported>, ImportError> {
        if self.files.is_empty() {
            return Err(Problem::OnlyRequests.of(first));
        }
        let failed = std::mem::take(&mut self.failed);
        let mut superseded = 0;
        let only = match self.models.as_slice() {
            [(name, _)] => Some(name.clone()),
            [] => self.options.model.clone(),
            _ => None,
        };
        for Failed {
            id,
            file,
            place,
            error,
        } in failed
        {
            if self.models.iter().any(|(_, reading)| reading.has(&id)) {
                superseded += 1;
                continue;
            }
            let Some(model) = &only else {
                let problem = if self.models.is_empty() {
                    Problem::NoModel
                } else {
                    Problem::WhoseErrors
                };
                return Err(problem.at(&file, place));
            };
            let exchange = self.exchange(id, Err(error), None);
            let model = model.clone();
            self.reading(&file, &model)?
                .add(&file, &place, "custom_id", exchange)?;
        }
        let is_one = self.models.len() == 1;
        let mut imports = Vec::new();
        for (_, mut reading) in std::mem::take(&mut self.models) {
            let count = reading.count();
            let import = reading.import();
            import.files.clone_from(&self.requests.files);
            let others = self
                .files
                .iter()
                .filter(|file| !self.requests.files.contains(file));
            import.files.extend(others.cloned());
            let requests = self.requests.len();
            if is_one && requests > count {
                import.planned = Some(requests);
                import
                    .notes
                    .push(format!("{count} of the {requests} requests have a result"));
            }
            if superseded > 0 {
                let note = format!(
                    "failed tries of requests that were answered later, skipped: {superseded}"
                );
                import.notes.push(note);
            }
            if self.several > 0 {
                let several = self.several;
                let note =
                    format!("results with several answers, of which the first counts: {several}");
                import.notes.push(note);
            }
            if self.requests.biased > 0 {
                import.warnings.push(format!(
                    "requests with a logit_bias, which some servers add to the log-probabilities: {}",
                    self.requests.biased
                ));
            }
            imports.push(reading.finish(first)?);
        }
        if !self.wanted {
            imports.clear();
        }
        Ok(imports)
    }
}

/// The body of a response, or why there is none.
fn body(row: &Value) -> Result<&Value, ScoreError> {
    let response = row.get("response").filter(|it| !it.is_null());
    let body = response
        .and_then(|response| response.get("body"))
        .filter(|it| it.is_object());
    let error = row.get("error").and_then(tokens::message);
    let error = error.or_else(|| tokens::message(body?.get("error")?));
    let status = response.and_then(|response| response.get("status_code")?.as_u64());
    let failed = status
        .filter(|status| *status != 200)
        .map(|status| format!("HTTP {status}"));
    match (body, error.or(failed)) {
        (_, Some(message)) => Err(ScoreError::Backend { message }),
        (Some(body), None) => Ok(body),
        (None, None) => Err(ScoreError::Backend {
            message: "the result has no response".to_owned(),
        }),
    }
}
