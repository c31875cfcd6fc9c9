use std::time::Duration;

use super::*;
use sureness_prompts::Prompt;

const MODEL: [u8; 32] = [7; 32];

fn request(prefix: &Arc<str>, n: u8) -> ScoreRequest {
    ScoreRequest {
        key: RequestKey([n; 32]),
        prompt: Prompt {
            prefix: Arc::clone(prefix),
            suffix: format!("question {n}"),
        },
        labels: ["A", "B"].map(str::to_owned).into(),
        draw: None,
    }
}

fn scores() -> Outcome {
    Outcome::Scores(vec![-1.0, -2.0], vec![true, true], 0.5, None, None)
}

fn failure() -> Outcome {
    let error = ScoreError::TimedOut { seconds: 3 };
    Outcome::from(Err(error))
}

fn result(unit: &Unit, answers: &[(u8, Outcome)], last: bool) -> UnitResult {
    UnitResult {
        unit: unit.id,
        model: MODEL,
        worker: "w1".into(),
        last,
        answers: answers.iter().map(|(n, o)| ([*n; 32], o.clone())).collect(),
    }
}

struct World {
    book: Book<&'static str>,
    prefix: Arc<str>,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let mut book = Book::new(MODEL, 1);
        book.started();
        Self {
            book,
            prefix: "shared".into(),
            now: Instant::now(),
        }
    }

    fn ask(&mut self, n: u8) -> oneshot::Receiver<Reply> {
        self.book.ask(&request(&self.prefix, n))
    }

    fn unit(&mut self, most: usize) -> Unit {
        self.book.next_unit(most, 10_000, self.now).unwrap().unit
    }
}

#[test]
fn answers_find_who_asked() {
    let mut world = World::new();
    let mut replies: Vec<_> = (1..4).map(|n| world.ask(n)).collect();
    let first = world.book.next_unit(2, 10_000, world.now).unwrap();
    assert_eq!(first.describe.as_deref(), Some("shared"));
    let second = world.book.next_unit(2, 10_000, world.now).unwrap();
    assert_eq!(second.describe, None, "the prefix is described once");
    assert_eq!((world.book.queued(), world.book.units.outstanding), (0, 3));
    let answers = [(1, scores()), (2, scores())];
    world
        .book
        .result(result(&first.unit, &answers, true), &"r1", false);
    assert_eq!(world.book.units.outstanding, 1);
    assert!(replies[0].try_recv().unwrap().is_ok());
    assert!(replies[1].try_recv().unwrap().is_ok());
    assert!(replies[2].try_recv().is_err());
    assert_eq!(world.book.saved([RequestKey([1; 32])].into_iter()), ["r1"]);
    assert_eq!(world.book.counts.answered, 2);
}

#[test]
fn what_a_worker_gives_back_is_asked_again() {
    let mut world = World::new();
    let mut replies: Vec<_> = (1..4).map(|n| world.ask(n)).collect();
    let unit = world.unit(3);
    world
        .book
        .result(result(&unit, &[(2, scores())], true), &"r", false);
    assert_eq!((world.book.queued(), world.book.units.outstanding), (2, 0));
    let again = world.unit(9);
    assert_eq!(again.items.len(), 2);
    assert!(again.avoid.is_empty(), "nobody failed");
    let answers = [(1, scores()), (3, scores())];
    world
        .book
        .result(result(&again, &answers, true), &"r", false);
    assert!(
        replies
            .iter_mut()
            .all(|reply| reply.try_recv().unwrap().is_ok())
    );
    assert_eq!(world.book.counts.asked_twice, 0);
}

#[test]
fn a_failure_is_tried_with_another_worker_and_then_final() {
    let mut world = World::new();
    let mut reply = world.ask(1);
    let _other = world.ask(2);
    let unit = world.unit(1);
    world
        .book
        .result(result(&unit, &[(1, failure())], true), &"r", false);
    assert!(reply.try_recv().is_err());
    let again = world.unit(9);
    assert_eq!(again.avoid, ["w1"]);
    assert_eq!(again.items.len(), 1, "only what has failed avoids a worker");
    world
        .book
        .result(result(&again, &[(1, failure())], true), &"r", false);
    let failed = reply.try_recv().unwrap().unwrap_err();
    assert_eq!(failed, ScoreError::TimedOut { seconds: 3 });
}

#[test]
fn what_comes_twice_is_counted_and_changes_nothing() {
    let mut world = World::new();
    let mut reply = world.ask(1);
    let unit = world.unit(1);
    let answer = result(&unit, &[(1, scores())], true);
    world.book.result(answer.clone(), &"r1", false);
    assert!(reply.try_recv().unwrap().is_ok());
    world.book.result(answer.clone(), &"r2", false);
    assert_eq!(world.book.counts.asked_twice, 1);
    // The same message, delivered again: nobody asked twice.
    world.book.result(answer, &"r2", true);
    assert_eq!(world.book.counts.asked_twice, 1);
    assert_eq!(world.book.units.outstanding, 0);
}

#[test]
fn units_and_results_from_before_are_adopted() {
    let mut before = World::new();
    let _lost: Vec<_> = (1..4).map(|n| before.ask(n)).collect();
    let unit = before.unit(3);

    let mut world = World::new();
    world.book.inherited.arriving = true;
    world
        .book
        .result(result(&unit, &[(1, scores())], false), &"r1", false);
    world.book.adopt(&unit, 40, world.now);
    world.book.started();
    assert_eq!(world.book.units.outstanding, 2);
    let mut replies: Vec<_> = (1..4).map(|n| world.ask(n)).collect();
    assert!(replies[0].try_recv().unwrap().is_ok(), "it came early");
    assert_eq!(world.book.queued(), 0, "nothing is published a second time");
    assert!(world.book.is_open(&RequestKey([2; 32])));
    let answers = [(2, scores()), (3, scores())];
    world
        .book
        .result(result(&unit, &answers, true), &"r2", false);
    assert!(replies[1].try_recv().unwrap().is_ok());
    assert!(replies[2].try_recv().unwrap().is_ok());
    assert_eq!(world.book.counts.asked_twice, 0);
    assert!(!world.book.is_open(&RequestKey([2; 32])));
}

#[test]
fn an_adopted_unit_may_come_back_before_it_is_asked_for() {
    let mut before = World::new();
    let _lost: Vec<_> = (1..3).map(|n| before.ask(n)).collect();
    let unit = before.unit(2);
    let mut world = World::new();
    world.book.adopt(&unit, 40, world.now);
    world
        .book
        .result(result(&unit, &[(1, scores())], true), &"r1", false);
    let mut first = world.ask(1);
    assert!(first.try_recv().unwrap().is_ok());
    let _second = world.ask(2);
    assert_eq!(world.book.queued(), 1, "the rest was given back");
}

#[test]
fn a_unit_that_the_broker_lost_is_published_again() {
    let mut world = World::new();
    let _replies: Vec<_> = (1..4).map(|n| world.ask(n)).collect();
    let unit = world.unit(3);
    world.book.units.seen(unit.id, 12, world.now);
    let later = world.now + Duration::from_secs(61);
    assert_eq!(
        world.book.units.stale(Duration::from_secs(60), later),
        [(unit.id, 12)]
    );
    world.book.lost(unit.id);
    assert_eq!((world.book.queued(), world.book.units.outstanding), (3, 0));
    assert_eq!(world.book.counts.lost, 1);
}

#[test]
fn units_keep_to_one_group_and_to_the_size() {
    let mut world = World::new();
    let _a: Vec<_> = (1..4).map(|n| world.ask(n)).collect();
    world.prefix = "another".into();
    let _b = world.ask(9);
    let unit = world.book.next_unit(9, 150, world.now).unwrap().unit;
    assert_eq!(unit.items.len(), 2, "three would be too many bytes");
    assert_eq!(world.unit(9).items.len(), 1);
    let other = world.unit(9);
    assert_ne!(other.group, unit.group);
}

#[test]
fn results_of_another_model_are_refused() {
    let mut world = World::new();
    let mut reply = world.ask(1);
    let unit = world.unit(1);
    let mut wrong = result(&unit, &[(1, scores())], true);
    wrong.model = [8; 32];
    world.book.result(wrong, &"r", false);
    assert!(reply.try_recv().is_err());
    assert_eq!(world.book.counts.malformed, 1);
}
