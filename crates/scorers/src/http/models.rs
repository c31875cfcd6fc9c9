//! The models that a server lists, and its chat template.

use std::collections::BTreeMap;

use serde_json::Value;

/// One entry of `/models`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ListedModel {
    pub(super) id: String,
    aliases: Vec<String>,
    /// Properties that identify the weights, by name.
    pub(super) fingerprint: BTreeMap<String, String>,
}

/// Fields that identify the weights. Times, permission ids and settings that move no score, such
/// as the context length, would make equal servers look different.
const FINGERPRINT: [&str; 10] = [
    "owned_by",
    "root",
    "quantization",
    "meta/ftype",
    "meta/size",
    "meta/n_params",
    "meta/n_vocab",
    "meta/n_embd",
    "meta/n_ctx_train",
    "meta/vocab_type",
];

impl ListedModel {
    /// Whether `name` means this model.
    pub(super) fn answers_to(&self, name: &str) -> bool {
        // Ollama takes a name without a tag for the latest.
        let untagged = self.id.strip_suffix(":latest");
        self.id == name || untagged == Some(name) || self.aliases.iter().any(|alias| alias == name)
    }

    /// Whether the entry stands for any model, or any of a family, as proxies list them.
    pub(super) fn is_wildcard(&self) -> bool {
        self.id.contains('*')
    }

    /// Whether the fingerprint holds more than the server's owner.
    pub(super) fn is_distinctive(&self) -> bool {
        self.fingerprint.keys().any(|name| name != "owned_by")
    }
}

/// The kind of server that serves `model`, as its list of models says it.
pub(super) fn owner(model: &str, listed: &[ListedModel]) -> Option<String> {
    let entry = listed.iter().find(|entry| entry.answers_to(model));
    let entry = entry.or(match listed {
        [only] => Some(only),
        _ => None,
    });
    entry?.fingerprint.get("owned_by").cloned()
}

/// The models in an answer of `/models`; entries without a name are skipped.
pub(super) fn listed(response: &Value) -> Vec<ListedModel> {
    let entries = response.get("data").and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(model).collect()
}

fn model(entry: &Value) -> Option<ListedModel> {
    let id = entry.get("id")?.as_str()?.to_owned();
    let aliases = entry.get("aliases").and_then(Value::as_array);
    let aliases = aliases
        .into_iter()
        .flatten()
        .filter_map(|alias| alias.as_str().map(str::to_owned))
        .collect();
    let fingerprint = FINGERPRINT
        .iter()
        .filter_map(|path| {
            let text = match entry.pointer(&format!("/{path}"))? {
                Value::String(text) if !text.is_empty() => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            Some(((*path).replace('/', "."), text))
        })
        .collect();
    Some(ListedModel {
        id,
        aliases,
        fingerprint,
    })
}

/// A server's chat template, from llama.cpp's `/props`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTemplate {
    /// The Jinja chat template.
    pub chat_template: String,
    /// The BOS token, which must not come twice if the template adds it.
    pub bos_token: Option<String>,
    /// The token that ends a text.
    pub eos_token: Option<String>,
}

impl ServerTemplate {
    /// `None` where the server has no template.
    pub(super) fn read(props: &Value) -> Option<Self> {
        let text = |field: &str| {
            let value = props.get(field).and_then(Value::as_str);
            value.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Some(Self {
            chat_template: text("chat_template")?,
            bos_token: text("bos_token"),
            eos_token: text("eos_token"),
        })
    }
}
