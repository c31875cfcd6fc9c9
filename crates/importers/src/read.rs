//! Finds, detects and imports files.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::choice::Choice;
use crate::imported::{Imported, Imports, Options};
use crate::{
    Format, ImportError, Normalise, Problem, Refusal, batch, bigbench, evalscope, helm, inspect,
    lighteval, lm_eval, olmes, opencompass, promptfoo, table, vllm,
};

/// The largest file that is read into memory.
pub(crate) const MAX_FILE: u64 = 1 << 30;
/// How a gzip file begins.
pub(crate) const GZIP: &[u8] = &[0x1f, 0x8b];
/// Bytes read to detect the format.
const BEGINNING: u64 = 64 << 10;
/// Maximum depth of the search in folders.
const MAX_DEPTH: usize = 4;

/// What readers found, with everything that is wrong.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) imports: Vec<Imported>,
    pub(crate) notes: Vec<String>,
    pub(crate) errors: Vec<ImportError>,
}

/// Imports files and folders: one [`Imported`] per (model, task, strategy). Returns all
/// imports, or every error in the input. Leaves out sound files of kinds that cannot be imported, with
/// a note, as long as something remains.
pub fn import(paths: &[PathBuf], options: &Options) -> Result<Imports, Vec<ImportError>> {
    let choice = Choice::new(options);
    let mut errors = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        match find(path, options) {
            Ok(found) => files.extend(found),
            Err(error) => errors.push(error),
        }
    }
    let mut seen = HashSet::new();
    files.retain(|(path, _)| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    let (harness, others): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|(_, format)| *format == Format::LmEval);
    let paths: Vec<PathBuf> = harness.into_iter().map(|(path, _)| path).collect();
    let mut found = lm_eval::import(&paths, &choice, options);
    found.errors.splice(0..0, errors);
    let (batches, others): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|(_, format)| *format == Format::Batch);
    let batches: Vec<PathBuf> = batches.into_iter().map(|(path, _)| path).collect();
    match batch::import(&batches, &choice, options) {
        Ok(imports) => found.imports.extend(imports),
        Err(error) => found.errors.push(error),
    }
    let (mut logs, mut details) = (Vec::new(), Vec::new());
    for (path, format) in others {
        if format == Format::Inspect {
            let checked = check_normalise(format, options.normalise);
            let read = checked.map_err(|problem| problem.of(&path));
            match read.and_then(|()| inspect::import(&path, &choice)) {
                Ok(log) => logs.extend(log),
                Err(error) => found.errors.push(error),
            }
            continue;
        }
        let bytes = whole(&path).map_err(|problem| problem.of(&path));
        if format == Format::Promptfoo {
            let read =
                bytes.and_then(|it| promptfoo::import(&path, &it, &choice, options, &mut found));
            found.errors.extend(read.err());
            continue;
        }
        let read = bytes.and_then(|bytes| scored(&path, bytes, format, &choice, options));
        match read {
            Ok(imports) => {
                for import in imports {
                    if import.format == Format::Lighteval {
                        details.push(lighteval::Dated::new(&path, import));
                    } else {
                        found.imports.push(import);
                    }
                }
            }
            Err(error) => found.errors.push(error),
        }
    }
    let (details, notes) = lighteval::fullest(details);
    found.imports.extend(details);
    found.notes.extend(notes);
    let (logs, notes) = inspect::fullest(logs);
    found.notes.extend(notes);
    found
        .imports
        .extend(logs.into_iter().map(|log| log.imported));
    finish(found, &choice, options)
}

/// Imports one file from memory. `path` gives names and, for tables, the format; errors name it.
pub fn import_bytes(
    path: &Path,
    bytes: Vec<u8>,
    options: &Options,
) -> Result<Vec<Imported>, Vec<ImportError>> {
    let choice = Choice::new(options);
    let format = options
        .format
        .or_else(|| Format::of(path, beginning(&bytes)));
    let mut found = Found::default();
    let read = match format {
        None => Err(unknown(path, &bytes)),
        Some(Format::LmEval) => {
            let of = lm_eval::import_bytes(path, &bytes, &choice, options);
            of.map(|imported| imported.into_iter().collect())
        }
        Some(Format::Inspect) => check_normalise(Format::Inspect, options.normalise)
            .map_err(|problem| problem.of(path))
            .and_then(|()| inspect::import_bytes(path, bytes, &choice))
            .map(|log| log.into_iter().map(|log| log.imported).collect()),
        Some(Format::Batch) => batch::import_bytes(path, &bytes, &choice, options),
        Some(Format::Promptfoo) => {
            promptfoo::import(path, &bytes, &choice, options, &mut found).map(|()| Vec::new())
        }
        Some(format) => scored(path, bytes, format, &choice, options),
    };
    match read {
        Ok(imports) => found.imports.extend(imports),
        Err(error) => found.errors.push(error),
    }
    finish(found, &choice, options).map(|imports| imports.groups)
}

/// Imports a file of scores from memory. The beginning of a Parquet file does not tell its columns, so
/// that they decide here.
fn scored(
    path: &Path,
    bytes: Vec<u8>,
    format: Format,
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Vec<Imported>, ImportError> {
    if format == Format::Vllm {
        return vllm::import(path, &bytes, choice, options);
    }
    let is_found = options.format.is_none() && bytes.starts_with(b"PAR1");
    let bytes = sureness_parquet::Bytes::from(bytes);
    if format == Format::Lighteval || is_found && lighteval::is_details(bytes.clone()) {
        return lighteval::import(path, bytes, choice, options);
    }
    check_normalise(format, options.normalise).map_err(|problem| problem.of(path))?;
    match format {
        Format::Olmes => olmes::import(path, &bytes, choice, options),
        Format::Helm => helm::import(path, &bytes, choice, options),
        Format::OpenCompass => opencompass::import(path, &bytes, choice, options),
        Format::Evalscope => evalscope::import(path, &bytes, choice, options),
        Format::BigBench => bigbench::import(path, &bytes, choice, options),
        _ => table::import(path, bytes.into(), format, choice, options),
    }
}

/// Refuses to divide scores of formats that hold no lengths, or letters only.
fn check_normalise(format: Format, normalise: Normalise) -> Result<(), Problem> {
    let name = normalise.name();
    match format {
        _ if normalise == Normalise::None => Ok(()),
        Format::Inspect | Format::Evalscope => Err(Problem::Refused(Refusal::Letters(name))),
        Format::Paper | Format::Table => Err(Problem::Refused(Refusal::NoLengths(name))),
        _ => Ok(()),
    }
}

fn beginning(bytes: &[u8]) -> &[u8] {
    bytes.get(..BEGINNING as usize).unwrap_or(bytes)
}

/// Applies the user's names, and refuses duplicate groups and names of nothing.
fn finish(
    found: Found,
    choice: &Choice<'_>,
    options: &Options,
) -> Result<Imports, Vec<ImportError>> {
    let Found {
        mut imports,
        mut notes,
        mut errors,
    } = found;
    let mut seen: HashMap<(crate::Model, String, String), String> = HashMap::new();
    for import in &mut imports {
        let put = |name: &mut String, given: &Option<String>| {
            if let Some(given) = given {
                name.clone_from(given);
            }
        };
        put(&mut import.model.name, &options.model);
        put(&mut import.task, &options.task);
        put(&mut import.strategy, &options.strategy);
        normalised(import, options.normalise);
        let file = import.files.first().map(|file| file.name.clone());
        let file = file.unwrap_or_default();
        if import.rows.is_empty() {
            errors.push(Problem::Empty.of(Path::new(&file)));
        }
        let (model, task) = (import.model.clone(), import.task.clone());
        let key = (model, task, import.strategy.clone());
        if let Some(other) = seen.insert(key, file.clone()) {
            let twice = Problem::Twice {
                model: import.model.name.clone(),
                task: import.task.clone(),
                strategy: import.strategy.clone(),
                other,
            };
            errors.push(twice.of(Path::new(&file)));
        }
    }
    // Without the whole input, a name may be that of something that could not be read.
    if errors.iter().all(|error| error.problem.is_kind()) {
        errors.extend(choice.unused());
    }
    if !imports.is_empty() {
        let (kinds, others) = errors
            .into_iter()
            .partition(|error| error.problem.is_kind());
        notes.extend(skipped(kinds));
        errors = others;
    }
    if errors.is_empty() && imports.is_empty() {
        errors.push(Problem::NothingChosen.of(Path::new("")));
    }
    if errors.is_empty() {
        let groups = imports;
        Ok(Imports { groups, notes })
    } else {
        Err(errors)
    }
}

/// Keeps divided scores apart from undivided ones, and says where nothing was compared.
fn normalised(import: &mut Imported, normalise: Normalise) {
    if normalise != Normalise::None {
        import.strategy.push_str(normalise.suffix());
        let name = normalise.name().to_owned();
        // A run of its own, since a run's figures are means over its strategies.
        let details = &mut import.model.details;
        details.insert("normalise".to_owned(), name.clone());
        import.settings.insert("normalise".to_owned(), name);
    }
    if import.check.is_none() {
        let per = match normalise {
            Normalise::None => "",
            Normalise::Chars => " per character",
            Normalise::Bytes => " per byte",
            Normalise::Tokens => " per token",
        };
        let note = format!("the file states no accuracy{per} to compare with");
        import.notes.push(note);
    }
}

/// A note for each reason to leave files out, with their names.
fn skipped(errors: Vec<ImportError>) -> Vec<String> {
    let mut by_reason: Vec<(String, Vec<String>)> = Vec::new();
    for error in errors {
        let name = error.file.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let reason = error.problem.to_string();
        match by_reason.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, names)) => names.push(name),
            None => by_reason.push((reason, vec![name])),
        }
    }
    let note =
        |(reason, names): (String, Vec<String>)| format!("skipped {}: {reason}", names.join(", "));
    by_reason.into_iter().map(note).collect()
}

/// The files of a path with their formats.
fn find(path: &Path, options: &Options) -> Result<Vec<(PathBuf, Format)>, ImportError> {
    if !path.is_dir() {
        let bytes = head(path)?;
        let detected = Format::of(path, &bytes);
        let format = options.format.or(detected);
        let format = format.ok_or_else(|| unknown(path, &bytes))?;
        return Ok(vec![(path.to_owned(), format)]);
    }
    let mut files = Vec::new();
    walk(path, 0, &mut files)?;
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let Some((format, is_sure)) = sniff(&file)? else {
            continue;
        };
        let wanted = options.format.is_none_or(|wanted| wanted == format);
        if is_sure && wanted && !is_beside(&file, options) {
            found.push((file, format));
        }
    }
    if found.is_empty() {
        return Err(Problem::NothingHere.of(path));
    }
    Ok(found)
}

/// Whether a file is not meant for import: the file of questions, or results of a run.
fn is_beside(path: &Path, options: &Options) -> bool {
    let questions = options
        .questions
        .as_ref()
        .map(|path| path.canonicalize().ok());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name == "results.csv"
        || questions.is_some_and(|questions| questions == path.canonicalize().ok())
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), ImportError> {
    let failed = |error| Problem::Io(error).of(folder);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                walk(&path, depth + 1, files)?;
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The format, and whether the content rather than the name determines it.
fn sniff(path: &Path) -> Result<Option<(Format, bool)>, ImportError> {
    let bytes = head(path)?;
    let mut format = Format::of(path, &bytes);
    if bytes.starts_with(b"PAR1") && File::open(path).is_ok_and(lighteval::is_details) {
        format = Some(Format::Lighteval);
    }
    Ok(format.map(|format| {
        (
            format,
            format != Format::Table || Format::has_scores(&bytes),
        )
    }))
}

/// The beginning of a file.
fn head(path: &Path) -> Result<Vec<u8>, ImportError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(BEGINNING).read_to_end(&mut bytes))
        .map_err(|error| Problem::Io(error).of(path))?;
    Ok(bytes)
}

/// The error for a file of no known format.
fn unknown(path: &Path, bytes: &[u8]) -> ImportError {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let problem = if bytes.starts_with(GZIP) {
        Problem::Compressed
    } else if name.starts_with("results_") && name.ends_with(".json") {
        Problem::Results
    } else {
        Problem::UnknownFormat
    };
    problem.of(path)
}

/// A whole file of at most [`MAX_FILE`] bytes.
pub(crate) fn whole(path: &Path) -> Result<Vec<u8>, Problem> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    // A pipe has no size, so the limit applies to the bytes read.
    let read = file.take(MAX_FILE + 1).read_to_end(&mut bytes)? as u64;
    if read > MAX_FILE {
        return Err(Problem::TooLarge(MAX_FILE >> 20));
    }
    Ok(bytes)
}
