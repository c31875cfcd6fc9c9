//! Loads files of saved logits as evidence.

use std::path::PathBuf;

use sureness_analysis::{ModelEvidence, Source, SourceRecord};
use sureness_conformal::{Config, Guessing};
use sureness_scorers::replay::FileName;

use super::key::guessing_warning;
use super::logits::{Scoring, group_of};
use super::offered::Offered;
use super::{Loaded, Selection};
use crate::error::Failure;

/// Loads files of saved logits; files with the same model in their names are groups of one model.
pub(super) fn load_logits(
    files: &[PathBuf],
    selection: &Selection,
    offered: &mut Offered,
    loaded: &mut Loaded,
) -> Result<(), Failure> {
    let Some(questions) = &selection.questions else {
        return Err(Failure::new(format!(
            "{} is a file of logits, which does not contain the right answers",
            files
                .first()
                .map(|f| f.display().to_string())
                .unwrap_or_default()
        ))
        .hint("give the questions with --questions FILE, or give an output folder instead"));
    };
    let scoring = Scoring::new(questions, selection.drop.clone(), Config::default())?
        .for_any_file(selection.any_questions);
    let (mut guessing, mut dropped) = (Vec::new(), Vec::new());
    for path in files {
        let (_, group) = group_of(&FileName::parse(path));
        if !offered.takes(selection, &group) {
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
            .hint("give each file once, and analyse zero-shot and few-shot files separately"));
        }
        if let SourceRecord::Files { files } = &mut model.source.record {
            files.push(path.display().to_string());
        }
        model.groups.push(rows);
    }
    let warnings = &mut loaded.warnings;
    warnings.extend(guessing_warning(Some(questions), &guessing));
    warnings.extend(scoring.note_unknown_drops(&dropped));
    Ok(())
}
