//! `--until`: all models are asked the same questions in random order, in rounds, until it is shown which
//! is better, whether a gate is passed, or how large their figures are.
//!
//! A round is a plan that wants the questions up to a place of the order ([`Plan::wanted`]); each finds the
//! answers of the one before in the store, so that a kill, a retry and the cache need nothing new.

mod tasks;
mod told;

use std::sync::Arc;

use futures_util::future::join_all;
use sureness_analysis::settled::{Incomparable, Settled, Stopping, scores_of};
use sureness_anytime::{Answers, Goal, TaskScores};
use sureness_conformal::{Row, Table};
use sureness_engine::Plan;
use sureness_record::{Until, UntilGoal};
use sureness_scorers::ModelIdentity;
use sureness_store::Reader;

use super::asking::{Asker, Round};
use super::recheck::ModelCheck;
use super::{AskedModel, OpenedModel, Session};
use crate::budget::Budget;
use crate::error::Failure;
use crate::figures::logits_of;
use crate::models::open::Model;
use crate::settings::Settings;
use tasks::{Set, Tasks, standing};

/// Refuses what cannot be settled, before anything is asked.
pub(super) fn check(
    settings: &Settings,
    models: &[Model],
    open_task: Option<&str>,
) -> Result<(), Failure> {
    let Some(stopping) = &settings.until else {
        return Ok(());
    };
    let goal = goal_of(stopping.goal).1;
    if models.len() < stopping.fewest_models() {
        return Err(Failure::new(format!(
            "--until {goal} compares models, and there is one"
        ))
        .hint(
            "name several, with --models or --gguf; one model is asked until its figures are known well \
             enough with --until width acc=2pp",
        ));
    }
    if stopping.goal == Goal::Gate && models.len() > 2 {
        return Err(Failure::new(format!(
            "--until gate takes a base and a candidate, and {} models are named",
            models.len()
        ))
        .hint("name two, the base first"));
    }
    if let Some(task) = open_task {
        return Err(Failure::new(format!(
            "--until cannot settle task {task}: open questions have no options"
        ))
        .hint("name other tasks with --tasks"));
    }
    if settings.questions.shard.is_some() {
        return Err(Failure::new(
            "--until does not work with --shard: a shard cannot see what others have shown",
        )
        .hint("leave --shard out, or share the questions among workers with --nats"));
    }
    Ok(())
}

/// What the record says of it.
pub(crate) fn record(stopping: &Stopping) -> Until {
    let metrics = stopping.metrics.iter();
    Until {
        goal: goal_of(stopping.goal).0,
        thresholds: stopping.deployed.as_ref().map(|it| it.source.clone()),
        confidence: stopping.confidence,
        metrics: metrics
            .map(|(metric, margin)| (metric.name().to_owned(), *margin))
            .collect(),
        max_questions: stopping.max_questions,
        per_task: stopping.per_task,
    }
}

/// A goal as the record and as the command line have it.
fn goal_of(goal: Goal) -> (UntilGoal, &'static str) {
    match goal {
        Goal::Settled => (UntilGoal::Settled, "settled"),
        Goal::Gate => (UntilGoal::Gate, "gate"),
        Goal::Width => (UntilGoal::Width, "width"),
    }
}

/// A model's scores, and the questions asked: the task and the row in it.
type Answered = (Vec<TaskScores>, Vec<(usize, usize)>);

/// A model with what its asking needs.
struct Contestant {
    model: usize,
    identity: ModelIdentity,
    budget: Budget,
    checked: ModelCheck,
    opened: OpenedModel,
}

impl Session<'_> {
    /// Asks all models until everything is settled.
    pub(super) async fn measure_until(
        &mut self,
        models: &[Model],
        stopping: &Stopping,
    ) -> Result<(), Failure> {
        self.check_thresholds(stopping)?;
        let Some(contestants) = self.contestants(models).await? else {
            return Ok(());
        };
        let tasks = Tasks::of(&self.questions.plan)?;
        let names: Vec<String> = contestants
            .iter()
            .map(|it| it.identity.name.clone())
            .collect();
        let deployed = self.deployed(stopping, &tasks, &names)?;
        let (alpha, seed) = (self.config.alpha, self.config.seed);
        let mut sets = tasks.sets(stopping, alpha, seed, models.len());
        let mut askers = Vec::with_capacity(contestants.len());
        let mut rest = Vec::with_capacity(contestants.len());
        for contestant in contestants {
            let Contestant {
                model,
                identity,
                budget,
                checked,
                opened,
            } = contestant;
            let round = Round {
                model: &models[model],
                identity: identity.clone(),
                budget: budget.clone(),
                ignore_cache: checked.ignores_cache(),
            };
            let plan = &self.questions.plan;
            let asker = self.begin_asking(opened, round, plan)?;
            askers.push(self.shown_as_one(asker, plan));
            rest.push((identity, budget, checked.recheck));
        }
        self.ask_until(&tasks, &deployed, &mut sets, &mut askers, stopping)
            .await?;
        let mut asked = Vec::with_capacity(askers.len());
        for (model, (asker, (identity, budget, recheck))) in
            askers.into_iter().zip(rest).enumerate()
        {
            let plan = Arc::new(self.plan_of(&tasks, &sets, model));
            let answered = self.finish_asking(asker, &plan).await?;
            asked.push(AskedModel {
                run: answered.run,
                identity,
                plan,
                summary: answered.summary,
                cached_answered_at: answered.cached_at,
                recheck,
                noise: None,
                budget,
                judged: answered.judged,
                given_up: answered.given_up,
            });
        }
        self.settled = Some(self.settled(&tasks, &sets, &names, stopping));
        let mut outcome = Ok(());
        for asked in asked {
            let kept = self.evaluate_and_save(asked);
            outcome = outcome.and(kept);
        }
        outcome
    }

    /// Refuses thresholds that do not fit this run, before a model is opened.
    fn check_thresholds(&self, stopping: &Stopping) -> Result<(), Failure> {
        let Some(deployed) = &stopping.deployed else {
            return Ok(());
        };
        let record = self.record();
        let digests = record.tasks.iter().map(|it| (&*it.task, &*it.digest));
        deployed.check(&self.config, digests).map_err(unfit)
    }

    /// The deployed thresholds by model, task and strategy; empty where coverage is not monitored.
    fn deployed(
        &self,
        stopping: &Stopping,
        tasks: &Tasks,
        models: &[String],
    ) -> Result<Vec<Vec<Vec<f64>>>, Failure> {
        let Some(deployed) = &stopping.deployed else {
            return Ok(Vec::new());
        };
        let plan = &self.questions.plan;
        let of_task = |model: &str, task: usize| {
            let groups = tasks.groups[task].iter();
            let strategies: Vec<&str> = groups
                .map(|&group| plan.groups[group].strategy.name())
                .collect();
            deployed.of_task(model, &tasks.ids[task], &strategies)
        };
        let of_model = |model: &String| {
            let all = 0..tasks.ids.len();
            all.map(|task| of_task(model, task)).collect()
        };
        let all: Result<_, Incomparable> = models.iter().map(of_model).collect();
        all.map_err(unfit)
    }

    /// Opens all models; `None` if a stop was requested before.
    async fn contestants(&self, models: &[Model]) -> Result<Option<Vec<Contestant>>, Failure> {
        let mut contestants = Vec::with_capacity(models.len());
        let checks = if self.fleet.is_none() {
            self.recheck_all(models).await?
        } else {
            models.iter().map(|_| ModelCheck::default()).collect()
        };
        for (index, mut checked) in checks.into_iter().enumerate() {
            let opened = if let Some(opened) = checked.opened.take() {
                Some(opened)
            } else {
                let opening = self.open_model(&models[index], &self.questions.plan);
                self.interrupts.race(opening).await
            };
            let Some(opened) = opened.transpose()? else {
                return Ok(None);
            };
            let Some(first) = opened.endpoints.first() else {
                return Ok(None);
            };
            let identity = first.identity().clone();
            let budget = self.settings.budget_of(&models[index], &identity.name)?;
            contestants.push(Contestant {
                model: index,
                identity,
                budget,
                checked,
                opened,
            });
        }
        // Fewer if interrupted.
        Ok((contestants.len() == models.len()).then_some(contestants))
    }

    /// Asks in rounds, one model after the other, until nothing is open or a model ends.
    async fn ask_until(
        &self,
        tasks: &Tasks,
        deployed: &[Vec<Vec<f64>>],
        sets: &mut [Set],
        askers: &mut [Asker<'_>],
        stopping: &Stopping,
    ) -> Result<(), Failure> {
        while sets.iter().any(|set| set.course.is_open()) {
            let asked_of = |sets: &[Set], model: usize| -> usize {
                sets.iter().map(|set| set.course.asked(model).len()).sum()
            };
            let before: Vec<usize> = (0..askers.len()).map(|it| asked_of(sets, it)).collect();
            for set in sets.iter_mut() {
                set.course.advance();
            }
            let plans: Vec<Option<Arc<Plan>>> = (0..askers.len())
                .map(|model| {
                    let more = asked_of(sets, model) > before[model];
                    more.then(|| Arc::new(self.plan_of(tasks, sets, model)))
                })
                .collect();
            if !self.ask_round(askers, &plans).await? {
                return Ok(());
            }
            let reader = Reader::open(&self.folder.store)?;
            for set in sets.iter_mut() {
                self.look(&reader, (tasks, deployed), set, askers)?;
            }
            let names: Vec<&str> = askers.iter().map(Asker::name).collect();
            let settled = self.settled(tasks, sets, &names, stopping);
            self.board.post(|bulletin| bulletin.settled = Some(settled));
            let standing = standing(sets);
            for asker in askers.iter() {
                asker.stand(standing);
            }
        }
        Ok(())
    }

    /// Asks the models that have a plan in this round: one after the other, since they share this machine
    /// or its servers, or at the same time if each has its own workers. Returns whether all were asked to
    /// the end.
    async fn ask_round(
        &self,
        askers: &mut [Asker<'_>],
        plans: &[Option<Arc<Plan>>],
    ) -> Result<bool, Failure> {
        let with_plans = askers.iter_mut().zip(plans);
        let rounds = with_plans.filter_map(|(asker, plan)| Some((asker, plan.as_ref()?)));
        if self.fleet.is_some() {
            let all = rounds.map(|(asker, plan)| async move {
                self.ask_more(asker, plan).await?;
                Ok(!asker.has_ended())
            });
            let all: Result<Vec<bool>, Failure> = join_all(all).await.into_iter().collect();
            return Ok(all?.into_iter().all(|whole| whole) && !self.interrupts.stop_requested());
        }
        for (asker, plan) in rounds {
            self.ask_more(asker, plan).await?;
            if asker.has_ended() || self.interrupts.stop_requested() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The plan of one model up to now.
    fn plan_of(&self, tasks: &Tasks, sets: &[Set], model: usize) -> Plan {
        let plan = &self.questions.plan;
        let each = plan.draws_each() as u32;
        let groups = plan.groups.iter();
        let mut wanted: Vec<Vec<u32>> =
            groups.map(|group| vec![0; group.questions.len()]).collect();
        for set in sets {
            for &(task, position) in set.course.asked(model) {
                for &group in &tasks.groups[set.tasks[task]] {
                    wanted[group][position] = each;
                }
            }
        }
        Plan {
            wanted: Some(Arc::new(wanted)),
            ..plan.clone()
        }
    }

    /// Looks at all answers of a set of tasks.
    fn look(
        &self,
        reader: &Reader,
        (tasks, deployed): (&Tasks, &[Vec<Vec<f64>>]),
        set: &mut Set,
        askers: &[Asker<'_>],
    ) -> Result<(), Failure> {
        if !set.course.is_open() {
            return Ok(());
        }
        let mut all: Vec<Answered> = Vec::with_capacity(askers.len());
        for (model, asker) in askers.iter().enumerate() {
            let asked = set.course.asked(model);
            let mut of_tasks = Vec::with_capacity(set.tasks.len());
            let mut rows = Vec::with_capacity(asked.len());
            let mut places: Vec<Vec<usize>> = vec![Vec::new(); set.tasks.len()];
            for &(task, position) in asked {
                places[task].push(position);
            }
            for (task, places) in places.iter_mut().enumerate() {
                places.sort_unstable();
                let index = set.tasks[task];
                let groups = tasks.groups[index].iter();
                let tables = groups.map(|&group| self.table(reader, asker.run(), group));
                let tables: Vec<Table> = tables.collect::<Result<_, _>>()?;
                of_tasks.push(TaskScores {
                    strategies: tables
                        .iter()
                        .map(|table| scores_of(table, &self.config))
                        .collect(),
                    of: tasks.keys[index].len(),
                    deployed: deployed
                        .get(model)
                        .map_or_else(Vec::new, |of_model| of_model[index].clone()),
                });
            }
            for &(task, position) in asked {
                let row = places[task].partition_point(|&earlier| earlier < position);
                rows.push((task, row));
            }
            all.push((of_tasks, rows));
        }
        let answers: Vec<Answers<'_>> = all
            .iter()
            .map(|(tasks, asked)| Answers { tasks, asked })
            .collect();
        let before = told::shown(&set.course.pursuit);
        set.course.pursuit.look(&answers);
        let names: Vec<&str> = askers.iter().map(Asker::name).collect();
        for line in told::news(&set.course.pursuit, &before, &names) {
            self.watch.note(&line);
        }
        Ok(())
    }

    /// The rows of a group that are planned so far, in the order of their positions. A question without an
    /// answer counts with equal probabilities.
    fn table(&self, reader: &Reader, run: i64, group: usize) -> Result<Table, Failure> {
        let mut rows = Vec::new();
        reader.rows(run, group, |row| rows.push(row))?;
        let widest = rows.iter().map(|row| row.question.options).max();
        let mut table = Table::new(widest.unwrap_or(2));
        for row in &rows {
            let logits = match &row.scores {
                Some(scores) => logits_of(row, scores, &self.config).into_owned(),
                None => vec![0.0; row.question.options],
            };
            let of_row = Row {
                key: &row.question.content,
                cluster: None,
                logits: (&logits).into(),
                right: row.question.right,
                dont_know: row.question.dont_know,
                none_of_the_above: row.question.none_of_the_above,
            };
            table
                .push(row.question.content, &of_row, None)
                .map_err(Failure::new)?;
        }
        Ok(table)
    }

    /// Verdicts with their intervals.
    fn settled(
        &self,
        tasks: &Tasks,
        sets: &[Set],
        names: &[impl AsRef<str>],
        stopping: &Stopping,
    ) -> Settled {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let mut settled = Settled::new(stopping, &self.config);
        for set in sets {
            let task = stopping.per_task.then(|| &*tasks.ids[set.tasks[0]]);
            settled.add(set.course.clone().finish(), stopping, &names, task);
        }
        settled
    }
}

fn unfit(Incomparable(reason): Incomparable) -> Failure {
    Failure::new(format!("--thresholds: {reason}"))
        .hint("name the results of a run of these models and tasks on other questions")
}
