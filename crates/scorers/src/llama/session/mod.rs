//! A context that holds the shared prefix.
//!
//! Sequence 0 holds the decoded prefix of the current (task, strategy). For each prompt, sequence 1
//! shares its keys and values without a copy, evaluates only the rest of the prompt, and is then
//! dropped. Each decode has one prompt: several at once gain nothing on a CPU and move the logits.
//! Answers in words are drawn in a third sequence ([`drawing`]).
//!
//! A prompt's logits depend only on its prefix and suffix, never on earlier prompts: a run that was
//! interrupted and resumed ends with the same numbers.

mod drawing;

use std::{num::NonZeroU32, sync::Arc};

use llama_cpp_2::{
    context::{LlamaContext, params::LlamaContextParams},
    llama_batch::LlamaBatch,
    model::LlamaModel,
    token::LlamaToken,
    vocab::LlamaVocab,
};
use sureness_prompts::Prompt;

use super::{error::LlamaError, native, options::LlamaOptions};
use crate::{ScoreError, Usage};
use drawing::Held;

pub(super) use drawing::Drawing;

/// Tokens per decode. Part of the model's identity, since it moves the last bits of a logit.
pub(super) const BATCH_TOKENS: u32 = 512;

/// Initial context: enough for most five-shot prompts, at a negligible cost.
const FIRST_CONTEXT: u32 = 2048;

/// llama.cpp reads its cache in steps of this many positions.
const CONTEXT_STEP: u32 = 256;

const PREFIX: i32 = 0;
const WORK: i32 = 1;
// The binding wants some sequences as the one type and some as the other.
const PREFIX_ID: u32 = PREFIX.unsigned_abs();
const WORK_ID: u32 = WORK.unsigned_abs();

/// A loaded model's context and its prefix.
pub(super) struct Session<'model> {
    model: &'model LlamaModel,
    vocab: LlamaVocab<'model>,
    context: LlamaContext<'model>,
    batch: LlamaBatch<'static>,
    setup: Setup,
    /// Longest prompt in tokens.
    limit: u32,
    /// Whether the model keeps a state that cannot return to an earlier position.
    has_state: bool,
    prefix: Prefix,
    /// The prompt that `WORK` holds for further draws.
    held: Option<Held>,
}

/// What stays the same when the context grows.
#[derive(Debug, Clone, Copy)]
struct Setup {
    threads: i32,
    on_gpu: bool,
    /// Whether control tokens in a prompt count as such.
    parse_special: bool,
    /// Sequences of the context: two, and a third to draw answers in.
    sequences: u32,
}

/// The current prefix.
#[derive(Default)]
struct Prefix {
    text: Arc<str>,
    /// Its tokens, up to where the prompts so far diverge.
    tokens: Vec<LlamaToken>,
    /// Whether sequence 0 holds it.
    decoded: bool,
}

impl<'model> Session<'model> {
    pub(super) fn new(
        model: &'model LlamaModel,
        trained_length: u32,
        options: &LlamaOptions,
    ) -> Result<Self, LlamaError> {
        Self::beginning_with(FIRST_CONTEXT, model, trained_length, options)
    }

    /// With a first context of so many tokens, unless the options or the model have a shorter one.
    pub(super) fn beginning_with(
        first_context: u32,
        model: &'model LlamaModel,
        trained_length: u32,
        options: &LlamaOptions,
    ) -> Result<Self, LlamaError> {
        let setup = Setup {
            threads: options.thread_count(),
            on_gpu: options.gpu_layers > 0,
            parse_special: matches!(options.prompt_form, super::PromptForm::Chat(_)),
            sequences: if options.answers.draws().is_some() {
                3
            } else {
                2
            },
        };
        let limit = options
            .context_length
            .map_or(trained_length, |length| length.get().min(trained_length));
        let first = options
            .context_length
            .map_or(limit.min(first_context), |_| limit);
        Ok(Self {
            model,
            vocab: model.vocab(),
            context: new_context(model, setup, first)?,
            batch: LlamaBatch::new(BATCH_TOKENS as usize, 1),
            setup,
            limit,
            has_state: model.is_recurrent() || model.is_hybrid(),
            prefix: Prefix::default(),
            held: None,
        })
    }

    #[cfg(test)]
    pub(super) fn context_length(&self) -> u32 {
        self.context.n_ctx()
    }

    pub(super) fn vocab(&self) -> &LlamaVocab<'model> {
        &self.vocab
    }

    /// Evaluates a prompt and hands the logits after its last token to `read`.
    pub(super) fn evaluate<T>(
        &mut self,
        prompt: &Prompt,
        read: impl FnOnce(&[f32]) -> T,
    ) -> Result<(T, Usage), ScoreError> {
        let (usage, logits) = self.work_on(prompt, 0, read)?;
        self.drop_work();
        Ok((logits, usage))
    }

    /// Evaluates a prompt in `WORK`, where it stays, in a context with `room` for more tokens.
    fn work_on<T>(
        &mut self,
        prompt: &Prompt,
        room: u32,
        read: impl FnOnce(&[f32]) -> T,
    ) -> Result<(Usage, T), ScoreError> {
        self.release();
        // Tokenises the whole text, since a token may span prefix and suffix.
        let tokens = self.tokenise(&prompt.text());
        let length = self.fitting(&tokens)?;
        if tokens.is_empty() {
            return Err(failure("the prompt is empty"));
        }

        if self.prefix.text != prompt.prefix {
            self.prefix = Prefix {
                tokens: self.tokenise(&prompt.prefix),
                text: Arc::clone(&prompt.prefix),
                decoded: false,
            };
        }
        self.cut_prefix_to(&tokens);
        self.make_room(length.saturating_add(room).min(self.limit))?;
        self.hold_prefix()?;

        let shared = self.prefix.tokens.len();
        if let Err(error) = self.evaluate_rest(&tokens, shared) {
            self.drop_work();
            self.forget_prefix();
            return Err(error);
        }
        let last = self.batch.n_tokens() - 1;
        let usage = Usage {
            prompt_tokens: Some(length),
            cached_tokens: u32::try_from(shared).ok(),
            answer_tokens: None,
        };
        Ok((usage, read(self.context.get_logits_ith(last))))
    }

    /// Empties `WORK`.
    fn drop_work(&mut self) {
        let dropped = self.context.clear_kv_cache_seq(Some(WORK_ID), None, None);
        if !matches!(dropped, Ok(true)) {
            self.forget_prefix();
        }
    }

    /// Whether a text and one token more fit into the model's context.
    pub(super) fn check_length(&self, text: &str) -> Result<(), ScoreError> {
        let mut tokens = self.tokenise(text);
        tokens.push(self.vocab.bos());
        self.fitting(&tokens).map(|_| ())
    }

    /// The number of tokens, if they fit.
    fn fitting(&self, tokens: &[LlamaToken]) -> Result<u32, ScoreError> {
        let length = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        if length > self.limit {
            return Err(ScoreError::ContextTooLong {
                tokens: Some(length),
                limit: Some(self.limit),
            });
        }
        Ok(length)
    }

    /// The tokens of a text, after the BOS token if the model uses one.
    ///
    /// llama.cpp would add the BOS token itself, but would also double one that a chat template
    /// has already written, and would end the prompt with EOS for some models.
    fn tokenise(&self, text: &str) -> Vec<LlamaToken> {
        let tokens = self
            .vocab
            .tokenize(text.as_bytes(), false, self.setup.parse_special);
        let bos = self.vocab.should_add_bos().then(|| self.vocab.bos());
        with_bos(tokens, bos.filter(|token| token.0 >= 0))
    }

    /// Shortens the prefix to the tokens that the prompt begins with: its last token may merge with
    /// the first of the suffix. At least one token of the prompt remains, to produce the logits.
    ///
    /// Leaving the other prefix tokens unused in the cache would put the rest of the prompt behind a
    /// gap, so that attention sums in another order. That moved logits by up to 1.
    fn cut_prefix_to(&mut self, tokens: &[LlamaToken]) {
        let shared = common_prefix(&self.prefix.tokens, tokens).min(tokens.len() - 1);
        if shared == self.prefix.tokens.len() {
            return;
        }
        self.prefix.tokens.truncate(shared);
        // A state cannot be shortened, only recomputed.
        if self.prefix.decoded && !self.has_state {
            let removed =
                self.context
                    .clear_kv_cache_seq(Some(PREFIX_ID), u32::try_from(shared).ok(), None);
            self.prefix.decoded = matches!(removed, Ok(true));
        } else {
            self.forget_prefix();
        }
    }

    /// Grows the context to at least `needed` tokens.
    fn make_room(&mut self, needed: u32) -> Result<(), ScoreError> {
        if needed <= self.context.n_ctx() {
            return Ok(());
        }
        // Each growth decodes the prefix again; doubling keeps their number small.
        let length = needed
            .checked_next_power_of_two()
            .unwrap_or(needed)
            .min(self.limit);
        self.forget_prefix();
        self.context =
            new_context(self.model, self.setup, length).map_err(|error| failure(&error))?;
        Ok(())
    }

    /// Decodes the prefix into sequence 0, unless it is there.
    fn hold_prefix(&mut self) -> Result<(), ScoreError> {
        if self.prefix.decoded {
            return Ok(());
        }
        self.context.clear_kv_cache();
        let tokens = std::mem::take(&mut self.prefix.tokens);
        let outcome = self.decode(&tokens, 0, PREFIX);
        self.prefix.tokens = tokens;
        outcome?;
        self.prefix.decoded = true;
        Ok(())
    }

    fn forget_prefix(&mut self) {
        self.prefix.decoded = false;
    }

    fn evaluate_rest(&mut self, tokens: &[LlamaToken], shared: usize) -> Result<(), ScoreError> {
        if shared > 0 {
            self.context
                .copy_kv_cache_seq(PREFIX, WORK, None, None)
                .map_err(|error| failure(&error))?;
        }
        self.decode(&tokens[shared..], shared, WORK)
    }

    /// Decodes tokens that begin at position `first`, with logits for the last one unless they are
    /// the prefix.
    fn decode(
        &mut self,
        tokens: &[LlamaToken],
        first: usize,
        sequence: i32,
    ) -> Result<(), ScoreError> {
        native::forget_error();
        // No context is that long, so the positions fit.
        let [mut position, end] =
            [first, first + tokens.len()].map(|at| i32::try_from(at).unwrap_or(i32::MAX));
        for chunk in tokens.chunks(BATCH_TOKENS as usize) {
            self.batch.clear();
            for &token in chunk {
                let wanted = sequence != PREFIX && position + 1 == end;
                self.batch
                    .add(token, position, &[sequence], wanted)
                    .map_err(|error| failure(&error))?;
                position += 1;
            }
            self.context
                .decode(&mut self.batch)
                .map_err(|error| failure(&native::first_error(error)))?;
        }
        Ok(())
    }
}

fn new_context(
    model: &LlamaModel,
    setup: Setup,
    tokens: u32,
) -> Result<LlamaContext<'_>, LlamaError> {
    let error = |message| LlamaError::Context { tokens, message };
    let backend = native::backend().map_err(|cause| error(cause.to_string()))?;
    let params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(tokens.next_multiple_of(CONTEXT_STEP)))
        .with_n_batch(BATCH_TOKENS)
        .with_n_ubatch(BATCH_TOKENS)
        .with_n_seq_max(setup.sequences)
        // With one cache for all sequences, sharing the prefix copies nothing.
        .with_kv_unified(true)
        // The whole prefix must stay visible, however long the prompt.
        .with_swa_full(true)
        .with_flash_attention_policy(flash_attention(setup.on_gpu))
        .with_offload_kqv(setup.on_gpu)
        .with_op_offload(setup.on_gpu)
        .with_n_threads(setup.threads)
        .with_n_threads_batch(setup.threads);
    native::forget_error();
    model
        .new_context(backend, params)
        .map_err(|cause| error(native::first_error(cause)))
}

/// On a CPU, llama.cpp's flash attention rounds in one of three ways, by the number of tokens in
/// a decode (and, for a single one, by the number of threads). With few tokens after the
/// prefix, that moved logits by up to 0.9. Plain attention rounds the same way and is as fast here.
fn flash_attention(on_gpu: bool) -> llama_cpp_sys_2::llama_flash_attn_type {
    if on_gpu {
        llama_cpp_sys_2::LLAMA_FLASH_ATTN_TYPE_AUTO
    } else {
        llama_cpp_sys_2::LLAMA_FLASH_ATTN_TYPE_DISABLED
    }
}

fn failure(error: &(impl ToString + ?Sized)) -> ScoreError {
    ScoreError::Backend {
        message: error.to_string(),
    }
}

fn with_bos(mut tokens: Vec<LlamaToken>, bos: Option<LlamaToken>) -> Vec<LlamaToken> {
    if let Some(bos) = bos
        && tokens.first() != Some(&bos)
    {
        tokens.insert(0, bos);
    }
    tokens
}

fn common_prefix(a: &[LlamaToken], b: &[LlamaToken]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
