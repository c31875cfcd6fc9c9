//! Loads files of saved logits as evidence.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sureness_analysis::{ModelEvidence, Source, SourceRecord};
use sureness_conformal::{Config, Guessing};
use sureness_scorers::replay::FileName;

use super::key::guessing_warning;
use super::logits::{Scoring, group_of};
use super::offered::Offered;
use super::{Loaded, Selection};
use crate::error::Failure;

/// The ends of names of saved logits.
const EXTENSIONS: [&str; 7] = ["pkl", "pickle", "jsonl", "ndjson", "csv", "tsv", "parquet"];

/// Whether a file's name or beginning is that of saved logits.
fn is_table(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    let extension = extension.to_string_lossy().to_lowercase();
    let begins = || {
        let mut magic = [0; 4];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
        read.is_ok() && (&magic == b"PAR1" || magic[0] == 0x80)
    };
    EXTENSIONS.contains(&&*extension) || begins()
}

/// Loads files of saved logits; files with the same model in their names are groups of one model.
pub(super) fn load_logits(
    files: &[PathBuf],
    selection: &Selection,
    offered: &mut Offered,
    loaded: &mut Loaded,
) -> Result<(), Failure> {
    let foreign = files.iter().find(|file| !is_table(file));
    if let Some(file) = foreign {
        return Err(Failure::new(format!(
            "{} is neither a run nor a file of saved logits",
            file.display()
        ))
        .hint(
            "name an output folder, a sureness.sqlite, or a .pkl, .jsonl, .csv or .parquet file",
        ));
    }
    let Some(questions) = &selection.questions else {
        let files: Vec<String> = files.iter().map(|it| it.display().to_string()).collect();
        let files = files.join(" ");
        return Err(Failure::new(format!(
            "{files}: saved logits are analysed with --questions, or from a store"
        ))
        .hint(format!(
            "give the right answers with --questions FILE; where the table has them in a column \
             `answer`, run `sureness import {files}` first and analyse its output folder"
        )));
    };
    let scoring = Scoring::new(questions, selection.drop.clone(), Config::default())?
        .for_any_file(selection.any_questions);
    let (mut guessing, mut dropped) = (Vec::new(), Vec::new());
    for path in files {
        let name = FileName::parse(path);
        let (_, group) = group_of(&name);
        let taken = offered.takes(selection, &group);
        // Files that are left out need not be sound.
        if !(taken && offered.takes_model(selection, &name.model)) {
            continue;
        }
        let logits = scoring.read(path)?;
        let (name, mut rows) = scoring.rows(path, &logits)?;
        let file = path.display().to_string();
        guessing.push((file, Guessing::of(rows.table.rows())));
        dropped.push(logits.dropped);
        loaded.evidence.share(&mut rows);
        let models = &mut loaded.evidence.models;
        let place = models
            .iter()
            .position(|m| m.name == name && m.source.run.is_none());
        let place = place.unwrap_or_else(|| {
            models.push(ModelEvidence {
                name,
                source: Source {
                    path: questions.display().to_string(),
                    record: SourceRecord::default(),
                    ..Source::default()
                },
                groups: Vec::new(),
                orders: Vec::new(),
            });
            models.len() - 1
        });
        let model = &mut models[place];
        if model.groups.iter().any(|group| group.id == rows.id) {
            return Err(Failure::new(format!(
                "{}: {} already has answers to {} in {}",
                path.display(),
                model.name,
                rows.id.task,
                rows.id.strategy
            ))
            .hint("give one file for each model, task and strategy"));
        }
        if let SourceRecord::Files { files } = &mut model.source.record {
            files.push(path.display().to_string());
        }
        model.groups.push(rows);
    }
    let warnings = &mut loaded.warnings;
    warnings.extend(guessing_warning(Some(questions), &guessing));
    warnings.extend(scoring.note_unknown_drops(&dropped));
    loaded.notes.extend(scoring.note_default_drops(&dropped));
    Ok(())
}
