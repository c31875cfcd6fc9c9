//! The identity of a model.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything about the model and the way of asking that can change a score. The store reuses an
/// answer only for an equal identity.
///
/// Never holds a secret: it is written to the store and to every result file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelIdentity {
    /// Name for people and tables, such as `SmolLM2-135M-Instruct.Q4_1`.
    pub name: String,
    /// The backend: `llama.cpp`, `openai-http`, `replay`.
    pub backend: String,
    /// Further details, by name: quantisation, file digest, route, top-k, batch shape, instruction
    /// set.
    pub details: BTreeMap<String, String>,
}

impl ModelIdentity {
    /// The detail with the address of a server that does not identify its model, by which alone two
    /// such servers differ.
    pub const ADDRESS: &str = "api base";

    /// The differences of two models, except for the addresses of their servers: `name`, `backend`
    /// or the name of a detail, with both values. Empty if the answers of both are interchangeable.
    pub fn differences<'a>(
        &'a self,
        other: &'a Self,
    ) -> Vec<(&'a str, Option<&'a str>, Option<&'a str>)> {
        let details: BTreeSet<&str> = self
            .details
            .keys()
            .chain(other.details.keys())
            .map(String::as_str)
            .filter(|name| *name != Self::ADDRESS)
            .collect();
        let pairs = [
            ("name", Some(&*self.name), Some(&*other.name)),
            ("backend", Some(&*self.backend), Some(&*other.backend)),
        ];
        let detail = |name| {
            let of = |model: &'a Self| model.details.get(name).map(String::as_str);
            (name, of(self), of(other))
        };
        let all = pairs.into_iter().chain(details.into_iter().map(detail));
        all.filter(|(_, one, other)| one != other).collect()
    }

    /// Whether the answers of both are interchangeable: the models differ at most in the addresses
    /// of their servers.
    pub fn is_same_model(&self, other: &Self) -> bool {
        self.differences(other).is_empty()
    }

    /// BLAKE3 digest over all fields; part of every request key.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let mut field = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        field(&self.name);
        field(&self.backend);
        for (key, value) in &self.details {
            field(key);
            field(value);
        }
        hasher.finalize().into()
    }
}
