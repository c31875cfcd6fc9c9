//! What happens during a run, for another thread to show.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use sureness_bench::{Interrupts, ModelStart, ModelWatch, Warner, Watch};
use sureness_engine::Event;

/// A line for people.
pub(super) enum Told {
    Note(String),
    Warning(String),
}

/// Tells what happens; clones tell the same.
#[derive(Clone)]
pub(super) struct Watching {
    teller: mpsc::Sender<Told>,
    interrupts: Interrupts,
    model: Arc<Mutex<Option<Arc<Model>>>>,
}

/// The model that is being asked.
struct Model {
    name: String,
    planned: usize,
    done: AtomicUsize,
    failed: AtomicUsize,
}

impl Watching {
    pub(super) fn new(teller: mpsc::Sender<Told>, interrupts: Interrupts) -> Self {
        Self {
            teller,
            interrupts,
            model: Arc::default(),
        }
    }

    /// The model, how many of its answers are there, of how many, and how many failed.
    pub(super) fn progress(&self) -> Option<(String, usize, usize, usize)> {
        let model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        let model = model.as_ref()?;
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let done = count(&model.done).min(model.planned);
        Some((
            model.name.clone(),
            done,
            model.planned,
            count(&model.failed),
        ))
    }

    fn tell(&self, told: Told) {
        // Whoever listened has left if this fails.
        let _ = self.teller.send(told);
    }
}

impl Watch for Watching {
    fn begin(&self, questions: &str) {
        self.note(questions);
    }

    fn note(&self, line: &str) {
        self.tell(Told::Note(line.to_owned()));
    }

    fn note_sender(&self) -> Arc<dyn Fn(&str) + Send + Sync> {
        let watching = self.clone();
        Arc::new(move |line: &str| watching.note(line))
    }

    fn warn(&self, line: &str) {
        self.tell(Told::Warning(line.to_owned()));
    }

    fn warn_sender(&self) -> Warner {
        let watching = self.clone();
        Arc::new(move |line: &str| watching.warn(line))
    }

    fn model(&self, model: ModelStart<'_>) -> Arc<dyn ModelWatch> {
        let model = Arc::new(Model {
            name: model.name.to_owned(),
            planned: model.plan.answers(),
            done: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
        });
        let mut asked = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        *asked = Some(Arc::clone(&model));
        model
    }

    fn interrupts(&self, _coordinates: bool) -> Interrupts {
        self.interrupts.clone()
    }
}

impl ModelWatch for Model {
    fn event(&self, event: &Event) {
        let (done, failed) = match event {
            Event::Cached { count, .. } => (*count, 0),
            Event::Answered { .. } => (1, 0),
            Event::Failed { .. } => (1, 1),
            _ => return,
        };
        self.done.fetch_add(done, Ordering::Relaxed);
        self.failed.fetch_add(failed, Ordering::Relaxed);
    }
}
