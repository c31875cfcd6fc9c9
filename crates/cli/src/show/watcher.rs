//! Shows a run in the terminal, the log and the metrics.

use std::sync::Arc;

#[cfg(feature = "nats")]
use sureness_bench::CoordinatorStatus;
use sureness_bench::{Failure, Interrupts, ModelStart, ModelWatch, Standing, Warner, Watch};
use sureness_engine::{Event, Observer, Plan};
use sureness_report::Results;

use super::progress::{Progress, Screen};
use super::{interrupts, log, results, signals};
use crate::args::run::ProgressArg;
use crate::metrics::{Metrics, ModelMetrics};

/// Shows a run on a screen and in metrics.
pub(crate) struct Watcher {
    screen: Screen,
    metrics: Option<Metrics>,
    /// Whether the table has a row for every strategy.
    pub(crate) verbose: bool,
}

impl Watcher {
    /// Shows progress in this form, and metrics if there is an address to serve them on, which is
    /// taken at once.
    pub(crate) fn new(
        progress: ProgressArg,
        metrics_addr: Option<&str>,
        verbose: bool,
    ) -> Result<Self, Failure> {
        Ok(Self {
            screen: Screen::new(progress, verbose),
            metrics: metrics_addr.map(Metrics::listen).transpose()?,
            verbose,
        })
    }

    /// Shows plain lines only.
    pub(crate) fn plain() -> Self {
        Self {
            screen: Screen::plain(),
            metrics: None,
            verbose: false,
        }
    }
}

impl Watch for Watcher {
    fn begin(&self, questions: &str) {
        signals::ignore_file_size_signal();
        self.screen.note(questions);
        if let Some(metrics) = &self.metrics {
            metrics.serve();
        }
    }

    fn note(&self, line: &str) {
        self.screen.note(line);
    }

    fn note_sender(&self) -> Arc<dyn Fn(&str) + Send + Sync> {
        let screen = self.screen.clone();
        Arc::new(move |line: &str| screen.note(line))
    }

    fn warn(&self, line: &str) {
        self.screen.warn(line);
    }

    fn recheck(&self, plan: &Plan) -> Observer {
        let questions = log::Questions::of(plan);
        Arc::new(move |event: &Event| log::event(event, &questions))
    }

    fn warn_sender(&self) -> Warner {
        let screen = self.screen.clone();
        Arc::new(move |line: &str| screen.warn(line))
    }

    fn model(&self, model: ModelStart<'_>) -> Arc<dyn ModelWatch> {
        let metrics = self.metrics.as_ref();
        Arc::new(ModelWatcher {
            metrics: metrics.map(|m| m.for_model(model.name, model.plan, model.endpoints)),
            questions: log::Questions::of(model.plan),
            progress: Progress::new(&self.screen, model),
        })
    }

    #[cfg(feature = "nats")]
    fn coordinator(&self, status: CoordinatorStatus) {
        if let Some(metrics) = &self.metrics {
            metrics.collect_from_coordinator(status);
        }
    }

    fn unsaved(&self, results: &Results) {
        results::show(results, self.verbose);
    }

    fn interrupts(&self, coordinates: bool) -> Interrupts {
        interrupts(coordinates)
    }
}

struct ModelWatcher {
    questions: log::Questions,
    metrics: Option<ModelMetrics>,
    progress: Progress,
}

impl ModelWatch for ModelWatcher {
    fn event(&self, event: &Event) {
        log::event(event, &self.questions);
        if let Some(metrics) = &self.metrics {
            metrics.count(event);
        }
        self.progress.update(event);
    }

    fn standing(&self, standing: Standing) {
        self.progress.stand(standing);
    }

    fn finish(&self) {
        self.progress.finish();
    }
}
