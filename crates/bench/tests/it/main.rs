//! The benchmark as a library, against a real server.

mod measure;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sureness_bench::{
    Asking, Ended, Interrupts, Model, ModelStart, ModelWatch, QuestionSettings, Settings, Watch,
    run,
};
use sureness_engine::Event;
use sureness_faultserver::{FaultServer, Script};
use sureness_prompts::Strategy;

/// 24 questions of one task in one strategy.
fn settings(folder: &Path) -> Settings {
    Settings {
        questions: QuestionSettings {
            tasks: vec!["mmlu".into()],
            sample_size: Some(24),
            strategies: vec![Strategy::Base],
            ..QuestionSettings::default()
        },
        asking: Asking::default(),
        output_dir: folder.into(),
        ..Settings::default()
    }
}

fn model(server: &FaultServer) -> Model {
    Model::Served {
        api_bases: vec![server.base()],
        model: None,
    }
}

/// Records notes and events, and stops the run after some answers.
#[derive(Default)]
struct Follower {
    lines: Mutex<Vec<String>>,
    answered: Arc<AtomicUsize>,
    finished: Arc<AtomicUsize>,
    interrupts: Interrupts,
}

struct Count(Arc<AtomicUsize>, Arc<AtomicUsize>);

impl ModelWatch for Count {
    fn event(&self, event: &Event) {
        if matches!(event, Event::Answered { .. }) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn finish(&self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

impl Watch for Follower {
    fn begin(&self, questions: &str) {
        self.lines.lock().unwrap().push(questions.to_owned());
    }

    fn model(&self, model: ModelStart<'_>) -> Arc<dyn ModelWatch> {
        assert_eq!((model.plan.len(), model.endpoints), (24, 1));
        Arc::new(Count(
            Arc::clone(&self.answered),
            Arc::clone(&self.finished),
        ))
    }

    fn interrupts(&self, coordinates: bool) -> Interrupts {
        assert!(!coordinates);
        self.interrupts.clone()
    }
}

#[test]
fn a_run_is_followed_written_and_continued() {
    let server = FaultServer::start(Script::healthy()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (settings, models) = (settings(folder.path()), [model(&server)]);
    let follower = Follower::default();
    let outcome = run(&settings, &models, &follower).unwrap();
    assert_eq!(outcome.ended(0.0).unwrap(), Ended::Complete);
    assert_eq!(follower.answered.load(Ordering::Relaxed), 24);
    assert_eq!(follower.finished.load(Ordering::Relaxed), 1);
    assert!(follower.lines.lock().unwrap()[0].starts_with("24 questions: 1 task"));

    let written = std::fs::read_to_string(&outcome.folder.json).unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&written).unwrap(),
        serde_json::to_value(&outcome.results).unwrap()
    );
    let again = run(&settings, &models, &()).unwrap();
    assert_eq!(again.results.models[0].timing.cached, 24);
    assert_eq!(again.results.models[0].mean, outcome.results.models[0].mean);
}

#[test]
fn a_run_that_is_stopped_before_it_begins_asks_nothing() {
    let server = FaultServer::start(Script::healthy()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (stopper, interrupts) = Interrupts::new();
    stopper.stop();
    let follower = Follower {
        interrupts,
        ..Follower::default()
    };
    let outcome = run(&settings(folder.path()), &[model(&server)], &follower).unwrap();
    assert_eq!(outcome.ended(0.0).unwrap(), Ended::Interrupted);
    assert_eq!(follower.answered.load(Ordering::Relaxed), 0);
}

#[test]
fn a_failure_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.questions.tasks = vec!["tax".into()];
    let failure = run(&settings, &[], &()).unwrap_err();
    assert!(
        failure.to_string().contains("task tax is unknown"),
        "{failure}"
    );
    assert!(
        failure
            .to_do()
            .unwrap()
            .contains("sureness data import tax")
    );
}
