//! One question asked each way.

use serde::Serialize;
use sureness_engine::Group;
use sureness_prompts::Strategy;
use sureness_questions::Question;
use sureness_record::Answers;
use sureness_scorers::{OptionScorer, OptionScores, Reading, ScoreRequest, Usage, log_sum_exp};

use crate::error::Failure;
use crate::questions::Questions;
use crate::settings::QuestionSettings;

/// The task of the trial question.
const TASK: &str = "qa";
/// Answers that are drawn in the trial of answers in words.
const DRAWN: u32 = 5;

/// A question of the built-in pack whose prompt is about as long as the others'.
pub(super) struct Sample {
    group: Group,
    question: Question,
    bytes: usize,
    mean_bytes: f64,
}

/// One question asked one way.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Trial {
    /// Requests that it took.
    pub requests: u32,
    /// Time that they took.
    pub seconds: f64,
    /// The answers, one for each draw.
    pub answers: Vec<TrialAnswer>,
    /// Prompt tokens of all of them, if the server counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u32>,
    /// Mean tokens of an answer, if the server counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_tokens: Option<f64>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// An answer and how it was read.
#[derive(Debug, Clone, Serialize)]
pub struct TrialAnswer {
    /// What the model wrote, or thought; `None` where letters were scored at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How it was read: `letters`, `option`, `refused`, `cut`, `unreadable` or `thought`.
    pub read_as: String,
    /// The option that it chooses, or the most probable one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// The probability of each option among all, where letters were scored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub probabilities: Vec<(String, f64)>,
}

impl Sample {
    /// Chooses the question whose prompt has the length nearest the mean.
    pub(super) fn load() -> Result<Self, Failure> {
        let settings = QuestionSettings {
            tasks: vec![TASK.to_owned()],
            strategies: vec![Strategy::Base],
            ..QuestionSettings::default()
        };
        let questions = Questions::load(&settings, 0)?;
        let missing = || Failure::new("there is no built-in question");
        let group = questions.plan.groups.first().ok_or_else(missing)?.clone();
        let mut prompts = Vec::new();
        for question in group.questions.iter() {
            let question = question.map_err(Failure::new)?;
            let prompt = group.builder.build(&question);
            prompts.push((prompt.prefix.len() + prompt.suffix.len(), question));
        }
        let total: usize = prompts.iter().map(|(bytes, _)| bytes).sum();
        let mean_bytes = total as f64 / prompts.len().max(1) as f64;
        let apart = |(bytes, _): &(usize, Question)| (*bytes as f64 - mean_bytes).abs();
        let nearest = prompts
            .into_iter()
            .min_by(|one, other| apart(one).total_cmp(&apart(other)));
        let (bytes, question) = nearest.ok_or_else(missing)?;
        Ok(Self {
            group,
            question,
            bytes,
            mean_bytes,
        })
    }

    pub(super) fn stem(&self) -> &str {
        &self.question.stem
    }

    /// Mean bytes of the task's prompts.
    pub(super) fn mean_bytes(&self) -> f64 {
        self.mean_bytes
    }

    /// Tokens of the mean prompt, if the question's own has so many.
    pub(super) fn scaled(&self, tokens: f64) -> f64 {
        tokens * self.mean_bytes / self.bytes.max(1) as f64
    }

    /// Asks the question: as the run would, with up to [`DRAWN`] answers in words in one request.
    pub(super) async fn ask(
        &self,
        scorer: &dyn OptionScorer,
        answers: Answers,
        at_once: u32,
    ) -> Result<Trial, Failure> {
        let draws = answers.draws();
        let requests = self.group.requests(scorer.identity().digest(), draws);
        let number = match answers {
            Answers::Sampled(sampled) => DRAWN.min(at_once).min(sampled.samples.get()),
            Answers::Letters | Answers::Reasoned(_) => 1,
        };
        let batch: Vec<ScoreRequest> = (0..number)
            .map(|draw| requests.of(&self.question, draw))
            .collect();
        let reply = scorer.score(&batch).await;
        let mut trial = Trial {
            requests: reply.requests.max(1),
            seconds: reply.timing.server.as_secs_f64(),
            ..Trial::default()
        };
        let mut usages = Vec::new();
        for outcome in reply.scores {
            match outcome {
                Ok(found) => {
                    usages.push(found.usage);
                    let labels = batch.first().map_or(&[][..], |request| &request.labels);
                    trial.answers.push(TrialAnswer::of(found, labels));
                }
                Err(error) => trial.failed = trial.failed.or(Some(error.to_string())),
            }
        }
        (trial.prompt_tokens, trial.answer_tokens) = counts(&usages);
        Ok(trial)
    }
}

/// Prompt tokens of all answers, and the mean tokens of one.
fn counts(usages: &[Usage]) -> (Option<u32>, Option<f64>) {
    let prompt: Option<Vec<u32>> = usages.iter().map(|usage| usage.prompt_tokens).collect();
    let answer: Option<Vec<u32>> = usages.iter().map(|usage| usage.answer_tokens).collect();
    let prompt = prompt
        .map(|counts| counts.iter().sum())
        .filter(|sum| *sum > 0);
    let mean = |counts: Vec<u32>| {
        let sum: u32 = counts.iter().sum();
        f64::from(sum) / counts.len() as f64
    };
    let answer = answer.filter(|counts| !counts.is_empty()).map(mean);
    (prompt, answer)
}

impl TrialAnswer {
    fn of(scores: OptionScores, labels: &[String]) -> Self {
        let words = scores.words.as_ref();
        let reading = words.map(|words| words.reading);
        let by_letters = matches!(reading, None | Some(Reading::Thought));
        let total = log_sum_exp(scores.logprobs.iter().copied());
        let shares = labels.iter().zip(&scores.logprobs);
        let shares: Vec<(String, f64)> = shares
            .map(|(label, logprob)| (label.clone(), (logprob - total).exp()))
            .collect();
        let chooses = by_letters || reading == Some(Reading::Option);
        let best = shares.iter().max_by(|one, other| one.1.total_cmp(&other.1));
        let text = scores.words.map(|words| match words.thought {
            Some(thought) => format!("{thought}\n{}", words.text),
            None => words.text,
        });
        Self {
            text,
            read_as: name(reading).to_owned(),
            option: best.filter(|_| chooses).map(|(label, _)| label.clone()),
            probabilities: if by_letters { shares } else { Vec::new() },
        }
    }
}

fn name(reading: Option<Reading>) -> &'static str {
    match reading {
        None => "letters",
        Some(Reading::Option) => "option",
        Some(Reading::Refused) => "refused",
        Some(Reading::Cut) => "cut",
        Some(Reading::Unreadable) => "unreadable",
        Some(Reading::Thought) => "thought",
        Some(Reading::Said) => "said",
    }
}
