//! One samples file.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use serde_json::Value;
use sureness_record::{QuestionRecord, RightOptions};

use super::question;
use super::sample::{Line, Metric, Sample};
use super::target;
use crate::asked::are_letters;
use crate::choice::Choice;
use crate::content::Digests;
use crate::error::{Fault, printable};
use crate::imported::{ImportedRow, RowScores, SourceFile, Values};
use crate::json;
use crate::likelihood::{Normalise, Rule};
use crate::lines::lines;
use crate::{ImportError, Place, Problem, Refusal};

/// The questions of one samples file.
#[derive(Debug)]
pub(super) struct Samples {
    pub(super) source: SourceFile,
    pub(super) rows: Vec<ImportedRow>,
    /// For each row, what the harness counts: 1 for correct, 0 for wrong, or the share of probability
    /// that several right options have.
    pub(super) correct: Vec<Option<f64>>,
    /// For each row, the same by the harness's rule.
    pub(super) judged: Vec<f64>,
    /// Whether these are shares.
    pub(super) shares: bool,
    /// The harness's rule.
    pub(super) metric: Option<Metric>,
    /// Its further rules, each with the questions that are right by it here and in the file.
    pub(super) further: BTreeMap<Metric, Further>,
    /// The filter whose lines were read.
    pub(super) filter: Option<String>,
    pub(super) values: Values,
    /// Number of lines that `--drop-ids` left out.
    pub(super) dropped: usize,
    pub(super) notes: Vec<String>,
}

/// How often a rule counts questions as right.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Further {
    pub(super) ours: usize,
    pub(super) theirs: usize,
    pub(super) differ: bool,
}

/// What decides which lines are left out.
#[derive(Clone, Copy)]
pub(super) struct Dropping<'a> {
    pub(super) choice: &'a Choice<'a>,
    /// The harness's own name of the task.
    pub(super) task: &'a str,
    /// What ids may begin with once the task is part of a group.
    pub(super) prefixes: &'a [String],
}

impl Dropping<'_> {
    /// Whether a line is left out, by its id in the file or by the one that it has in a group.
    fn drops(self, id: &str, doc: &Value) -> bool {
        let subject = question::category(doc).and_then(|name| subject_of(self.task, name));
        let prefixes = self.prefixes.iter().map(String::as_str).chain(subject);
        let mut ids: Vec<String> = prefixes.map(|prefix| format!("{prefix}/{id}")).collect();
        ids.push(id.to_owned());
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.choice.drops(&ids)
    }
}

/// The end of the task's name that is the subject of its rows: `anatomy` of `mmlu_anatomy`.
pub(super) fn subject_of<'a>(task: &'a str, subject: &str) -> Option<&'a str> {
    let subject = subject.replace([' ', '-'], "_");
    let group = task.strip_suffix(&*subject)?.strip_suffix('_')?;
    (!group.is_empty())
        .then(|| task.get(group.len() + 1..))
        .flatten()
}

/// A line that was read.
struct Entry {
    place: Place,
    id: String,
    doc: Value,
    doc_hash: Option<String>,
    /// Fields of `doc` that the prompt shows beside the question and its options.
    shown: Vec<String>,
    /// Digest of the first prompt.
    prompt: Option<blake3::Hash>,
    sample: Sample,
}

/// Reads a file; errors name `path`.
pub(super) fn read(
    path: &Path,
    reader: impl io::Read,
    dropping: Dropping<'_>,
    normalise: Normalise,
) -> Result<Samples, ImportError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut filter: Option<Option<String>> = None;
    let (mut other_filters, mut dropped) = (0, 0);
    let mut seen: HashMap<String, String> = HashMap::new();
    let digest = lines(path, reader, |place, line: Line| {
        // Each further filter repeats the same questions.
        let first_filter = filter.get_or_insert_with(|| line.filter.clone());
        if *first_filter != line.filter {
            other_filters += 1;
            return Ok(());
        }
        let fault = |fault: Fault| fault.at(path, place.clone());
        let id = line
            .doc_id
            .as_ref()
            .ok_or_else(|| fault(Problem::Missing.field("doc_id")))?;
        let id = json::id(id, "doc_id").map_err(fault)?;
        if dropping.drops(&id, &line.doc) {
            dropped += 1;
            return Ok(());
        }
        if let Some(first) = seen.insert(id.clone(), place.to_string()) {
            let id = printable(&id);
            return Err(fault(Problem::RepeatedId { id, first }.field("doc_id")));
        }
        let sample = line.read(&id, normalise).map_err(fault)?;
        let prompt = line.prompt();
        entries.push(Entry {
            place,
            id,
            shown: question::shown(&line.doc, prompt),
            prompt: prompt.map(|prompt| blake3::hash(prompt.as_bytes())),
            doc: line.doc,
            doc_hash: line.doc_hash,
            sample,
        });
        Ok(())
    })?;
    if entries.is_empty() {
        return Err(Problem::Empty.of(path));
    }
    let mut samples = Samples {
        source: SourceFile::new(path, &digest),
        metric: entries.iter().find_map(|line| line.sample.metric()),
        further: BTreeMap::new(),
        filter: filter.flatten(),
        values: values(&entries),
        rows: Vec::with_capacity(entries.len()),
        correct: Vec::with_capacity(entries.len()),
        judged: Vec::with_capacity(entries.len()),
        shares: entries.iter().any(|line| line.sample.share.is_some()),
        dropped,
        notes: Vec::new(),
    };
    if other_filters > 0 {
        let note = format!("skipped {other_filters} lines of other filters");
        samples.notes.push(note);
    }
    samples.fill(path, entries, normalise)?;
    Ok(samples)
}

impl Samples {
    /// Adds the rows.
    fn fill(
        &mut self,
        path: &Path,
        lines: Vec<Entry>,
        normalise: Normalise,
    ) -> Result<(), ImportError> {
        if normalise != Normalise::None && self.values == Values::Labels {
            return Err(Problem::Refused(Refusal::Letters(normalise.name())).of(path));
        }
        let rule = normalise.rules().first().copied().unwrap_or(Rule::Sum);
        let all: Vec<&Sample> = lines.iter().map(|line| &line.sample).collect();
        let reading = target::reading(&all).ok_or_else(|| {
            Problem::AmbiguousTargets
                .field("target")
                .at(path, Place::File)
        })?;
        let rows = lines.iter().map(|line| (&line.doc, line.shown.as_slice()));
        let background = question::background(&rows.collect::<Vec<_>>());
        let mut documents = Vec::with_capacity(lines.len());
        for line in lines {
            let Entry {
                place,
                id,
                doc,
                doc_hash,
                prompt,
                sample,
                ..
            } = line;
            let options = sample.likelihoods.len();
            let logprobs = sample.likelihoods.by(rule);
            let logprobs = logprobs
                .ok_or_else(|| Problem::Refused(Refusal::NoLengths(normalise.name())).of(path))?;
            let right = sample.target.right(reading, options);
            let right = right.map_err(|fault| fault.at(path, place))?;
            for (metric, correct) in sample.verdicts.iter().skip(1) {
                let ours = right.contains(sample.top_by(*metric));
                let further = self.further.entry(*metric).or_default();
                further.ours += usize::from(ours);
                further.theirs += usize::from(*correct);
                further.differ |= ours != *correct;
            }
            let credit = |correct: bool| f64::from(u8::from(correct));
            self.correct
                .push(sample.share.or(sample.correct().map(credit)));
            let sums = sample.likelihoods.by(Rule::Sum);
            self.judged.push(match (sample.share, sums) {
                (Some(_), Some(sums)) => share(&sums, right),
                _ => credit(right.contains(sample.judged_top())),
            });
            // Only labels are mutually exclusive: texts may be prefixes of one another, and options in
            // prompts continue different texts.
            let mass = (self.values == Values::Labels).then(|| {
                let probabilities = logprobs.iter().map(|value| value.exp());
                probabilities.sum::<f64>().min(1.0)
            });
            let known = question::digests(
                &doc,
                doc_hash.as_deref(),
                background.as_deref(),
                options,
                right,
            );
            documents.push((question::of_document(&doc, doc_hash.as_deref()), prompt));
            self.rows.push(ImportedRow {
                question: QuestionRecord {
                    content: known.content,
                    cluster: known.cluster,
                    id,
                    category: question::category(&doc).map(str::to_owned),
                    options,
                    right,
                    dont_know: None,
                    none_of_the_above: None,
                },
                scores: Ok(RowScores {
                    observed: vec![true; options],
                    logprobs,
                    mass,
                }),
            });
        }
        self.tell_apart(&documents);
        Ok(())
    }

    /// Identifies questions by their documents where several with the same text and options have
    /// other documents and other prompts: they are about something that their known fields do not hold.
    fn tell_apart(&mut self, documents: &[(Digests, Option<blake3::Hash>)]) {
        let mut copies: HashMap<[u8; 32], Vec<usize>> = HashMap::new();
        for (place, row) in self.rows.iter().enumerate() {
            copies.entry(row.question.content).or_default().push(place);
        }
        let mut apart = 0;
        for places in copies.into_values() {
            let differ = |a: usize, b: usize| {
                let ((document, prompt), (other, another)) = (documents[a], documents[b]);
                document.content != other.content && prompt != another
            };
            if places.iter().any(|place| differ(places[0], *place)) {
                for place in &places {
                    let digests = documents[*place].0;
                    let question = &mut self.rows[*place].question;
                    (question.content, question.cluster) = (digests.content, digests.cluster);
                }
                apart += places.len();
            }
        }
        if apart > 0 {
            self.notes.push(format!(
                "{apart} questions have the text, the options and the right option of another whose prompt differs; their documents tell them apart"
            ));
        }
    }
}

/// The share of the options' probability that the right ones have.
fn share(scores: &[f64], right: RightOptions) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let probability = |score: &f64| (score - most).exp();
    let of_right = right.iter().filter_map(|option| scores.get(option));
    of_right.map(probability).sum::<f64>() / scores.iter().map(probability).sum::<f64>()
}

fn values(lines: &[Entry]) -> Values {
    if lines
        .iter()
        .all(|line| are_letters(&line.sample.continuations))
    {
        Values::Labels
    } else {
        Values::Continuations
    }
}
