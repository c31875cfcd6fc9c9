//! Settings of the llama.cpp backend.

use std::{fmt, num::NonZeroU32, sync::Arc};

use sureness_prompts::Prompt;
use sureness_record::Answers;

/// Lays a prompt out for a chat model. The error is a sentence for people.
pub type ChatRenderer = dyn Fn(&Prompt) -> Result<Prompt, String> + Send + Sync;

/// The form in which a prompt reaches the model.
#[derive(Clone, Default)]
pub enum PromptForm {
    /// Unchanged. Text that looks like a control token stays text.
    #[default]
    Plain,
    /// Through the model's chat template, which the given function applies. Control tokens in
    /// the result are read as such.
    ///
    /// The identity names the template of the GGUF file, so the function must apply that one;
    /// [`LlamaScorer::metadata`](super::LlamaScorer::metadata) returns it.
    Chat(Arc<ChatRenderer>),
}

impl fmt::Debug for PromptForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PromptForm {
    /// `plain` or `chat`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Chat(_) => "chat",
        }
    }
}

/// How to run a model. The default suits a CPU and plain prompts.
#[derive(Debug, Clone, Default)]
pub struct LlamaOptions {
    /// The form in which prompts reach the model.
    pub prompt_form: PromptForm,
    /// What is asked of the model: letters, answers in words, or letters after thoughts.
    pub answers: Answers,
    /// Longest prompt in tokens, at most what the model was trained on. By default that is the
    /// limit, and the context grows with the longest prompt seen.
    pub context_length: Option<NonZeroU32>,
    /// Threads to compute on; by default as many as the machine offers.
    pub threads: Option<NonZeroU32>,
    /// Layers to keep on the GPU. Of no effect in a build without one.
    pub gpu_layers: u32,
}

impl LlamaOptions {
    pub(super) fn thread_count(&self) -> i32 {
        let threads = self.threads.map_or_else(
            || std::thread::available_parallelism().map_or(1, usize::from),
            |threads| threads.get() as usize,
        );
        i32::try_from(threads).unwrap_or(i32::MAX)
    }
}
