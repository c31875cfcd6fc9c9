//! Answers that are there already, played as if they were asked now: how many questions it takes.

use sureness_anytime::{Answers, Goal, Question, TaskScores};
use sureness_conformal::{Config, Table};

use super::{
    Course, Deployed, Found, Incomparable, Settled, Stopping, check_alike, of_task,
    order_of_asking, scores_of, shared_tables, tasks,
};
use crate::{Evidence, ModelEvidence};

/// Plays the evidence in the random order of `config.seed`, the same for all models.
///
/// # Errors
///
/// If there are too few models for the goal, or these were not asked the same.
pub fn play(
    evidence: &Evidence,
    config: &Config,
    stopping: &Stopping,
) -> Result<Settled, Incomparable> {
    let models: Vec<&ModelEvidence> = evidence.models.iter().collect();
    check_alike(&models)?;
    if models.len() < stopping.fewest_models() {
        return Err(Incomparable(
            "one model has nothing to be compared with".into(),
        ));
    }
    if stopping.goal == Goal::Gate && models.len() > 2 {
        return Err(Incomparable(format!(
            "a gate takes a base and a candidate, and these are {} models",
            models.len()
        )));
    }
    let tasks = tasks(&models)?;
    if let Some(deployed) = &stopping.deployed {
        for model in &models {
            let settings = model.source.record.settings();
            let recorded = settings.iter().flat_map(|settings| &settings.tasks);
            deployed.check(config, recorded.map(|it| (&*it.task, &*it.digest)))?;
        }
    }
    let sets: Vec<Vec<&str>> = if stopping.per_task {
        tasks.iter().map(|&task| vec![task]).collect()
    } else {
        vec![tasks]
    };
    let mut settled = Settled::new(stopping, config);
    // The error probability is that of all tasks together.
    let share = (1.0 - stopping.confidence) / sets.len() as f64;
    let names: Vec<&str> = models.iter().map(|model| &*model.name).collect();
    for set in &sets {
        let played = Played::of(&models, set, config, stopping.deployed.as_ref())?;
        let task = stopping.per_task.then_some(set[0]);
        let found = played.settle(1.0 - share, config.alpha, stopping);
        settled.add(found, stopping, &names, task);
    }
    Ok(settled)
}

/// The scores of all models on the questions that all answered, and the order of asking.
struct Played {
    /// Task by task, per model.
    models: Vec<Vec<TaskScores>>,
    order: Vec<(usize, usize)>,
    of: Vec<usize>,
}

impl Played {
    fn of(
        models: &[&ModelEvidence],
        tasks: &[&str],
        config: &Config,
        deployed: Option<&Deployed>,
    ) -> Result<Self, Incomparable> {
        let mut played = Self {
            models: models.iter().map(|_| Vec::new()).collect(),
            order: Vec::new(),
            of: Vec::new(),
        };
        let mut keys: Vec<(&str, Vec<[u8; 32]>)> = Vec::new();
        for (number, task) in tasks.iter().enumerate() {
            let mut tables = shared_tables(models, task)?.into_iter();
            for (model, scores) in models.iter().zip(&mut played.models) {
                let strategies: Vec<&str> = of_task(model, task)
                    .map(|group| &*group.id.strategy)
                    .collect();
                let tables: Vec<Table> = tables.by_ref().take(strategies.len()).collect();
                let Some(first) = tables.first() else {
                    continue;
                };
                if keys.len() == number {
                    // The first model tells the questions, which all models share.
                    keys.push((task, first.keys().to_vec()));
                    played.of.push(first.len());
                }
                let at = deployed.map(|it| it.of_task(&model.name, task, &strategies));
                scores.push(TaskScores {
                    of: first.len(),
                    deployed: at.transpose()?.unwrap_or_default(),
                    strategies: tables
                        .iter()
                        .map(|table| scores_of(table, config))
                        .collect(),
                });
            }
        }
        played.order = order_of_asking(&keys, config.seed);
        Ok(played)
    }

    /// Asks until everything is settled, or as far as is allowed.
    fn settle(&self, confidence: f64, alpha: f64, stopping: &Stopping) -> Found {
        let question = Question {
            goal: stopping.goal,
            confidence,
            metrics: stopping.metrics.clone(),
            alpha,
            of: self.of.clone(),
        };
        let mut course = Course::new(question, self.order.clone(), stopping, self.models.len());
        while course.is_open() {
            course.advance();
            let models = self.models.iter().enumerate();
            let answers = models.map(|(model, tasks)| Answers {
                tasks,
                asked: &self.order[..course.asked(model).len()],
            });
            let answers: Vec<Answers<'_>> = answers.collect();
            course.pursuit.look(&answers);
        }
        course.finish()
    }
}
