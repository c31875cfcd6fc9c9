//! Asks some cached questions again before their answers are used, since the model behind a name
//! may have changed.

mod rule;
mod sample;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sureness_analysis::number::counted;
use sureness_engine::{Answer, AnswerSink, Planned, SinkError};
use sureness_record::RunRecord;
use sureness_report::{Recheck, RecheckOutcome};
use sureness_scorers::{OptionScores, RequestKey, ScoreError};

use super::{OpenedModel, Session};
use crate::age;
use crate::error::{Failure, Kind};
use crate::models::open::Model;
use crate::settings::OnChange;
pub use rule::MIN_QUESTIONS;
use rule::{Finding, Reanswer, Verdict};
use sample::Sample;

/// The state of a model before it is asked.
#[derive(Default)]
pub(super) struct ModelCheck {
    /// The outcome of opening it, if that was tried.
    pub(super) opened: Option<Result<OpenedModel, Failure>>,
    /// The finding of the recheck, if there was one.
    pub(super) recheck: Option<Recheck>,
}

impl ModelCheck {
    /// Whether the model's answers from earlier runs must not be used.
    pub(super) fn ignores_cache(&self) -> bool {
        self.recheck
            .is_some_and(|recheck| recheck.outcome == RecheckOutcome::AskedAnew)
    }
}

impl Session<'_> {
    /// Rechecks all models before any is asked, so that a run which fails on a changed model leaves
    /// the results as they were. Returns one entry per model, fewer if interrupted.
    ///
    /// Not for remote workers, to which each question goes once.
    pub(super) async fn recheck_all(&self, models: &[Model]) -> Result<Vec<ModelCheck>, Failure> {
        let cache = &self.settings.cache;
        let has_cache = self.folder.store.exists() || !cache.also_from.is_empty();
        let wanted = cache.recheck > 0 && !cache.ignore && has_cache;
        let mut all = Vec::with_capacity(models.len());
        let mut changed = Vec::new();
        for model in models {
            let mut checked = ModelCheck::default();
            // An embedded model is reproducible, and its identity includes its content. Drawn answers
            // differ each time.
            let is_drawn = self.questions.plan.draws.is_some();
            if wanted && !model.is_embedded() && !is_drawn {
                let Some(opened) = self
                    .interrupts
                    .race(self.open_model(model, &self.questions.plan))
                    .await
                else {
                    break;
                };
                if let Ok(opened) = &opened {
                    let (recheck, change) = self.recheck(opened).await?;
                    checked.recheck = recheck;
                    changed.extend(change);
                }
                // A failure to open it is reported when it is this model's turn.
                checked.opened = Some(opened);
            }
            all.push(checked);
        }
        if !changed.is_empty()
            && cache.on_change == OnChange::Fail
            && !self.interrupts.stop_requested()
        {
            return Err(Failure::new(changed.join("\n"))
                .hint(
                    "use --on-change ask to ask every question again, or --on-change keep to use the \
                     cached answers and mark the result; results and cached answers are unchanged",
                )
                .kind(Kind::Unfinished));
        }
        Ok(all)
    }

    /// Rechecks one model. Returns a sentence about the change if the model has changed.
    async fn recheck(
        &self,
        opened: &OpenedModel,
    ) -> Result<(Option<Recheck>, Option<String>), Failure> {
        let Some(first) = opened.endpoints.first() else {
            return Ok((None, None));
        };
        let identity = first.identity();
        let record = RunRecord {
            model: identity.clone(),
            settings: self.record(),
        };
        let mut store = self.open_store(false)?;
        let plan = &self.questions.plan;
        let sample = Sample::draw(
            plan,
            identity,
            &mut store,
            &record,
            self.settings.cache.recheck,
        )?;
        drop(store);
        let questions = sample.cached.len();
        if questions == 0 {
            return Ok((None, None));
        }
        let name = &identity.name;
        if questions < MIN_QUESTIONS {
            self.watch.note(&format!(
                "{name}: no recheck: only {questions} of the questions looked up have a cached \
                 answer, and {MIN_QUESTIONS} are needed"
            ));
            return Ok((None, None));
        }
        self.watch.note(&format!(
            "{name}: recheck: asking {} again",
            counted(questions, "cached question")
        ));

        tracing::info!(questions, "recheck");
        let mut cost = Cost::default();
        let cached: Vec<OptionScores> = sample.cached.iter().map(|(_, s)| s.clone()).collect();
        let mut rounds = vec![self.round(opened, &sample, &mut cost).await?];
        let mut finding = rule::judge(&cached, &rounds);
        if finding.verdict == Verdict::Changed && !self.interrupts.stop_requested() {
            rounds.push(self.round(opened, &sample, &mut cost).await?);
            finding = rule::judge(&cached, &rounds);
        }
        if self.interrupts.stop_requested() {
            return Ok((None, None));
        }
        let outcome = match (finding.verdict, self.settings.cache.on_change) {
            (Verdict::Same, _) => RecheckOutcome::Unchanged,
            (Verdict::TooFew, _) => RecheckOutcome::Unknown,
            (Verdict::Changed, OnChange::Ask) => RecheckOutcome::AskedAnew,
            (Verdict::Changed, OnChange::Keep | OnChange::Fail) => RecheckOutcome::Kept,
        };
        if outcome == RecheckOutcome::Unknown {
            self.watch.warn(&unknown(name, &rounds));
        }
        let recheck = to_record(&finding, outcome, questions, cost);
        let changed = (finding.verdict == Verdict::Changed).then(|| {
            format!(
                "{name}: the model behind this name has changed since it gave the cached answers \
                 ({}): {}",
                age::range(sample.answered_at, age::now()),
                movement(&recheck)
            )
        });
        if let Some(changed) = changed
            .as_ref()
            .filter(|_| self.settings.cache.on_change != OnChange::Fail)
        {
            self.watch.warn(&format!("warning: {changed}"));
        }
        Ok((Some(recheck), changed))
    }

    /// Asks the questions once, with the limits, retries and servers of the run.
    async fn round(
        &self,
        opened: &OpenedModel,
        sample: &Sample,
        cost: &mut Cost,
    ) -> Result<Vec<Reanswer>, Failure> {
        let outcomes = MemorySink::default();
        let summary = sureness_engine::run(
            Arc::clone(&sample.plan),
            opened.endpoints.clone(),
            opened.settings,
            Box::new(outcomes.clone()),
            self.interrupts.cancel(),
            self.watch.recheck(&sample.plan),
        )
        .await
        .map_err(Failure::new)?;
        cost.requests += summary.endpoints.iter().map(|e| e.requests).sum::<u64>();
        cost.prompt_tokens += summary.prompt_tokens;
        let mut found = outcomes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = || ScoreError::Backend {
            message: summary
                .stop
                .as_ref()
                .map_or_else(|| "not asked".to_owned(), ToString::to_string),
        };
        let keys = sample.cached.iter().map(|(key, _)| key);
        Ok(keys
            .map(|key| found.remove(key).unwrap_or_else(|| Err(missing())).into())
            .collect())
    }
}

/// The cost of a recheck.
#[derive(Clone, Copy, Default)]
struct Cost {
    requests: u64,
    prompt_tokens: u64,
}

/// A sink that keeps answers in memory.
#[derive(Clone, Default)]
struct MemorySink(Arc<Mutex<HashMap<RequestKey, Result<OptionScores, ScoreError>>>>);

impl AnswerSink for MemorySink {
    fn plan(&mut self, _: u32, _: u32, questions: &[Planned]) -> Result<Vec<bool>, SinkError> {
        Ok(vec![false; questions.len()])
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(answers.iter().map(|a| (a.key, a.outcome.clone())));
        Ok(())
    }
}

/// The finding as `results.json` has it.
fn to_record(finding: &Finding, outcome: RecheckOutcome, questions: usize, cost: Cost) -> Recheck {
    let finite = |x: f64| (finding.compared > 0 && x.is_finite()).then_some(x);
    Recheck {
        outcome,
        questions,
        compared: finding.compared,
        requests: cost.requests,
        prompt_tokens: cost.prompt_tokens,
        moved: finding.moved,
        threshold: finite(finding.threshold),
        noise_floor: finding.noise_floor.and_then(finite),
        median_difference: finite(finding.median),
        largest_difference: finite(finding.largest),
        changed_top_options: finding.changed_top_options,
    }
}

/// A warning that the recheck could not tell whether the model has changed.
fn unknown(name: &str, rounds: &[Vec<Reanswer>]) -> String {
    let mut failed = rounds.iter().flatten().filter_map(|again| match again {
        Reanswer::Failed(error) => Some(error),
        Reanswer::Scores(_) | Reanswer::NoOption => None,
    });
    let reason = failed.next_back().map_or_else(
        || "the others had no option observed".to_owned(),
        |error| format!("the others failed, such as with: {error}"),
    );
    format!(
        "warning: {name}: whether the model has changed is unknown: fewer than {MIN_QUESTIONS} \
         cached questions could be asked again ({reason}). Using the cached answers"
    )
}

/// Describes how far the answers moved.
pub fn movement(recheck: &Recheck) -> String {
    let r = recheck;
    let nats =
        |x: Option<f64>| x.map_or_else(|| "unbounded".to_owned(), |x| format!("{x:.3} nats"));
    let noise = match r.noise_floor {
        Some(floor) => format!("; noise floor {floor:.3} nats"),
        None => String::new(),
    };
    format!(
        "{} of {} rechecked questions moved by more than {} (median {}, largest {}{noise}); {} \
         changed their top option",
        r.moved,
        r.compared,
        nats(r.threshold),
        nats(r.median_difference),
        nats(r.largest_difference),
        r.changed_top_options,
    )
}
