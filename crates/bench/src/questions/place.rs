//! Where questions are: files of this machine, or a data set of the hub.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sureness_hub::{DataFiles, DatasetName, Hub, SplitFiles};
use sureness_importers::{is_archive, questions_of};
use sureness_questions::{
    Dataset, Files, Format, LoadOptions, Split, load, load_bytes, load_files,
};

use super::library::file_name;
use crate::error::Failure;

/// The order in which splits are looked at to tell the layout. Test splits come late: some are
/// published without answers.
const TELLING: [Split; 4] = [Split::Validation, Split::Dev, Split::Test, Split::Train];

/// The questions that a path names, found but not read.
#[derive(Debug)]
pub struct Place {
    /// The path, or the name of the split on the hub with its commit.
    pub path: PathBuf,
    /// The layout, if it was given or had to be told.
    pub format: Option<Format>,
    /// The fetched files of a data set of the hub.
    pub fetched: Option<Files>,
    /// The questions in an archive, as text.
    unpacked: Option<Vec<u8>>,
    /// What a reader of figures should know about them.
    pub note: Option<String>,
}

impl Place {
    /// Finds the questions of a path. Of a data set of the hub (`hf:…`), the files of the split to ask
    /// and of that with the few-shot examples are fetched.
    pub fn find(path: &Path, format: Option<Format>) -> Result<Self, Failure> {
        match hub_name(path) {
            Some(name) => fetch(&Hub::from_env()?.with_progress(), &name.parse()?, format),
            None => Self::of_path(path, format),
        }
    }

    /// Like [`find`](Self::find), but asks the hub for nothing: takes what its cache holds.
    pub(crate) fn find_here(path: &Path, format: Option<Format>) -> Result<Self, Failure> {
        match hub_name(path) {
            Some(name) => fetch(&Hub::from_env()?.offline(), &name.parse()?, format),
            None => Self::of_path(path, format),
        }
    }

    /// Whether a path names a data set of the hub.
    pub fn is_on_hub(path: &Path) -> bool {
        hub_name(path).is_some()
    }

    fn of_path(path: &Path, format: Option<Format>) -> Result<Self, Failure> {
        let unpacked = is_archive(path).then(|| questions_of(path)).transpose()?;
        Ok(Self {
            path: path.to_owned(),
            // Questions of a log have these keys, whatever was asked for.
            format: format.or(unpacked.as_ref().map(|_| Format::Jsonl)),
            fetched: None,
            unpacked,
            note: None,
        })
    }

    /// The name of the file or the folder, or that of the data set of the hub with its commit.
    pub fn name(&self) -> String {
        match self.fetched {
            None => file_name(&self.path),
            Some(_) => self.path.display().to_string(),
        }
    }

    /// Reads the questions.
    pub fn load(&self, options: &LoadOptions) -> Result<Dataset, Failure> {
        Ok(match (&self.fetched, &self.unpacked) {
            (Some(files), _) => load_files(&self.path, files, options)?,
            (None, Some(text)) => load_bytes(&self.path, text.clone(), options)?,
            (None, None) => load(&self.path, options)?,
        })
    }
}

/// The name of a data set of the hub, if a path is one.
fn hub_name(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| DatasetName::is_meant(text))
}

/// Fetches the split to ask and that of the few-shot examples, as the layout says.
fn fetch(hub: &Hub, name: &DatasetName, format: Option<Format>) -> Result<Place, Failure> {
    let data = hub.open(name)?;
    let mut known = BTreeMap::new();
    for split in data.splits() {
        if let Some(kind) = Split::by_name(&split.name) {
            known.entry(kind).or_insert(split);
        }
    }
    let stated = match &name.split {
        Some(split) => Some(data.split(split)?),
        None => None,
    };
    let telling = stated
        .or_else(|| TELLING.iter().find_map(|kind| known.get(kind).copied()))
        .or_else(|| only(&data))
        .ok_or_else(|| data.no_split(None))?;
    let format = match (format, data.fetch_first(telling, 1)?.first()) {
        (None, Some(first)) => Format::detect(first)?,
        (format, _) => format.unwrap_or(Format::Jsonl),
    };
    let kinds: BTreeSet<_> = known.keys().copied().collect();
    let asked = match stated {
        Some(split) => split,
        None => format
            .asked(&kinds)
            .and_then(|kind| known.get(&kind).copied())
            .or_else(|| only(&data))
            .ok_or_else(|| data.no_split(None))?,
    };
    // The cache may lack the split that would have been asked.
    if stated.is_none() && !data.is_complete() && asked.name != Split::Test.name() {
        return Err(data.no_split(None).into());
    }
    let kind = Split::by_name(&asked.name);
    let shown = format.shown(&kinds, kind);
    let shown = shown.and_then(|kind| known.get(&kind).copied());
    let others = data.splits().iter();
    let others = others.filter(|split| *split != asked && Some(*split) != shown);
    let files = Files {
        questions: data.fetch(asked)?,
        examples: shown.map_or(Ok(Vec::new()), |split| data.fetch(split))?,
        split: kind,
        others: others
            .flat_map(|split| &split.files)
            .map(PathBuf::from)
            .collect(),
    };
    Ok(Place {
        path: data.source(&asked.name).into(),
        format: Some(format),
        fetched: Some(files),
        unpacked: None,
        note: data.is_converted().then(|| {
            format!(
                "{} is a program, which is not run: read from the hub's copy, branch \
                 refs/convert/parquet",
                name.repo
            )
        }),
    })
}

/// The only split, whatever its name.
fn only(data: &DataFiles) -> Option<&SplitFiles> {
    match data.splits() {
        [only] => Some(only),
        _ => None,
    }
}
