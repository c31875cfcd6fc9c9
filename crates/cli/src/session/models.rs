//! The models named on the command line, and how they are opened.

use std::sync::Arc;
use std::time::Duration;

use sureness_scorers::OptionScorer;
use sureness_scorers::http::{HttpOptions, HttpScorer, Secret};

use crate::commands::run::RunArgs;
use crate::error::CliError;

/// A model to measure.
#[derive(Debug, Clone)]
pub(crate) enum Model {
    /// A GGUF file, or a name of the catalogue.
    Gguf(String),
    /// A model behind a server; without a name the only one there.
    Served {
        api_base: String,
        model: Option<String>,
    },
}

impl Model {
    /// Whether it runs inside this process.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self, Self::Gguf(_))
    }
}

/// All models of a run, in order.
pub(crate) struct Named {
    pub(crate) list: Vec<Model>,
}

impl Named {
    pub(crate) fn from_args(args: &RunArgs) -> Result<Self, CliError> {
        let mut list: Vec<Model> = args.gguf.iter().cloned().map(Model::Gguf).collect();
        let names: Vec<&String> = args.model.iter().chain(&args.models).collect();
        match &args.api_base {
            Some(api_base) if names.is_empty() => {
                list.push(Model::Served {
                    api_base: api_base.clone(),
                    model: None,
                });
            }
            Some(api_base) => list.extend(names.into_iter().map(|name| Model::Served {
                api_base: api_base.clone(),
                model: Some(name.clone()),
            })),
            None if !names.is_empty() => {
                return Err(CliError::input("a model is named, but no server")
                    .hint("add --api-base URL, or use --gguf FILE for a model on this disk"));
            }
            None => {}
        }
        if list.is_empty() {
            return Err(CliError::input("no model is named").hint(
                "give --api-base URL --model NAME for a server, or --gguf FILE for a model on this disk; `sureness demo` needs neither",
            ));
        }
        Ok(Self { list })
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

/// Reaches a model: loads the file, or probes the server. Whatever is wrong is found here.
pub(crate) async fn open(model: &Model, args: &RunArgs) -> Result<Arc<dyn OptionScorer>, CliError> {
    match model {
        Model::Served { api_base, model } => {
            let scorer = HttpScorer::connect(HttpOptions {
                api_key: args.api_key.as_deref().and_then(Secret::new),
                model: model.clone(),
                chat: args.chat,
                timeout: Duration::from_secs(args.timeout),
                // Without lists each prompt of a batch is a request of its own.
                max_connections: args.max_workers as usize * args.batch_size as usize,
                top_logprobs: args.top_logprobs,
                list_prompts: args.list_prompts,
                ..HttpOptions::new(api_base)
            })
            .await
            .map_err(|e| CliError::input(&e).hint(e.hint()))?;
            Ok(Arc::new(scorer))
        }
        Model::Gguf(name) => embedded::open(name, args).await,
    }
}

#[cfg(not(feature = "llama"))]
mod embedded {
    use super::{Arc, CliError, OptionScorer, RunArgs};

    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub(super) async fn open(_: &str, _: &RunArgs) -> Result<Arc<dyn OptionScorer>, CliError> {
        Err(
            CliError::input("this build of sureness has no embedded model")
                .hint("build it with the feature `llama`, or use a server with --api-base"),
        )
    }
}

#[cfg(feature = "llama")]
mod embedded {
    use std::path::Path;

    use sureness_prompts::ChatTemplate;
    use sureness_scorers::llama::{LlamaOptions, LlamaScorer, PromptForm};

    use super::{Arc, CliError, OptionScorer, RunArgs};

    pub(super) async fn open(
        name: &str,
        args: &RunArgs,
    ) -> Result<Arc<dyn OptionScorer>, CliError> {
        let (name, chat) = (name.to_owned(), args.chat);
        let options = LlamaOptions {
            threads: args.threads,
            gpu_layers: args.gpu_layers,
            ..LlamaOptions::default()
        };
        let load = move || {
            let path = crate::models::ensure(&name, |line| eprintln!("{line}"))?;
            let prompt_form = if chat {
                chat_form(&path)?
            } else {
                PromptForm::Plain
            };
            LlamaScorer::load(
                &path,
                LlamaOptions {
                    prompt_form,
                    ..options
                },
            )
            .map_err(|e| CliError::input(&e).hint(e.hint()))
        };
        let scorer = tokio::task::spawn_blocking(load)
            .await
            .map_err(|e| CliError::input(format!("loading the model ended abnormally: {e}")))??;
        Ok(Arc::new(scorer))
    }

    /// Prompts go through the file's own chat template.
    fn chat_form(path: &Path) -> Result<PromptForm, CliError> {
        let info = LlamaScorer::metadata(path).map_err(|e| CliError::input(&e).hint(e.hint()))?;
        let source = info.chat_template.as_deref().ok_or_else(|| {
            CliError::input(format!("{} has no chat template", path.display()))
                .hint("leave out --chat: this looks like a base model")
        })?;
        let template =
            ChatTemplate::new(source, info.bos_token.as_deref(), info.eos_token.as_deref())
                .map_err(|e| CliError::input(&e).hint(e.hint()))?
                // The tokenizer adds one itself.
                .strip_bos(info.adds_bos);
        Ok(PromptForm::Chat(Arc::new(move |prompt| {
            template.apply(prompt).map_err(|e| e.to_string())
        })))
    }
}
