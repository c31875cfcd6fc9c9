//! How bytes of prompts become tokens.

use sureness_scorers::http::{Api, HttpOptions, TokenCounter};

/// Bytes of an English prompt per token, for want of the model's own tokenizer.
const BYTES_PER_TOKEN: f64 = 4.0;
/// How far that is off, as a factor in either direction: tokenizers of current models need 3.2 to 4.9
/// bytes per token for the benchmark's prompts, and more tokens for other languages.
const OFF_BY: f64 = 1.25;
/// Prompts that a server's tokenizer is asked about.
const SAMPLE: usize = 64;

/// Tokens per byte of a prompt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TokenRate {
    /// As counted by the server in so many earlier prompts of this model.
    Counted {
        /// Tokens per byte.
        rate: f64,
        /// Prompts.
        prompts: usize,
    },
    /// As counted by the server's tokenizer in a random sample of the prompts.
    Sampled {
        /// Tokens per byte.
        rate: f64,
        /// Prompts of the sample.
        prompts: usize,
        /// All prompts.
        of: usize,
        /// Standard error of the total, as a share of it; 0 where all prompts were counted.
        error: f64,
    },
    /// Not known: an estimate.
    Estimated,
}

impl TokenRate {
    /// Tokens of so many bytes.
    pub fn tokens(self, bytes: u64) -> f64 {
        match self {
            Self::Counted { rate, .. } | Self::Sampled { rate, .. } => bytes as f64 * rate,
            Self::Estimated => bytes as f64 / BYTES_PER_TOKEN,
        }
    }

    /// How far the number of tokens may be off, as a factor in either direction.
    pub fn off_by(self) -> f64 {
        match self {
            // Prompts of a task are alike.
            Self::Counted { .. } => 1.02,
            Self::Sampled { error, .. } => 1.0 + 2.0 * error,
            Self::Estimated => OFF_BY,
        }
    }

    /// The rate of a random sample of `of` prompts, each with its bytes and tokens. `None` of no prompt.
    ///
    /// It is the ratio of both totals, which varies less than a mean of tokens, since the bytes of all
    /// prompts are known. Its error is that of the mean residual, for sampling without replacement
    /// (Cochran 1977, *Sampling Techniques*, section 6.4).
    fn of_sample(sample: &[(u64, u32)], of: usize) -> Option<Self> {
        let n = sample.len() as f64;
        let bytes: f64 = sample.iter().map(|(bytes, _)| *bytes as f64).sum();
        let tokens: f64 = sample.iter().map(|(_, tokens)| f64::from(*tokens)).sum();
        if bytes == 0.0 {
            return None;
        }
        let rate = tokens / bytes;
        let residual = |(bytes, tokens): &(u64, u32)| f64::from(*tokens) - rate * *bytes as f64;
        let squares: f64 = sample.iter().map(|it| residual(it).powi(2)).sum();
        let variance = squares / (n - 1.0).max(1.0);
        let left = 1.0 - n / of.max(sample.len()) as f64;
        // One prompt shows nothing about the others.
        let error = match sample.len() {
            1 if of > 1 => OFF_BY - 1.0,
            _ => (left * variance / n).sqrt() / (tokens / n),
        };
        Some(Self::Sampled {
            rate,
            prompts: sample.len(),
            of,
            error,
        })
    }
}

/// A random sample of the prompts of a run, drawn as they go by.
#[derive(Debug)]
pub(super) struct PromptSample {
    prompts: Vec<String>,
    seen: usize,
    state: u64,
}

impl Default for PromptSample {
    fn default() -> Self {
        Self {
            prompts: Vec::new(),
            seen: 0,
            state: 0x5eed,
        }
    }
}

impl PromptSample {
    /// Adds a prompt, which takes a random place or none once the sample is full (Vitter's algorithm R).
    pub(super) fn add(&mut self, prompt: impl FnOnce() -> String) {
        self.seen += 1;
        if self.prompts.len() < SAMPLE {
            self.prompts.push(prompt());
            return;
        }
        let place = (self.next() % self.seen as u64) as usize;
        if let Some(old) = self.prompts.get_mut(place) {
            *old = prompt();
        }
    }

    /// `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The rate by the server's tokenizer; `None` if it has none, or there is no prompt.
    pub(super) async fn counted(&self, counter: &TokenCounter) -> Option<TokenRate> {
        let counts = counter.count(&self.prompts).await?;
        let bytes = self.prompts.iter().map(|prompt| prompt.len() as u64);
        let sample: Vec<_> = bytes.zip(counts).collect();
        TokenRate::of_sample(&sample, self.seen)
    }
}

/// What a server says about its model without being asked a question.
pub(super) enum Server {
    /// It has the model; with its tokenizer, if it has one.
    Has(Box<TokenCounter>),
    /// It cannot be asked, for this reason.
    Lacks(String),
}

impl Server {
    pub(super) async fn at(options: HttpOptions, api: Api) -> Self {
        match TokenCounter::connect(options, api).await {
            Ok(counter) => Self::Has(Box::new(counter)),
            Err(error) => Self::Lacks(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prompts of different lengths, with tokens that depend on more than these.
    fn prompts() -> Vec<(u64, u32)> {
        let mut numbers = PromptSample::default();
        let prompt = |_| {
            let bytes = 400 + numbers.next() % 3000;
            let per_token = 3.5 + (numbers.next() % 1000) as f64 / 1000.0;
            (bytes, (bytes as f64 / per_token) as u32)
        };
        (0..1000).map(prompt).collect()
    }

    #[test]
    fn the_error_is_that_of_the_estimates() {
        let all = prompts();
        let bytes: u64 = all.iter().map(|(bytes, _)| bytes).sum();
        let truth: f64 = all.iter().map(|(_, tokens)| f64::from(*tokens)).sum();
        let (mut squares, mut variances, mut sum) = (0.0, 0.0, 0.0);
        let rounds = 2000;
        let mut numbers = PromptSample {
            state: 7,
            ..PromptSample::default()
        };
        for _ in 0..rounds {
            let mut shuffled = all.clone();
            for i in 0..SAMPLE {
                let other = i + (numbers.next() % (shuffled.len() - i) as u64) as usize;
                shuffled.swap(i, other);
            }
            let rate = TokenRate::of_sample(&shuffled[..SAMPLE], all.len()).unwrap();
            let TokenRate::Sampled { error, .. } = rate else {
                panic!("{rate:?}")
            };
            let total = rate.tokens(bytes);
            squares += (total / truth - 1.0).powi(2) / f64::from(rounds);
            variances += error.powi(2) / f64::from(rounds);
            sum += total / truth / f64::from(rounds);
        }
        let ratio = (variances / squares).sqrt();
        assert!(
            (ratio - 1.0).abs() < 0.06,
            "stated over true error: {ratio}"
        );
        assert!((sum - 1.0).abs() < 0.002, "bias: {sum}");
    }

    #[test]
    fn a_count_of_all_prompts_has_no_error() {
        let all = &prompts()[..20];
        let rate = TokenRate::of_sample(all, 20).unwrap();
        assert!(
            matches!(rate, TokenRate::Sampled { error: 0.0, .. }),
            "{rate:?}"
        );
        let one = TokenRate::of_sample(&all[..1], 20).unwrap();
        assert!((one.off_by() - 1.5).abs() < 1e-9, "{one:?}");
        assert_eq!(TokenRate::of_sample(&[], 20), None);
    }

    #[test]
    fn every_prompt_is_drawn_as_often_as_another() {
        let mut drawn = vec![0_u32; 256];
        for round in 0..2000 {
            let mut sample = PromptSample {
                state: round,
                ..PromptSample::default()
            };
            for number in 0..drawn.len() {
                sample.add(|| number.to_string());
            }
            for prompt in &sample.prompts {
                drawn[prompt.parse::<usize>().unwrap()] += 1;
            }
        }
        // A quarter of 2,000 each, with a standard deviation of 19.4.
        assert!(drawn.iter().all(|n| (420..=580).contains(n)), "{drawn:?}");
    }
}
