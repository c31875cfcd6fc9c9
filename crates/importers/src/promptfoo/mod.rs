//! Results of promptfoo: the file of `promptfoo eval --output`, as JSON or JSON lines.
//!
//! The layout is that of version 0.121.20: `results.results` is a list of a provider's answers, with
//! `vars`, the rendered `prompt.raw`, the provider's `response` and the `gradingResult` of each assertion.
//! promptfoo's own providers keep the log-probabilities of the written tokens alone (`response.logProbs`).
//! The http provider keeps a server's whole answer as `response.raw`, if its `transformResponse` says so.

mod row;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde_json::Value;

use crate::choice::Choice;
use crate::error::{Fault, printable};
use crate::exchange::{self, Keys, Reading};
use crate::imported::{Imported, Model, Options, SourceFile};
use crate::read::Found;
use crate::{Format, ImportError, Place, Problem, json, lines};
use row::Row;

/// The longest name of a prompt that names a strategy.
const MAX_NAME: usize = 40;

/// Imports a file: one import per provider and prompt, or the reason why there is none.
pub(crate) fn import(
    path: &Path,
    bytes: &[u8],
    choice: &Choice<'_>,
    options: &Options,
    found: &mut Found,
) -> Result<(), ImportError> {
    let keys = options.questions.as_deref().map(Keys::read).transpose()?;
    let whole = json::parse::<Value>(bytes)
        .ok()
        .filter(|file| file.get("results").is_some());
    let about = whole.as_ref().unwrap_or(&Value::Null);
    let described = json::text(about, "/config/description").map(str::to_owned);
    let described = described.filter(|_| options.questions.is_none());
    let task = options.task.clone().or(described);
    let task = exchange::task(task.as_ref(), options.questions.as_ref(), path)?;
    let mut file = File {
        path,
        wanted: choice.wants(&[&task]),
        choice,
        options,
        keys: keys.as_ref(),
        task,
        version: json::text(about, "/metadata/promptfooVersion").map(str::to_owned),
        prompts: Vec::new(),
        groups: Vec::new(),
        unnamed: Vec::new(),
    };
    match &whole {
        Some(whole) => {
            let list = whole.pointer("/results/results").and_then(Value::as_array);
            let list = list.ok_or_else(|| {
                Problem::Missing
                    .field("results.results")
                    .at(path, Place::File)
            })?;
            for (row, number) in list.iter().zip(1..) {
                file.add(&Place::Row(number), row)?;
            }
        }
        None => {
            lines::lines(path, bytes, |place, row: Value| file.add(&place, &row))?;
        }
    }
    file.add_unnamed()?;
    if file.groups.is_empty() {
        return Err(Problem::Empty.of(path));
    }
    let source = SourceFile::new(path, &blake3::hash(bytes));
    file.finish(&source, found);
    Ok(())
}

/// A file that is being read.
struct File<'a> {
    path: &'a Path,
    wanted: bool,
    choice: &'a Choice<'a>,
    options: &'a Options,
    keys: Option<&'a Keys>,
    task: String,
    version: Option<String>,
    /// The prompts, by id, with the names that they have.
    prompts: Vec<(String, String)>,
    groups: Vec<Group<'a>>,
    /// Rows of an address whose answer names no model, such as failures.
    unnamed: Vec<(Place, Value)>,
}

/// The answers of a provider's model to one prompt.
struct Group<'a> {
    provider: String,
    /// The model that the server names, if the provider is an address.
    served: Option<String>,
    prompt: usize,
    reading: Reading<'a>,
    /// The rendered prompts, which repetitions share.
    asked: HashSet<String>,
    repeated: usize,
    /// Whether an answer has log-probabilities of the written tokens alone.
    written_only: bool,
}

impl File<'_> {
    fn add(&mut self, place: &Place, row: &Value) -> Result<(), ImportError> {
        let read = Row::new(row);
        if read.named().is_none() && read.served().is_none() {
            self.unnamed.push((place.clone(), row.clone()));
            return Ok(());
        }
        self.add_to_group(place, read)
    }

    /// Adds the rows that name no model to the only one of their address.
    fn add_unnamed(&mut self) -> Result<(), ImportError> {
        for (place, row) in std::mem::take(&mut self.unnamed) {
            let row = Row::new(&row);
            let (provider, id) = (row.provider(), row.prompt_id());
            let is_its = |it: &&Group<'_>| {
                let prompt = self.prompts.get(it.prompt).map(|(id, _)| id);
                it.provider == provider && prompt == Some(&id)
            };
            if self.groups.iter().filter(is_its).count() > 1 {
                return Err(Problem::WhoseErrors.at(self.path, place));
            }
            self.add_to_group(&place, row)?;
        }
        Ok(())
    }

    fn add_to_group(&mut self, place: &Place, row: Row<'_>) -> Result<(), ImportError> {
        let at = |fault: Fault| fault.at(self.path, place.clone());
        let provider = row.provider();
        let model = self.options.model.clone().or_else(|| row.model());
        let id = row.prompt_id();
        let known = self.prompts.iter().position(|(other, _)| *other == id);
        let prompt = known.unwrap_or(self.prompts.len());
        if known.is_none() {
            self.prompts.push((id, row.prompt_name()));
        }
        let served = row.served();
        let mut known = self.groups.iter();
        // One address may serve several models.
        let known = known.position(|it| {
            let is_served = served.is_none() || it.served == served;
            it.provider == provider && it.prompt == prompt && is_served
        });
        let index = if let Some(index) = known {
            index
        } else {
            let model = model.ok_or_else(|| at(Problem::NoModel.field("provider.label")))?;
            let model = Model {
                name: model,
                details: BTreeMap::new(),
            };
            let mut import = Imported::empty(
                model,
                self.task.clone(),
                "promptfoo".to_owned(),
                Format::Promptfoo,
            );
            let version = self.version.clone();
            import
                .settings
                .extend(version.map(|it| ("promptfoo version".to_owned(), it)));
            self.groups.push(Group {
                provider,
                served,
                prompt,
                reading: Reading::new(import, self.choice, self.keys),
                asked: HashSet::new(),
                repeated: 0,
                written_only: false,
            });
            self.groups.len() - 1
        };
        let (field, exchange) = row.exchange().map_err(at)?;
        let Some(group) = self.groups.get_mut(index) else {
            return Ok(());
        };
        // `--repeat` asks again under another number.
        if let Some(prompt) = &exchange.prompt
            && !group.asked.insert(prompt.clone())
        {
            group.repeated += 1;
            return Ok(());
        }
        group.written_only |= row.has_written_only();
        group.reading.add(self.path, place, field, exchange)
    }

    fn finish(self, source: &SourceFile, found: &mut Found) {
        if !self.wanted {
            return;
        }
        let several = self.prompts.len() > 1;
        for mut group in self.groups {
            let import = group.reading.import();
            import.files.push(source.clone());
            if several {
                let name = self.prompts.get(group.prompt).map(|(_, name)| name.clone());
                let name = name.filter(|name| name.len() <= MAX_NAME && !name.contains('\n'));
                import.strategy = name.unwrap_or_else(|| format!("prompt {}", group.prompt + 1));
            }
            if group.repeated > 0 {
                let note = format!(
                    "repeated answers, of which the first counts: {}",
                    group.repeated
                );
                import.notes.push(note);
            }
            match group.reading.finish(self.path) {
                Ok(import) => found.imports.push(import),
                Err(error)
                    if group.written_only && matches!(*error.problem, Problem::NoLogprobs) =>
                {
                    let provider = printable(&group.provider);
                    found
                        .errors
                        .push(Problem::WrittenOnly { provider }.of(self.path));
                }
                Err(error) => found.errors.push(error),
            }
        }
    }
}
