//! Tasks that are settled together, and the order of their questions.

use sureness_analysis::settled::{Course, Stopping, order_of_asking};
use sureness_anytime::Question;
use sureness_engine::Plan;

use crate::error::Failure;
use crate::watch::Standing;

/// A set of tasks that is settled together.
pub(super) struct Set {
    /// Indices of the tasks.
    pub(super) tasks: Vec<usize>,
    pub(super) course: Course,
}

/// The tasks of a plan, each with its groups.
pub(super) struct Tasks {
    pub(super) ids: Vec<String>,
    pub(super) groups: Vec<Vec<usize>>,
    pub(super) keys: Vec<Vec<[u8; 32]>>,
}

impl Tasks {
    pub(super) fn of(plan: &Plan) -> Result<Self, Failure> {
        let mut tasks = Self {
            ids: Vec::new(),
            groups: Vec::new(),
            keys: Vec::new(),
        };
        for (index, group) in plan.groups.iter().enumerate() {
            if let Some(task) = tasks.ids.iter().position(|id| *id == group.task.id) {
                tasks.groups[task].push(index);
                continue;
            }
            let bank = &group.questions;
            let keys = (0..bank.len()).map(|position| bank.content_digest(position));
            tasks
                .keys
                .push(keys.collect::<Result<_, _>>().map_err(Failure::new)?);
            tasks.ids.push(group.task.id.clone());
            tasks.groups.push(vec![index]);
        }
        Ok(tasks)
    }

    /// What is settled together: all tasks, or each.
    pub(super) fn sets(
        &self,
        stopping: &Stopping,
        alpha: f64,
        seed: u64,
        models: usize,
    ) -> Vec<Set> {
        let all: Vec<usize> = (0..self.ids.len()).collect();
        let sets: Vec<Vec<usize>> = if stopping.per_task {
            all.into_iter().map(|task| vec![task]).collect()
        } else {
            vec![all]
        };
        let share = (1.0 - stopping.confidence) / sets.len() as f64;
        let set = |tasks: Vec<usize>| {
            let keys: Vec<(&str, Vec<[u8; 32]>)> = tasks
                .iter()
                .map(|&task| (&*self.ids[task], self.keys[task].clone()))
                .collect();
            let question = Question {
                goal: stopping.goal,
                confidence: 1.0 - share,
                metrics: stopping.metrics.clone(),
                alpha,
                of: keys.iter().map(|(_, keys)| keys.len()).collect(),
            };
            let order = order_of_asking(&keys, seed);
            Set {
                course: Course::new(question, order, stopping, models),
                tasks,
            }
        };
        sets.into_iter().map(set).collect()
    }
}

/// How much is shown over all sets of tasks.
pub(super) fn standing(sets: &[Set]) -> Standing {
    let mut all = Standing { settled: 0, of: 0 };
    for set in sets {
        let (settled, of) = set.course.pursuit.standing();
        all.settled += settled;
        all.of += of;
    }
    all
}
