//! The receiver of answers.

use std::sync::Arc;

use sureness_questions::{Question, Turn};
use sureness_scorers::{OptionScores, RequestKey, ScoreError};

/// The position of a question in the plan, or of one of several answers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId {
    /// Index into the plan's groups.
    pub group: u32,
    /// Index into the group's questions. Where answers are drawn, into its answers: those to a
    /// question follow each other.
    pub question: u32,
}

/// The outcome of asking one question.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Which question.
    pub item: ItemId,
    /// Content key of its request.
    pub key: RequestKey,
    /// The scores, or the error.
    pub outcome: Result<OptionScores, ScoreError>,
}

/// A question of the plan, before anything is asked.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Content key of its request.
    pub key: RequestKey,
    /// Digest of the question's text; the same for every model and prompt.
    pub content: [u8; 32],
    /// Digest of what the question shares with the others of its cluster.
    pub cluster: [u8; 32],
    /// The question; its draws share it.
    pub question: Arc<Question>,
    /// Which of its answers this is, where several are drawn; otherwise 0.
    pub draw: u32,
    /// How its options are shown; `None` where the plan has one order. Scores come in the order shown.
    pub turn: Option<Turn>,
}

/// Saves answers. Called from one thread of its own, so it may block; while it does, the requests
/// slow down instead of memory growing.
pub trait AnswerSink: Send {
    /// Records the next questions of a group, or answers to draw, beginning with number `first`;
    /// returns for each whether it has a cached answer. Called before anything is asked, for all groups in order.
    fn plan(
        &mut self,
        group: u32,
        first: u32,
        questions: &[Planned],
    ) -> Result<Vec<bool>, SinkError>;

    /// Saves these answers. When it returns, they survive the death of this process.
    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError>;
}

/// The sink cannot save answers, so further ones would be lost.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct SinkError {
    /// What went wrong, where.
    pub message: String,
}
