//! The server while nothing goes wrong.

use serde_json::{Value, json};
use sureness_faultserver::{Dialect, Healthy, Key, Script, logprobs_of};

use crate::client::{Client, PATIENCE, ask, question, start};

const LETTERS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

fn server_like(change: impl FnOnce(&mut Healthy)) -> Script {
    let mut server = Healthy::default();
    change(&mut server);
    Script::healthy().server(server)
}

fn legacy(choice: &Value) -> Vec<f64> {
    let listed = &choice["logprobs"]["top_logprobs"][0];
    LETTERS
        .map(|l| listed[format!(" {l}")].as_f64().unwrap())
        .to_vec()
}

fn content(listed: &Value, lead: &str) -> Vec<f64> {
    let listed = listed.as_array().unwrap();
    let find = |letter: &str| {
        let token = format!("{lead}{letter}");
        let entry = listed.iter().find(|entry| entry["token"] == token).unwrap();
        assert_eq!(entry["bytes"], json!(token.as_bytes()));
        entry["logprob"].as_f64().unwrap()
    };
    LETTERS.map(find).to_vec()
}

fn close(a: &[f64], b: &[f64]) {
    assert!(
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12),
        "{a:?} {b:?}"
    );
}

#[test]
fn each_prompt_of_a_list_has_its_own_answer() {
    let server = start(Script::healthy());
    let prompts = ["one", "two", "three"];
    let answer = ask(&server, &question(json!(prompts))).unwrap().json();
    for (i, prompt) in prompts.into_iter().enumerate() {
        assert_eq!(answer["choices"][i]["index"], i);
        close(
            &legacy(&answer["choices"][i]),
            &logprobs_of(prompt, &LETTERS),
        );
    }
}

#[test]
fn both_dialects_and_all_routes_give_the_same_scores() {
    let wanted = logprobs_of("a question", &LETTERS);
    let server = start(server_like(|s| s.dialect = Dialect::LlamaCpp));
    let mut client = Client::connect(&server);
    let mut post = |path: &str, body: &Value| {
        client.post(path, body);
        client.response().unwrap().json()
    };
    let completion = post("/v1/completions", &question("a question"));
    close(
        &content(
            &completion["choices"][0]["logprobs"]["content"][0]["top_logprobs"],
            " ",
        ),
        &wanted,
    );
    let chat = post(
        "/v1/chat/completions",
        &json!({"messages": [{"role": "user", "content": "a question"}], "logprobs": true, "top_logprobs": 10}),
    );
    close(
        &content(
            &chat["choices"][0]["logprobs"]["content"][0]["top_logprobs"],
            "",
        ),
        &wanted,
    );
    let native = post(
        "/completion",
        &json!({"prompt": "a question", "n_probs": 10}),
    );
    close(
        &content(&native["completion_probabilities"][0]["top_logprobs"], " "),
        &wanted,
    );
    assert!(client.get("/props").json()["chat_template"].is_string());

    let vllm = start(Script::healthy());
    close(
        &legacy(&ask(&vllm, &question("a question")).unwrap().json()["choices"][0]),
        &wanted,
    );
    assert_eq!(Client::connect(&vllm).get("/props").status, 404);
}

#[test]
fn the_number_of_log_probabilities_is_the_one_asked_for() {
    let server = start(Script::healthy());
    let listed = |logprobs: Value| {
        let mut body = question("x");
        body["logprobs"] = logprobs;
        let answer = ask(&server, &body).unwrap().json();
        answer["choices"][0]["logprobs"]["top_logprobs"][0]
            .as_object()
            .map(serde_json::Map::len)
    };
    assert_eq!(listed(json!(5)), Some(5));
    assert_eq!(listed(json!(100)), Some(100));
    assert_eq!(listed(json!(0)), Some(0));
    assert_eq!(listed(json!(null)), None);
}

#[test]
fn the_key_is_checked_and_never_logged() {
    let server = start(server_like(|s| s.key = Some("sesame".into())));
    let mut client = Client::connect(&server);
    let mut status = |headers: &str| {
        client.send(
            "POST",
            "/v1/completions",
            headers,
            &question("x").to_string(),
        );
        client.response().unwrap().status
    };
    assert_eq!(status(""), 401);
    assert_eq!(status("Authorization: Bearer open\r\n"), 401);
    assert_eq!(status("Authorization: Bearer sesame\r\n"), 200);
    assert!(server.wait_until_idle(PATIENCE));
    let log = server.log();
    let keys: Vec<Key> = log.iter().map(|entry| entry.asked.key).collect();
    assert_eq!(keys, [Key::Absent, Key::Wrong, Key::Right]);
    assert!(log[2].asked.header("authorization").is_some());
    assert!(!format!("{log:?}").contains("sesame"));
}

#[test]
fn what_is_not_there_or_not_allowed_is_refused() {
    let refusing = server_like(|s| {
        s.lists = false;
        s.max_logprobs = Some(20);
        s.context_words = Some(4);
    });
    let server = start(refusing.clone());
    let status = |body: &Value| ask(&server, body).unwrap().status;
    assert_eq!(status(&question("x")), 200);
    assert_eq!(status(&question(json!(["x"]))), 400);
    assert_eq!(status(&json!({"prompt": "x", "logprobs": 21})), 400);
    assert_eq!(status(&json!({"prompt": "x", "model": "other"})), 404);
    assert_eq!(status(&json!({"model": "fault-model"})), 400);
    let words = ask(&server, &question("1 2 3 4 5")).unwrap();
    assert_eq!(words.status, 400);
    assert!(
        words.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("maximum context length is 4")
    );
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/v1/nothing").status, 404);
    assert_eq!(client.get("/v1/completions").status, 405);
    client.send("POST", "/v1/completions", "", "no JSON");
    assert_eq!(client.response().unwrap().status, 400);

    let mut script = refusing;
    script.server.dialect = Dialect::LlamaCpp;
    let error = ask(&start(script), &question("1 2 3 4 5")).unwrap().json()["error"].clone();
    assert_eq!(error["type"], "exceed_context_size_error");
    assert_eq!(
        (&error["n_prompt_tokens"], &error["n_ctx"]),
        (&json!(5), &json!(4))
    );
}

#[test]
fn a_server_without_log_probabilities_answers_without_them() {
    let server = start(server_like(|s| s.logprobs = false));
    let answer = ask(&server, &question("x")).unwrap().json();
    assert!(answer["choices"][0]["text"].is_string());
    assert_eq!(answer["choices"][0]["logprobs"], Value::Null);
}

#[test]
fn usage_counts_words_and_those_from_the_cache() {
    let server = start(Script::healthy());
    let usage = |prompt: &str| ask(&server, &question(prompt)).unwrap().json()["usage"].clone();
    assert_eq!(
        usage("the same start one")["prompt_tokens_details"]["cached_tokens"],
        0
    );
    let second = usage("the same start two");
    assert_eq!(second["prompt_tokens"], 4);
    assert_eq!(second["prompt_tokens_details"]["cached_tokens"], 3);
}

#[test]
fn connections_are_kept_and_pipelined_requests_answered_in_turn() {
    let server = start(Script::healthy());
    let mut client = Client::connect(&server);
    for prompt in ["one", "two"] {
        client.post("/v1/completions", &question(prompt));
    }
    for prompt in ["one", "two"] {
        let answer = client.response().unwrap().json();
        close(
            &legacy(&answer["choices"][0]),
            &logprobs_of(prompt, &LETTERS),
        );
    }
    client.send("GET", "/v1/models", "Connection: close\r\n", "");
    assert_eq!(
        client.response().unwrap().json()["data"][0]["id"],
        "fault-model"
    );
    assert!(client.rest().1.is_ok());
    let counts = server.counts();
    assert_eq!((counts.connections, counts.requests), (1, 3));
}

#[test]
fn what_is_no_http_is_told_so() {
    let server = start(Script::healthy());
    let mut client = Client::connect(&server);
    std::io::Write::write_all(&mut client.stream, b"\x16\x03\x01 hello\r\n\r\n").unwrap();
    assert_eq!(client.response().unwrap().status, 400);
}

#[test]
fn the_log_tells_repeats_and_answers() {
    let server = start(Script::healthy());
    for prompt in ["one", "two", "one"] {
        ask(&server, &question(prompt)).unwrap();
    }
    assert!(server.wait_until_idle(PATIENCE));
    let log = server.log();
    let repeats: Vec<u64> = log.iter().map(|entry| entry.asked.repeats).collect();
    assert_eq!(repeats, [0, 0, 1]);
    assert!(
        log.iter()
            .all(|entry| entry.is_whole() && entry.status == Some(200))
    );
    let counts = server.counts();
    assert_eq!(
        (counts.prompts, counts.prompts_asked, counts.asked_again),
        (2, 3, 1)
    );
    assert_eq!(server.prompt_counts("one").answered, 2);
    server.clear_log();
    assert_eq!((server.log().len(), server.counts().requests), (0, 0));
}
