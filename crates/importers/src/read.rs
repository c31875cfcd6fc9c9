//! Finds, detects and imports files.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::imported::{Imported, Options};
use crate::{Format, ImportError, Problem, inspect, lm_eval, table};

/// The largest file that is read into memory.
const MAX_FILE: u64 = 1 << 30;
/// Bytes read to detect the format.
const BEGINNING: u64 = 64 << 10;
/// Maximum depth of the search in folders.
const MAX_DEPTH: usize = 4;

/// Imports files and folders: one [`Imported`] per (model, task, strategy). Returns all
/// imports, or every error in the input.
pub fn import(paths: &[PathBuf], options: &Options) -> Result<Vec<Imported>, Vec<ImportError>> {
    let mut errors = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        match find(path, options) {
            Ok(found) => files.extend(found),
            Err(error) => errors.push(error),
        }
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|(path, _)| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    let (harness, others): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|(_, format)| *format == Format::LmEval);
    let mut imports = Vec::new();
    if !harness.is_empty() {
        let paths: Vec<PathBuf> = harness.into_iter().map(|(path, _)| path).collect();
        match lm_eval::import(&paths, options) {
            Ok(found) => imports.extend(found),
            Err(found) => errors.extend(found),
        }
    }
    for (path, format) in others {
        let read = match format {
            Format::Inspect => inspect::import(&path).map(|log| vec![log]),
            _ => whole(&path)
                .map_err(|problem| problem.of(&path))
                .and_then(|bytes| table::import(&path, bytes, format, options)),
        };
        match read {
            Ok(found) => imports.extend(found),
            Err(error) => errors.push(error),
        }
    }
    finish(imports, errors, options)
}

/// Imports one file from memory. `path` gives names and, for tables, the format; errors name it.
pub fn import_bytes(
    path: &Path,
    bytes: Vec<u8>,
    options: &Options,
) -> Result<Vec<Imported>, Vec<ImportError>> {
    let format = options
        .format
        .or_else(|| Format::of(path, beginning(&bytes)));
    let read = match format {
        None => Err(Problem::UnknownFormat.of(path)),
        Some(Format::LmEval) => {
            let of = lm_eval::import_bytes(path, &bytes, options);
            of.map(|imported| vec![imported])
        }
        Some(Format::Inspect) => inspect::import_bytes(path, bytes).map(|log| vec![log]),
        Some(format) => table::import(path, bytes, format, options),
    };
    match read {
        Ok(imports) => finish(imports, Vec::new(), options),
        Err(error) => Err(vec![error]),
    }
}

fn beginning(bytes: &[u8]) -> &[u8] {
    bytes.get(..BEGINNING as usize).unwrap_or(bytes)
}

/// Applies the user's names and refuses duplicate groups.
fn finish(
    mut imports: Vec<Imported>,
    mut errors: Vec<ImportError>,
    options: &Options,
) -> Result<Vec<Imported>, Vec<ImportError>> {
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
        if let Some(drop) = &options.drop_ids {
            import.rows.retain(|row| !drop.contains(&row.question.id));
        }
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
    if errors.is_empty() {
        Ok(imports)
    } else {
        Err(errors)
    }
}

/// The files of a path with their formats.
fn find(path: &Path, options: &Options) -> Result<Vec<(PathBuf, Format)>, ImportError> {
    if !path.is_dir() {
        let detected = sniff(path)?.map(|(format, _)| format);
        let format = options.format.or(detected);
        let format = format.ok_or_else(|| Problem::UnknownFormat.of(path))?;
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
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(BEGINNING).read_to_end(&mut bytes))
        .map_err(|error| Problem::Io(error).of(path))?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let format = Format::of(path, &bytes);
    Ok(format.map(|format| {
        (
            format,
            format != Format::Table || Format::has_scores(&bytes),
        )
    }))
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
