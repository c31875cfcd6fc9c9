//! Asks some cached questions again before their answers are used: a name may stand for another
//! model than it did when they were given.

mod rule;
mod sample;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sureness_analysis::number::counted;
use sureness_engine::{Answer, AnswerSink, Planned, SinkError};
use sureness_record::RunRecord;
use sureness_report::{Recheck, RecheckOutcome};
use sureness_scorers::{OptionScores, RequestKey, ScoreError};

use super::{Reached, Session};
use crate::age;
use crate::error::{Failure, Kind};
use crate::models::open::Model;
use crate::settings::OnChange;
pub use rule::LEAST;
use rule::{Again, Finding, Verdict};
use sample::Sample;

/// What is known of a model before it is asked.
#[derive(Default)]
pub(super) struct Checked {
    /// How reaching it went, if that was tried.
    pub(super) reached: Option<Result<Reached, Failure>>,
    /// What the recheck found, if there was one.
    pub(super) recheck: Option<Recheck>,
}

impl Checked {
    /// Whether nothing that the model answered in earlier runs is to be used.
    pub(super) fn is_asked_anew(&self) -> bool {
        self.recheck
            .is_some_and(|recheck| recheck.outcome == RecheckOutcome::AskedAnew)
    }
}

impl Session<'_> {
    /// Rechecks all models before any is asked, so that a run which fails because one of them has
    /// changed leaves the results as they were. One entry per model, unless interrupted.
    ///
    /// Not where workers on other machines ask: each question goes to them once.
    pub(super) async fn recheck_all(&self, models: &[Model]) -> Result<Vec<Checked>, Failure> {
        let cache = &self.settings.cache;
        let has_cache = self.folder.store.exists() || !cache.also_from.is_empty();
        let wanted = cache.recheck > 0 && !cache.ignore && has_cache;
        let mut all = Vec::with_capacity(models.len());
        let mut changed = Vec::new();
        for model in models {
            let mut checked = Checked::default();
            // The figures of an embedded model do not move, and its identity is its content.
            if wanted && !model.is_embedded() {
                let Some(reached) = self
                    .interrupts
                    .unless(self.reach(model, self.questions.plan()))
                    .await
                else {
                    break;
                };
                if let Ok(reached) = &reached {
                    let (recheck, told) = self.recheck(reached).await?;
                    checked.recheck = recheck;
                    changed.extend(told);
                }
                // Whoever cannot be reached is told of when it is this model's turn.
                checked.reached = Some(reached);
            }
            all.push(checked);
        }
        if !changed.is_empty() && cache.on_change == OnChange::Fail && !self.interrupts.came() {
            return Err(Failure::new(changed.join("\n"))
                .hint(
                    "the results and cached answers are as they were. --on-change ask asks \
                     everything anew; --on-change keep uses the cached answers and marks the result",
                )
                .kind(Kind::Unfinished));
        }
        Ok(all)
    }

    /// Rechecks one model; a sentence about the change if it has changed.
    async fn recheck(
        &self,
        reached: &Reached,
    ) -> Result<(Option<Recheck>, Option<String>), Failure> {
        let Some(first) = reached.endpoints.first() else {
            return Ok((None, None));
        };
        let identity = first.identity();
        let record = RunRecord {
            model: identity.clone(),
            settings: self.record(),
        };
        let mut store = self.open_store(false)?;
        let plan = self.questions.plan();
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
        if questions < LEAST {
            self.watch.note(&format!(
                "{name}: no recheck: of the questions looked up only {questions} have an answer of \
                 an earlier run, and it takes {LEAST}"
            ));
            return Ok((None, None));
        }
        self.watch.note(&format!(
            "{name}: recheck of {}: they are asked again",
            counted(questions, "cached answer")
        ));

        tracing::info!(questions, "recheck");
        let mut cost = Cost::default();
        let cached: Vec<OptionScores> = sample.cached.iter().map(|(_, s)| s.clone()).collect();
        let mut rounds = vec![self.round(reached, &sample, &mut cost).await?];
        let mut finding = rule::judge(&cached, &rounds);
        if finding.verdict == Verdict::Changed && !self.interrupts.came() {
            rounds.push(self.round(reached, &sample, &mut cost).await?);
            finding = rule::judge(&cached, &rounds);
        }
        if self.interrupts.came() {
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
        let recheck = told(&finding, outcome, questions, cost);
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

    /// Asks the questions once, as the run would: with its limits, retries and servers.
    async fn round(
        &self,
        reached: &Reached,
        sample: &Sample,
        cost: &mut Cost,
    ) -> Result<Vec<Again>, Failure> {
        let outcomes = Outcomes::default();
        let summary = sureness_engine::run(
            Arc::clone(&sample.plan),
            reached.endpoints.clone(),
            reached.settings,
            Box::new(outcomes.clone()),
            self.interrupts.cancel(),
            self.watch.recheck(),
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

/// What a recheck took.
#[derive(Clone, Copy, Default)]
struct Cost {
    requests: u64,
    prompt_tokens: u64,
}

/// Keeps answers in memory.
#[derive(Clone, Default)]
struct Outcomes(Arc<Mutex<HashMap<RequestKey, Result<OptionScores, ScoreError>>>>);

impl AnswerSink for Outcomes {
    fn plan(&mut self, _: u32, _: u32, questions: &[Planned]) -> Result<Vec<bool>, SinkError> {
        Ok(vec![false; questions.len()])
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(answers.iter().map(|a| (a.key, a.outcome.clone())));
        Ok(())
    }
}

/// The finding as it is kept in `results.json`.
fn told(finding: &Finding, outcome: RecheckOutcome, questions: usize, cost: Cost) -> Recheck {
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

/// Why it stays open whether the model has changed.
fn unknown(name: &str, rounds: &[Vec<Again>]) -> String {
    let mut failed = rounds.iter().flatten().filter_map(|again| match again {
        Again::Failed(error) => Some(error),
        Again::Scores(_) | Again::NoOption => None,
    });
    let reason = failed.next_back().map_or_else(
        || "the others had no option observed".to_owned(),
        |error| format!("the others failed, such as with: {error}"),
    );
    format!(
        "warning: {name}: whether the model has changed is not known: fewer than {LEAST} cached \
         questions could be asked again ({reason}). The cached answers are used"
    )
}

/// How far the answers moved, in words.
pub fn movement(recheck: &Recheck) -> String {
    let r = recheck;
    let nats =
        |x: Option<f64>| x.map_or_else(|| "beyond measure".to_owned(), |x| format!("{x:.3} nats"));
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
