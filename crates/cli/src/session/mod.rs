//! One command's worth of work: questions, models, asking, figures, files.

mod age;
pub(crate) mod data;
#[cfg(feature = "nats")]
mod fleet;
#[cfg(not(feature = "nats"))]
#[path = "alone.rs"]
mod fleet;
mod intervals;
pub(crate) mod log;
pub(crate) mod models;
mod noise;
mod progress;
pub(crate) mod recheck;
pub(crate) mod results;
pub(crate) mod room;
mod signals;
pub(crate) mod speed;
mod split;
mod stored;
mod timing;

use std::process::ExitCode;
use std::sync::Arc;

use futures_util::future::join_all;
use sureness_conformal::Config;
use sureness_engine::{AnswerSink, Cancel, Event, Plan, Settings, SinkError, Stop, Summary};
use sureness_report::{AnsweredAt, ModelResult, Noise, Recheck, RecheckOutcome, Results};
use sureness_scorers::{ModelIdentity, OptionScorer};
use sureness_store::Store;

use crate::commands::run::{ProgressArg, RunArgs};
use crate::error::{CliError, EXIT_FAILED_QUESTIONS, EXIT_INTERRUPTED};
use crate::metrics::Metrics;
use data::Questions;
use fleet::Fleet;
use models::Model;
#[cfg(feature = "nats")]
pub(crate) use progress::duration;
use progress::{Machines, Progress, Screen};
use recheck::Checked;
pub(crate) use signals::Interrupts;

/// Runs every model named in `args` over the questions and shows the figures.
///
/// The order is that of the cost: questions and settings are checked first, then the output
/// folder, then each model is reached, and only then is anything asked.
pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, CliError> {
    log::start(args.log_file.as_deref(), args.verbose)?;
    let named = models::Named::from_args(args)?;
    let metrics = args.metrics_addr.as_deref().map(Metrics::listen);
    let metrics = metrics.transpose()?;
    let questions = Questions::load(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::input(format!("cannot start the async runtime: {e}")))?;
    let code = runtime.block_on(async {
        signals::outlive_size_limits();
        let folder = room::prepare(&args.output_dir, questions.len() * named.len())?;
        let (config, note) = split::config(args, &questions, &folder)?;
        let coordinates = fleet::is_wanted(args);
        let mut session = Session {
            args,
            questions,
            config,
            folder,
            interrupts: if coordinates {
                Interrupts::listen_for_coordinator()
            } else {
                Interrupts::listen()
            },
            fleet: None,
            metrics,
            screen: Screen::new(args.progress, args.verbose),
            models: Vec::new(),
        };
        session.announce(note.as_deref());
        if let Some(metrics) = &session.metrics {
            metrics.serve();
        }
        if coordinates {
            let opened = fleet::Fleet::open(args, &named.list, &session.screen);
            session.fleet = session.interrupts.unless(opened).await.transpose()?;
            if let Some((fleet, metrics)) = session.fleet.as_ref().zip(session.metrics.as_ref()) {
                fleet.tell(metrics);
            }
        }
        Box::pin(session.measure(&named.list)).await?;
        session.dismiss().await;
        session.conclude()
    });
    // All that is to be kept has been waited for. What is left may never end: a blocking call to
    // a server that says nothing, a model that is still being loaded.
    runtime.shutdown_background();
    code
}

/// The backend of models inside this process, whose figures do not move from one time to the next.
const EMBEDDED: &str = "llama.cpp";

struct Session<'a> {
    args: &'a RunArgs,
    questions: Questions,
    /// Settings of the evaluation.
    config: Config,
    folder: room::Folder,
    interrupts: Interrupts,
    /// The workers on other machines, where the run has some.
    fleet: Option<Fleet>,
    metrics: Option<Metrics>,
    screen: Screen,
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
    given_up: Option<CliError>,
}

/// A model that can be asked now.
struct Reached {
    endpoints: models::Endpoints,
    settings: Settings,
    /// How the machines that share the work are doing.
    machines: Option<Machines>,
    /// Wraps the store so that the relay can acknowledge saved answers.
    keeping: Keeping,
}

type Keeping = Box<dyn FnOnce(Box<dyn AnswerSink>) -> Box<dyn AnswerSink> + Send>;

impl Session<'_> {
    fn announce(&self, note: Option<&str>) {
        self.screen.say(&self.questions.describe());
        if let Some(note) = note {
            self.screen.say(&format!("note: {note}"));
        }
    }

    /// Asks the models everything and evaluates them: one after the other, since they would share
    /// this machine or its servers; at the same time where each has machines of its own.
    async fn measure(&mut self, models: &[Model]) -> Result<(), CliError> {
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
    async fn ask(&self, model: &Model, checked: Checked) -> Result<Option<Asked>, CliError> {
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
        let record = self.questions.settings(self.args, &self.config);
        let (store, run) = self.open_run(&identity, &plan, record, anew)?;
        let answered_at = store.answered_at();
        let progress = Progress::new(&self.screen, &identity.name, &plan, reached.machines);
        let metrics = self.metrics.as_ref();
        let metrics =
            metrics.map(|metrics| metrics.of_model(&identity.name, &plan, reached.endpoints.len()));
        let observer = {
            let progress = progress.clone();
            Arc::new(move |event: &Event| {
                log::event(event);
                if let Some(metrics) = &metrics {
                    metrics.on(event);
                }
                progress.on(event);
            })
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
        let summary = summary.map_err(|e| {
            CliError::input(e).hint("check the output folder and the disk it lies on")
        })?;
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
    fn keep(&mut self, mut asked: Asked) -> Result<(), CliError> {
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
            Some(message) => Err(CliError::input(format!("cannot keep answers: {message}"))
                .hint(
                    "free some disk space, or lift the limit on the size of files, then start the \
                     same command again: what was answered is kept, and it asks only the rest",
                )
                .code(EXIT_FAILED_QUESTIONS)),
            None => evaluated,
        }
    }

    /// Reaches a model: opens it here, or waits for a worker that has it.
    async fn reach(&self, model: &Model, plan: &Plan) -> Result<Reached, CliError> {
        if let Some(fleet) = &self.fleet {
            return fleet.reach(model, self.args).await;
        }
        let tells = self.args.progress != ProgressArg::None;
        let endpoints = models::open(model, &self.args.ask, tells).await?;
        if let Some(first) = endpoints.first() {
            check_prefixes(first.as_ref(), plan).await?;
        }
        Ok(Reached {
            endpoints,
            settings: speed::settings(&self.args.ask, model.is_embedded()),
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
    ) -> (Result<Summary, SinkError>, Option<CliError>) {
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
            if twice > 0 && self.args.progress != ProgressArg::None {
                eprintln!(
                    "{}: {} answered twice ({:.2} % of {}), which changes no figure",
                    model.name,
                    crate::terminal::counted(twice as usize, "question"),
                    100.0 * twice as f64 / asked as f64,
                    asked,
                );
            }
        }
    }

    fn evaluate(&mut self, asked: Asked) -> Result<(), CliError> {
        let Asked { run, summary, .. } = asked;
        let failed = |e: sureness_store::StoreError| CliError::input(&e).hint(e.hint());
        let mut store = Store::open(&self.folder.store).map_err(failed)?;
        let settled = store.settle_copies(run);
        let mut result = results::evaluate(
            &self.folder.store,
            run,
            &asked.identity,
            &asked.plan,
            &summary,
            &self.config,
        )?;
        #[cfg(feature = "nats")]
        if self.fleet.is_some() {
            result.timing = timing::of_workers(&summary);
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
        if let Some(shard) = self.args.shard {
            result.note(&format!(
                "shard {shard}: these figures are of a part of the questions"
            ));
        }
        let complete = summary.stop.is_none();
        self.models.push((result, summary.stop));
        // Written after each model, so that a later one's failure loses nothing.
        let results = self.results();
        results::write(&self.folder, &results)
            // What cannot be written can at least be seen.
            .inspect_err(|_| results::show(&results, self.args.verbose))?;
        // Last, so that a run without its results goes on, with `--no-cache` as well.
        if complete {
            settled
                .and_then(|()| store.finish_run(run))
                .map_err(failed)?;
        }
        Ok(())
    }

    fn results(&self) -> Results {
        Results {
            version: 1,
            program: concat!("sureness ", env!("CARGO_PKG_VERSION")).to_owned(),
            settings: self.questions.settings(self.args, &self.config),
            models: self.models.iter().map(|(m, _)| m.clone()).collect(),
        }
    }

    /// Shows the table and decides on the exit code.
    fn conclude(self) -> Result<ExitCode, CliError> {
        if self.models.is_empty() && self.interrupts.came() {
            return Ok(interrupted());
        }
        let results = self.results();
        results::show(&results, self.args.verbose);
        eprintln!("Results: {}", self.folder.json.display());
        for (model, stop) in &self.models {
            match stop {
                Some(Stop::Interrupted) => return Ok(interrupted()),
                Some(stop @ (Stop::Fatal(error) | Stop::GaveUp { error, .. })) => {
                    return Err(CliError::input(format!(
                        "{}: stopped: {stop}. Everything answered so far is kept; the same command asks only the rest",
                        model.name
                    ))
                    .hint(error.hint())
                    .code(EXIT_FAILED_QUESTIONS));
                }
                // Reported when it happened.
                Some(Stop::Sink(_)) | None => {}
            }
            results::check_failures(model, self.args.allowed_failures)?;
        }
        // Between two models.
        if self.interrupts.came() {
            return Ok(interrupted());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Refuses prompts whose few-shot examples alone fill the model's context: not one of their
/// questions could be asked.
async fn check_prefixes(scorer: &dyn OptionScorer, plan: &Plan) -> Result<(), CliError> {
    for group in &plan.groups {
        let prefix = group.builder.prefix();
        scorer.check_prefix(prefix).await.map_err(|error| {
            CliError::input(format!(
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

fn interrupted() -> ExitCode {
    eprintln!(
        "Interrupted. Everything answered so far is kept; the same command asks only the rest."
    );
    ExitCode::from(EXIT_INTERRUPTED)
}
