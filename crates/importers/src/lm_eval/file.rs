//! One samples file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use sureness_record::QuestionRecord;

use super::question;
use super::sample::{Line, Sample, Target};
use crate::error::printable;
use crate::imported::{ImportedRow, RowScores, SourceFile, Values};
use crate::json;
use crate::{ImportError, Place, Problem};

/// Maximum length of a line, which repeats the few-shot examples for each option.
const MAX_LINE: u64 = 64 << 20;

/// The questions of one samples file.
#[derive(Debug)]
pub(super) struct Samples {
    pub(super) source: SourceFile,
    pub(super) rows: Vec<ImportedRow>,
    /// Whether the harness counts each row as correct.
    pub(super) correct: Vec<Option<bool>>,
    pub(super) values: Values,
    pub(super) notes: Vec<String>,
}

/// Task and date of `samples_{task}_{date}.jsonl`.
pub(super) fn name_parts(path: &Path) -> Option<(String, String)> {
    let name = path.file_stem()?.to_str()?;
    let (task, date) = name.strip_prefix("samples_")?.rsplit_once('_')?;
    (!task.is_empty()).then(|| (task.to_owned(), date.to_owned()))
}

/// Reads a file line by line.
pub(super) fn read(path: &Path) -> Result<Samples, ImportError> {
    let file = File::open(path).map_err(|error| Problem::Io(error).of(path))?;
    read_from(path, BufReader::with_capacity(1 << 16, file))
}

/// Reads any source; errors name `path`.
#[expect(
    clippy::too_many_lines,
    reason = "one pass over the file, in its order"
)]
pub(super) fn read_from(path: &Path, mut reader: impl BufRead) -> Result<Samples, ImportError> {
    let mut hasher = blake3::Hasher::new();
    let mut bytes = Vec::new();
    let mut lines = Vec::new();
    let mut filter: Option<Option<String>> = None;
    let (mut number, mut other_filters) = (0, 0);
    let mut seen: HashMap<String, usize> = HashMap::new();
    loop {
        bytes.clear();
        let read = (&mut reader).take(MAX_LINE).read_until(b'\n', &mut bytes);
        let read = read.map_err(|error| Problem::Io(error).of(path))?;
        if read == 0 {
            break;
        }
        number += 1;
        let at = |problem: Problem| problem.at(path, Place::Line(number));
        if read as u64 == MAX_LINE {
            return Err(at(Problem::TooLarge(MAX_LINE >> 20)));
        }
        hasher.update(&bytes);
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = json::parse(text).map_err(at)?;
        // Each further filter repeats the same questions.
        let first_filter = filter.get_or_insert_with(|| line.filter.clone());
        if *first_filter != line.filter {
            other_filters += 1;
            continue;
        }
        let fault = |fault: crate::error::Fault| fault.at(path, Place::Line(number));
        let id = line
            .doc_id
            .as_ref()
            .ok_or_else(|| fault(Problem::Missing.field("doc_id")))?;
        let id = json::id(id, "doc_id").map_err(fault)?;
        if let Some(first) = seen.insert(id.clone(), number) {
            let (id, first) = (printable(&id), format!("line {first}"));
            return Err(fault(Problem::RepeatedId { id, first }.field("doc_id")));
        }
        let sample = line.read().map_err(fault)?;
        lines.push((number, id, line.doc, line.doc_hash, sample));
    }
    if lines.is_empty() {
        return Err(Problem::Empty.of(path));
    }
    let samples: Vec<&Sample> = lines.iter().map(|(.., sample)| sample).collect();
    let by_text = is_text(&samples);
    let values = if samples.iter().all(|sample| has_labels(sample)) {
        Values::Labels
    } else {
        Values::Continuations
    };
    let mut notes = Vec::new();
    if other_filters > 0 {
        notes.push(format!("skipped {other_filters} lines of other filters"));
    }
    let mut rows = Vec::with_capacity(lines.len());
    let mut correct = Vec::with_capacity(lines.len());
    for (number, id, doc, doc_hash, sample) in lines {
        let Target { index, text } = sample.target;
        let (first, second) = if by_text {
            (text, index)
        } else {
            (index, text)
        };
        let options = sample.scores.len();
        let Some(answer) = first.or(second) else {
            let problem = Problem::NoAnswer.field("target");
            return Err(problem.at(path, Place::Line(number)));
        };
        // Only labels are mutually exclusive: texts may be prefixes of one another, and options in
        // prompts continue different texts.
        let mass = (values == Values::Labels).then(|| {
            sample
                .scores
                .iter()
                .map(|value| value.exp())
                .sum::<f64>()
                .min(1.0)
        });
        let known = question::digests(&doc, doc_hash.as_deref(), options, answer);
        rows.push(ImportedRow {
            question: QuestionRecord {
                content: known.content,
                cluster: known.cluster,
                id,
                category: question::category(&doc).map(str::to_owned),
                options,
                answer,
                dont_know: None,
                none_of_the_above: None,
            },
            scores: Ok(RowScores {
                observed: vec![true; options],
                logprobs: sample.scores,
                mass,
            }),
        });
        correct.push(sample.correct);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Samples {
        source: SourceFile {
            name: name.into_owned(),
            digest: hasher.finalize().to_hex().to_string(),
        },
        rows,
        correct,
        values,
        notes,
    })
}

/// Whether `target` is the text of an option rather than its index. Where both are possible, takes
/// the reading that contradicts the harness less often.
fn is_text(samples: &[&Sample]) -> bool {
    let contradictions = |reading: fn(&Sample) -> Option<usize>| {
        let wrong = samples.iter().filter(|sample| {
            let top = sample
                .scores
                .iter()
                .enumerate()
                .fold(0, |top, (index, value)| match sample.scores.get(top) {
                    Some(best) if value > best => index,
                    _ => top,
                });
            match (reading(sample), sample.correct) {
                (Some(answer), Some(correct)) => (answer == top) != correct,
                (None, _) => true,
                _ => false,
            }
        });
        wrong.count()
    };
    contradictions(|sample| sample.target.text) < contradictions(|sample| sample.target.index)
}

/// Whether the continuations are the letters A, B, C ….
fn has_labels(sample: &Sample) -> bool {
    !sample.continuations.is_empty()
        && sample
            .continuations
            .iter()
            .enumerate()
            .all(|(index, text)| text.chars().eq([sureness_questions::letter(index)]))
}
