//! Why logs of harnesses cannot be imported.

/// What a log of a harness lacks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing to divide log-likelihoods by.
    #[error("does not hold how many {0} each option has, so that scores cannot be divided by them")]
    NoLengths(&'static str),
    /// Letters are all of one length.
    #[error(
        "the options are letters, which all have one length: dividing by {0} would change only how sure the model seems"
    )]
    Letters(&'static str),
    /// No option is among the tokens that the server listed.
    #[error("no option is among the tokens that the server listed")]
    NoneListed,
    /// A request of the harness failed.
    #[error("the request failed: {0}")]
    Failed(String),
    /// The tokens at the end of a prompt are not those of its option.
    #[error("the last tokens do not spell the option {0:?}")]
    OtherTokens(String),
    /// HELM's answers to all options together.
    #[error(
        "the adapter asks for all options together: of the letters, only the one that the model wrote has a log-probability"
    )]
    Joint,
    /// OpenCompass's means without the number of tokens.
    #[error(
        "has the mean per token of each option's prompt, but not the number of tokens (BPB), so that log-likelihoods are unknown"
    )]
    OnlyMeans,
    /// OpenCompass's prompts with more examples for some options than for others.
    #[error(
        "the prompts of {0} questions have more few-shot examples for some options than for others, so that their log-likelihoods do not compare: OpenCompass shortens prompts that are too long for the model"
    )]
    OtherExamples(usize),
    /// OpenCompass's differences of two means.
    #[error("{0} is below 0: with normalizing_str, OpenCompass writes differences of two means")]
    NegativePpl(f64),
    /// OpenCompass's log-likelihoods.
    #[error(
        "OpenCompass's classes of models disagree on this field, a sum in some and a mean in others, and the file does not name the class"
    )]
    Loglikelihood,
    /// Predictions of evalscope without their reviews.
    #[error("the right answers are in reviews/MODEL/, which has no file of this name")]
    NoReviews,
    /// A prediction without its review.
    #[error("the reviews have no index {0}")]
    NoReview(String),
    /// A prompt that lists no options.
    #[error("the prompt lists no options A, B … on lines of their own")]
    NoListedOptions,
    /// Targets that are not options with grades.
    #[error("no query has options with grades (target_values) and log-probabilities")]
    NoTargets,
    /// Options that are neither right nor wrong.
    #[error("an option is partly right ({0}): its grade is neither 0 nor 1")]
    PartlyRight(String),
    /// A task without answers of a model.
    #[error("the example has no log-probabilities")]
    NoScores,
}

impl Refusal {
    /// Whether the file is sound, but of a kind that cannot be imported.
    pub(crate) fn is_kind(&self) -> bool {
        !matches!(
            self,
            Self::NoneListed
                | Self::Failed(_)
                | Self::OtherTokens(_)
                | Self::NoReviews
                | Self::NoReview(_)
        )
    }

    /// What to do.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NoLengths(_) | Self::Letters(_) => {
                "import it without --normalise, or leave it out with --skip"
            }
            Self::NoneListed | Self::Failed(_) | Self::OtherTokens(_) => {
                "run this question again, or leave it out with --drop-ids and its id"
            }
            Self::Joint => {
                "run the scenario with method=multiple_choice_separate_original, which asks for each option"
            }
            Self::OnlyMeans => {
                "import the means with --normalise tokens, or run a version of OpenCompass that writes BPB"
            }
            Self::OtherExamples(_) => {
                "import the means with --normalise tokens, leave these questions out with --drop-ids, or run \
                 with fewer examples"
            }
            Self::NegativePpl(_) | Self::Loglikelihood => {
                "run the data set with the inferencer PPL and without normalizing_str"
            }
            Self::NoReviews | Self::NoReview(_) => {
                "keep the folders predictions and reviews of evalscope beside each other"
            }
            Self::PartlyRight(_) => {
                "leave this task out with --skip: each option must be right or wrong"
            }
            Self::NoListedOptions => "import benchmarks of multiple choice",
            Self::NoTargets | Self::NoScores => {
                "write the results with their queries, for a task of multiple choice"
            }
        }
    }
}
