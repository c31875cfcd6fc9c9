//! Where the letter of an answer lies.

use super::*;

/// The tokens of a chat's answer, each as likely as it can be.
fn list(tokens: &[&str]) -> Value {
    let tokens = tokens.iter().map(|text| {
        let top = json!([{"token": text, "logprob": -0.01}]);
        json!({"token": text, "logprob": -0.01, "top_logprobs": top})
    });
    tokens.collect()
}

#[test]
fn the_letter_lies_in_the_answers_text() {
    let folder = Folder::new();
    let read = |body: Value| {
        let row = json!({"custom_id": "1", "response": {"status_code": 200, "body": body}});
        let request = json!({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions",
            "body": {"model": "m", "metadata": {"answer": "B"},
                "messages": [{"role": "user", "content": "Which?\nA. red\nB. green\nC. blue"}]}});
        let results = written(&folder, "results.jsonl", &[row]);
        let requests = written(&folder, "requests.jsonl", &[request]);
        let options = Options {
            task: Some("t".to_owned()),
            ..Options::default()
        };
        let import = one(&[results, requests], &options);
        import.rows[0]
            .scores
            .as_ref()
            .map(sureness_importers::RowScores::top)
            .ok()
    };
    let chat = |content: Value, tokens: &[&str]| {
        read(
            json!({"model": "m", "choices": [{"index": 0, "message": {"content": content},
            "logprobs": {"content": list(tokens)}}]}),
        )
    };
    assert_eq!(chat(json!("B"), &["B", "<|im_end|>"]), Some(1));
    // Thoughts that the server took out, with and without an answer behind them.
    assert_eq!(chat(json!("B"), &["Is it ", "C", "? No.\n", "B"]), Some(1));
    assert_eq!(chat(json!(null), &["Answer: ", "C"]), None);
    assert_eq!(chat(json!("Answer: B"), &["Answer: ", "C"]), None);
    let denied = &["Answer: ", "B", ".\nIncorrect answer: ", "C"];
    assert_eq!(
        chat(json!("Answer: B.\nIncorrect answer: C"), denied),
        Some(1)
    );
    let told = &["B", "\n\nExplanation: the answer: ", "C", " would be wrong"];
    let text = json!("B\n\nExplanation: the answer: C would be wrong");
    assert_eq!(chat(text, told), Some(1));
    // The answer with index 0, and the last message.
    let answer = |index: u32, text: &str| json!({"index": index, "message": {"content": text}, "logprobs": {"content": list(&[text])}});
    let two = json!({"model": "m", "choices": [answer(1, "C"), answer(0, "B")]});
    assert_eq!(read(two), Some(1));
    let message = |text: &str| json!({"type": "message", "content": [{"type": "output_text", "text": text, "logprobs": list(&[text])}]});
    let two = json!({"model": "m", "output": [message("A"), {"type": "reasoning"}, message("B")]});
    assert_eq!(read(two), Some(1));
}

#[test]
fn tokens_asked_for_by_id_bound_others_by_what_is_left() {
    let folder = Folder::new();
    let mut request = rows(REQUESTS).remove(0);
    let mut result = rows(RESULTS).remove(0);
    let mut bound = |by_id: bool| {
        if by_id {
            request["body"]["logprob_token_ids"] = json!([1, 2]);
        }
        let top = json!([{"token": "A", "logprob": -1.0}, {"token": "B", "logprob": -5.0}]);
        let choice = &mut result["response"]["body"]["choices"][0];
        choice["message"]["content"] = json!("A");
        choice["logprobs"] =
            json!({"content": [{"token": "A", "logprob": -1.0, "top_logprobs": top}]});
        let paths = [
            written(&folder, "requests.jsonl", std::slice::from_ref(&request)),
            written(&folder, "results.jsonl", std::slice::from_ref(&result)),
        ];
        let import = one(&paths, &questions());
        let scores = import.rows[0].scores.as_ref().unwrap();
        let mut bounds = scores.logprobs.iter().zip(&scores.observed);
        *bounds.find(|(_, observed)| !**observed).unwrap().0
    };
    assert!((bound(false) + 5.0).abs() < 1e-12);
    let left = (1.0 - (-1.0_f64).exp() - (-5.0_f64).exp()).ln();
    assert!((bound(true) - left).abs() < 1e-12);
}
