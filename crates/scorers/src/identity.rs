//! What model gave an answer, and how it was asked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything about the model and the way of asking that can change a score. Two answers may
/// stand for each other in the store only if their identities are equal.
///
/// Never holds a secret: it is written to the store and to every result file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// Name for people and tables, such as `SmolLM2-135M-Instruct.Q4_1`.
    pub name: String,
    /// The backend: `llama.cpp`, `openai-http`, `replay`.
    pub backend: String,
    /// The rest, by name: quantisation, file digest, route, top-k, batch shape, instruction set.
    pub details: BTreeMap<String, String>,
}

impl ModelIdentity {
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
