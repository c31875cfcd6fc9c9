//! The models named on the command line, and how they are opened.

use std::sync::Arc;
use std::time::Duration;

use sureness_scorers::http::{HttpOptions, HttpScorer, Secret};
use sureness_scorers::{ModelIdentity, OptionScorer};

use crate::commands::ask::AskArgs;
use crate::commands::run::RunArgs;
use crate::commands::values::Count;
use crate::error::CliError;

/// A model to measure.
#[derive(Debug, Clone)]
pub(crate) enum Model {
    /// A GGUF file, or a name of the catalogue.
    Gguf(String),
    /// A model behind one server or several; without a name the only one there.
    Served {
        api_bases: Vec<String>,
        model: Option<String>,
    },
    /// A model that workers on other machines have; without a name that of the first to come.
    #[cfg(feature = "nats")]
    Relayed {
        /// Its number in the run.
        lane: u16,
        model: Option<String>,
    },
}

impl Model {
    /// Whether it runs inside this process.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self, Self::Gguf(_))
    }
}

#[cfg(feature = "nats")]
impl Model {
    /// The one model of a worker.
    pub(crate) fn of_worker(ask: &AskArgs) -> Result<Self, CliError> {
        match (&ask.gguf[..], ask.api_base.is_empty()) {
            ([file], true) => Ok(Self::Gguf(file.clone())),
            ([], false) => Ok(Self::Served {
                api_bases: ask.api_base.clone(),
                model: ask.model.clone(),
            }),
            ([], true) => Err(CliError::input("the worker has no model")
                .hint("give --api-base URL --model NAME for a server, or --gguf FILE")),
            _ => Err(
                CliError::input("a worker has one model, but several are named")
                    .hint("start one worker for each"),
            ),
        }
    }
}

/// All models of a run, in order.
pub(crate) struct Named {
    pub(crate) list: Vec<Model>,
}

impl Named {
    pub(crate) fn from_args(args: &RunArgs) -> Result<Self, CliError> {
        let mut list: Vec<Model> = args.ask.gguf.iter().cloned().map(Model::Gguf).collect();
        let names: Vec<&String> = args.ask.model.iter().chain(&args.models).collect();
        #[cfg(feature = "nats")]
        if !args.nats.nats.is_empty() {
            return Self::relayed(args, &names);
        }
        let served = |model| Model::Served {
            api_bases: args.ask.api_base.clone(),
            model,
        };
        if args.ask.api_base.is_empty() {
            if !names.is_empty() {
                return Err(CliError::input("a model is named, but no server")
                    .hint("add --api-base URL, or use --gguf FILE for a model on this disk"));
            }
        } else if names.is_empty() {
            list.push(served(None));
        } else {
            list.extend(names.into_iter().map(|name| served(Some(name.clone()))));
        }
        if list.is_empty() {
            return Err(CliError::input("no model is named").hint(
                "give --api-base URL --model NAME for a server, or --gguf FILE for a model on this disk; `sureness demo` needs neither",
            ));
        }
        Ok(Self { list })
    }

    /// With `--nats` the models are where the workers are.
    #[cfg(feature = "nats")]
    fn relayed(args: &RunArgs, names: &[&String]) -> Result<Self, CliError> {
        for (given, flag) in [
            (!args.ask.gguf.is_empty(), "--gguf"),
            (!args.ask.api_base.is_empty(), "--api-base"),
        ] {
            if given {
                return Err(CliError::input(format!(
                    "{flag} is given together with --nats, but a coordinator asks no model itself"
                ))
                .hint(format!(
                    "give {flag} to the workers: sureness worker --nats URL {flag} …"
                )));
            }
        }
        let relayed = |(lane, model)| Model::Relayed { lane, model };
        let list: Vec<Model> = if names.is_empty() {
            vec![relayed((0, None))]
        } else {
            let names = names.iter().map(|name| Some((*name).clone()));
            (0..).zip(names).map(relayed).collect()
        };
        Ok(Self { list })
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

/// Where a model's questions go: one scorer per server, or the one in this process.
pub(crate) type Endpoints = Vec<Arc<dyn OptionScorer>>;

/// Reaches a model: loads the file, or probes the servers. Whatever is wrong is found here.
pub(crate) async fn open(model: &Model, ask: &AskArgs, tells: bool) -> Result<Endpoints, CliError> {
    match model {
        Model::Served { api_bases, model } => {
            let mut endpoints: Endpoints = Vec::with_capacity(api_bases.len());
            // As people may see them: an address can hold a password.
            let mut addresses: Vec<String> = Vec::with_capacity(api_bases.len());
            for api_base in api_bases {
                let scorer = HttpScorer::connect(http_options(api_base, model.clone(), ask))
                    .await
                    .map_err(|e| CliError::input(&e).hint(e.hint()))?;
                let address = scorer.address();
                if tells {
                    let scoring = scorer.scoring();
                    eprintln!(
                        "{address}: options scored by {}: {}",
                        scoring.tier, scoring.reason
                    );
                }
                if let Some((first, first_address)) = endpoints.first().zip(addresses.first()) {
                    same_model(first.identity(), first_address, scorer.identity(), &address)?;
                }
                endpoints.push(Arc::new(scorer));
                addresses.push(address);
            }
            Ok(endpoints)
        }
        Model::Gguf(name) => Ok(vec![embedded::open(name, ask).await?]),
        #[cfg(feature = "nats")]
        Model::Relayed { .. } => Err(CliError::input("a model with workers is not opened here")),
    }
}

/// Connections per server where the number of workers is found while the run goes.
const CONNECTIONS: usize = 256;

fn http_options(api_base: &str, model: Option<String>, ask: &AskArgs) -> HttpOptions {
    // Without lists each prompt of a batch is a request of its own.
    let connections = match (ask.max_workers, ask.batch_size) {
        (Count::Fixed(workers), Count::Fixed(batch)) => workers.get().saturating_mul(batch.get()),
        _ => CONNECTIONS,
    };
    HttpOptions {
        api_key: ask.api_key.as_deref().and_then(Secret::new),
        model,
        chat: ask.chat,
        timeout: Duration::from_secs(ask.timeout),
        connect_timeout: Duration::from_secs_f64(ask.connect_timeout),
        first_byte_timeout: ask.first_byte_timeout.map(Duration::from_secs_f64),
        http2: ask.http2,
        max_connections: connections,
        top_logprobs: ask.top_logprobs,
        list_prompts: ask.list_prompts,
        ..HttpOptions::new(api_base)
    }
}

/// Two servers may share the work only if either's answers are as good as the other's.
fn same_model(
    first: &ModelIdentity,
    first_base: &str,
    other: &ModelIdentity,
    other_base: &str,
) -> Result<(), CliError> {
    let differences = first.differences(other);
    if differences.is_empty() {
        return Ok(());
    }
    // Their names stand in the sentence anyway.
    let differing: Vec<&str> = differences
        .iter()
        .map(|(what, ..)| *what)
        .filter(|what| !["name", "backend"].contains(what))
        .collect();
    Err(CliError::input(format!(
        "{first_base} and {other_base} do not serve the same model in the same way: {} and {} differ{}",
        first.name,
        other.name,
        if differing.is_empty() {
            String::new()
        } else {
            format!(" in {}", differing.join(", "))
        }
    ))
    .hint("give one --api-base per model, or servers that were started alike"))
}

#[cfg(not(feature = "llama"))]
mod embedded {
    use super::{Arc, AskArgs, CliError, OptionScorer};

    #[expect(
        clippy::unused_async,
        reason = "the same signature as with the feature"
    )]
    pub(super) async fn open(_: &str, _: &AskArgs) -> Result<Arc<dyn OptionScorer>, CliError> {
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

    use super::{Arc, AskArgs, CliError, OptionScorer};

    pub(super) async fn open(name: &str, ask: &AskArgs) -> Result<Arc<dyn OptionScorer>, CliError> {
        let (name, chat) = (name.to_owned(), ask.chat);
        let options = LlamaOptions {
            threads: ask.threads,
            gpu_layers: ask.gpu_layers,
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
