//! Runs the benchmark.

mod asking;
mod continued;
#[cfg(not(feature = "nats"))]
#[path = "fleet_disabled.rs"]
mod fleet;
#[cfg(feature = "nats")]
mod fleet;
mod judge;
mod noise;
mod outcome;
mod plausible;
mod recheck;
mod rounds;
mod spent;
mod split;
mod store;
mod until;
mod words;

use std::sync::Arc;

use futures_util::future::join_all;
use sureness_analysis::number::counted;
use sureness_analysis::settled::Settled;
use sureness_conformal::Config;
use sureness_engine::{AnswerSink, Cancel, Plan, SinkError, Stop, Summary};
use sureness_hint::Hint;
use sureness_record::{Noise, Provenance, RunSettings};
use sureness_report::{AnsweredAt, JudgeTiming, ModelResult, Recheck, RecheckOutcome, Results};
use sureness_scorers::{ModelIdentity, OptionScorer};
use sureness_store::Store;

use crate::budget::Budget;
use crate::error::{Failure, Kind};
use crate::figures;
use crate::folder::{self, Folder};
use crate::judge::OpenedJudge;
use crate::live::Board;
use crate::models::open::{self, Endpoints, Model};
use crate::provenance::provenance;
use crate::questions::Questions;
use crate::settings::Settings;
use crate::watch::{DescribeWorkers, Interrupts, Watch};
use crate::ways;
use fleet::Fleet;
#[cfg(feature = "nats")]
pub use fleet::describe_link;
pub(crate) use judge::check as check_judge;
pub use outcome::{Ended, Outcome};
use recheck::ModelCheck;
pub use recheck::{MIN_QUESTIONS as MIN_RECHECK, movement};
use spent::spent;
pub(crate) use until::record as until_record;
pub(crate) use words::{check, check_open, draws};

/// Measures the models on the questions and writes answers and results to the output folder. Starts
/// an async runtime; inside one, use [`run_async`].
pub fn run(settings: &Settings, models: &[Model], watch: &dyn Watch) -> Result<Outcome, Failure> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(run_async(settings, models, watch));
    // Everything to save is saved. Remaining tasks may never end: a blocking call to a silent
    // server, a model that is still loading.
    runtime.shutdown_background();
    outcome
}

/// Starts an async runtime on all cores.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("cannot start the async runtime: {e}")))
}

/// Like [`run`], within a multi-threaded async runtime with all drivers enabled.
///
/// Cheap checks come first: questions and settings, then the output folder, then each model, and
/// only then the first request.
pub async fn run_async(
    settings: &Settings,
    models: &[Model],
    watch: &dyn Watch,
) -> Result<Outcome, Failure> {
    words::check(settings, models)?;
    let mut questions = Questions::load(&settings.questions, settings.evaluation.seed)?;
    words::check_open(settings, &questions)?;
    let open_task = questions.open_task()?.map(str::to_owned);
    let resolved = ways::resolved(settings, models, open_task.as_deref(), watch).await?;
    let settings = &resolved;
    words::check(settings, models)?;
    until::check(settings, models, open_task.as_deref())?;
    judge::check(settings, &questions)?;
    questions.plan.draws = words::draws(settings);
    let answers = questions.plan.answers() * models.len();
    let folder = folder::prepare(&settings.output_dir, answers)?;
    folder.check_results()?;
    let (config, note) = split::config(settings, &questions, &folder)?;
    watch.begin(&questions.describe());
    for note in note.into_iter().chain(questions.notes()) {
        watch.note(&format!("note: {note}"));
    }
    let mut session = Session {
        settings,
        watch,
        questions,
        config,
        board: Board::beside(&folder.store),
        folder,
        provenance: provenance(settings.command.clone()),
        interrupts: watch.interrupts(settings.fleet.is_some()),
        fleet: None,
        judge: None,
        models: Vec::new(),
        settled: None,
    };
    session.judge = session.open_judge().await?;
    if let Some(fleet) = &settings.fleet {
        let board = session.board.clone();
        let opened = Fleet::open(fleet, &settings.asking, models, watch, board);
        session.fleet = session.interrupts.race(opened).await.transpose()?;
    }
    Box::pin(session.measure(models)).await?;
    session.dismiss_workers().await;
    Ok(session.outcome())
}

/// The backend of models in this process, whose answers are reproducible.
const EMBEDDED_BACKEND: &str = "llama.cpp";

struct Session<'a> {
    settings: &'a Settings,
    watch: &'a dyn Watch,
    questions: Questions,
    /// The evaluation settings.
    config: Config,
    folder: Folder,
    /// For those who watch from elsewhere.
    board: Board,
    provenance: Provenance,
    interrupts: Interrupts,
    /// The workers on other machines, if any.
    fleet: Option<Fleet>,
    /// The judge of open questions, if any.
    judge: Option<OpenedJudge>,
    models: Vec<(ModelResult, Option<Stop>)>,
    /// What a run has shown that stops as soon as it is.
    settled: Option<Settled>,
}

/// A model that was asked, with the summary of its requests.
struct AskedModel {
    run: i64,
    identity: ModelIdentity,
    plan: Arc<Plan>,
    summary: Summary,
    /// When the cached answers were given.
    cached_answered_at: Option<AnsweredAt>,
    recheck: Option<Recheck>,
    noise: Option<Noise>,
    /// Its prices and limits.
    budget: Budget,
    /// The requests to the judge, if there is one.
    judged: Option<JudgeTiming>,
    /// Why the run gave up on the model or its workers.
    given_up: Option<Failure>,
}

/// A model that is ready to be asked.
struct OpenedModel {
    endpoints: Endpoints,
    settings: sureness_engine::Settings,
    /// Describes the workers on other machines, if any.
    workers: Option<DescribeWorkers>,
    /// Wraps the store so that the relay can acknowledge saved answers.
    wrap_sink: WrapSink,
}

type WrapSink = Box<dyn Fn(Box<dyn AnswerSink>) -> Box<dyn AnswerSink> + Send + Sync>;

impl Session<'_> {
    /// Asks and evaluates all models: one after the other, since they share this machine or its
    /// servers, or concurrently if each has its own workers.
    async fn measure(&mut self, models: &[Model]) -> Result<(), Failure> {
        if let Some(stopping) = &self.settings.until {
            return Box::pin(self.measure_until(models, stopping)).await;
        }
        if self.fleet.is_none() {
            for (model, checked) in models.iter().zip(self.recheck_all(models).await?) {
                if self.interrupts.stop_requested() {
                    break;
                }
                if let Some(asked) = Box::pin(self.ask(model, checked)).await? {
                    self.evaluate_and_save(asked)?;
                }
            }
            return Ok(());
        }
        let all = models
            .iter()
            .map(|model| self.ask(model, ModelCheck::default()));
        let mut outcome = Ok(());
        for asked in join_all(all).await {
            let kept =
                asked.and_then(|asked| asked.map_or(Ok(()), |asked| self.evaluate_and_save(asked)));
            // A failure does not keep the other models from being saved.
            outcome = outcome.and(kept);
        }
        outcome
    }

    /// Asks one model all questions; `None` if a stop was requested before the first.
    async fn ask(&self, model: &Model, checked: ModelCheck) -> Result<Option<AskedModel>, Failure> {
        let plan = Arc::new(self.questions.plan.clone());
        let ignore_cache = checked.ignores_cache();
        let opened = match checked.opened {
            Some(opened) => Some(opened),
            None => self.interrupts.race(self.open_model(model, &plan)).await,
        };
        let Some(opened) = opened.transpose()? else {
            return Ok(None);
        };
        let Some(first) = opened.endpoints.first() else {
            return Ok(None);
        };
        let first = Arc::clone(first);
        let identity = first.identity().clone();
        let budget = self.settings.budget_of(model, &identity.name)?;
        let round = asking::Round {
            model,
            identity: identity.clone(),
            budget: budget.clone(),
            ignore_cache,
        };
        let asked = self.ask_in_rounds(opened, round).await?;
        let asking::Answered {
            run,
            summary,
            cached_at,
            judged,
            given_up,
        } = asked;
        let noise = self.noise(first.as_ref(), &plan, &summary).await;
        Ok(Some(AskedModel {
            run,
            identity,
            plan,
            summary,
            cached_answered_at: cached_at,
            recheck: checked.recheck,
            noise,
            budget,
            judged,
            given_up,
        }))
    }

    /// Evaluates a model's answers and writes the results.
    fn evaluate_and_save(&mut self, mut asked: AskedModel) -> Result<(), Failure> {
        let sink_error = match &asked.summary.stop {
            Some(Stop::Sink(message)) => Some(message.clone()),
            _ => None,
        };
        let given_up = asked.given_up.take();
        let evaluated = self.evaluate(asked).and_then(|()| {
            let model = self.models.last().map(|(model, _)| model);
            model.map_or(Ok(()), |model| {
                plausible::check(model, self.settings.least_mass)
            })
        });
        if let (Some(error), Ok(())) = (given_up, &evaluated) {
            return Err(error);
        }
        match sink_error {
            // A full disk fails the results too, but this is the cause.
            Some(message) => Err(Failure::new(format!("cannot save answers: {message}"))
                .hint(
                    "free some disk space, or raise the file size limit, then run the same command \
                     again: all answers so far are saved, and it asks only the rest",
                )
                .kind(Kind::Unfinished)),
            None => evaluated,
        }
    }

    /// Opens a model here, or waits for a worker that has it.
    async fn open_model(&self, model: &Model, plan: &Plan) -> Result<OpenedModel, Failure> {
        if let Some(fleet) = &self.fleet {
            return fleet.open_model(model).await;
        }
        let asking = &self.settings.asking;
        let endpoints = open::open(model, asking, self.watch).await?;
        if let Some(first) = endpoints.first() {
            check_prefixes(first.as_ref(), plan).await?;
        }
        Ok(OpenedModel {
            settings: open::engine_settings(asking, model, &endpoints),
            endpoints,
            workers: None,
            wrap_sink: Box::new(|store| store),
        })
    }

    /// Asks until all questions are answered, or until the model has had no worker for too long.
    async fn run_while_workers_last(
        &self,
        model: &Model,
        asking: impl Future<Output = Result<Summary, SinkError>>,
        stop: &Cancel,
    ) -> (Result<Summary, SinkError>, Option<Failure>) {
        let Some(fleet) = &self.fleet else {
            return (asking.await, None);
        };
        tokio::pin!(asking);
        let given_up = tokio::select! {
            summary = &mut asking => return (summary, None),
            error = fleet.gives_up(model) => Some(error),
            () = self.interrupts.stopped() => None,
        };
        stop.now();
        (asking.await, given_up)
    }

    /// Dismisses the workers if the run is complete. After an early end they stay, since the same
    /// command continues with them.
    async fn dismiss_workers(&self) {
        let Some(fleet) = &self.fleet else { return };
        let complete = self.models.iter().all(|(_, stop)| stop.is_none());
        if complete && !self.interrupts.stop_requested() {
            fleet.finish().await;
        }
        for (lane, (model, _)) in (0..).zip(&self.models) {
            let twice = fleet.answered_twice(lane);
            let asked = model.timing.asked.max(1);
            if twice > 0 {
                self.watch.note(&format!(
                    "{}: {} answered twice ({:.2} % of {}); figures are unaffected",
                    model.name,
                    counted(twice as usize, "question"),
                    100.0 * twice as f64 / asked as f64,
                    asked,
                ));
            }
        }
    }

    fn evaluate(&mut self, asked: AskedModel) -> Result<(), Failure> {
        let AskedModel { run, summary, .. } = asked;
        let mut store = Store::open(&self.folder.store)?;
        let settled = store.settle_copies(run);
        let mut result = figures::evaluate(
            &self.folder.store,
            run,
            &asked.identity,
            &asked.plan,
            &summary,
            &self.config,
        )?;
        #[cfg(feature = "nats")]
        if self.fleet.is_some() {
            result.timing = figures::timing::of_workers(&summary);
        }
        result.timing.cached_answered_at = asked.cached_answered_at;
        result.noise = asked.noise;
        result.recheck = asked.recheck;
        let tokens = spent(&self.folder.store, run)?;
        result.timing.spent = Some(asked.budget.spent(tokens));
        result.timing.judge = asked.judged;
        if asked
            .recheck
            .is_some_and(|r| r.outcome == RecheckOutcome::Kept)
        {
            result
                .note("the model has changed since it gave the cached answers (--on-change keep)");
        }
        if let Some(shard) = self.settings.questions.shard {
            result.note(&format!(
                "shard {shard}: these figures cover only part of the questions"
            ));
        }
        let complete = summary.stop.is_none();
        self.models.push((result, summary.stop));
        // Written after each model, so that a later failure loses nothing.
        let results = self.results();
        figures::write(&self.folder, &results)
            // Results that cannot be written are at least shown.
            .inspect_err(|_| self.watch.unsaved(&results))?;
        // Last, so that a rerun continues a run without results, even with `--no-cache`.
        if complete {
            settled.and_then(|()| store.finish_run(run))?;
        }
        Ok(())
    }

    /// The record of the run's settings.
    fn record(&self) -> RunSettings {
        RunSettings {
            judge: self.judge.as_ref().map(|judge| judge.record.clone()),
            ..self.questions.record(self.settings, &self.config)
        }
    }

    fn results(&self) -> Results {
        let models = self.models.iter().map(|(model, _)| model.clone());
        Results {
            settled: self.settled.clone(),
            ..figures::results(self.record(), models.collect(), self.provenance.clone())
        }
    }

    fn outcome(self) -> Outcome {
        Outcome {
            results: self.results(),
            interrupted: self.interrupts.stop_requested(),
            unfound: Vec::new(),
            stops: self.models.into_iter().map(|(_, stop)| stop).collect(),
            folder: self.folder,
        }
    }
}

/// Fails if the few-shot examples of a prompt alone fill the model's context, so that none of its
/// questions could be asked.
async fn check_prefixes(scorer: &dyn OptionScorer, plan: &Plan) -> Result<(), Failure> {
    for group in &plan.groups {
        let prefix = group.builder.prefix();
        scorer.check_prefix(prefix).await.map_err(|error| {
            Failure::new(format!(
                "{}: task {} with strategy {}: the few-shot examples leave no room for a question: {error}",
                scorer.identity().name,
                group.task.id,
                group.name(),
            ))
            .hint(error.hint())
        })?;
    }
    Ok(())
}
