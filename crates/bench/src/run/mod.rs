//! A run: questions, models, asking, figures, files.

#[cfg(not(feature = "nats"))]
#[path = "alone.rs"]
mod fleet;
#[cfg(feature = "nats")]
mod fleet;
mod noise;
mod outcome;
mod recheck;
mod split;
mod store;

use std::sync::Arc;

use futures_util::future::join_all;
use sureness_analysis::number::counted;
use sureness_conformal::Config;
use sureness_engine::{AnswerSink, Cancel, Event, Plan, SinkError, Stop, Summary};
use sureness_hint::Hint;
use sureness_record::RunSettings;
use sureness_report::{AnsweredAt, ModelResult, Noise, Recheck, RecheckOutcome, Results};
use sureness_scorers::{ModelIdentity, OptionScorer};
use sureness_store::Store;

use crate::error::{Failure, Kind};
use crate::figures;
use crate::folder::{self, Folder};
use crate::models::open::{self, Endpoints, Model};
use crate::questions::Questions;
use crate::settings::Settings;
use crate::watch::{Interrupts, Machines, ModelStart, Watch};
use fleet::Fleet;
#[cfg(feature = "nats")]
pub use fleet::broker;
pub use outcome::{Ended, Outcome};
use recheck::Checked;
pub use recheck::{LEAST as LEAST_RECHECK, movement};

/// Measures the models with the questions of the settings, and writes answers and results to the
/// output folder. For programs without an async runtime; [`run_async`] is for others.
pub fn run(settings: &Settings, models: &[Model], watch: &dyn Watch) -> Result<Outcome, Failure> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(run_async(settings, models, watch));
    // All that is to be kept has been waited for. What is left may never end: a blocking call to
    // a server that says nothing, a model that is still being loaded.
    runtime.shutdown_background();
    outcome
}

/// An async runtime on all cores.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("cannot start the async runtime: {e}")))
}

/// The same within an async runtime with several threads, which must have been built with all
/// drivers enabled.
///
/// The order is that of the cost: questions and settings are checked first, then the output
/// folder, then each model is reached, and only then is anything asked.
pub async fn run_async(
    settings: &Settings,
    models: &[Model],
    watch: &dyn Watch,
) -> Result<Outcome, Failure> {
    let questions = Questions::load(&settings.questions, settings.evaluation.seed)?;
    let folder = folder::prepare(&settings.output_dir, questions.len() * models.len())?;
    let (config, note) = split::config(settings, &questions, &folder)?;
    watch.begin(&questions.describe());
    if let Some(note) = note {
        watch.note(&format!("note: {note}"));
    }
    let mut session = Session {
        settings,
        watch,
        questions,
        config,
        folder,
        interrupts: watch.interrupts(settings.fleet.is_some()),
        fleet: None,
        models: Vec::new(),
    };
    if let Some(fleet) = &settings.fleet {
        let opened = Fleet::open(fleet, &settings.asking, models, watch);
        session.fleet = session.interrupts.unless(opened).await.transpose()?;
    }
    Box::pin(session.measure(models)).await?;
    session.dismiss().await;
    Ok(session.outcome())
}

/// The backend of models inside this process, whose figures do not move from one time to the next.
const EMBEDDED: &str = "llama.cpp";

struct Session<'a> {
    settings: &'a Settings,
    watch: &'a dyn Watch,
    questions: Questions,
    /// Settings of the evaluation.
    config: Config,
    folder: Folder,
    interrupts: Interrupts,
    /// The workers on other machines, where the run has some.
    fleet: Option<Fleet>,
    models: Vec<(ModelResult, Option<Stop>)>,
}

/// A model that was asked everything, or as much as was to be had.
struct Asked {
    run: i64,
    identity: ModelIdentity,
    plan: Arc<Plan>,
    summary: Summary,
    /// When the answers were given that it did not have to be asked for.
    cached_answered_at: Option<AnsweredAt>,
    recheck: Option<Recheck>,
    noise: Option<Noise>,
    /// Why no more was to be had, where its workers stayed away.
    given_up: Option<Failure>,
}

/// A model that can be asked now.
struct Reached {
    endpoints: Endpoints,
    settings: sureness_engine::Settings,
    /// How the machines that share the work are doing.
    machines: Option<Machines>,
    /// Wraps the store so that the relay can acknowledge saved answers.
    keeping: Keeping,
}

type Keeping = Box<dyn FnOnce(Box<dyn AnswerSink>) -> Box<dyn AnswerSink> + Send>;

impl Session<'_> {
    /// Asks the models everything and evaluates them: one after the other, since they would share
    /// this machine or its servers; at the same time where each has machines of its own.
    async fn measure(&mut self, models: &[Model]) -> Result<(), Failure> {
        if self.fleet.is_none() {
            for (model, checked) in models.iter().zip(self.recheck_all(models).await?) {
                if self.interrupts.came() {
                    break;
                }
                if let Some(asked) = self.ask(model, checked).await? {
                    self.keep(asked)?;
                }
            }
            return Ok(());
        }
        let all = models
            .iter()
            .map(|model| self.ask(model, Checked::default()));
        let mut outcome = Ok(());
        for asked in join_all(all).await {
            let kept = asked.and_then(|asked| asked.map_or(Ok(()), |asked| self.keep(asked)));
            // The others are kept all the same.
            outcome = outcome.and(kept);
        }
        outcome
    }

    /// Asks one model everything; nothing where it was told to stop before the first question.
    async fn ask(&self, model: &Model, checked: Checked) -> Result<Option<Asked>, Failure> {
        let plan = Arc::new(self.questions.plan().clone());
        let anew = checked.is_asked_anew();
        let reached = match checked.reached {
            Some(reached) => Some(reached),
            None => self.interrupts.unless(self.reach(model, &plan)).await,
        };
        let Some(reached) = reached.transpose()? else {
            return Ok(None);
        };
        let Some(first) = reached.endpoints.first() else {
            return Ok(None);
        };
        let first = Arc::clone(first);
        let identity = first.identity().clone();
        let record = self.record();
        let (store, run) = self.open_run(&identity, &plan, record, anew)?;
        let answered_at = store.answered_at();
        let progress = self.watch.model(ModelStart {
            name: &identity.name,
            plan: &plan,
            endpoints: reached.endpoints.len(),
            machines: reached.machines,
        });
        let observer = {
            let progress = Arc::clone(&progress);
            Arc::new(move |event: &Event| progress.event(event))
        };
        let stop = match self.fleet {
            // Those of another model may be at work when this one's workers stay away.
            Some(_) => Cancel::default(),
            None => self.interrupts.cancel(),
        };
        let asking = sureness_engine::run(
            Arc::clone(&plan),
            reached.endpoints,
            reached.settings,
            (reached.keeping)(Box::new(store)),
            stop.clone(),
            observer,
        );
        let (summary, given_up) = self.while_workers_come(model, asking, &stop).await;
        let summary = summary
            .map_err(|e| Failure::new(e).hint("check the output folder and the disk it lies on"))?;
        progress.finish();
        let worth_it = summary.total().answered >= noise::WORTH_IT && summary.stop.is_none();
        let noise = if worth_it && identity.backend != EMBEDDED {
            let measured = noise::measure(first.as_ref(), &plan);
            self.interrupts.unless(measured).await.flatten()
        } else {
            None
        };
        Ok(Some(Asked {
            run,
            identity,
            plan,
            summary,
            cached_answered_at: answered_at
                .range()
                .map(|(oldest, newest)| AnsweredAt { oldest, newest }),
            recheck: checked.recheck,
            noise,
            given_up,
        }))
    }

    /// Evaluates what a model has answered, and writes it down.
    fn keep(&mut self, mut asked: Asked) -> Result<(), Failure> {
        let unkept = match &asked.summary.stop {
            Some(Stop::Sink(message)) => Some(message.clone()),
            _ => None,
        };
        let given_up = asked.given_up.take();
        let evaluated = self.evaluate(asked);
        if let (Some(error), Ok(())) = (given_up, &evaluated) {
            return Err(error);
        }
        match unkept {
            // Where answers cannot be kept, results hardly can: this comes first.
            Some(message) => Err(Failure::new(format!("cannot keep answers: {message}"))
                .hint(
                    "free some disk space, or lift the limit on the size of files, then start the \
                     same command again: what was answered is kept, and it asks only the rest",
                )
                .kind(Kind::Unfinished)),
            None => evaluated,
        }
    }

    /// Reaches a model: opens it here, or waits for a worker that has it.
    async fn reach(&self, model: &Model, plan: &Plan) -> Result<Reached, Failure> {
        if let Some(fleet) = &self.fleet {
            return fleet.reach(model).await;
        }
        let asking = &self.settings.asking;
        let endpoints = open::open(model, asking, self.watch).await?;
        if let Some(first) = endpoints.first() {
            check_prefixes(first.as_ref(), plan).await?;
        }
        Ok(Reached {
            endpoints,
            settings: open::pace(asking, model),
            machines: None,
            keeping: Box::new(|store| store),
        })
    }

    /// Asks until everything is answered, or until no worker has been there for too long.
    async fn while_workers_come(
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
            () = self.interrupts.come() => None,
        };
        stop.now();
        (asking.await, given_up)
    }

    /// Everything has been asked: sends the workers home. After an early end they are kept, for
    /// the same command goes on with them.
    async fn dismiss(&self) {
        let Some(fleet) = &self.fleet else { return };
        let complete = self.models.iter().all(|(_, stop)| stop.is_none());
        if complete && !self.interrupts.came() {
            fleet.finish().await;
        }
        for (lane, (model, _)) in (0..).zip(&self.models) {
            let twice = fleet.asked_twice(lane);
            let asked = model.timing.asked.max(1);
            if twice > 0 {
                self.watch.note(&format!(
                    "{}: {} answered twice ({:.2} % of {}), which changes no figure",
                    model.name,
                    counted(twice as usize, "question"),
                    100.0 * twice as f64 / asked as f64,
                    asked,
                ));
            }
        }
    }

    fn evaluate(&mut self, asked: Asked) -> Result<(), Failure> {
        let Asked { run, summary, .. } = asked;
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
        if asked
            .recheck
            .is_some_and(|r| r.outcome == RecheckOutcome::Kept)
        {
            result
                .note("the model has changed since it gave the cached answers (--on-change keep)");
        }
        if let Some(shard) = self.settings.questions.shard {
            result.note(&format!(
                "shard {shard}: these figures are of a part of the questions"
            ));
        }
        let complete = summary.stop.is_none();
        self.models.push((result, summary.stop));
        // Written after each model, so that a later one's failure loses nothing.
        let results = self.results();
        figures::write(&self.folder, &results)
            // What cannot be written can at least be seen.
            .inspect_err(|_| self.watch.unsaved(&results))?;
        // Last, so that a run without its results goes on, with `--no-cache` as well.
        if complete {
            settled.and_then(|()| store.finish_run(run))?;
        }
        Ok(())
    }

    /// What is recorded of the run.
    fn record(&self) -> RunSettings {
        self.questions.record(self.settings, &self.config)
    }

    fn results(&self) -> Results {
        let models = self.models.iter().map(|(model, _)| model.clone());
        figures::results(self.record(), models.collect())
    }

    fn outcome(self) -> Outcome {
        Outcome {
            results: self.results(),
            interrupted: self.interrupts.came(),
            stops: self.models.into_iter().map(|(_, stop)| stop).collect(),
            folder: self.folder,
        }
    }
}

/// Refuses prompts whose few-shot examples alone fill the model's context: not one of their
/// questions could be asked.
async fn check_prefixes(scorer: &dyn OptionScorer, plan: &Plan) -> Result<(), Failure> {
    for group in &plan.groups {
        let prefix = group.builder.prefix();
        scorer.check_prefix(prefix).await.map_err(|error| {
            Failure::new(format!(
                "{}: task {} with strategy {}: the few-shot examples leave no room for a question: {error}",
                scorer.identity().name,
                group.task.id,
                group.strategy.name(),
            ))
            .hint(error.hint())
        })?;
    }
    Ok(())
}
