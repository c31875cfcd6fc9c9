//! The figures of answers on standard input, for `scripts/verify/open.py`. Each line is one question:
//! `{"answers": ["…"], "accepted": ["…"]}`.

use std::io::{self, BufRead};

use serde::Deserialize;
use sureness_open::{Item, Meanings, normalised, signs};

#[derive(Deserialize)]
struct Question {
    answers: Vec<String>,
    accepted: Vec<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut items = Vec::new();
    let mut questions = Vec::new();
    for line in io::stdin().lock().lines() {
        let question: Question = serde_json::from_str(&line?)?;
        let answers = question.answers.iter().map(String::as_str);
        let meanings = Meanings::of(answers, question.answers.len() as u32, &question.accepted);
        let score = meanings.score();
        questions.push(serde_json::json!({
            "normalised": question.answers.iter().map(|text| normalised(text)).collect::<Vec<_>>(),
            "entropy": meanings.entropy(),
            "meanings": meanings.groups().len(),
            "frequency": meanings.top().map(|top| meanings.frequency(top)),
            "right": meanings.top().is_some_and(|top| top.accepted),
            "score": score.is_finite().then_some(score),
        }));
        items.push(Item {
            key: [0; 32],
            cluster: [0; 32],
            meanings,
        });
    }
    let all: Vec<&Item> = items.iter().collect();
    let out = serde_json::json!({ "questions": questions, "signs": signs(&all) });
    println!("{out}");
    Ok(())
}
