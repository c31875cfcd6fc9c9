//! Asks one model, in one round or in several where answers are drawn as needed.

use std::sync::Arc;

use sureness_engine::{Cancel, ChildCancel, Event, Plan, Summary};
use sureness_report::{AnsweredAt, JudgeTiming};
use sureness_scorers::ModelIdentity;
use sureness_store::Store;

use super::continued::Continued;
use super::plausible::Plausibility;
use super::rounds::Rounds;
use super::{OpenedModel, Session, WrapSink};
use crate::budget::{Budget, Meter};
use crate::error::Failure;
use crate::models::open::{Endpoints, Model};
use crate::watch::{DescribeWorkers, ModelStart, ModelWatch, Standing};

/// What the rounds of a model share.
pub(super) struct Round<'a> {
    pub(super) model: &'a Model,
    pub(super) identity: ModelIdentity,
    pub(super) budget: Budget,
    pub(super) ignore_cache: bool,
}

/// What a part of the asking takes.
struct Part {
    endpoints: Endpoints,
    settings: sureness_engine::Settings,
    /// For the first part.
    workers: Option<DescribeWorkers>,
    wrap_sink: WrapSink,
    /// Of a model whose parts are shown as one.
    progress: Option<Arc<Continued>>,
}

/// A model that was asked.
pub(super) struct Answered {
    pub(super) run: i64,
    pub(super) summary: Summary,
    /// When the cached answers were given.
    pub(super) cached_at: Option<AnsweredAt>,
    /// The requests to the judge, if there is one.
    pub(super) judged: Option<JudgeTiming>,
    /// Why the run gave up on the model or its workers.
    pub(super) given_up: Option<Failure>,
}

/// Watches requests for the budget and for improbable letters.
struct Watched {
    meter: Arc<Meter>,
    plausibility: Arc<Plausibility>,
    stop: Cancel,
}

impl Watched {
    fn event(&self, event: &Event) {
        if let Event::Attempt(attempt) = event {
            self.plausibility.attempt(attempt);
            if self.meter.attempt(attempt) {
                self.stop.cancel();
            }
        }
    }
}

/// A model that is being asked, part by part.
pub(super) struct Asker<'a> {
    round: Round<'a>,
    part: Part,
    watched: Arc<Watched>,
    /// Follows the run's interrupts as long as it is held.
    _cancel: ChildCancel,
    run: i64,
    /// When the cached answers of the first part were given.
    answered_at: Option<Arc<sureness_store::AnsweredAt>>,
    summary: Option<Summary>,
    given_up: Option<Failure>,
}

impl Asker<'_> {
    /// The model's name.
    pub(super) fn name(&self) -> &str {
        &self.round.identity.name
    }

    /// The number of its run in the store.
    pub(super) fn run(&self) -> i64 {
        self.run
    }

    /// Shows how far the run has come.
    pub(super) fn stand(&self, standing: Standing) {
        if let Some(progress) = &self.part.progress {
            progress.stand(standing);
        }
    }

    /// Whether it must not be asked further.
    pub(super) fn has_ended(&self) -> bool {
        let stopped = self.summary.as_ref().is_some_and(|it| it.stop.is_some());
        self.given_up.is_some() || stopped
    }
}

impl Session<'_> {
    /// Asks until each question has its answers, or the run stops.
    pub(super) async fn ask_in_rounds(
        &self,
        opened: OpenedModel,
        round: Round<'_>,
    ) -> Result<Answered, Failure> {
        let mut rounds = Rounds::of(self.settings.asking.answers, &self.questions.plan);
        let mut plan = Arc::new(rounds.plan());
        let mut asker = self.begin_asking(opened, round, &plan)?;
        loop {
            self.ask_more(&mut asker, &plan).await?;
            if asker.has_ended() || !rounds.next(&self.folder.store, asker.run)? {
                break;
            }
            plan = Arc::new(rounds.plan());
        }
        if let (false, Some(saved)) = (asker.has_ended(), rounds.saved()) {
            let name = &asker.round.identity.name;
            self.watch.note(&format!("{name}: {saved}"));
        }
        self.finish_asking(asker, &plan).await
    }

    /// Begins or continues the model's run.
    pub(super) fn begin_asking<'a>(
        &self,
        opened: OpenedModel,
        round: Round<'a>,
        plan: &Plan,
    ) -> Result<Asker<'a>, Failure> {
        let (_, run) = self.open_round(plan, &round)?;
        let own = match self.fleet {
            // Giving up on this model must not stop the others.
            Some(_) => Cancel::default().child(),
            None => self.interrupts.cancel().child(),
        };
        let watched = Arc::new(self.watched(plan, &round, run, own.cancel.clone())?);
        Ok(Asker {
            round,
            part: Part {
                workers: opened.workers,
                wrap_sink: opened.wrap_sink,
                endpoints: opened.endpoints,
                settings: opened.settings,
                progress: None,
            },
            watched,
            _cancel: own,
            run,
            answered_at: None,
            summary: None,
            given_up: None,
        })
    }

    /// Asks what `plan` has and the store lacks.
    pub(super) async fn ask_more(
        &self,
        asker: &mut Asker<'_>,
        plan: &Arc<Plan>,
    ) -> Result<(), Failure> {
        let (store, _) = self.open_round(plan, &asker.round)?;
        // Later parts find the answers of earlier ones.
        asker.answered_at.get_or_insert_with(|| store.answered_at());
        let Asker {
            part,
            round,
            watched,
            ..
        } = asker;
        let (summary, given_up) = self.ask_part(part, plan, store, round, watched).await?;
        asker.given_up = given_up;
        asker.summary = Some(match asker.summary.take() {
            Some(before) => before.then(summary),
            None => summary,
        });
        Ok(())
    }

    /// Asks the judge, if there is one and the model was asked to the end.
    pub(super) async fn finish_asking(
        &self,
        asker: Asker<'_>,
        plan: &Plan,
    ) -> Result<Answered, Failure> {
        if let Some(progress) = &asker.part.progress {
            progress.end();
        }
        let ended = asker.has_ended();
        let mut summary = asker.summary.unwrap_or_default();
        let mut given_up = asker.given_up;
        let mut judged = None;
        if !ended {
            let Watched { stop, meter, .. } = &*asker.watched;
            let ignore_cache = asker.round.ignore_cache;
            let judging = self.ask_judge(asker.run, plan, ignore_cache, (stop, meter));
            (judged, summary.stop) = judging.await?;
            let over = meter.failure(&asker.round.identity.name);
            given_up = over.filter(|_| summary.stop.is_some());
        }
        let range = asker.answered_at.and_then(|at| at.range());
        Ok(Answered {
            run: asker.run,
            summary,
            cached_at: range.map(|(oldest, newest)| AnsweredAt { oldest, newest }),
            judged,
            given_up,
        })
    }

    /// Asks what `plan` has and `store` lacks. Also returns why the run gave up, if it did.
    async fn ask_part(
        &self,
        part: &mut Part,
        plan: &Arc<Plan>,
        store: Store,
        round: &Round<'_>,
        watched: &Arc<Watched>,
    ) -> Result<(Summary, Option<Failure>), Failure> {
        let progress: Arc<dyn ModelWatch> = match &part.progress {
            Some(progress) => Arc::<Continued>::clone(progress),
            None => self.progress(part, plan, round),
        };
        let observer = {
            let (progress, watched) = (Arc::clone(&progress), Arc::clone(watched));
            Arc::new(move |event: &Event| {
                watched.event(event);
                progress.event(event);
            })
        };
        let sink = Box::new(store);
        let asking = sureness_engine::run(
            Arc::clone(plan),
            part.endpoints.clone(),
            part.settings,
            (part.wrap_sink)(sink),
            watched.stop.clone(),
            observer,
        );
        let asked = self.run_while_workers_last(round.model, asking, &watched.stop);
        let (summary, given_up) = asked.await;
        let stopped = |summary: &Summary| summary.stop.is_some();
        let over = || watched.meter.failure(&round.identity.name);
        let given_up = given_up
            .or_else(|| watched.plausibility.failure())
            .or_else(|| over().filter(|_| summary.as_ref().is_ok_and(stopped)));
        let summary = summary
            .map_err(|e| Failure::new(e).hint("check the output folder and the disk it lies on"))?;
        progress.finish();
        Ok((summary, given_up))
    }

    fn progress(&self, part: &mut Part, plan: &Plan, round: &Round<'_>) -> Arc<dyn ModelWatch> {
        self.watch.model(ModelStart {
            name: &round.identity.name,
            plan,
            endpoints: part.endpoints.len(),
            workers: part.workers.take(),
            may_stop_early: self.settings.until.is_some(),
        })
    }

    /// Shows all parts of the asking as one, out of all questions of `plan`.
    pub(super) fn shown_as_one<'a>(&self, mut asker: Asker<'a>, plan: &Plan) -> Asker<'a> {
        let progress = self.progress(&mut asker.part, plan, &asker.round);
        let progress = Continued::new(progress, plan.groups.len());
        asker.part.progress = Some(Arc::new(progress));
        asker
    }

    fn open_round(&self, plan: &Plan, round: &Round<'_>) -> Result<(Store, i64), Failure> {
        self.open_run(&round.identity, plan, self.record(), round.ignore_cache)
    }

    fn watched(
        &self,
        plan: &Plan,
        round: &Round<'_>,
        run: i64,
        stop: Cancel,
    ) -> Result<Watched, Failure> {
        let plausibility = Plausibility::new(
            &round.identity.name,
            plan,
            self.settings.asking.answers.sampled().is_some(),
            self.settings.least_mass,
            stop.clone(),
            self.watch.warn_sender(),
        );
        let meter = Arc::new(self.meter(run, &round.budget)?);
        if meter.is_used_up() {
            stop.cancel();
        }
        Ok(Watched {
            meter,
            plausibility,
            stop,
        })
    }
}
