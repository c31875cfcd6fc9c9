//! A run's judge of open questions.

use std::sync::{Arc, OnceLock};

use sureness_analysis::number::counted;
use sureness_engine::{Cancel, Event, Plan, Stop};
use sureness_hint::Hint;
use sureness_report::JudgeTiming;

use super::Session;
use crate::budget::Meter;
use crate::error::Failure;
use crate::judge::{Judging, OpenedJudge, spent};
use crate::questions::Questions;
use crate::settings::Settings;

/// Refuses a judge that has nothing to compare, or whose cost cannot be limited.
pub(crate) fn check(settings: &Settings, questions: &Questions) -> Result<(), Failure> {
    let Some(judge) = &settings.judge else {
        return Ok(());
    };
    if questions.open_task()?.is_none() {
        return Err(Failure::new(
            "--judge compares answers to open questions, and no task has any",
        )
        .hint("leave out --judge, or name open questions with --data"));
    }
    if settings.budget.max_cost.is_some() && judge.prices.is_none() {
        return Err(
            Failure::new("--max-cost is given, but no price of the judge's tokens")
                .hint("add --judge-price-in and --judge-price-out, the prices of a million tokens"),
        );
    }
    Ok(())
}

impl Session<'_> {
    /// Probes the judge's server, if there is a judge; `None` also if a stop was requested.
    pub(super) async fn open_judge(&self) -> Result<Option<OpenedJudge>, Failure> {
        let Some(settings) = &self.settings.judge else {
            return Ok(None);
        };
        let opened = OpenedJudge::open(settings, self.settings.asking.engine);
        self.interrupts.race(opened).await.transpose()
    }

    /// Asks the judge about the answers of a run. Returns counts, and why it ended early.
    pub(super) async fn ask_judge(
        &self,
        run: i64,
        plan: &Plan,
        ignore_cache: bool,
        (stop, meter): (&Cancel, &Arc<Meter>),
    ) -> Result<(Option<JudgeTiming>, Option<Stop>), Failure> {
        let Some((judge, settings)) = self.judge.as_ref().zip(self.settings.judge.as_ref()) else {
            return Ok((None, None));
        };
        let first_error: Arc<OnceLock<String>> = Arc::default();
        let observer = {
            let (meter, stop) = (Arc::clone(meter), stop.clone());
            let first_error = Arc::clone(&first_error);
            Arc::new(move |event: &Event| match event {
                Event::Attempt(attempt) if meter.judge_attempt(attempt) => stop.cancel(),
                Event::Failed { error, .. } => {
                    first_error.get_or_init(|| format!("{error}\nhint: {}", error.hint()));
                }
                _ => {}
            })
        };
        let store = &self.folder.store;
        let judging = Judging {
            judge,
            store,
            run,
            plan,
        };
        let open_store = || self.open_store(ignore_cache);
        let (mut timing, ended) = judging.ask(open_store, stop, observer).await?;
        timing.spent = Some(spent(store, run, settings)?);
        let name = &judge.record.model.name;
        self.watch.note(&format!(
            "judge {name}: {} asked, {} from cache",
            counted(timing.asked, "comparison"),
            timing.cached,
        ));
        if let Some(error) = first_error.get() {
            self.watch.warn(&format!(
                "warning: judge {name}: {} without an answer, which leave their answers apart; the first: \
                 {error}",
                counted(timing.failed, "comparison"),
            ));
        }
        Ok((Some(timing), ended))
    }
}
