use proptest::prelude::*;
use serde_json::{Value, json};
use sureness_prompts::Prompt;

use super::super::address::ApiBase;
use super::super::lenient;
use super::super::options::HttpOptions;
use super::super::wire::KeptHeaders;
use super::*;
use crate::RequestKey;

fn exchange(route: Route, tier: Tier) -> Exchange {
    let options = HttpOptions::new("http://127.0.0.1:1");
    let base = ApiBase::parse(&options.api_base).unwrap();
    let endpoint = Arc::new(Endpoint::new(&options, base).unwrap());
    let known = [("A", vec![330, 49]), ("B", vec![389, 50])];
    let spellings = Spellings(known.map(|(l, ids)| (l.to_owned(), ids)).into());
    let choice = TierChoice {
        tier,
        reason: "",
        max_ids: 20,
        noise_nats: 0.0,
        bent: false,
    };
    let template = RequestTemplate::new(route, "m\"x", 20);
    Exchange::new(endpoint, template, choice, spellings)
}

fn request(prefix: &Arc<str>, suffix: &str) -> ScoreRequest {
    let labels: Arc<[String]> = ["A", "B"].map(str::to_owned).into();
    let prompt = Prompt {
        prefix: Arc::clone(prefix),
        suffix: suffix.to_owned(),
    };
    ScoreRequest {
        key: RequestKey::new(&[0; 32], &prompt, &labels),
        prompt,
        labels,
        draw: None,
    }
}

fn sent(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

fn response(body: &Value) -> Response {
    Response {
        status: 200,
        headers: KeptHeaders::default(),
        body: body.to_string().into_bytes(),
        keep_alive: true,
    }
}

#[test]
fn every_tier_asks_in_its_own_words() {
    let request = request(&"one\n".into(), "\"two\"\nAnswer:");
    let text = "one\n\"two\"\nAnswer:";
    let ask = |route, tier| sent(&exchange(route, tier).encode_one(&request));
    let plain =
        json!({"model": "m\"x", "prompt": text, "max_tokens": 1, "temperature": 0, "logprobs": 20});
    assert_eq!(ask(Route::Completions, Tier::TopTokens), plain);
    assert_eq!(ask(Route::Completions, Tier::Biased), plain);
    let chat = json!({"model": "m\"x", "messages": [{"role": "user", "content": text}],
        "max_tokens": 1, "temperature": 0, "logprobs": true, "top_logprobs": 20});
    assert_eq!(ask(Route::Chat, Tier::TopTokens), chat);
    let ids = json!([330, 49, 389, 50]);
    let numbers = ask(Route::Completions, Tier::TokenIds);
    assert_eq!(
        (&numbers["logprob_token_ids"], &numbers["logprobs"]),
        (&ids, &json!(1))
    );
    let numbers = ask(Route::Chat, Tier::TokenIds);
    assert_eq!(
        (&numbers["logprob_token_ids"], &numbers["logprobs"]),
        (&ids, &json!(true))
    );
    let generate = ask(Route::Completions, Tier::Generate);
    assert_eq!(
        (&generate["token_ids_logprob"], &generate["text"]),
        (&ids, &json!(text))
    );
}

#[test]
fn a_list_holds_its_prompts_in_order() {
    let prefix = "shared ".into();
    let batch = ["a", "\"b\""].map(|suffix| request(&prefix, suffix));
    let exchange = exchange(Route::Completions, Tier::TopTokens);
    let body = sent(&exchange.encode_list(&batch));
    assert_eq!(body["prompt"], json!(["shared a", "shared \"b\""]));
    assert_eq!(body["logprobs"], 20);
}

#[test]
fn what_is_open_is_asked_for_again_only_where_that_helps() {
    let request = request(&"".into(), "x");
    let scores = |observed| OptionScores {
        logprobs: vec![-1.0, -2.0],
        observed,
        mass: 0.4,
        usage: Usage::default(),
        words: None,
    };
    let rest = |tier, observed| {
        exchange(Route::Completions, tier).encode_rest(&request, &scores(observed))
    };
    assert_eq!(rest(Tier::TopTokens, vec![true, false]), None);
    assert_eq!(rest(Tier::Biased, vec![true, true]), None);
    let body = sent(&rest(Tier::Biased, vec![true, false]).unwrap());
    let bias = json!({"330": 100, "49": 100, "389": 100, "50": 100});
    assert_eq!((&body["logit_bias"], &body["logprobs"]), (&bias, &json!(4)));
    assert_eq!(body["samplers"], json!(["temperature"]));
    assert_eq!(
        (&body["repeat_penalty"], &body["mirostat"]),
        (&json!(1), &json!(0))
    );
}

#[test]
fn sglang_s_own_answers_are_read() {
    let exchange = exchange(Route::Completions, Tier::Generate);
    let one = |a: f64| {
        let listed = json!([
            [a, 330, null],
            [-3.0, 49, null],
            [-2.0, 389, "x"],
            [-4.0, 50, null]
        ]);
        json!({"text": " A", "meta_info": {"prompt_tokens": 9, "cached_tokens": 4,
            "output_token_ids_logprobs": [listed]}})
    };
    let batch = ["a", "b"].map(|suffix| request(&"".into(), suffix));
    let scores = exchange
        .decode_one(&response(&one(-1.0)), &batch[0])
        .unwrap();
    assert!((scores.logprobs[0] - ((-1f64).exp() + (-3f64).exp()).ln()).abs() < 1e-12);
    assert_eq!(scores.usage.cached_tokens, Some(4));
    let list = response(&json!([one(-1.0), one(-1.5)]));
    let both = exchange.decode_list(&list, &batch).unwrap();
    assert!(both[0].as_ref().unwrap().logprobs[0] > both[1].as_ref().unwrap().logprobs[0]);
}

#[test]
fn deep_json_is_an_error_and_no_crash() {
    let exchange = exchange(Route::Completions, Tier::TopTokens);
    let request = request(&"".into(), "x");
    for (open, close) in [("[", "]"), ("{\"choices\":", "}"), ("{\"x\":", "}")] {
        let depth = 200_000;
        let body = format!("{}0{}", open.repeat(depth), close.repeat(depth));
        let response = Response {
            body: body.into_bytes(),
            ..response(&Value::Null)
        };
        let error = exchange.decode_one(&response, &request).unwrap_err();
        assert!(error.to_string().contains("nested too deep"), "{error}");
    }
}

/// The scores by the thorough reader.
fn by_tree(exchange: &Exchange, body: &str, request: &ScoreRequest) -> Scored {
    let value = lenient::read(body.as_bytes()).unwrap();
    only_choice(&value).and_then(|choice| exchange.scores(choice.tokens()?, request, usage(&value)))
}

/// Without the last digits: the readers add up equal names in another order.
fn rounded(scored: Scored) -> Scored {
    let round = |value: &mut f64| *value = (*value * 1e12).round();
    scored.map(|mut scores| {
        scores.logprobs.iter_mut().for_each(round);
        round(&mut scores.mass);
        scores
    })
}

/// One of several texts, the first far more often than the others.
fn mostly(
    usual: &'static str,
    others: &'static [&'static str],
) -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(usual), 1 => prop::sample::select(others)]
}

/// A log-probability as servers write it, and as they should not.
fn written_value() -> impl Strategy<Value = String> {
    let odd = [
        "null",
        "0",
        "-0.0",
        "0.0004",
        "0.5",
        "-9999.0",
        "\"-0.5\"",
        "\"-inf\"",
        "\"-INF\"",
        "-Infinity",
        "-1e999",
        "NaN",
        "true",
        "[-1]",
        "{}",
    ];
    prop_oneof![
        12 => (-12.0..0.0f64).prop_map(|value| value.to_string()),
        // Two places often agree.
        4 => prop::sample::select(vec!["-1.5", "-1.50001", "-2"]).prop_map(str::to_owned),
        3 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
    ]
}

/// An entry of a list or a position: its fields without the braces.
fn written_entry() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "\"A\"",
        "\" A\"",
        "\"\\u0041\"",
        "\"▁B\"",
        "\" B\"",
        "\"x\\n\"",
        "\"token_id:330\"",
        "330",
        "null",
    ]);
    let id = mostly(
        "",
        &["\"id\":330,", "\"id\":49,", "\"id\":null,", "\"id\":-1,"],
    );
    let bytes = mostly(
        "",
        &[
            "\"bytes\":[65],",
            "\"bytes\":null,",
            "\"bytes\":\"B\",",
            "\"bytes\":[300],",
        ],
    );
    (
        token,
        id,
        bytes,
        written_value(),
        mostly("", &[",\"logprob\":-3"]),
    )
        .prop_map(|(token, id, bytes, value, again)| {
            format!("\"token\":{token},{id}{bytes}\"logprob\":{value}{again}")
        })
}

/// Answers of both usual shapes as a server writes them, many of them odd: with equal names, with
/// numbers beyond JSON, with fields of another kind of server.
fn answers() -> impl Strategy<Value = String> {
    let chat = (
        written_entry(),
        prop::collection::vec(written_entry(), 0..6),
    )
        .prop_map(|(sampled, listed)| {
            let listed: Vec<String> = listed.into_iter().map(|it| format!("{{{it}}}")).collect();
            format!(
                "\"content\":[{{{sampled},\"top_logprobs\":[{}]}}]",
                listed.join(",")
            )
        });
    let name = || {
        prop::sample::select(vec![
            "\"A\"",
            "\" A\"",
            "\"▁B\"",
            "\" B\"",
            "\"x\"",
            "\"token_id:330\"",
        ])
    };
    let pairs = prop::collection::vec((name(), written_value()), 0..6);
    let legacy = (name(), written_value(), pairs).prop_map(|(text, value, listed)| {
        let listed: Vec<String> = listed.iter().map(|(t, v)| format!("{t}:{v}")).collect();
        format!(
            "\"tokens\":[{text}],\"token_logprobs\":[{value}],\"top_logprobs\":[{{{}}}]",
            listed.join(",")
        )
    });
    let (chat, legacy) = (chat.boxed(), legacy.boxed());
    let logprobs = prop_oneof![
        4 => chat.clone(),
        4 => legacy.clone(),
        1 => (chat, legacy).prop_map(|(chat, legacy)| format!("{chat},{legacy}")),
    ];
    let in_choice = mostly(
        "",
        &[
            ",\"meta_info\":null",
            ",\"meta_info\":{\"output_token_ids_logprobs\":[[[-1,330,\"A\"]]]}",
            ",\"completion_probabilities\":null",
            ",\"completion_probabilities\":[{\"token\":\"B\",\"top_logprobs\":[{\"token\":\"B\",\"logprob\":-1}]}]",
            ",\"logprobs\":null",
            ",\"index\":1",
            ",\"text\":\"A\",\"text\":\"B\"",
        ],
    );
    let beside = mostly(
        "",
        &[
            ",\"usage\":{\"prompt_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":3}}",
            ",\"usage\":{\"prompt_tokens\":7,\"prompt_tokens_details\":null},\"timings\":{\"cache_n\":2}",
            ",\"usage\":null,\"tokens_evaluated\":5",
            ",\"usage\":{\"prompt_tokens\":\"many\"}",
            ",\"usage\":{\"prompt_tokens\":7},\"usage\":{\"prompt_tokens\":8}",
            ",\"timings\":{\"per_second\":Infinity}",
            ",\"meta_info\":{\"prompt_tokens\":4}",
            ",\"choices\":[]",
        ],
    );
    (logprobs, in_choice, beside).prop_map(|(logprobs, in_choice, beside)| {
        format!("{{\"choices\":[{{\"index\":0,\"logprobs\":{{{logprobs}}}{in_choice}}}]{beside}}}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_fast_way_and_the_tree_say_the_same(answer in answers()) {
        let request = request(&"".into(), "x");
        for tier in [Tier::TopTokens, Tier::TokenIds] {
            let exchange = exchange(Route::Completions, tier);
            let response = Response {
                body: answer.clone().into_bytes(),
                ..response(&Value::Null)
            };
            let fast = exchange.decode_one(&response, &request);
            prop_assert_eq!(rounded(fast), rounded(by_tree(&exchange, &answer, &request)));
        }
    }
}

/// The mark of a repeated name is not shown.
#[test]
fn repeated_choices_are_told_by_name() {
    let request = request(&"".into(), "x");
    let exchange = exchange(Route::Completions, Tier::TopTokens);
    let body = r#"{"choices":[{"index":0}],"choices":[]}"#;
    let response = Response {
        body: body.as_bytes().to_vec(),
        ..response(&Value::Null)
    };
    let error = exchange.decode_one(&response, &request).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("`choices` more than once"), "{said}");
    assert!(!said.contains("values of"), "{said}");
}

#[test]
fn the_usual_shapes_take_the_fast_way() {
    let legacy = json!({"choices": [{"index": 0, "text": " A", "logprobs": {"text_offset": [0],
        "token_logprobs": [-1.1], "tokens": [" A"], "top_logprobs": [{" A": -1.1, " B": -2.5}]},
        "finish_reason": "length"}], "usage": {"prompt_tokens": 485, "prompt_tokens_details": null}});
    let entry = json!({"id": 330, "token": " A", "bytes": [32, 65], "logprob": -1.1});
    let mut position = entry.clone();
    position["top_logprobs"] = json!([entry]);
    let chat = json!({"choices": [{"text": " A", "index": 0, "logprobs": {"content": [position]}}],
        "usage": {"prompt_tokens": 485, "prompt_tokens_details": {"cached_tokens": 484}}});
    for answer in [legacy, chat] {
        let body = answer.to_string();
        let read = typed::read(body.as_bytes()).expect("the fast way");
        assert_eq!(read.choices.len(), 1);
        assert_eq!(read.usage.prompt_tokens, Some(485));
    }
}

proptest! {
    #[test]
    fn any_two_texts_escaped_apart_are_one_text(first in ".*", second in "[\\x00-\\x7f]*") {
        let mut json = vec![b'"'];
        escape(&mut json, &first);
        escape(&mut json, &second);
        json.push(b'"');
        let read: String = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(read, first + &second);
    }
}

#[test]
fn a_value_is_made_once_and_the_oldest_is_forgotten() {
    let made = std::cell::Cell::new(0);
    let memo = Memo::new();
    let keys: Vec<Arc<str>> = (0..=MEMO_CAPACITY).map(|i| i.to_string().into()).collect();
    let get = |key: &Arc<str>| {
        memo.get(key, |text| {
            made.set(made.get() + 1);
            text.to_owned()
        })
    };
    for key in &keys {
        assert_eq!((get(key), get(key)), (key.to_string(), key.to_string()));
    }
    assert_eq!(made.get(), keys.len());
    get(&keys[0]);
    assert_eq!(made.get(), keys.len() + 1);
    // Another value with the same text is another value.
    get(&Arc::from("0"));
    assert_eq!(made.get(), keys.len() + 2);
}
