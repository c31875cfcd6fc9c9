//! Text as JSON, escaped once for all requests that share it.

use std::sync::{Arc, Mutex, PoisonError};

/// A few groups of questions overlap at most.
const MEMO_CAPACITY: usize = 8;

/// Appends `text` as the inside of a JSON string.
pub(super) fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..=0x1f => b'u',
            _ => continue,
        };
        out.extend_from_slice(&bytes[copied..at]);
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
            out.extend_from_slice(&[b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
        copied = at + 1;
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// `text` as a JSON string.
pub(in crate::http) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Results computed from shared values, looked up by address.
///
/// Each entry keeps its value alive, so that no other value can have the same address.
pub(super) struct Memo<K: ?Sized, V> {
    entries: Mutex<Vec<(Arc<K>, V)>>,
}

impl<K: ?Sized, V: Clone> Memo<K, V> {
    pub(super) fn new() -> Self {
        Self {
            entries: Mutex::new(Vec::new()),
        }
    }

    /// The result of `make` for `key`, computed once.
    pub(super) fn get(&self, key: &Arc<K>, make: impl FnOnce(&K) -> V) -> V {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = entries.iter().find(|(known, _)| Arc::ptr_eq(known, key)) {
            return value.clone();
        }
        if entries.len() == MEMO_CAPACITY {
            entries.remove(0);
        }
        let value = make(key);
        entries.push((Arc::clone(key), value.clone()));
        value
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_two_texts_escaped_apart_are_one_text(first in ".*", second in "[\\x00-\\x7f]*") {
            let mut json = vec![b'"'];
            escape(&mut json, &first);
            escape(&mut json, &second);
            json.push(b'"');
            let read: String = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(read, first + &second);
        }
    }

    #[test]
    fn a_value_is_made_once_and_the_oldest_is_forgotten() {
        let made = std::cell::Cell::new(0);
        let memo = Memo::new();
        let keys: Vec<Arc<str>> = (0..=MEMO_CAPACITY).map(|i| i.to_string().into()).collect();
        let get = |key: &Arc<str>| {
            memo.get(key, |text| {
                made.set(made.get() + 1);
                text.to_owned()
            })
        };
        for key in &keys {
            assert_eq!((get(key), get(key)), (key.to_string(), key.to_string()));
        }
        assert_eq!(made.get(), keys.len());
        get(&keys[0]);
        assert_eq!(made.get(), keys.len() + 1);
        // Another value with the same text is another value.
        get(&Arc::from("0"));
        assert_eq!(made.get(), keys.len() + 2);
    }
}
