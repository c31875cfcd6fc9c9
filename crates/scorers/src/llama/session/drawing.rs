//! Answers in words, drawn token by token.
//!
//! A prompt is evaluated once for all answers to it: `WORK` keeps it, and each answer goes on in a
//! sequence of its own. Answers are drawn one after the other, in decodes of one token. A decode for
//! several would be faster and would round differently with their number; so an answer depends only
//! on its prompt and its seed, and a run that was interrupted ends with the same answers.

use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::{LlamaToken, data::LlamaTokenData, data_array::LlamaTokenDataArray};
use sureness_prompts::Prompt;

use super::{Session, WORK, failure};
use crate::said::{End, Said};
use crate::{ScoreError, Usage};

const DRAW: i32 = 2;
const DRAW_ID: u32 = DRAW.unsigned_abs();

/// How to draw an answer.
#[derive(Debug, Clone, Copy)]
pub(in crate::llama) struct Drawing {
    /// Sampling temperature.
    pub(in crate::llama) temperature: f32,
    /// Maximum tokens.
    pub(in crate::llama) max_tokens: u32,
    /// Text before which the answer ends.
    pub(in crate::llama) stop: Option<&'static str>,
    /// Seed of its chance; llama.cpp takes the largest for none.
    pub(in crate::llama) seed: u32,
}

/// A prompt that `WORK` holds.
pub(super) struct Held {
    text: String,
    /// The logits after its last token.
    logits: Vec<f32>,
    usage: Usage,
}

impl Session<'_> {
    /// Draws an answer to a prompt. It is cut where the model's context ends.
    pub(in crate::llama) fn draw(
        &mut self,
        prompt: &Prompt,
        drawing: Drawing,
    ) -> Result<(Said, Usage), ScoreError> {
        let text = prompt.text();
        let held = match self.held.take() {
            Some(held) if held.text == text => Held {
                usage: Usage {
                    cached_tokens: held.usage.prompt_tokens,
                    ..held.usage
                },
                ..held
            },
            other => {
                self.held = other;
                let (usage, logits) = self.work_on(prompt, drawing.max_tokens, <[f32]>::to_vec)?;
                Held {
                    text,
                    logits,
                    usage,
                }
            }
        };
        let drawn = self.continued(&held, drawing);
        let usage = held.usage;
        self.held = Some(held);
        let dropped = self.context.clear_kv_cache_seq(Some(DRAW_ID), None, None);
        if drawn.is_err() || !matches!(dropped, Ok(true)) {
            self.release();
            self.forget_prefix();
        }
        drawn.map(|(said, tokens)| {
            let answer_tokens = Some(tokens);
            (
                said,
                Usage {
                    answer_tokens,
                    ..usage
                },
            )
        })
    }

    /// Lets go of the prompt that `WORK` holds.
    pub(super) fn release(&mut self) {
        if self.held.take().is_some() {
            self.drop_work();
        }
    }

    /// An answer that goes on after a prompt, with the number of its tokens.
    fn continued(&mut self, held: &Held, drawing: Drawing) -> Result<(Said, u32), ScoreError> {
        self.context
            .copy_kv_cache_seq(WORK, DRAW, None, None)
            .map_err(|error| failure(&error))?;
        // The whole vocabulary at the given temperature: no other sampler cuts it.
        let mut sampler = LlamaSampler::chain_simple([
            LlamaSampler::temp(drawing.temperature),
            LlamaSampler::dist(drawing.seed),
        ]);
        let length = held.usage.prompt_tokens.unwrap_or_default();
        let limit = drawing.max_tokens.min(self.limit - length + 1);
        let mut bytes = Vec::new();
        let mut token = pick(&held.logits, &mut sampler)?;
        for drawn in 1..=limit {
            if self.vocab.is_eog(token) {
                return Ok((said(&bytes, End::Whole), drawn));
            }
            bytes.extend(self.vocab.token_to_piece(token, true, None));
            if let Some(end) = drawing.stop.and_then(|stop| position(&bytes, stop)) {
                return Ok((said(&bytes[..end], End::Whole), drawn));
            }
            if drawn < limit {
                self.decode(&[token], (length + drawn - 1) as usize, DRAW)?;
                token = pick(self.context.get_logits_ith(0), &mut sampler)?;
            }
        }
        Ok((said(&bytes, End::Cut), limit))
    }
}

fn said(bytes: &[u8], end: End) -> Said {
    Said {
        text: String::from_utf8_lossy(bytes).into_owned(),
        end,
        ..Said::default()
    }
}

/// Where a text begins in others.
fn position(bytes: &[u8], text: &str) -> Option<usize> {
    let mut windows = bytes.windows(text.len());
    windows.position(|window| window == text.as_bytes())
}

/// The next token.
fn pick(logits: &[f32], sampler: &mut LlamaSampler) -> Result<LlamaToken, ScoreError> {
    if logits.iter().any(|logit| logit.is_nan()) {
        return Err(failure(
            "the model returned logits that are not numbers; the file may be damaged",
        ));
    }
    let tokens = (0..).zip(logits);
    let data = tokens.map(|(id, &logit)| LlamaTokenData::new(LlamaToken(id), logit, 0.0));
    LlamaTokenDataArray::from_iter(data, false)
        .with_sampler(sampler)
        .selected_token()
        .ok_or_else(|| failure("llama.cpp drew no token"))
}
