//! The settings of a judge.

use sureness_bench::budget::Prices;
use sureness_bench::{Failure, JudgeSettings};
use sureness_scorers::http::{HttpOptions, Secret};

use crate::args::judge::JudgeArgs;

/// The judge that the flags name, if they name one. `models` are the options of the models' own requests,
/// and `bases` their servers: on these, the judge has their key.
pub(super) fn judge(
    args: &JudgeArgs,
    models: &HttpOptions,
    bases: &[String],
) -> Result<Option<JudgeSettings>, Failure> {
    let Some(name) = &args.judge else {
        return Ok(None);
    };
    let own = args.judge_base.as_ref();
    let Some(base) = own.or(bases.first()) else {
        return Err(Failure::new("--judge names a model, but no server has it")
            .hint("add --judge-base URL, the address of the judge's server"));
    };
    let http = HttpOptions {
        api_base: base.clone(),
        model: Some(name.clone()),
        chat: args.judge_api != sureness_scorers::http::Api::Completions,
        any_model: models.any_model,
        timeout: models.timeout,
        connect_timeout: models.connect_timeout,
        first_byte_timeout: models.first_byte_timeout,
        openai_key: models.openai_key.clone(),
        ..HttpOptions::new(base)
    };
    // Keys and headers of the models' server go to no other.
    let is_their_server = bases.contains(base);
    let key = std::env::var(&args.judge_key_env).ok();
    let key = key.as_deref().and_then(Secret::new);
    let http = HttpOptions {
        api_key: key.or_else(|| models.api_key.clone().filter(|_| is_their_server)),
        headers: if is_their_server {
            models.headers.clone()
        } else {
            Vec::new()
        },
        ..http
    };
    let prices = args.judge_price_in.zip(args.judge_price_out);
    Ok(Some(JudgeSettings {
        http,
        api: args.judge_api,
        pairs: args.judge_pairs,
        prices: prices.map(|(prompt, answer)| Prices {
            currency: None,
            prompt,
            cached: None,
            answer,
        }),
    }))
}
