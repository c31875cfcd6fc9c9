//! Which question a prompt asks.

use super::*;

#[test]
fn questions_with_the_same_options_are_told_apart_by_their_texts() {
    let folder = Folder::new();
    let stems = ["Is it wet?", "Is it wet? Is it cold?", "Is snow white?"];
    let set: Vec<Value> = stems
        .iter()
        .zip(["A", "B", "A"])
        .map(|(stem, answer)| json!({"question": stem, "options": ["Yes", "No"], "answer": answer}))
        .collect();
    let set = written(&folder, "set.jsonl", &set);
    let real = rows(RESULTS).remove(0);
    let batch = |name: &str, prompt: &dyn Fn(&str) -> String| {
        let mut rows = Vec::new();
        for (index, stem) in stems.iter().enumerate() {
            let id = format!("request-{index}");
            let prompt = json!([{"role": "user", "content": prompt(stem)}]);
            rows.push(json!({"custom_id": id, "body": {"messages": prompt}}));
            let mut result = real.clone();
            result["custom_id"] = json!(id);
            rows.push(result);
        }
        written(&folder, name, &rows)
    };
    let lines = batch("lines.jsonl", &|stem| format!("{stem}\nA. Yes\nB. No"));
    let import = one(&[lines], &with_questions(&set));
    let ids: Vec<&str> = import.rows.iter().map(|row| &*row.question.id).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    let other = batch("other.jsonl", &|stem| format!("{stem}\nA. Yes\nB. Maybe"));
    let said = refused(&[other], &with_questions(&set));
    assert!(said.contains("id request-0 is not in"), "{said}");
}

/// A batch with an answer per prompt, whose letter is `A`.
fn answered(folder: &Folder, name: &str, prompts: &[(&str, String)]) -> PathBuf {
    let top = json!([{"token": "A", "logprob": -0.25}, {"token": "B", "logprob": -2.0}]);
    let content = json!([{"token": "A", "logprob": -0.25, "top_logprobs": top}]);
    let body = json!({"model": "m", "choices": [{"logprobs": {"content": content}}]});
    let lines = prompts.iter().flat_map(|(id, prompt)| {
        let messages = json!([{"role": "user", "content": prompt}]);
        [
            json!({"custom_id": id, "body": {"messages": messages}}),
            json!({"custom_id": id, "response": {"body": body}}),
        ]
    });
    written(folder, name, &lines.collect::<Vec<_>>())
}

fn ids(import: &Imported) -> Vec<&str> {
    import.rows.iter().map(|row| &*row.question.id).collect()
}

#[test]
fn questions_with_one_text_are_told_apart_by_their_backgrounds() {
    let folder = Folder::new();
    let backgrounds = ["Rex barks.", "Rex is a cat.", "Rex barks. Rex is a cat."];
    let set = backgrounds
        .iter()
        .zip(["0", "1", "2"])
        .map(|(background, id)| {
            json!({"id": id, "context": background, "question": "Does it follow that Rex is a dog?",
            "options": ["yes", "no"], "answer": "A"})
        });
    let set = with_questions(&written(&folder, "set.jsonl", &set.collect::<Vec<_>>()));
    let asked = |background: &str| {
        format!("{background}\nDoes it follow that Rex is a dog?\nA. yes\nB. no\nAnswer:")
    };
    // The ids are those of other questions, of none, or right.
    for names in [["1", "2", "0"], ["x", "y", "z"], ["0", "1", "2"]] {
        let prompts: Vec<_> = names.into_iter().zip(backgrounds.map(asked)).collect();
        let import = one(&[answered(&folder, "batch.jsonl", &prompts)], &set);
        assert_eq!(ids(&import), ["0", "1", "2"], "{names:?}");
    }
    // Without backgrounds the ids alone are left, or nothing.
    let short = |id| [(id, asked(""))];
    let import = one(&[answered(&folder, "short.jsonl", &short("1"))], &set);
    assert_eq!(ids(&import), ["1"]);
    let said = refused(&[answered(&folder, "none.jsonl", &short("x"))], &set);
    assert!(said.contains("shows both the question"), "{said}");
    // Inside a line, too.
    let prompt = "Rex is a cat. Does it follow that Rex is a dog? A) yes B) no".to_owned();
    let import = one(&[answered(&folder, "line.jsonl", &[("2", prompt)])], &set);
    assert_eq!(ids(&import), ["1"]);
}

#[test]
fn examples_in_the_prompt_are_not_asked() {
    let folder = Folder::new();
    let stems = [
        "Is 0 even?",
        "Is the sum of two odd numbers an odd number?",
        "0 even?",
    ];
    let set = stems.map(|stem| json!({"question": stem, "options": ["yes", "no"], "answer": "A"}));
    let set = with_questions(&written(&folder, "set.jsonl", &set));
    let asked = |stem: &str| format!("{stem}\nA. yes\nB. no\nAnswer:");
    let prompt = format!("{} B\n\n{}", asked(stems[1]), asked(stems[0]));
    for id in ["x", "1", "2", "3"] {
        let batch = answered(&folder, "batch.jsonl", &[(id, prompt.clone())]);
        assert_eq!(ids(&one(&[batch], &set)), ["1"], "{id}");
    }
}

#[test]
fn a_request_with_several_prompts_has_no_answer() {
    let folder = Folder::new();
    let path = answered(&folder, "batch.jsonl", &[("sky", String::new())]);
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<Value> = text
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let sky = "What colour is a clear sky at noon?\nA. Green\nB. Blue\nC. Black\nD. Orange";
    lines[0]["body"] = json!({"prompt": [sky, sky]});
    let import = one(&[written(&folder, "two.jsonl", &lines)], &questions());
    let reason = import.rows[0].scores.as_ref().unwrap_err().to_string();
    assert!(
        reason.contains("the request has several prompts"),
        "{reason}"
    );
}

#[test]
fn a_layout_without_a_question_is_known_by_its_background() {
    let folder = Folder::new();
    let set = folder.write(
        "hellaswag.jsonl",
        json!({"ind": 11, "activity_label": "Baking", "ctx_a": "A woman kneads dough.", "ctx_b": "she",
            "ctx": "A woman kneads dough. she", "label": 1,
            "endings": ["throws it out.", "shapes a loaf.", "drinks it.", "paints it."]})
        .to_string(),
    );
    let prompt = "Finish the text.\nA woman kneads dough. she\nA. throws it out.\nB. shapes a loaf.\n\
                  C. drinks it.\nD. paints it.\nAnswer:";
    let request = json!({"custom_id": "x", "body": {"prompt": prompt}});
    let mut result = rows(RESULTS).remove(0);
    result["custom_id"] = json!("x");
    let both = written(&folder, "both.jsonl", &[request, result]);
    let import = one(&[both], &with_questions(&set));
    assert_eq!(
        (
            &*import.rows[0].question.id,
            import.rows[0].question.right.first()
        ),
        ("11", 1)
    );
}
