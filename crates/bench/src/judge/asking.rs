//! Asks a judge what a run's figures need.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use sureness_engine::{Cancel, Observer, Plan, Stop};
use sureness_open::Meanings;
use sureness_questions::Question;
use sureness_record::Judge;
use sureness_report::{JudgeTiming, Spent};
use sureness_scorers::http::SamplingScorer;
use sureness_scorers::{OptionScorer, RequestKey};
use sureness_store::{JudgeSink, Reader, Store, StoreError};

use super::{JudgeSettings, Verdicts};
use crate::error::Failure;
use crate::figures::open::meanings;

/// A judge that answers.
pub(crate) struct OpenedJudge {
    endpoint: Arc<dyn OptionScorer>,
    /// What results and the store record of it.
    pub(crate) record: Judge,
    engine: sureness_engine::Settings,
}

impl OpenedJudge {
    /// Probes the judge's server.
    pub(crate) async fn open(
        settings: &JudgeSettings,
        engine: sureness_engine::Settings,
    ) -> Result<Self, Failure> {
        let sampled = JudgeSettings::sampled();
        let scorer = SamplingScorer::connect(settings.http.clone(), settings.api, sampled).await;
        let scorer = scorer.map_err(|error| {
            let failure = Failure::from(error);
            // The judge has flags of its own.
            let hint = failure.to_do().unwrap_or_default();
            let hint = hint.replace("--api-base", "--judge-base");
            let hint = hint.replace("--model", "--judge");
            Failure::new(format!("--judge: {failure}")).hint(hint)
        })?;
        Ok(Self {
            record: settings.record(scorer.identity()),
            endpoint: Arc::new(scorer),
            engine: sureness_engine::Settings {
                batch: sureness_engine::BatchSize::Fixed(std::num::NonZeroUsize::MIN),
                ..engine
            },
        })
    }
}

/// One model's answers before a judge.
pub(crate) struct Judging<'a> {
    pub(crate) judge: &'a OpenedJudge,
    /// The store with the answers.
    pub(crate) store: &'a Path,
    pub(crate) run: i64,
    pub(crate) plan: &'a Plan,
}

/// An open question with the meanings of its answers.
struct Asked {
    question: Question,
    meanings: Meanings,
}

impl Judging<'_> {
    /// Asks for comparisons, round by round, until every open question is settled. `open_store` opens the
    /// store with the cached answers that the settings allow. Returns counts, and why it ended early.
    pub(crate) async fn ask(
        &self,
        open_store: impl Fn() -> Result<Store, Failure>,
        cancel: &Cancel,
        observer: Observer,
    ) -> Result<(JudgeTiming, Option<Stop>), Failure> {
        let mut timing = JudgeTiming::default();
        let mut open = self.questions()?;
        let mut failed = HashSet::new();
        loop {
            let mut verdicts = Verdicts::of(self.store, &self.judge.record)?;
            verdicts.failed.clone_from(&failed);
            let comparisons = next(&verdicts, &mut open)?;
            if comparisons.is_empty() {
                return Ok((timing, None));
            }
            let keys: Vec<RequestKey> = comparisons
                .iter()
                .map(|comparison| verdicts.pairs().key(comparison))
                .collect();
            let group = verdicts.pairs().group(&comparisons);
            let plan = Plan {
                groups: vec![group.map_err(|error| Failure::new(format!("--judge: {error}")))?],
                draws: Some(std::num::NonZeroU32::MIN),
                wanted: None,
            };
            let summary = sureness_engine::run(
                Arc::new(plan),
                vec![Arc::clone(&self.judge.endpoint)],
                self.judge.engine,
                Box::new(JudgeSink::new(open_store()?, self.run)),
                cancel.clone(),
                Arc::clone(&observer),
            )
            .await
            .map_err(|error| {
                Failure::new(error).hint("check the output folder and the disk it lies on")
            })?;
            let total = summary.total();
            timing.seconds += total.elapsed.as_secs_f64();
            timing.asked += total.answered;
            timing.cached += total.cached;
            timing.failed += total.failed;
            if summary.stop.is_some() {
                return Ok((timing, summary.stop));
            }
            // What failed for good is not asked again: the next round asks other pairs.
            failed.extend(self.unanswered(&keys)?);
        }
    }

    /// The open questions of the plan, with their answers.
    fn questions(&self) -> Result<Vec<Asked>, Failure> {
        let reader = Reader::open(self.store)?;
        let mut asked = Vec::new();
        for (index, group) in self.plan.groups.iter().enumerate() {
            if !reader.is_open(self.run, index)? {
                continue;
            }
            let mut positions = Vec::with_capacity(group.questions.len());
            reader.rows(self.run, index, |row| positions.push(row.position))?;
            for (number, position) in positions.into_iter().enumerate() {
                let question = group.questions.get(number).map_err(|error| {
                    Failure::new(format!("the questions cannot be read back: {error}"))
                })?;
                let answers = reader.answers(self.run, index, position)?;
                let meanings = meanings(&answers, &question);
                asked.push(Asked { question, meanings });
            }
        }
        Ok(asked)
    }

    /// The keys that have no answer.
    fn unanswered(&self, keys: &[RequestKey]) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut reader = Reader::open(self.store)?;
        reader.index_the_rest()?;
        let mut unanswered = Vec::new();
        for key in keys {
            if reader.reading(*key)?.is_none() {
                unanswered.push(key.0);
            }
        }
        Ok(unanswered)
    }
}

/// The next comparisons of all questions. Drops questions that are settled.
fn next(verdicts: &Verdicts, open: &mut Vec<Asked>) -> Result<Vec<Question>, StoreError> {
    let mut all = Vec::new();
    let mut failure = None;
    open.retain(
        |asked| match verdicts.next(&asked.meanings, &asked.question) {
            Ok(comparisons) => {
                let is_open = !comparisons.is_empty();
                all.extend(comparisons);
                is_open
            }
            Err(error) => {
                failure = Some(error);
                false
            }
        },
    );
    // Ids tell questions of a bank apart.
    for (number, comparison) in all.iter_mut().enumerate() {
        comparison.id = format!("{} ({number})", comparison.id);
    }
    failure.map_or(Ok(all), Err)
}

/// What a judge's answers came to, in all parts of a run.
pub(crate) fn spent(store: &Path, run: i64, settings: &JudgeSettings) -> Result<Spent, StoreError> {
    let [prompt, cached, answer] = Reader::open(store)?.tokens(-run)?;
    let tokens = crate::budget::Tokens {
        prompt,
        cached,
        answer,
    };
    Ok(Spent {
        prompt_tokens: prompt,
        cached_tokens: cached,
        answer_tokens: answer,
        cost: settings.prices.as_ref().map(|prices| prices.cost(tokens)),
        currency: settings
            .prices
            .as_ref()
            .and_then(|prices| prices.currency.clone()),
    })
}
