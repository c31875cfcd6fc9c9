//! Measures a GGUF model on the questions of a JSON Lines file:
//!
//! `cargo run --release -p sureness-bench --features llama --example measure -- MODEL QUESTIONS OUT`

use sureness_bench::{Model, QuestionSettings, Settings, TaskData, run};
use sureness_prompts::Strategy;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, questions, out] = args.as_slice() else {
        return Err("usage: measure MODEL.gguf QUESTIONS.jsonl OUTPUT_FOLDER".into());
    };
    let settings = Settings {
        questions: QuestionSettings {
            data: vec![TaskData {
                task: "own".into(),
                path: Some(questions.into()),
                ..TaskData::default()
            }],
            strategies: vec![Strategy::Base],
            ..QuestionSettings::default()
        },
        output_dir: out.into(),
        ..Settings::default()
    };
    let outcome = run(&settings, &[Model::Gguf(model.clone())], &())?;
    for group in outcome.results.models.iter().flat_map(|m| &m.groups) {
        println!("{} of {} answered", group.answered, group.planned);
        if let Some(figures) = &group.evaluation {
            println!("accuracy {:.3}", figures.acc);
            println!("set size {:.3}", figures.lac.set_size);
            println!("coverage {:.3}", figures.lac.coverage);
        }
    }
    Ok(())
}
