//! Where answers go.

use sureness_questions::Question;
use sureness_scorers::{OptionScores, RequestKey, ScoreError};

/// A question's place in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId {
    /// Index into the plan's groups.
    pub group: u32,
    /// Index into the group's questions.
    pub question: u32,
}

/// The outcome of asking one question.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Which question.
    pub item: ItemId,
    /// The content key that was asked for.
    pub key: RequestKey,
    /// The scores, or why there are none.
    pub outcome: Result<OptionScores, ScoreError>,
}

/// A question of the plan, before anything is asked.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Content key of its request.
    pub key: RequestKey,
    /// Digest of what the question says; the same for every model and prompt.
    pub content: [u8; 32],
    /// What the question shares with the others of its cluster.
    pub cluster: [u8; 32],
    /// The question.
    pub question: Question,
}

/// Keeps answers. Called from one thread of its own, so it may block; while it does, a bounded
/// channel fills and the requests slow down instead of memory growing.
pub trait AnswerSink: Send {
    /// Takes note of the next questions of a group, the first of which is number `first` of the
    /// group, and tells of each whether its answer is known already. Called before anything is
    /// asked, for all groups in order.
    fn plan(
        &mut self,
        group: u32,
        first: u32,
        questions: &[Planned],
    ) -> Result<Vec<bool>, SinkError>;

    /// Keeps these answers. When it returns, they survive the death of this process.
    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError>;
}

/// The sink cannot keep answers, so that asking on would lose them.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct SinkError {
    /// What went wrong, where.
    pub message: String,
}
