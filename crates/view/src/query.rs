//! Values in addresses.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but letters, digits and `-._~`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The values of `key` in a query, decoded, in order.
pub(crate) fn values(query: &str, key: &str) -> Vec<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| {
            let spaced = value.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        })
        .collect()
}

/// A value as it stands in an address.
pub(crate) fn encoded(value: &str) -> String {
    utf8_percent_encode(value, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_value_comes_back() {
        for value in ["", "a b", "a+b&c=d#e/../f", "Ω \"<>'%", "100%"] {
            let query = format!("x=1&id={}&y", encoded(value));
            assert_eq!(values(&query, "id"), [value]);
        }
        assert_eq!(values("a=1&a=2&b=3", "a"), ["1", "2"]);
        assert_eq!(values("id=a+b", "id"), ["a b"]);
        assert!(values("", "id").is_empty());
    }
}
