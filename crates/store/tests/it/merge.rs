//! A merge has each question once, at its position in the whole, with the best outcome of any
//! shard, whatever the shards and their order.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use sureness_engine::{Answer, AnswerSink, ItemId, Planned};
use sureness_questions::{Question, RightOptions};
use sureness_record::{RunRecord, RunSettings};
use sureness_scorers::{ModelIdentity, OptionScores, RequestKey, ScoreError, Usage};
use sureness_store::{MergeInput, Reader, Store, StoreError};

const GROUPS: [(&str, &str); 2] = [("qa", "base"), ("rc", "base")];

/// What a part knows of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Planned,
    Failed,
    Answered,
}

fn record() -> RunRecord {
    RunRecord {
        model: ModelIdentity {
            name: "m".into(),
            backend: "test".into(),
            details: std::collections::BTreeMap::default(),
        },
        settings: RunSettings::default(),
    }
}

fn planned(group: u32, place: u32) -> Planned {
    let mut key = [0; 32];
    key[0] = group as u8;
    key[1..5].copy_from_slice(&place.to_le_bytes());
    Planned {
        key: RequestKey(key),
        content: key,
        cluster: [place as u8 / 3; 32],
        question: Arc::new(Question {
            accepted: Vec::new(),
            id: format!("{group}/{place}"),
            category: place.is_multiple_of(2).then(|| "law".into()),
            context: None,
            stem: "Which?".into(),
            options: vec!["one".into(), "two".into()],
            // One of them, or both.
            right: RightOptions::from_mask(1 + place % 3).unwrap(),
        }),
        draw: 0,
        turn: None,
    }
}

fn outcome(place: u32, known: Known) -> Option<Result<OptionScores, ScoreError>> {
    match known {
        Known::Planned => None,
        Known::Failed => Some(Err(ScoreError::TimedOut { seconds: 3 })),
        Known::Answered => Some(Ok(OptionScores {
            logprobs: vec![-0.5, -f64::from(place)],
            observed: vec![true, place.is_multiple_of(3)],
            mass: 0.9,
            usage: Usage {
                prompt_tokens: Some(place),
                cached_tokens: None,
                answer_tokens: None,
            },
            words: None,
        })),
    }
}

/// Writes a part: of each group the questions that it holds, with what it knows of them.
fn write(path: &Path, groups: &[Vec<(u32, Known)>]) -> MergeInput {
    let mut store = Store::open(path).unwrap();
    let run = store.begin_run(&record(), GROUPS).unwrap();
    let places = |held: &Vec<(u32, Known)>| held.iter().map(|(place, _)| *place).collect();
    store.place_questions(
        groups
            .iter()
            .map(places)
            .map(|p: Vec<u32>| Arc::from(p))
            .collect(),
    );
    for (group, held) in (0..).zip(groups) {
        let questions: Vec<Planned> = held.iter().map(|(p, _)| planned(group, *p)).collect();
        store.plan(group, 0, &questions).unwrap();
        let answers: Vec<Answer> = (0..)
            .zip(held)
            .filter_map(|(question, &(place, known))| {
                Some(Answer {
                    item: ItemId { group, question },
                    key: planned(group, place).key,
                    outcome: outcome(place, known)?,
                })
            })
            .collect();
        store.write(&answers).unwrap();
    }
    MergeInput {
        path: path.to_owned(),
        run,
    }
}

/// Place and state of each question of a group, as a reader finds them in order.
fn read(path: &Path, run: i64, group: usize) -> Vec<(u32, Known)> {
    let mut found = Vec::new();
    let reader = Reader::open(path).unwrap();
    let visit = |row: sureness_store::StoredRow| {
        let (of, place) = row.question.id.split_once('/').unwrap();
        assert_eq!(of, group.to_string());
        let place: u32 = place.parse().unwrap();
        let expected = planned(group as u32, place);
        assert_eq!(row.question.content, expected.content);
        assert_eq!(row.question.cluster, Some(expected.cluster));
        assert_eq!(row.question.right, expected.question.right);
        assert_eq!(row.question.category, expected.question.category);
        let known = match (&row.scores, &row.error) {
            (Some(scores), None) => {
                let Some(Ok(expected)) = outcome(place, Known::Answered) else {
                    unreachable!()
                };
                assert_eq!(*scores, expected);
                Known::Answered
            }
            (None, Some(_)) => Known::Failed,
            (None, None) => Known::Planned,
            (Some(_), Some(_)) => panic!("{place} both is answered and has failed"),
        };
        found.push((place, known));
    };
    reader.rows(run, group, visit).unwrap();
    found
}

fn known() -> impl Strategy<Value = Known> {
    prop_oneof![
        1 => Just(Known::Planned),
        1 => Just(Known::Failed),
        3 => Just(Known::Answered),
    ]
}

/// For each of some parts and both groups: questions by place.
fn parts() -> impl Strategy<Value = Vec<Vec<Vec<(u32, Known)>>>> {
    let held = prop::collection::btree_map(0_u32..400, known(), 0..60);
    let held = held.prop_map(|held| held.into_iter().collect());
    prop::collection::vec(prop::collection::vec(held, 2..=2), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_merge_is_the_best_of_all_parts_in_the_order_of_the_whole(
        parts in parts(),
        first in 0_usize..6,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let inputs: Vec<MergeInput> = parts
            .iter()
            .enumerate()
            .map(|(i, part)| write(&folder.path().join(format!("{i}.sqlite")), part))
            .collect();
        let path = folder.path().join("merged.sqlite");
        let mut store = Store::open(&path).unwrap();
        let run = store.merged_run(&record(), GROUPS).unwrap();
        // Some first, and all of them later.
        let first = &inputs[..first.min(inputs.len())];
        store.merge_runs(run, GROUPS.len(), first).unwrap();
        let reversed: Vec<MergeInput> = inputs.iter().rev().cloned().collect();
        store.merge_runs(run, GROUPS.len(), &reversed).unwrap();
        for group in 0..GROUPS.len() {
            let mut best = std::collections::BTreeMap::new();
            for (place, known) in parts.iter().flat_map(|part| &part[group]) {
                let entry = best.entry(*place).or_insert(*known);
                *entry = (*entry).max(*known);
            }
            let best: Vec<(u32, Known)> = best.into_iter().collect();
            prop_assert_eq!(read(&path, run, group), best);
        }
        let again = store.merge_runs(run, GROUPS.len(), &inputs).unwrap();
        prop_assert_eq!((again.changed, again.differing), (0, 0));
        prop_assert_eq!(store.merged_run(&record(), GROUPS).unwrap(), run);
    }
}

#[test]
fn another_question_at_the_same_place_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let one = write(
        &folder.path().join("one.sqlite"),
        &[vec![(5, Known::Answered)], vec![]],
    );
    let path = folder.path().join("other.sqlite");
    let mut other = Store::open(&path).unwrap();
    let run = other.begin_run(&record(), GROUPS).unwrap();
    other.place_questions(vec![Arc::from([5])]);
    other.plan(0, 0, &[planned(0, 6)]).unwrap();
    let inputs = [one, MergeInput { path, run }];
    let mut store = Store::open(&folder.path().join("merged.sqlite")).unwrap();
    let run = store.merged_run(&record(), GROUPS).unwrap();
    let error = store.merge_runs(run, GROUPS.len(), &inputs).unwrap_err();
    assert!(
        matches!(&error, StoreError::OtherQuestion { place: 5, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("other.sqlite: question 0/6"),
        "{error}"
    );
}
