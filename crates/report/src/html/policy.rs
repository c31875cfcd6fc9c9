//! What the page may do.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// The Content-Security-Policy of a page with one script: that one runs, nothing is loaded from
/// anywhere, nothing is sent anywhere.
///
/// Styles cannot be named by a hash, since drawings bring `style` attributes.
pub(super) fn policy(script: &str) -> String {
    let hash = BASE64.encode(&Sha256::digest(script.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; \
         img-src data:; base-uri 'none'; form-action 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_named_by_its_hash() {
        // printf abc | openssl dgst -sha256 -binary | base64
        assert!(policy("abc").contains("'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='"));
    }
}
