//! Asks one model, in one round or in several where answers are drawn as needed.

use std::sync::Arc;

use sureness_engine::{Cancel, Event, Plan, Summary};
use sureness_report::AnsweredAt;
use sureness_scorers::ModelIdentity;
use sureness_store::Store;

use super::plausible::Plausibility;
use super::rounds::Rounds;
use super::{OpenedModel, Session, WrapSink, spent};
use crate::budget::{Budget, Meter, Tokens};
use crate::error::Failure;
use crate::models::open::{Endpoints, Model};
use crate::watch::{DescribeWorkers, ModelStart};

/// What the rounds of a model share.
pub(super) struct Round<'a> {
    pub(super) model: &'a Model,
    pub(super) identity: &'a ModelIdentity,
    pub(super) budget: &'a Budget,
    pub(super) ignore_cache: bool,
}

/// What a part of the asking takes.
struct Part {
    endpoints: Endpoints,
    settings: sureness_engine::Settings,
    /// For the first part, as is the next.
    workers: Option<DescribeWorkers>,
    wrap_sink: Option<WrapSink>,
}

/// A model that was asked.
pub(super) struct Answered {
    pub(super) run: i64,
    pub(super) summary: Summary,
    /// When the cached answers were given.
    pub(super) cached_at: Option<AnsweredAt>,
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

impl Session<'_> {
    /// Asks until each question has its answers, or the run stops.
    pub(super) async fn ask_in_rounds(
        &self,
        opened: OpenedModel,
        round: Round<'_>,
    ) -> Result<Answered, Failure> {
        let name = &round.identity.name;
        let mut rounds = Rounds::of(self.settings.asking.answers, &self.questions.plan);
        let mut plan = Arc::new(rounds.plan());
        let (mut store, run) = self.open_round(&plan, &round)?;
        let range = store.answered_at().range();
        let cached_at = range.map(|(oldest, newest)| AnsweredAt { oldest, newest });
        let own = match self.fleet {
            // Giving up on this model must not stop the others.
            Some(_) => Cancel::default().child(),
            None => self.interrupts.cancel().child(),
        };
        let watched = Arc::new(self.watched(&plan, &round, run, own.cancel.clone())?);
        let mut part = Part {
            workers: opened.workers,
            wrap_sink: Some(opened.wrap_sink),
            endpoints: opened.endpoints,
            settings: opened.settings,
        };
        let mut before: Option<Summary> = None;
        loop {
            let asked = self.ask_part(&mut part, &plan, store, &round, &watched);
            let (summary, given_up) = asked.await?;
            let summary = match before.take() {
                Some(before) => before.then(summary),
                None => summary,
            };
            let ended = given_up.is_some() || summary.stop.is_some();
            if ended || !rounds.next(&self.folder.store, run)? {
                if let (false, Some(saved)) = (ended, rounds.saved()) {
                    self.watch.note(&format!("{name}: {saved}"));
                }
                return Ok(Answered {
                    run,
                    summary,
                    cached_at,
                    given_up,
                });
            }
            before = Some(summary);
            plan = Arc::new(rounds.plan());
            (store, _) = self.open_round(&plan, &round)?;
        }
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
        let progress = self.watch.model(ModelStart {
            name: &round.identity.name,
            plan,
            endpoints: part.endpoints.len(),
            workers: part.workers.take(),
        });
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
            match part.wrap_sink.take() {
                Some(wrap) => wrap(sink),
                None => sink,
            },
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

    fn open_round(&self, plan: &Plan, round: &Round<'_>) -> Result<(Store, i64), Failure> {
        self.open_run(round.identity, plan, self.record(), round.ignore_cache)
    }

    fn watched(
        &self,
        plan: &Plan,
        round: &Round<'_>,
        run: i64,
        stop: Cancel,
    ) -> Result<Watched, Failure> {
        let before = if round.budget.is_limited() {
            spent(&self.folder.store, run)?
        } else {
            Tokens::default()
        };
        let plausibility = Plausibility::new(
            &round.identity.name,
            plan,
            self.settings.asking.answers.sampled().is_some(),
            self.settings.least_mass,
            stop.clone(),
            self.watch.warn_sender(),
        );
        let meter = Arc::new(Meter::new(round.budget.clone(), before));
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
