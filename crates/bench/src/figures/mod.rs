//! Evaluates stored answers, sees whether the server cut prompts, and writes the result files.

mod intervals;
pub(crate) mod open;
pub(crate) mod timing;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use sureness_analysis::number::{count, counted};
use sureness_conformal::{Config, Row, Scheme, evaluate_visiting};
use sureness_engine::{Group, GroupRequests, Plan, Summary};
use sureness_hint::Hint;
use sureness_questions::{Bank, Task, Turn};
use sureness_record::{OrderOf, Provenance, RunSettings, tempered_shares};
use sureness_report::{DrawnAnswers, Failures, GroupResult, ModelResult, Results, Timing};
use sureness_scorers::{ModelIdentity, OptionScores};
use sureness_store::{Drawn, Reader, StoreError, StoredRow};

use crate::error::{Failure, Kind};
use crate::folder::Folder;
use crate::judge::Verdicts;
use crate::orders::OrderedGroup;
use crate::prompt_counts::PromptCounts;

/// The failure kind of questions that a run never asked.
pub const NOT_ASKED: &str = "not_asked";
/// Prompts of a group that are laid out again to learn their lengths.
const SAMPLED: usize = 500;

/// Evaluates the stored answers of a run.
pub(crate) fn evaluate(
    store: &Path,
    run: i64,
    identity: &ModelIdentity,
    plan: &Plan,
    summary: &Summary,
    config: &Config,
) -> Result<ModelResult, Failure> {
    let names: Vec<_> = plan.groups.iter().map(Group::name).collect();
    let tasks = plan.groups.iter().map(|group| &group.task);
    let groups: Vec<(&Task, &str)> = tasks.zip(names.iter().map(|name| &**name)).collect();
    let mut result = of_groups(store, run, identity, &groups, config, Some(plan))?;
    result.complete = summary.stop.is_none();
    result.timing = timing::timing_of(summary);
    Ok(result)
}

/// Like [`evaluate`], where `groups` are (task, strategy) in order. Timing and completeness, which the
/// store does not record, keep their defaults. Only with a `plan` are prompts known, to see whether
/// the server cut them.
pub(crate) fn of_groups(
    store: &Path,
    run: i64,
    identity: &ModelIdentity,
    groups: &[(&Task, &str)],
    config: &Config,
    plan: Option<&Plan>,
) -> Result<ModelResult, Failure> {
    let reader = Reader::open(store)?;
    let mut result = without_intervals(&reader, run, identity, groups, config, plan)?;
    intervals::add(&mut result, &reader, groups, config)?;
    Ok(result)
}

/// Like [`of_groups`], without the intervals, which take the most time.
pub(crate) fn without_intervals(
    reader: &Reader,
    run: i64,
    identity: &ModelIdentity,
    groups: &[(&Task, &str)],
    config: &Config,
    plan: Option<&Plan>,
) -> Result<ModelResult, Failure> {
    let mut found = Vec::new();
    let mut counts = Vec::new();
    let mut tasks: Vec<(String, String)> = Vec::new();
    let mut verdicts = Verdicts::of_run(reader, &reader.run(run)?)?;
    for (index, &(task, strategy)) in groups.iter().enumerate() {
        let mut prompts = plan.and_then(|plan| Some(Prompts::of(plan.groups.get(index)?)));
        let rows = Rows { reader, run, index };
        let questions = plan.and_then(|plan| Some(&*plan.groups.get(index)?.questions));
        let is_open = reader.is_open(run, index)?;
        let group = if is_open {
            open_result(
                &rows,
                (&task.id, strategy),
                config,
                questions,
                verdicts.as_mut(),
            )
        } else {
            let read = |visit: &mut dyn FnMut(StoredRow)| reader.rows(run, index, visit);
            group_result(read, (&task.id, strategy), config, prompts.as_mut())
        };
        counts.extend(prompts.map(|prompts| prompts.counts));
        found.push(group?);
        if !is_open && !tasks.iter().any(|(id, _)| *id == task.id) {
            tasks.push((task.id.clone(), task.title.clone()));
        }
    }
    mark_cut(&mut found, &counts);
    for ordered in OrderedGroup::all(reader, &reader.run(run)?)? {
        add_ordered(&mut found, reader, &ordered, config)?;
    }
    let result = ModelResult {
        name: identity.name.clone(),
        identity: identity.clone(),
        run,
        complete: false,
        tasks: Vec::new(),
        mean: None,
        intervals: None,
        groups: found,
        noise: None,
        recheck: None,
        timing: Timing::default(),
    };
    Ok(result.summarised(&tasks))
}

/// Counts over the rows of a group.
#[derive(Default)]
struct RowCounts {
    planned: usize,
    answered: usize,
    bounded: usize,
    mass: f64,
    /// Questions that are shown in one order, since their options refer to each other.
    fixed: usize,
    drawn: Option<DrawnAnswers>,
    failures: BTreeMap<String, Failures>,
}

impl RowCounts {
    fn count(&mut self, row: &StoredRow) {
        self.planned += 1;
        self.fixed += usize::from(row.turn.is_some_and(Turn::is_fixed));
        if let Some(drawn) = &row.drawn {
            self.count_drawn(drawn);
        }
        let Some(scores) = &row.scores else {
            self.count_failure(row);
            return;
        };
        self.answered += 1;
        self.bounded += usize::from(scores.observed.contains(&false));
        self.mass += scores.mass;
    }

    fn count_drawn(&mut self, drawn: &Drawn) {
        let counts = self.drawn.get_or_insert_default();
        counts.answers += u64::from(drawn.given());
        counts.chosen += drawn.chosen.iter().copied().map(u64::from).sum::<u64>();
        counts.refused += u64::from(drawn.refused);
        counts.cut += u64::from(drawn.cut);
        counts.unreadable += u64::from(drawn.unreadable);
        counts.said += u64::from(drawn.said);
        counts.thoughts += u64::from(drawn.thoughts);
        counts.answer_tokens += drawn.answer_tokens;
    }

    /// Of several orders together, how many questions have one.
    fn fixed_note(&self, strategy: &str) -> Option<String> {
        let is_derived = OrderOf::split(strategy).1.is_derived();
        (is_derived && self.fixed > 0).then(|| {
            format!(
                "options of {} refer to each other, so that these were asked in one order",
                counted(self.fixed, "question")
            )
        })
    }

    /// A group of so many rows, without figures.
    fn into_group(self, task: &str, strategy: &str) -> GroupResult {
        let of_answered = |sum: f64| (self.answered > 0).then(|| sum / self.answered as f64);
        GroupResult {
            task: task.to_owned(),
            strategy: strategy.to_owned(),
            planned: self.planned,
            answered: self.answered,
            mean_mass: of_answered(self.mass),
            bounded_share: of_answered(self.bounded as f64),
            drawn: self.drawn,
            open: None,
            judged: None,
            cut_prompts: None,
            failures: self.failures,
            evaluation: None,
            note: None,
        }
    }

    /// Counts a question by the reason that it has no answer.
    fn count_failure(&mut self, row: &StoredRow) {
        let (kind, example, hint) = match &row.error {
            Some(error) => (error.kind(), error.to_string(), error.hint()),
            None => (
                NOT_ASKED,
                "the run ended before it was asked".to_owned(),
                "run the same command again".into(),
            ),
        };
        let new = || Failures {
            count: 0,
            example: format!("question {}: {example}", row.question.id),
            hint: hint.into_owned(),
        };
        self.failures
            .entry(kind.to_owned())
            .or_insert_with(new)
            .count += 1;
    }
}

/// The rows of one group of a run.
struct Rows<'a> {
    reader: &'a Reader,
    run: i64,
    index: usize,
}

/// Evaluates a group of open questions.
fn open_result(
    rows: &Rows<'_>,
    (task, strategy): (&str, &str),
    config: &Config,
    questions: Option<&Bank>,
    mut verdicts: Option<&mut Verdicts>,
) -> Result<GroupResult, StoreError> {
    let mut counts = RowCounts::default();
    let found = open::figures(
        rows,
        questions,
        verdicts.as_deref_mut(),
        config,
        &mut counts,
    )?;
    let (open, note) = open::with_note(found, config);
    Ok(GroupResult {
        open,
        judged: verdicts.map(|verdicts| std::mem::take(&mut verdicts.judged)),
        note,
        ..counts.into_group(task, strategy)
    })
}

/// Adds the figures of several orders together, behind those of each.
fn add_ordered(
    found: &mut Vec<GroupResult>,
    reader: &Reader,
    ordered: &OrderedGroup,
    config: &Config,
) -> Result<(), StoreError> {
    let read = |visit: &mut dyn FnMut(StoredRow)| ordered.rows(reader, visit);
    let name = ordered.name();
    let result = group_result(read, (&ordered.task, &name), config, None)?;
    let is_order = |group: &GroupResult| {
        group.task == ordered.task && OrderOf::split(&group.strategy).0 == ordered.strategy
    };
    let last = found.iter().rposition(is_order);
    found.insert(last.map_or(found.len(), |last| last + 1), result);
    Ok(())
}

/// Evaluates a group row by row, without holding the rows in memory.
fn group_result(
    read: impl Fn(&mut dyn FnMut(StoredRow)) -> Result<(), StoreError>,
    (task, strategy): (&str, &str),
    config: &Config,
    mut prompts: Option<&mut Prompts<'_>>,
) -> Result<GroupResult, StoreError> {
    let mut counts = RowCounts::default();
    let mut first_pass = true;
    let visit = |visit: &mut dyn FnMut(Row<'_>)| {
        let is_first = std::mem::replace(&mut first_pass, false);
        read(&mut |row| {
            if is_first {
                counts.count(&row);
                if let Some(prompts) = &mut prompts {
                    prompts.count(&row);
                }
            }
            if let Some(scores) = &row.scores {
                let logits = logits_of(&row, scores, config);
                visit(Row {
                    key: &row.question.content,
                    cluster: row.question.cluster.as_ref().map(<[u8; 32]>::as_slice),
                    logits: (&*logits).into(),
                    right: row.question.right,
                    dont_know: row.question.dont_know,
                    none_of_the_above: row.question.none_of_the_above,
                });
            }
        })
    };
    let (evaluation, note) = match evaluate_visiting(visit, config)? {
        Ok(e) if e.lac.qhat.is_none() => {
            let needed = Scheme::least_for_finite(config.alpha);
            let note = format!(
                "{} calibration questions are too few for an error rate of {}: every set is full (it takes {needed})",
                e.n_calibration, config.alpha
            );
            (Some(e), Some(note))
        }
        Ok(e) => (Some(e), e.aps_note(config.protocol).map(str::to_owned)),
        Err(error) => (None, Some(error.to_string())),
    };
    let several = evaluation.and_then(|evaluation| evaluation.several_note(config.covers));
    let fixed = counts.fixed_note(strategy);
    let notes: Vec<String> = several.into_iter().chain(fixed).chain(note).collect();
    let note = (!notes.is_empty()).then(|| notes.join("; "));
    Ok(GroupResult {
        evaluation,
        note,
        ..counts.into_group(task, strategy)
    })
}

/// A question's log-probabilities, or the tempered softmax of its shares.
pub(crate) fn logits_of<'a>(
    row: &StoredRow,
    scores: &'a OptionScores,
    config: &Config,
) -> Cow<'a, [f64]> {
    let drawn = row.drawn.as_ref().filter(|drawn| drawn.thoughts == 0);
    match drawn.zip(config.tempered) {
        Some((drawn, temperature)) => Cow::Owned(tempered_shares(&drawn.chosen, temperature)),
        None => Cow::Borrowed(&scores.logprobs),
    }
}

/// The content of `results.json`.
pub(crate) fn results(
    settings: RunSettings,
    models: Vec<ModelResult>,
    provenance: Provenance,
) -> Results {
    Results {
        version: 1,
        program: crate::PROGRAM.to_owned(),
        provenance: Some(provenance),
        settings,
        models,
        settled: None,
    }
}

/// Writes the results in both formats: under the number of their first run, which no other command
/// replaces, then as the newest of the folder.
pub(crate) fn write(folder: &Folder, results: &Results) -> Result<(), Failure> {
    let cannot_encode =
        |e: &dyn std::fmt::Display| Failure::new(format!("cannot encode the results: {e}"));
    let mut json = serde_json::to_vec_pretty(results).map_err(|e| cannot_encode(&e))?;
    json.push(b'\n');
    let mut csv = Vec::new();
    sureness_report::write_csv(results, &mut csv).map_err(|e| cannot_encode(&e))?;
    let run = results.models.first().map(|model| model.run);
    folder.save(run, &json, &csv).map_err(|(path, e)| {
        Failure::new(format!("cannot write {}: {e}", path.display()))
            .hint(
                "free some disk space, then run the same command again: all answers are saved, \
                 and no question is asked again",
            )
            .kind(Kind::Unfinished)
    })
}

/// Fails if more questions failed than allowed.
pub(crate) fn check_failures(model: &ModelResult, allowed: f64) -> Result<(), Failure> {
    let planned: usize = model.asked_groups().map(|g| g.planned).sum();
    let answered: usize = model.asked_groups().map(|g| g.answered).sum();
    let failed = planned - answered;
    if failed as f64 > allowed * planned as f64 {
        let kinds = model.asked_groups().flat_map(|g| g.failures.values());
        let most = kinds.max_by_key(|failures| failures.count);
        let (example, hint) = most.map_or(("", ""), |f| (&*f.example, &*f.hint));
        return Err(Failure::new(format!(
            "{}: {} of {} have no answer, more than the allowed {} %; {example}",
            model.name,
            count(failed),
            counted(planned, "question"),
            allowed * 100.0
        ))
        .hint(format!(
            "{hint}. All reasons are under `failures` in results.json; the same command retries only \
             those questions"
        ))
        .kind(Kind::Unfinished));
    }
    Ok(())
}

/// Some prompts of a group beside the counts of their tokens.
struct Prompts<'a> {
    group: &'a Group,
    requests: GroupRequests,
    /// Every so many rows is looked at.
    step: usize,
    row: usize,
    counts: PromptCounts,
}

impl<'a> Prompts<'a> {
    fn of(group: &'a Group) -> Self {
        Self {
            group,
            // Keys are of no interest here.
            requests: group.requests([0; 32], None),
            step: group.questions.len().div_ceil(SAMPLED).max(1),
            row: 0,
            counts: PromptCounts::default(),
        }
    }

    /// Counts a row; rows come in the order of the questions.
    fn count(&mut self, row: &StoredRow) {
        let index = self.row;
        self.row += 1;
        let tokens = row
            .scores
            .as_ref()
            .and_then(|scores| scores.usage.prompt_tokens);
        let Some(tokens) = tokens.filter(|_| index.is_multiple_of(self.step)) else {
            return;
        };
        // A question that cannot be read back tells nothing.
        let Ok((digests, question)) = self.group.questions.read(index) else {
            return;
        };
        if digests.content == row.question.content {
            let prompt = self.requests.of(&question, 0).prompt;
            self.counts
                .add(prompt.prefix.len() + prompt.suffix.len(), tokens);
        }
    }
}

/// Marks the groups whose prompts were cut. All groups have one server, so that one group's largest
/// count tells about the others.
fn mark_cut(groups: &mut [GroupResult], counts: &[PromptCounts]) {
    let mut all = PromptCounts::default();
    for counts in counts {
        all.merge(counts);
    }
    let Some(cut) = all.cut() else { return };
    for (group, counts) in groups.iter_mut().zip(counts) {
        if counts.reaches(cut.tokens) {
            group.cut_prompts = Some(cut);
        }
    }
}
