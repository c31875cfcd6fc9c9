//! Every shape of an answer, and invalid ones.

use proptest::prelude::*;
use serde_json::json;

use super::super::tokens::{Options, option_scores};
use super::*;

fn texts(response: &Value) -> Result<Vec<(String, f64)>, ScoreError> {
    let tokens = only_choice(response)?.tokens()?;
    Ok(tokens
        .into_iter()
        .map(|t| (t.text.into_owned(), t.logprob))
        .collect())
}

fn one(logprobs: &Value) -> Value {
    json!({"choices": [{"index": 0, "text": "A", "logprobs": logprobs}]})
}

#[test]
fn the_sampled_token_joins_the_list() {
    let legacy =
        one(&json!({"tokens": [" Z"], "token_logprobs": [-5.0], "top_logprobs": [{" A": -1.0}]}));
    let chat = one(
        &json!({"content": [{"token": " Z", "logprob": -5.0, "top_logprobs": [{"token": " A", "logprob": -1.0}]}]}),
    );
    let wanted = vec![(" A".to_owned(), -1.0), (" Z".to_owned(), -5.0)];
    assert_eq!(texts(&legacy).unwrap(), wanted);
    assert_eq!(texts(&chat).unwrap(), wanted);
}

#[test]
fn llama_cpp_s_own_shape_is_read() {
    let native = json!({"content": " A", "completion_probabilities": [
        {"id": 2, "token": " B", "bytes": [32, 66], "logprob": -2.0, "top_logprobs": [
            {"id": 1, "token": " A", "bytes": [32, 65], "logprob": -1.0}]}]});
    let wanted = [(" A".to_owned(), -1.0), (" B".to_owned(), -2.0)];
    assert_eq!(texts(&native).unwrap(), wanted);
}

#[test]
fn what_is_not_available_is_left_out_and_what_is_no_number_refused() {
    let of = |value: Value| {
        texts(&one(
            &json!({"top_logprobs": [{" A": value, " B": -1.0}], "token_logprobs": [null]}),
        ))
    };
    for absent in [json!(null), json!(-9999.0), json!("-Infinity")] {
        assert_eq!(of(absent).unwrap(), [(" B".to_owned(), -1.0)]);
    }
    for bad in [json!(0.5), json!("x"), json!(true), json!([])] {
        assert!(
            matches!(of(bad.clone()), Err(ScoreError::Malformed { .. })),
            "{bad}"
        );
    }
}

#[test]
fn no_logprobs_differ_from_nothing_generated() {
    for none in [json!(null), json!({}), json!({"content": null})] {
        assert_eq!(texts(&one(&none)), Err(ScoreError::NoLogprobs), "{none}");
    }
    let after_sampling =
        json!({"content": [{"token": " A", "prob": 1.0, "top_probs": [{"token": " A"}]}]});
    assert_eq!(texts(&one(&after_sampling)), Err(ScoreError::NoLogprobs));
    for logprobs in [json!(null), json!({"content": []}), json!({"tokens": []})] {
        let ended =
            json!({"choices": [{"text": "", "logprobs": logprobs, "finish_reason": "stop"}]});
        assert_eq!(texts(&ended), Ok(vec![]), "{logprobs}");
        assert_eq!(
            texts(&one(&logprobs)),
            Err(ScoreError::NoLogprobs),
            "{logprobs}"
        );
    }
}

#[test]
fn the_sampled_token_alone_is_no_answer() {
    let legacy = |top: Value| {
        texts(&one(
            &json!({"tokens": [" A"], "token_logprobs": [-1.0], "top_logprobs": top}),
        ))
    };
    let chat = |top: Value| {
        texts(&one(
            &json!({"content": [{"token": " A", "logprob": -1.0, "top_logprobs": top}]}),
        ))
    };
    for none in [json!(null), json!([])] {
        assert_eq!(legacy(none.clone()), Err(ScoreError::NoLogprobs), "{none}");
        assert_eq!(chat(none.clone()), Err(ScoreError::NoLogprobs), "{none}");
    }
    for none in [json!([null]), json!([{}]), json!([[]])] {
        assert_eq!(legacy(none.clone()), Err(ScoreError::NoLogprobs), "{none}");
    }
    let left_out = json!({"content": [{"token": " A", "logprob": -1.0}]});
    assert_eq!(texts(&one(&left_out)), Err(ScoreError::NoLogprobs));
    let left_out = json!({"tokens": [" A"], "token_logprobs": [-1.0]});
    assert_eq!(texts(&one(&left_out)), Err(ScoreError::NoLogprobs));
}

#[test]
fn a_list_without_one_value_is_malformed() {
    for absent in [json!(null), json!("-Infinity"), json!(-9999.0)] {
        let legacy = json!({"tokens": ["A"], "token_logprobs": [absent],
            "top_logprobs": [{"A": absent, "B": absent}]});
        let chat = json!({"content": [{"token": "A", "logprob": absent, "top_logprobs":
            [{"token": "A", "logprob": absent}, {"token": "B", "logprob": absent}]}]});
        let own = json!([{"meta_info": {"output_token_ids_logprobs": [[[absent, 330, null]]]}}]);
        for response in [one(&legacy), one(&chat), own] {
            let error = texts(&response).unwrap_err();
            assert_eq!(error.kind(), "malformed", "{response}");
        }
    }
}

#[test]
fn the_only_answer_to_the_only_prompt_needs_no_number() {
    let unnumbered = json!({"choices": [{"text": "A"}]});
    let matched = matched_choices(&unnumbered, 1).unwrap();
    assert!(matches!(
        matched.as_slice(),
        [Ok(Choice { index: None, .. })]
    ));
    assert!(
        matched_choices(&unnumbered, 2)
            .unwrap()
            .iter()
            .all(Result::is_err)
    );
    for wrong in [
        json!({"choices": [{"index": 3}]}),
        json!({"choices": [{}, {}]}),
    ] {
        let matched = matched_choices(&wrong, 1).unwrap();
        assert!(matched.iter().all(Result::is_err), "{wrong}");
    }
}

#[test]
fn answers_find_their_prompts_by_index() {
    let response =
        json!({"choices": [{"index": 3}, {"index": 1}, {"index": 0}, {"index": 1}, {"index": 9}]});
    let matched = matched_choices(&response, 4).unwrap();
    let found: Vec<_> = matched
        .into_iter()
        .map(|c| c.ok().and_then(|c| c.index))
        .collect();
    assert_eq!(found, [Some(0), None, None, Some(3)]);
}

/// JSON that passes the first checks of an answer.
fn answer_like() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-12.0..0.01f64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec!["A", " A", "▁B", "", "stop"]).prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "choices",
        "index",
        "logprobs",
        "content",
        "top_logprobs",
        "token",
        "tokens",
        "token_logprobs",
        "logprob",
        "bytes",
        "completion_probabilities",
        "text",
        "finish_reason",
        "A",
        " B",
    ]);
    leaf.prop_recursive(7, 96, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    })
}

fn entries() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec!["A", " A", "▁A", "B", " B", "C", "x", "y"]);
    let value = prop_oneof![
        (-12.0..0.002f64).prop_map(Value::from),
        Just(json!(-9999.0)),
        Just(Value::Null)
    ];
    prop::collection::vec((text, value), 0..12).prop_map(|list| {
        list.into_iter()
            .map(|(text, value)| json!({"token": text, "logprob": value}))
            .collect()
    })
}

fn check(tokens: Tokens<'_>) -> Result<(), TestCaseError> {
    let labels = ["A", "B", "C"].map(str::to_owned);
    let options = Options {
        labels: &labels,
        ids: &[],
        chat: false,
        exact: false,
    };
    if let Ok(scores) = option_scores(tokens, options, 20, Usage::default()) {
        prop_assert!((0.0..=1.0 + 1e-9).contains(&scores.mass));
        prop_assert!(scores.logprobs.iter().all(|l| l.is_finite() && *l <= 0.0));
        prop_assert!(scores.observed.contains(&true));
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_json_makes_the_parser_panic(response in answer_like()) {
        let _ = usage(&response);
        let _ = matched_choices(&response, 3);
        for choice in choices(&response).unwrap_or_default() {
            if let Ok(tokens) = choice.tokens() {
                check(tokens)?;
            }
        }
    }

    #[test]
    fn every_list_of_tokens_gives_probabilities_or_an_error(listed in entries()) {
        let response = one(&json!({"content": [{"token": " A", "logprob": -3.0, "top_logprobs": listed}]}));
        if let Ok(tokens) = only_choice(&response).and_then(|c| c.tokens()) {
            check(tokens)?;
        }
    }
}
