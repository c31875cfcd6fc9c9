//! A reader beside a writer sees how far a run is.

use sureness_engine::{Answer, AnswerSink, ItemId};
use sureness_scorers::ScoreError;
use sureness_store::{GroupProgress, Reader, Spot, Store};

use crate::resume::{begin, key, scores};

fn progress(planned: usize, answered: usize, failed: usize) -> GroupProgress {
    GroupProgress {
        planned,
        answered,
        failed,
    }
}

#[test]
fn progress_and_the_newest_answers_are_seen_while_a_run_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let mut store = Store::open(&path).unwrap();
    let (run, _) = begin(&mut store);
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.progress(run).unwrap(), [progress(3, 0, 0); 2]);
    assert_eq!(reader.last_answer_at().unwrap(), None);
    assert_eq!(reader.latest(run, 5).unwrap(), []);
    let before = reader.data_version().unwrap();
    assert_eq!(reader.data_version().unwrap(), before);

    let mut write = |group, question: u8, outcome| {
        let id = ItemId {
            group,
            question: question.into(),
        };
        let key = key(question);
        store
            .write(&[Answer {
                item: id,
                key,
                outcome,
            }])
            .unwrap();
    };
    write(0, 2, Ok(scores()));
    write(1, 0, Ok(scores()));
    write(0, 1, Err(ScoreError::TimedOut { seconds: 3 }));
    write(0, 0, Ok(scores()));
    assert_ne!(reader.data_version().unwrap(), before);
    let groups = reader.progress(run).unwrap();
    assert_eq!(groups, [progress(3, 2, 1), progress(3, 1, 0)]);
    let spot = |group, position| Spot { group, position };
    let latest = reader.latest(run, 5).unwrap();
    assert_eq!(latest, [spot(0, 0), spot(1, 0), spot(0, 2)]);
    assert_eq!(reader.latest(run, 2).unwrap(), latest[..2]);
    let row = reader.at(run, spot(0, 2)).unwrap().unwrap();
    assert_eq!(row.question.id, "q2");
    assert_eq!(row.scores, Some(scores()));
    assert!(reader.at(run, spot(0, 7)).unwrap().is_none());
    assert!(reader.last_answer_at().unwrap().is_some());
}
