//! What to do about errors of an import.

use std::borrow::Cow;

use sureness_hint::Hint;

use crate::{ImportError, Problem};

impl Hint for ImportError {
    fn hint(&self) -> Cow<'_, str> {
        let hint = match &*self.problem {
            Problem::Replay(error) => return error.hint(),
            Problem::Data(error) => return error.hint(),
            Problem::Io(_) => "check the path and the permissions",
            Problem::TooLarge(_) => "split the file, or write the log without its events",
            Problem::UnknownFormat => {
                "use samples_*.jsonl of lm-evaluation-harness, .eval or .json logs of Inspect, details_*.parquet of lighteval, or .pkl, .csv, .jsonl or .parquet files with logits; see docs/import.md"
            }
            Problem::NothingHere => {
                "run lm-evaluation-harness with --log_samples, or name the files themselves"
            }
            Problem::NothingChosen => "change --tasks or --skip",
            Problem::Empty => "check that the evaluation finished",
            Problem::Json(_) => {
                "copy the file again, as it may be truncated, or delete this line and the rest"
            }
            Problem::Missing | Problem::Type { .. } => {
                "see docs/import.md for the fields of each format"
            }
            Problem::Generation => {
                "import tasks with output_type multiple_choice; generated answers have no option probabilities"
            }
            Problem::NotFinite { .. } | Problem::Positive { .. } => {
                "run this question again, or leave it out with --drop-ids and its doc_id"
            }
            Problem::NoChoices | Problem::OptionCount(_) => {
                "import multiple-choice tasks, with one score per option"
            }
            Problem::Answer { answer, .. } if is_number(answer) => {
                "count options from 0, or give letters"
            }
            Problem::Contradicted { .. } => {
                "give the questions that this table was made from, or insist on their answers with --any-questions"
            }
            Problem::Answer { .. } | Problem::NoAnswer => {
                "check that the questions are from a split with published answers"
            }
            Problem::SeveralAnswers(_) => {
                "leave this task out with --skip: the file does not say of each option whether it is right"
            }
            Problem::SeveralPossible => {
                "run the evaluation without multiple_correct: prediction sets need one right option"
            }
            Problem::AmbiguousTargets => {
                "run the task with the metric acc or acc_norm, whose verdicts decide"
            }
            Problem::UnknownNames { known, .. } if known.is_empty() => "check the names",
            Problem::UnknownNames { known, .. } => {
                return format!("choose among names such as {known}").into();
            }
            Problem::Foreign(_) => {
                "use a newer lighteval, lm-evaluation-harness or Inspect, or save id, answer and one column of log-probabilities per option (logprob_A, logprob_B, …)"
            }
            Problem::Results => "name the samples_*.jsonl, or the folder",
            Problem::Compressed => {
                "unpack it with gunzip; samples of lm-evaluation-harness are read as they are"
            }
            Problem::RepeatedId { .. } => "keep one row per question",
            Problem::NoModel => {
                "keep the results_*.json of lm-evaluation-harness beside the samples and the folders details/MODEL/DATE of lighteval, or give the name with --model"
            }
            Problem::NoTask => {
                "give it with --task, or name the file {model}_{dataset}_{base|shared|task}_icl{0|1}"
            }
            Problem::NoAnswers => {
                "give a file of questions with --questions, or add a column `answer`"
            }
            Problem::UnknownId { .. } | Problem::OtherWidth { .. } => {
                "give the questions that these scores were computed on"
            }
            Problem::Shuffled => {
                "run the evaluation without shuffle in multiple_choice(), or with the scorer choice(), whose explanation has the order"
            }
            Problem::NoLogprobs => {
                "run inspect eval with --logprobs --top-logprobs 20, on a model whose server returns them"
            }
            Problem::Parquet(_) => "copy the file again, or leave it out",
            Problem::Archive(_) => "copy the log again; `inspect log convert` checks it",
            Problem::Version(_) => "update sureness, or write the log with another inspect_ai",
            Problem::Twice { .. } => {
                "import them one at a time, under different --task or --strategy names"
            }
        };
        hint.into()
    }
}

/// Whether an answer, as written, is a number.
fn is_number(answer: &str) -> bool {
    answer.parse::<f64>().is_ok()
}
