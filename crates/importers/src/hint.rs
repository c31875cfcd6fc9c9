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
                "use samples_*.jsonl of lm-evaluation-harness, .eval or .json logs of Inspect, details_*.parquet of lighteval, files of OLMES, HELM, OpenCompass, evalscope or BIG-bench, results of a batch of OpenAI's interface, of vLLM or of promptfoo, or .pkl, .csv, .jsonl or .parquet files with logits; see docs/import.md"
            }
            Problem::NothingHere => {
                "run lm-evaluation-harness with --log_samples, or name the files themselves"
            }
            Problem::NothingChosen => "change --tasks or --skip",
            Problem::Empty => "check that the evaluation finished and kept its samples",
            Problem::Json(_) => {
                "copy the file again, as it may be truncated, or delete this line and the rest"
            }
            Problem::Missing | Problem::Type { .. } => {
                "see docs/import.md for the fields of each format"
            }
            Problem::Generation => {
                "import tasks with output_type multiple_choice; generated answers have no option probabilities"
            }
            Problem::NotFinite { id, .. } | Problem::Positive { id, .. } if id.is_empty() => {
                "run this question again, or leave it out with --drop-ids and its id"
            }
            Problem::NotFinite { id, .. } | Problem::Positive { id, .. } => {
                return format!("run this question again, or leave it out with --drop-ids {id}")
                    .into();
            }
            Problem::NoChoices | Problem::OptionCount(_) => {
                "import multiple-choice tasks, with one score per option"
            }
            Problem::Answer { .. } | Problem::AmbiguousAnswer(_) | Problem::NoAnswer => {
                of_answer(&self.problem)
            }
            Problem::Contradicted { .. } => {
                "give the questions that this table was made from, or insist on their answers with --any-questions"
            }
            Problem::SeveralAnswers(_) => {
                "leave this task out with --skip: its figure does not count each of them as right"
            }
            Problem::SeveralPossible => {
                "run the evaluation without multiple_correct: with it, an answer is right only if it names all right options"
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
            Problem::Refused(refusal) => refusal.hint(),
            Problem::Results => "name the samples_*.jsonl, or the folder",
            Problem::Compressed => {
                "unpack it with gunzip; samples of lm-evaluation-harness are read as they are"
            }
            Problem::NoPrompt
            | Problem::NoLetters
            | Problem::OtherPrompt { .. }
            | Problem::OtherOptions { .. }
            | Problem::Ambiguous { .. }
            | Problem::OnlyRequests
            | Problem::WrittenOnly { .. }
            | Problem::WhoseErrors => of_exchange(&self.problem),
            Problem::RepeatedId { .. } => "keep one row per question",
            Problem::NoModel => {
                "keep the results_*.json of lm-evaluation-harness beside the samples and the folders details/MODEL/DATE of lighteval, or give the name with --model"
            }
            Problem::NoTask => {
                "give it with --task, or name a file of logits {model}_{dataset}_{base|shared|task}_icl{0|1}"
            }
            Problem::NoAnswers => {
                "give a file of questions with --questions, or add `answer` to each row (in a batch, to the metadata of each request)"
            }
            Problem::UnknownId { .. } | Problem::OtherWidth { .. } => {
                "give the questions that these scores were computed on"
            }
            Problem::Shuffled => {
                "run the evaluation without shuffle in multiple_choice(), or with the scorer choice(), whose explanation has the order"
            }
            Problem::NoLogprobs => {
                "ask for them, of a server that returns them: inspect eval with --logprobs --top-logprobs 20, requests with logprobs and top_logprobs"
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

/// What to do about a right answer that cannot be read.
fn of_answer(problem: &Problem) -> &'static str {
    match problem {
        Problem::Answer { answer, .. } if is_number(answer) => {
            "count options from 0, or give letters"
        }
        Problem::Answer { .. } => {
            "give answers as letters, indices counted from 0 or texts of options; splits without published answers cannot be measured"
        }
        Problem::AmbiguousAnswer(_) => {
            "give the letter with the option's text, such as \"B. green\""
        }
        _ => "check that the questions are from a split with published answers",
    }
}

/// What to do about requests and answers that do not fit together.
fn of_exchange(problem: &Problem) -> &'static str {
    match problem {
        Problem::NoPrompt => {
            "name the file of requests beside that of results, or keep the prompt in each row"
        }
        Problem::NoLetters => {
            "give the questions with --questions, in any layout that --data reads"
        }
        Problem::OtherPrompt { .. } | Problem::OtherOptions { .. } => {
            "give the questions that these prompts were made from"
        }
        Problem::Ambiguous { .. } => "give the request the id of its question",
        Problem::OnlyRequests => "name the file of results as well",
        Problem::WrittenOnly { .. } => {
            "ask with promptfoo's http provider, whose transformResponse can keep the whole answer as `raw`; docs/import.md has such a configuration"
        }
        Problem::WhoseErrors => {
            "import the results of each model on their own; in promptfoo, give each model a provider with a label"
        }
        _ => "see docs/import.md",
    }
}

/// Whether an answer, as written, is a number.
fn is_number(answer: &str) -> bool {
    answer.parse::<f64>().is_ok()
}
