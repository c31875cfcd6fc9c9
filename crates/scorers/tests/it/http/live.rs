//! Against a real server: `SURENESS_TEST_SERVER=http://127.0.0.1:18080/v1`.

use sureness_scorers::http::{Depth, HttpOptions};
use sureness_scorers::{OptionScorer, OptionScores};

use crate::http::doctor::diagnose_to;
use crate::http::{Way, connect, question, score_one};

const LETTERS: [&str; 4] = ["A", "B", "C", "D"];
const CAPITALS: &str =
    "What is the capital of France?\nChoices:\nA. Rome\nB. Paris\nC. Oslo\nD. Bern";
const SEAS: &str =
    "Which of these is an ocean?\nChoices:\nA. Pacific\nB. Thames\nC. Alps\nD. Sahara";

fn options() -> Option<HttpOptions> {
    let base = std::env::var("SURENESS_TEST_SERVER").ok();
    if base.is_none() {
        println!("skipped: SURENESS_TEST_SERVER names no server");
    }
    // Other tests use the same processors.
    base.map(|base| HttpOptions {
        timeout: std::time::Duration::from_secs(900),
        ..HttpOptions::new(base)
    })
}

fn sane(scores: &OptionScores) {
    assert_eq!(scores.logprobs.len(), LETTERS.len());
    assert!(scores.observed.iter().any(|&seen| seen));
    assert!(scores.mass > 0.0 && scores.mass <= 1.0);
    assert!(scores.logprobs.iter().all(|l| l.is_finite() && *l <= 0.0));
}

#[tokio::test]
async fn a_real_server_scores_every_way_of_asking() {
    let Some(options) = options() else { return };
    let batch = [question(CAPITALS, &LETTERS), question(SEAS, &LETTERS)];
    for (chat, list_prompts) in [(false, false), (false, true), (true, false)] {
        let options = HttpOptions {
            chat,
            list_prompts,
            ..options.clone()
        };
        let scorer = connect(options).await.unwrap();
        println!("{:#?}", scorer.identity());
        assert_eq!(scorer.sends_lists(), list_prompts);
        for answer in scorer.score(&batch).await.scores {
            let answer = answer.unwrap();
            println!("{answer:?}");
            sane(&answer);
            assert!(list_prompts || answer.usage.prompt_tokens.is_some());
        }
    }
}

#[tokio::test]
async fn a_real_server_refuses_what_does_not_fit() {
    let Some(options) = options() else { return };
    let scorer = connect(options).await.unwrap();
    let long = question(&"word ".repeat(40_000), &LETTERS);
    let error = score_one(Way::Async, &scorer, &long).await.unwrap_err();
    assert_eq!(error.kind(), "context_too_long", "{error}");
    println!("{error}; template: {:?}", scorer.server_template().await);
    sane(
        &score_one(Way::Async, &scorer, &question(CAPITALS, &LETTERS))
            .await
            .unwrap(),
    );
}

/// A second request gives options outside a few top tokens the values of many top tokens.
#[tokio::test]
async fn a_real_server_s_exact_scores_are_those_of_its_long_lists() {
    let Some(options) = options() else { return };
    for chat in [false, true] {
        let mut both = Vec::new();
        for (top, exact_scores) in [(20, false), (3, true)] {
            let options = HttpOptions {
                chat,
                exact_scores,
                top_logprobs: Some(top),
                max_connections: 1,
                ..options.clone()
            };
            let scorer = connect(options).await.unwrap();
            println!("{:?}", scorer.scoring());
            assert_eq!(scorer.scoring().exact, exact_scores);
            // Twice, so that both answers come from the cache.
            let question = question(SEAS, &LETTERS);
            let _ = score_one(Way::Async, &scorer, &question).await;
            both.push(score_one(Way::Async, &scorer, &question).await.unwrap());
        }
        println!("{both:#?}");
        let [long, exact] = both.as_slice() else {
            panic!("two")
        };
        assert_eq!(exact.observed, [true; 4]);
        for option in (0..4).filter(|&option| long.observed[option]) {
            // Spellings outside the list, and rounding.
            let moved = (long.logprobs[option] - exact.logprobs[option]).abs();
            assert!(moved < 0.05, "option {option}: {moved}");
        }
    }
}

#[tokio::test]
async fn a_real_server_is_examined() {
    let Some(options) = options() else { return };
    // The default of 20 would take this server two minutes.
    let depth = Depth::Whole { noise_questions: 4 };
    let found = diagnose_to(depth, options).await;
    println!("{found:#?}");
    assert_eq!(found.obstacle, None);
    assert!(found.routes.completions && found.routes.chat);
    assert!(found.scoring.unwrap().exact);
    assert_eq!(found.letters.len(), 26);
    assert_eq!(found.noise.unwrap().questions, 4);
    assert!(found.context.is_some() && found.bos.is_some());
}
